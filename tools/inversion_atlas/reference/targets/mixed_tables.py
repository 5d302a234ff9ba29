"""A table of categories and numbers, encoded for a network: one column per category, numbers from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.targets.data import Images, Split
from inversion_atlas.reference.targets.tables import affairs

_CATEGORICAL = ("affair", "religious", "occupation", "occupation_husb")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its categories, or the lowest and highest number where `categories` is empty."""

    name: str
    categories: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 1.0

    @property
    def width(self) -> int:
        """How many numbers it takes up when encoded."""
        return len(self.categories) or 1


@dataclass(frozen=True, slots=True, eq=False)
class MixedTable(Split):
    """Encoded rows of a table; the columns, which are public, decode them."""

    columns: tuple[Column, ...]

    def decode(self, rows: Tensor) -> Tensor:
        """Return encoded rows in the units of the table, of shape (rows, columns)."""
        return decoded(rows, self.columns)


def encoded(rows: Tensor, columns: Sequence[Column]) -> Tensor:
    """Return rows of a table with each category as a column of zeros and ones and numbers scaled to 0 to 1."""
    parts = []
    for values, column in zip(rows.T, columns, strict=True):
        if column.categories:
            places = torch.tensor([column.categories.index(float(value)) for value in values])
            parts.append(functional.one_hot(places, column.width).to(rows.dtype))
        else:
            parts.append(((values - column.low) / (column.high - column.low))[:, None])
    return torch.cat(parts, dim=1)


def decoded(rows: Tensor, columns: Sequence[Column]) -> Tensor:
    """Return encoded rows in the units of the table; of each category the largest."""
    values = []
    for part, column in zip(rows.split([column.width for column in columns], dim=1), columns, strict=True):
        if column.categories:
            values.append(torch.tensor(column.categories, dtype=rows.dtype)[part.argmax(dim=1)])
        else:
            values.append(part[:, 0] * (column.high - column.low) + column.low)
    return torch.stack(values, dim=1)


@lru_cache(maxsize=1)
def answers() -> MixedTable:
    """The survey `affairs`, with four of its answers as categories: affair, religious, and both occupations."""
    survey = affairs()
    everybody = torch.cat([part.images for part in (survey.private, survey.test, survey.public)])
    columns = []
    for name, values in zip(survey.features, everybody.T, strict=True):
        if name in _CATEGORICAL:
            columns.append(Column(name, tuple(values.unique().tolist())))
        else:
            columns.append(Column(name, (), float(values.min()), float(values.max())))
    parts = (survey.private, survey.test, survey.public)
    private, test, public = (Images(encoded(part.images, columns), part.labels) for part in parts)
    return MixedTable("affairs", survey.classes, private, test, public, tuple(columns))


def network(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Two hidden layers of 100 ReLU units, as TabLeak attacks."""
    return nn.Sequential(nn.Linear(shape[0], 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, classes))
