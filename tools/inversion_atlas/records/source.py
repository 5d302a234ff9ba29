"""A source ledger: each row of a survey or list, the record it resolves to, and what it has wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from inversion_atlas.records.erratum import Erratum
from inversion_atlas.records.fields import Day, Line, PaperId, Record, Slug, TermId, Text, Url


class SourceKind(StrEnum):
    """What kind of document a ledger reads."""

    SURVEY = "survey"
    LIST = "list"
    ATLAS = "atlas"


class Row(Record):
    """One row of a source: where it stands, its title as printed, and the one record it resolves to."""

    place: Line
    title: Line
    paper: PaperId | None = None
    dataset: Slug | None = None
    metric: Slug | None = None
    term: TermId | None = None
    unresolved: Text | None = None
    says: dict[Line, tuple[Line, ...]] = {}
    errata: tuple[Erratum, ...] = ()
    note: Text | None = None

    @model_validator(mode="after")
    def _resolves_to_one(self) -> Self:
        given = [self.paper, self.dataset, self.metric, self.term, self.unresolved]
        if sum(value is not None for value in given) != 1:
            raise PydanticCustomError(
                "row-resolution",
                "a row names exactly one of paper, dataset, metric, term, or says why it is `unresolved`",
            )
        return self


class Source(Record):
    """One source document. `count` is the command that counts its rows, so that none can be missing."""

    id: Slug = Field(exclude=True)
    title: Line
    kind: SourceKind
    authors: tuple[Line, ...] = ()
    url: Url | None = None
    paper: PaperId | None = None
    read: Day | None = None
    count: Text | None = None
    rows: tuple[Row, ...] = ()
