"""A facet of the taxonomy and its terms."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inversion_atlas.records.fields import Line, Record, Slug, TermId, Text, Url, Whole


class Term(Record):
    """One value of a facet. `aliases` are the spellings the sources use, `sources` who distinguishes it."""

    id: TermId = Field(exclude=True)
    label: Line
    definition: Text
    broader: TermId | None = None
    aliases: tuple[Line, ...] = ()
    sources: Annotated[tuple[Slug, ...], Field(min_length=1)]
    note: Text | None = None
    evidence: tuple[Url, ...] = ()


class Facet(Record):
    """One way to classify works; its id is the name of its file. `order` sorts facets for display."""

    id: Slug = Field(exclude=True)
    label: Line
    question: Line
    order: Whole
    terms: dict[TermId, Term]
