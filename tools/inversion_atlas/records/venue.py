"""A venue: where works appear, under one spelling."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from inversion_atlas.records.fields import Line, Record, Slug, Url


class VenueType(StrEnum):
    """What kind of publication a venue makes, which decides the BibTeX entry type."""

    CONFERENCE = "conference"
    WORKSHOP = "workshop"
    JOURNAL = "journal"
    PREPRINT = "preprint"
    BOOK = "book"
    THESIS = "thesis"
    REPORT = "report"


class Venue(Record):
    """One venue. `name` is what a bibliography prints, `short` what a list prints."""

    id: Slug = Field(exclude=True)
    name: Line
    short: Line
    type: VenueType
    publisher: Line | None = None
    homepage: Url | None = None
    aliases: tuple[Line, ...] = ()
