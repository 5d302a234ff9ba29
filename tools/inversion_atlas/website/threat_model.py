"""The threat model of a work: who the adversary is, what they see, must know and get, and who says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.disagreements import Claim, Stance
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.paper import Paper

# The term of the facet `signal` under which stands what an adversary brings along instead of observing it.
BROUGHT = ("signal", "auxiliary")
# The questions of the panel, and the facets that answer them; of `signal`, whether what is brought or what is observed.
QUESTIONS: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...] = (
    ("The adversary is", (("adversary", False),)),
    ("sees", (("access", False), ("signal", False))),
    ("must know", (("signal", True),)),
    ("training is", (("learning", False),)),
    ("and gets", (("objective", False),)),
)
FACETS = frozenset(facet for _, parts in QUESTIONS for facet, _ in parts)


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says of the terms in a row, in its own words where they are not the record's."""

    source: str
    stance: Stance
    printed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Terms of one facet. `alone` is the source that alone asserts them, "" where the curator confirmed them."""

    facet: Facet
    terms: tuple[str, ...]
    alone: str
    said: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the panel."""

    text: str
    parts: Sequence[Part]


def threat_model(catalogue: Catalogue, paper: Paper, claims: Sequence[Claim]) -> list[Question]:
    """Return the rows of a work's threat model that the record or a source answers; `claims` are the sources'."""
    found = []
    for text, wanted in QUESTIONS:
        parts = [part for facet, brought in wanted if (part := _part(catalogue, facet, paper, claims, brought))]
        if parts:
            found.append(Question(text, parts))
    return found


def classification(catalogue: Catalogue, paper: Paper, claims: Sequence[Claim]) -> list[Part]:
    """Return the facets of a work that are no part of its threat model, in their order."""
    rest = [facet for facet in catalogue.facets if facet not in FACETS]
    return [part for facet in rest if (part := _part(catalogue, facet, paper, claims))]


def _part(
    catalogue: Catalogue, facet: str, paper: Paper, claims: Sequence[Claim], brought: bool = False
) -> Part | None:
    terms = paper.taxonomy.get(facet, ())
    if facet not in catalogue.facets or not (terms or claims):
        return None
    split = catalogue.narrower.get(BROUGHT, frozenset()) if facet == BROUGHT[0] else frozenset()
    if split:
        terms = tuple([term for term in terms if (term in split) == brought])
    said = [claim for claim in claims if claim.field == facet and (not split or (claim.value in split) == brought)]
    if not terms and not said:
        return None
    alone = paper.unconfirmed.get(f"taxonomy.{facet}", "") if paper.unconfirmed else ""
    return Part(catalogue.facets[facet], terms, alone, list(_said(said)) if said else ())


def _said(claims: Sequence[Claim]) -> Iterator[Said]:
    """Yield what each source says, by stance: its words stand once however many rows repeat them."""
    grouped: dict[tuple[str, Stance], dict[str, None]] = {}
    for claim in claims:
        grouped.setdefault((claim.source.id, claim.stance), {})[claim.printed] = None
    for (source, stance), printed in grouped.items():
        yield Said(source, stance, tuple(printed))
