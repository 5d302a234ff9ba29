"""What `atlas discover` asks for, and which works a curator has refused."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from inversion_atlas.records.fields import ARXIV, DOI, Day, Line, Number, PaperId, Record, Text, Whole

# A work outside the catalogue, by where it is known: `arxiv:2401.01234`, `doi:10.1145/3616855`, `openalex:W2741809807`.
WORK_ID = re.compile(rf"arxiv:(?:{ARXIV.pattern})|doi:{DOI.pattern}|openalex:W[0-9]+")


def _work_id(value: str) -> str:
    if not WORK_ID.fullmatch(value):
        raise PydanticCustomError("bad-work-id", "a work is arxiv:2401.01234, doi:10.1145/3616855 or openalex:W2741")
    return value


def _filter_value(value: str) -> str:
    # A comma starts OpenAlex's next filter.
    if "," in value:
        raise PydanticCustomError("bad-query", "a query of OpenAlex holds no comma; write OR, or make two queries")
    return value


WorkId = Annotated[str, AfterValidator(_work_id)]


class Discovery(Record):
    """What `data/discovery.yaml` holds.

    `arxiv_queries` are in arXiv's language, `openalex_queries` are searched in titles and abstracts, and works that
    cite one of `core` are found through OpenAlex. `look_back` are days before the last run that are asked again, as
    indexes learn late; `first_days` is how far the first run reaches back; `most` ends a question with very many
    answers; works less like the catalogue than `least` are not listed.
    """

    arxiv_queries: tuple[Line, ...] = ()
    openalex_queries: tuple[Annotated[Line, AfterValidator(_filter_value)], ...] = ()
    core: tuple[PaperId, ...] = ()
    look_back: Annotated[Whole, Field(ge=0, le=366)] = 30
    first_days: Annotated[Whole, Field(ge=1, le=3660)] = 90
    most: Annotated[Whole, Field(ge=1, le=10_000)] = 500
    least: Number = 0.0


class Refusal(Record):
    """A work that a curator does not want in the catalogue. `also` are its other ids; `title` finds it under any."""

    id: WorkId = Field(exclude=True)
    title: Line | None = None
    authors: tuple[Line, ...] = ()
    also: tuple[WorkId, ...] = ()
    reason: Text
    date: Day
