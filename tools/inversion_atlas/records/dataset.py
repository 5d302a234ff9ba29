"""A dataset on which attacks and defenses are measured."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inversion_atlas.records.erratum import SourceErratum
from inversion_atlas.records.fields import Flag, Line, PaperId, Record, Slug, TermId, Text, Url, Whole, Year

Count = Annotated[Whole, Field(ge=0)]


class Dataset(Record):
    """One dataset. `instances` counts items (images, rows, documents), `shape` is one item's size."""

    id: Slug = Field(exclude=True)
    name: Line
    full_name: Line | None = None
    other_names: tuple[Line, ...] = ()
    year: Year | None = None
    description: Text
    taxonomy: dict[Slug, tuple[TermId, ...]] = {}
    instances: Count | None = None
    splits: dict[Line, Count] = {}
    shape: Line | None = None
    classes: Count | None = None
    size_note: Text | None = None
    license: Line | None = None
    homepage: Url | None = None
    personal_data: Flag | None = None
    personal_data_note: Text | None = None
    introduced_by: PaperId | None = None
    errata: tuple[SourceErratum, ...] = ()
    aliases: tuple[Slug, ...] = ()
    evidence: tuple[Url, ...] = ()
