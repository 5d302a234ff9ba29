"""What counts as a disagreement between sources and records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.disagreements import Stance, all_disagreements, claims, disagreements, terms_meant

ACCESS = {
    "label": "Access",
    "question": "What?",
    "order": 1,
    "terms": {
        "white-box": {"label": "White box", "definition": "d", "aliases": ["full access"], "sources": ["a"]},
        "black-box": {"label": "Black box", "definition": "d", "sources": ["a"]},
        "label-only": {"label": "Label only", "definition": "d", "broader": "black-box", "sources": ["a"]},
    },
}
VENUES = {
    "arxiv": {"name": "arXiv", "short": "arXiv", "type": "preprint"},
    "cvpr": {"name": "Computer Vision", "short": "CVPR", "type": "conference"},
    "iccv": {"name": "Computer Vision, International", "short": "ICCV", "type": "conference"},
}


@pytest.fixture
def compare(make_catalogue: Callable[..., Catalogue]) -> Callable[..., Catalogue]:
    """Return a function that makes a catalogue of one work and what two sources say of it."""

    def make(record: dict[str, Any], a: dict[str, Any], b: dict[str, Any] | None = None) -> Catalogue:
        paper = {"title": "T", "authors": ["Doe, A."], "year": 2020, "kind": "attack", **record}
        rows = {
            name: {"place": "row 1", "title": "T", "paper": "doe2020t", **(row or {})}
            for name, row in (("a", a), ("b", b))
        }
        sources = {name: {"title": name, "kind": "list", "rows": [row]} for name, row in rows.items()}
        return make_catalogue({"doe2020t": paper}, facets={"access": ACCESS}, venues=VENUES, sources=sources)

    return make


def found(catalogue: Catalogue) -> list[tuple[str, list[str]]]:
    return [
        (each.field, [claim.value for claim in each.claims])
        for each in disagreements(catalogue, catalogue.papers["doe2020t"])
    ]


def access(*terms: str) -> dict[str, Any]:
    return {"taxonomy": {"access": list(terms)}}


def says(**columns: list[str]) -> dict[str, Any]:
    return {"says": columns}


def test_another_term_than_the_record_is_a_disagreement(compare: Callable[..., Catalogue]) -> None:
    assert found(compare(access("white-box"), says(access=["Black Box"]))) == [("access", ["black-box"])]


@pytest.mark.parametrize(("held", "said"), [("label-only", "black-box"), ("black-box", "label-only")])
def test_a_wider_or_narrower_term_is_none(compare: Callable[..., Catalogue], held: str, said: str) -> None:
    assert found(compare(access(held), says(access=[said]))) == []


def test_sources_that_differ_from_each_other_disagree_though_the_record_has_both(
    compare: Callable[..., Catalogue],
) -> None:
    both = compare(access("white-box", "black-box"), says(access=["white-box"]), says(access=["label-only"]))
    assert found(both) == [("access", ["white-box", "label-only"])]


def test_an_unknown_spelling_claims_nothing(compare: Callable[..., Catalogue]) -> None:
    catalogue = compare(access("white-box"), says(access=["holistic"], cost=["black-box"]))
    assert claims(catalogue, catalogue.papers["doe2020t"]) == []


def test_a_record_without_the_facet_is_not_contradicted(compare: Callable[..., Catalogue]) -> None:
    catalogue = compare({}, says(access=["black-box"]))
    assert [claim.stance for claim in claims(catalogue, catalogue.papers["doe2020t"])] == [Stance.ALONE]
    assert found(catalogue) == []


def test_remarks_and_section_numbers_are_no_part_of_a_term(compare: Callable[..., Catalogue]) -> None:
    catalogue = compare(access("white-box"), {})
    assert terms_meant(catalogue, "access", "white-box (defense)") == ("access", ("white-box",))
    assert terms_meant(catalogue, "access", "3.2 Full access") == ("access", ("white-box",))
    assert terms_meant(catalogue, "access", "white-box & black-box") == ("access", ("white-box", "black-box"))
    assert terms_meant(catalogue, "access", "white-box & odd") == ("access", ())


def test_another_year_or_venue_is_a_disagreement(compare: Callable[..., Catalogue]) -> None:
    catalogue = compare({"venue": "cvpr"}, says(year=["2019"], venue=["ICCV'2019"]))
    assert found(catalogue) == [("year", ["2019"]), ("venue", ["iccv"])]


def test_the_year_of_a_preprint_is_none(compare: Callable[..., Catalogue]) -> None:
    assert found(compare({"venue": "cvpr"}, says(year=["2019"], venue=["arXiv"]))) == []
    superseded = {"type": "superseded", "says": "2019", "correct": "2020"}
    assert found(compare({"venue": "cvpr"}, {**says(year=["2019"]), "errata": [superseded]})) == []


def test_an_erratum_about_the_work_is_a_disagreement(compare: Callable[..., Catalogue]) -> None:
    wrong = {"type": "wrong-access", "says": "black-box", "correct": "white-box"}
    link = {"type": "wrong-link", "says": "x", "correct": "y"}
    catalogue = compare(access("white-box"), {"errata": [wrong, link]})
    (only,) = disagreements(catalogue, catalogue.papers["doe2020t"])
    assert (only.field, [each.erratum.type for each in only.errata], only.claims) == ("access", ["wrong-access"], ())


def test_the_real_ledgers_hold_the_case_the_surveys_are_known_for(catalogue: Catalogue) -> None:
    known = {(paper.id, each.field) for paper, each in all_disagreements(catalogue)}
    assert ("melis2019exploiting", "access") in known
    for paper, each in all_disagreements(catalogue):
        assert each.claims or each.errata
        assert paper.id in catalogue.listed_by
