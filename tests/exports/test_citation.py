"""What every citation format takes from a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.citation import Form, Name, cite, initials, page_range, parse_name, plain, web_address
from inversion_atlas.records.paper import Paper

OnePaper = Callable[..., tuple[Catalogue, Paper]]


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Zhu, Ligeng", Name("Zhu", "Ligeng")),
        ("van der Maaten, Laurens", Name("Maaten", "Laurens", "van der")),
        ("De Cristofaro, Emiliano", Name("De Cristofaro", "Emiliano")),
        ("García de Polavieja, Gonzalo", Name("García de Polavieja", "Gonzalo")),
        ("'t Hooft, Gerard", Name("Hooft", "Gerard", "'t")),
        ("King, Jr., Martin", Name("King", "Martin", "", "Jr.")),
        ("King, Martin, Jr.", Name("King", "Martin", "", "Jr.")),
        ("King Jr., Martin", Name("King", "Martin", "", "Jr.")),
        ("Storer, James III", Name("Storer", "James", "", "III")),
        ("hooks, bell", Name("hooks", "bell")),
        ("OpenAI", Name("OpenAI")),
        ("Smith,", Name("Smith,")),
    ],
)
def test_a_name_is_taken_apart(author: str, name: Name) -> None:
    assert parse_name(author) == name


def test_a_hyphenated_given_name_keeps_its_hyphen_in_initials() -> None:
    assert initials("Jean-Pierre émile") == "J.-P. É."


@pytest.mark.parametrize(
    ("pages", "printed"),
    [("1-9", "1–9"), ("1--9, 12", "1–9, 12"), ("7-1–7-9", "7-1–7-9"), ("e1-20-3", "e1-20-3"), ("", "")],
)
def test_ranges_of_pages_get_a_dash(pages: str, printed: str) -> None:
    assert page_range(pages) == printed


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({"venue": "neurips"}, Form.PROCEEDINGS),
        ({"venue": "workshop"}, Form.PROCEEDINGS),
        ({"venue": "hostile"}, Form.ARTICLE),
        ({"venue": "arxiv"}, Form.PREPRINT),
        ({"venue": "book"}, Form.BOOK),
        ({"venue": "book", "pages": "1-9"}, Form.CHAPTER),
        ({"venue": "thesis"}, Form.THESIS),
        ({"venue": "report"}, Form.REPORT),
        ({"links": {"arxiv": "1906.08935"}}, Form.PREPRINT),
        ({}, Form.OTHER),
    ],
)
def test_the_type_of_a_venue_decides_the_form(one_paper: OnePaper, fields: dict[str, Any], form: Form) -> None:
    assert cite(*one_paper(**fields)).form is form


def test_the_official_page_is_preferred_to_every_other_address(one_paper: OnePaper) -> None:
    links = {
        "doi": "10.1000/1",
        "arxiv": "1906.08935",
        "paper": "https://a.example/p",
        "pdf": "https://a.example/p.pdf",
    }
    found = []
    for drop in ("paper", "doi", "arxiv", "pdf", None):
        found.append(web_address(one_paper(links=links)[1]))
        links.pop(drop or "", None)
    assert found == [
        "https://a.example/p",
        "https://doi.org/10.1000/1",
        "https://arxiv.org/abs/1906.08935",
        "https://a.example/p.pdf",
        "",
    ]


def test_a_plain_citation_reads_like_one(one_paper: OnePaper) -> None:
    fields = {
        "title": "Deep Leakage from Gradients",
        "authors": ["Zhu, Ligeng", "van der Maaten, Laurens", "OpenAI"],
        "venue": "neurips",
        "pages": "1-9",
        "links": {"doi": "10.1000/1"},
    }
    assert plain(*one_paper(**fields)) == (
        "Zhu, L., van der Maaten, L., & OpenAI. (2020). Deep Leakage from Gradients. "
        "In Advances in Neural Information Processing Systems (pp. 1–9). https://doi.org/10.1000/1"
    )


def test_a_citation_says_that_a_paper_was_retracted(one_paper: OnePaper) -> None:
    status = {"state": "retracted", "reason": "Plagiarism", "evidence": "https://a.example"}
    made = one_paper(title="Is It So?", status=status)
    assert plain(*made) == "Doe, J. (2020). Is It So? [Retracted]."
    assert cite(*made).note == "Retracted"


def test_more_than_twenty_authors_are_cut_short(one_paper: OnePaper) -> None:
    text = plain(*one_paper(authors=[f"Name{chr(65 + at)}, X" for at in range(25)]))
    assert "NameS, X., … NameY, X." in text
    assert "NameT" not in text
