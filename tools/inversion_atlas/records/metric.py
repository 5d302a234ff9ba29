"""A metric: what it measures, which way is better for whom, and what it cannot see."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from inversion_atlas.records.erratum import SourceErratum
from inversion_atlas.records.fields import Bound, Line, PaperId, Record, Slug, Text, Url


class Group(StrEnum):
    """What a metric compares."""

    PIXEL = "pixel"
    PERCEPTUAL = "perceptual"
    FEATURE = "feature"
    DISTRIBUTION = "distribution"
    IDENTIFICATION = "identification"
    CLASSIFICATION = "classification"
    ATTRIBUTE = "attribute"
    TEXT = "text"
    UTILITY = "utility"
    COST = "cost"


class Better(StrEnum):
    """Which way of the scale a party wants."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Direction(Record):
    """Which way is better, for the one who attacks and the one who defends."""

    attacker: Better
    defender: Better


class Metric(Record):
    """One metric. `formula` is LaTeX, `range` its least and greatest value (`inf` where unbounded)."""

    id: Slug = Field(exclude=True)
    name: Line
    full_name: Line | None = None
    other_names: tuple[Line, ...] = ()
    group: Group
    description: Text
    formula: Text | None = None
    symbols: dict[Line, Text] = {}
    direction: Direction
    range: tuple[Bound, Bound] | None = None
    unit: Line | None = None
    variants: tuple[Text, ...] = ()
    blind_to: Text
    introduced_by: PaperId | None = None
    errata: tuple[SourceErratum, ...] = ()
    aliases: tuple[Slug, ...] = ()
    evidence: tuple[Url, ...] = ()

    @model_validator(mode="after")
    def _range_runs_upward(self) -> Self:
        if self.range and not self.range[0] < self.range[1]:
            raise PydanticCustomError("bad-range", "write the least value first: [0, inf]")
        return self
