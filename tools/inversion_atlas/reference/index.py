"""What runs here and what it reached when measured: read without torch by the website and the query language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One result of `atlas bench` on the bundled data."""

    metric: str  # id in data/metrics.yaml
    value: float
    unit: str  # "" where it has none
    baseline: float  # the best of mean image, random guess and prior alone
    setting: str  # data, target and observation in a line


@dataclass(frozen=True, slots=True)
class Implementation:
    """A metric, attack or defense implemented here, tied to the record whose method it is."""

    name: str  # as the shell knows it: `dlg`
    label: str  # as the paper calls it: `DLG`
    kind: str  # attack, defense, metric
    paper: str  # id of the paper whose method it is, "" for a metric without one
    metric: str  # id in data/metrics.yaml, "" unless kind is metric
    equation: str  # which equation, algorithm or section it implements
    command: str  # what runs it
    measured: tuple[Measured, ...] = ()


IMPLEMENTATIONS: tuple[Implementation, ...] = ()
