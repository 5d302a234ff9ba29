"""A paper: one work, under whichever of its versions, with what it assumes and was measured on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from inversion_atlas.records.fields import (
    ArxivId,
    Day,
    Doi,
    Line,
    Number,
    PaperId,
    Record,
    Slug,
    TermId,
    Text,
    Url,
    Year,
)


class Kind(StrEnum):
    """What a work is to this field. `background` is cited by a source but not on model inversion."""

    ATTACK = "attack"
    DEFENSE = "defense"
    SURVEY = "survey"
    BENCHMARK = "benchmark"
    METRIC = "metric"
    DATASET = "dataset"
    TOOL = "tool"
    BACKGROUND = "background"


class State(StrEnum):
    """A standing that a reader must know before citing a work."""

    RETRACTED = "retracted"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class Status(Record):
    """Why a work is not an ordinary publication, and the page that says so."""

    state: State
    reason: Text
    evidence: Url


class Links(Record):
    """Where a work is found. `code` is the authors' own, `reimplementation` is anybody else's."""

    doi: Doi | None = None
    arxiv: ArxivId | None = None
    paper: Url | None = None
    pdf: Url | None = None
    project: Url | None = None
    code: tuple[Url, ...] = ()
    reimplementation: tuple[Url, ...] = ()
    video: Url | None = None
    slides: Url | None = None
    poster: Url | None = None
    archive: Url | None = None


# The verb as the acting paper says it, and as the other end reads.
VERBS = {
    "improves": "improved-by",
    "extends": "extended-by",
    "attacks": "attacked-by",
    "defends-against": "defended-by",
    "evaluates": "evaluated-by",
    "surveys": "surveyed-by",
    "reimplements": "reimplemented-by",
}
PASSIVE = {passive: verb for verb, passive in VERBS.items()}


def _known_verb(value: str) -> str:
    if value not in VERBS and value not in PASSIVE:
        raise PydanticCustomError("bad-relation", "a relation's verb is one of {verbs}", {"verbs": ", ".join(VERBS)})
    return value


class Relation(Record):
    """A typed edge to another paper, written at one end only: `{improves: zhu2019deep, how: …}`."""

    verb: Annotated[str, AfterValidator(_known_verb)]
    target: PaperId
    how: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "verb" in data:
            return data
        verbs = [key for key in data if key in VERBS or key in PASSIVE]
        if len(verbs) != 1:
            raise PydanticCustomError(
                "bad-relation",
                "a relation has one verb ({verbs}) and may have `how`: {{improves: zhu2019deep, how: …}}",
                {"verbs": ", ".join([*VERBS, *PASSIVE])},
            )
        rest = {key: value for key, value in data.items() if key != verbs[0]}
        return {"verb": verbs[0], "target": data[verbs[0]], **rest}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        target = {"type": "string", "description": "id of the other paper"}
        return {
            "type": "object",
            "description": cls.__doc__,
            "properties": {**dict.fromkeys([*VERBS, *PASSIVE], target), "how": {"type": "string"}},
            "oneOf": [{"required": [verb]} for verb in [*VERBS, *PASSIVE]],
            "additionalProperties": False,
        }


class Reported(Record):
    """A number the paper itself prints, with where it stands."""

    metric: Slug
    value: Number
    unit: Line | None = None
    dataset: Slug | None = None
    target: Line | None = None
    method: Line | None = None
    setting: Text | None = None
    place: Line
    evidence: Url


class Paper(Record):
    """One work. Its id, permalink and BibTeX key is the name of its file."""

    id: PaperId = Field(exclude=True)
    title: Line
    authors: Annotated[tuple[Line, ...], Field(min_length=1)]
    year: Year
    venue: Slug | None = None
    volume: Line | None = None
    issue: Line | None = None
    pages: Line | None = None
    kind: Kind
    status: Status | None = None
    methods: tuple[Line, ...] = ()
    summary: Text | None = None
    taxonomy: dict[Slug, tuple[TermId, ...]] = {}
    datasets: tuple[Slug, ...] = ()
    metrics: tuple[Slug, ...] = ()
    links: Links = Links()
    relations: tuple[Relation, ...] = ()
    reported: tuple[Reported, ...] = ()
    other_titles: tuple[Line, ...] = ()
    aliases: tuple[PaperId, ...] = ()
    not_duplicate_of: tuple[PaperId, ...] = ()
    unconfirmed: dict[str, Slug] = {}
    added: Day | None = None
    evidence: tuple[Url, ...] = ()
