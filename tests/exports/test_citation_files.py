"""CSL-JSON and RIS."""

from __future__ import annotations

import json
from collections.abc import Callable

import rispy

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import csl_json, ris
from inversion_atlas.exports.citation import cite
from inversion_atlas.records.paper import Paper

OnePaper = Callable[..., tuple[Catalogue, Paper]]


def test_csl_keeps_particles_apart_and_collectives_whole(one_paper: OnePaper) -> None:
    item = csl_json.item(*one_paper(authors=["van der Maaten, Laurens", "King, Martin, Jr.", "OpenAI"]))
    assert item["author"] == [
        {"family": "Maaten", "given": "Laurens", "non-dropping-particle": "van der"},
        {"family": "King", "given": "Martin", "suffix": "Jr."},
        {"literal": "OpenAI"},
    ]


def test_csl_gives_every_record_type_and_year(catalogue: Catalogue) -> None:
    items = json.loads(csl_json.write(catalogue, list(catalogue.papers.values())))
    assert [item["id"] for item in items] == list(catalogue.papers)
    assert all(item["type"] and item["issued"]["date-parts"][0][0] for item in items)


def test_ris_reads_back_field_by_field(catalogue: Catalogue) -> None:
    papers = list(catalogue.papers.values())
    entries = rispy.loads(ris.write(catalogue, papers).decode())
    assert len(entries) == len(papers)
    for entry, paper in zip(entries, papers, strict=True):
        fact = cite(catalogue, paper)
        assert entry["id"] == paper.id
        assert entry["title"] == paper.title
        assert len(entry["authors"]) == len(paper.authors)
        assert entry["year"] == str(paper.year)
        assert entry.get("doi", "") == fact.doi
        assert entry.get("urls", [""])[0] == fact.url
        assert entry.get("start_page", "") == fact.pages.split("–")[0]


def test_ris_has_one_type_and_one_end_for_each_entry(one_paper: OnePaper) -> None:
    catalogue, paper = one_paper(title="TY  - BOOK\u0085ER  - ".strip("\u0085 ").replace("\u0085", " "), venue="arxiv")
    lines = ris.write(catalogue, [paper, paper]).decode().split("\r\n")
    assert [line for line in lines if line.startswith(("TY  - ", "ER  - "))] == ["TY  - UNPB", "ER  - "] * 2
    assert "\n" not in "".join(lines)
