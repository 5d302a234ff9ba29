"""An error in a source, with the correction and how it is known."""

from __future__ import annotations

from enum import StrEnum

from inversion_atlas.records.fields import Line, Record, Slug, Text, Url


class Fault(StrEnum):
    """What kind of error a source makes."""

    WRONG_LINK = "wrong-link"
    DEAD_MARKUP = "dead-markup"
    WRONG_TITLE = "wrong-title"
    WRONG_YEAR = "wrong-year"
    WRONG_VENUE = "wrong-venue"
    WRONG_AUTHORS = "wrong-authors"
    WRONG_FAMILY = "wrong-family"
    WRONG_ACCESS = "wrong-access"
    WRONG_FACT = "wrong-fact"
    WRONG_CITATION = "wrong-citation"
    GARBLED_FORMULA = "garbled-formula"
    DUPLICATE = "duplicate"
    MISSPELT = "misspelt"
    OUT_OF_SCOPE = "out-of-scope"
    SUPERSEDED = "superseded"
    INCOMPLETE = "incomplete"


class Erratum(Record):
    """What a source has wrong: `says` is what it prints, `correct` what holds, `evidence` who says so."""

    type: Fault
    says: Text
    correct: Text
    note: Text | None = None
    evidence: tuple[Url, ...] = ()


class _InSource(Record):
    source: Slug
    place: Line


# In this order of bases, source and place come first in the record.
class SourceErratum(Erratum, _InSource):
    """An erratum kept with the thing it is about, naming the source and the place in it."""
