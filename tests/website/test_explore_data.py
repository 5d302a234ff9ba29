"""What Explore reads: columns that say what the records say, and parts from which every export is joined."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.cli.main import atlas
from inversion_atlas.exports.formats import FORMATS
from inversion_atlas.query import HAS, newest_first, searchable, select
from inversion_atlas.records.folding import fold
from inversion_atlas.reference import index
from inversion_atlas.reference.index import Implementation
from inversion_atlas.website.explore import OFFERED, explore_files, export_file, works

from .conftest import ROOT

HOSTILE = "</script><script>alert(1)</script> & \\ \" 'x'"


def read(catalogue: Catalogue) -> tuple[dict[str, Any], dict[str, Any]]:
    made = {path: json.loads(content) for path, content in explore_files(catalogue)}
    assert list(made) == ["explore/works.json", "explore/texts.json"]
    return made["explore/works.json"], made["explore/texts.json"]


def ids_of(found: dict[str, Any]) -> list[str]:
    """Return the ids of the works, put together as the page does."""
    places: list[list[int]] = rows(found["authors"])
    new = iter(range(len(found["families"])))
    ids = []
    for at, word in enumerate(found["ids"]):
        authors = [place - 1 if place else next(new) for place in places[at]]
        family = fold(found["families"][authors[0]]).replace(" ", "") if authors else ""
        made = (
            f"{family}{found['years'][at]}{fold(found['titles'][at]).split(' ')[word if isinstance(word, int) else 0]}"
        )
        ids.append(word if isinstance(word, str) else made)
    return ids


def rows(column: list[Any]) -> list[list[int]]:
    """Return a column's values, a list per work."""
    counts, values = column
    left = iter(values)
    found = [[next(left) for _ in range(count)] for count in counts]
    assert next(left, None) is None
    return found


def test_the_columns_say_what_the_records_say(catalogue: Catalogue) -> None:
    data, texts = read(catalogue)
    found = data["works"]
    papers = newest_first(catalogue.papers.values())
    assert ids_of(found) == [paper.id for paper in papers]
    assert len(texts["summaries"]) == len(papers)
    new = iter(range(len(found["families"])))
    columns = {name: rows(found[name]) for name in ("authors", "datasets", "metrics", "sources")}
    terms = [rows(column) for column in found["terms"]]
    for at, paper in enumerate(papers):
        assert (found["titles"][at], found["years"][at]) == (paper.title, paper.year)
        assert data["kinds"][found["kinds"][at]] == paper.kind
        venue = found["venues"][at]
        assert (data["venues"][venue][0] if venue >= 0 else None) == paper.venue
        assert [data["datasets"][number][0] for number in columns["datasets"][at]] == list(paper.datasets)
        assert [data["metrics"][number][0] for number in columns["metrics"][at]] == list(paper.metrics)
        listed = {source.id for source, _ in catalogue.listed_by.get(paper.id, ())}
        assert {data["sources"][number][0] for number in columns["sources"][at]} == listed
        assert {name for bit, name in enumerate(data["has"]) if found["has"][at] >> bit & 1} == {
            name for name, test in HAS.items() if test(paper)
        }
        for facet, of_works in zip(data["facets"], terms, strict=True):
            held = [facet["terms"][number][0] for number in of_works[at]]
            assert held == list(paper.taxonomy.get(facet["id"], ()))
        places = [number - 1 if number else next(new) for number in columns["authors"][at]]
        names = [f"{found['families'][place]}, {texts['given'][place]}" for place in places]
        assert list(map(fold, names)) == list(map(fold, paper.authors))
        assert texts["summaries"][at] == (paper.summary or "")


def test_every_text_that_the_shell_searches_is_in_the_two_files(catalogue: Catalogue) -> None:
    data, texts = read(catalogue)
    everything = fold(json.dumps([data, texts, ids_of(data["works"])], ensure_ascii=False).replace("\\n", " "))
    for paper in catalogue.papers.values():
        # Names stand in two parts, which the first test puts together.
        names = {f"{given} {family}" for family, _, given in (author.partition(", ") for author in paper.authors)}
        wanted = [text for text in searchable(catalogue, paper) if text not in names]
        assert [text for text in wanted if fold(text) not in everything] == []


def test_relations_stand_once_and_as_the_acting_work_reads_them(catalogue: Catalogue) -> None:
    data, _ = read(catalogue)
    ids, flat = ids_of(data["works"]), data["works"]["edges"]
    made = [(ids[flat[at]], data["verbs"][flat[at + 1]][0], ids[flat[at + 2]]) for at in range(0, len(flat), 3)]
    known = {
        (id, edge.verb, edge.other)
        for id, edges in catalogue.edges.items()
        for edge in edges
        if edge.verb in dict(data["verbs"])
    }
    assert len(made) == len(set(made))
    assert set(made) == known


def test_the_files_are_the_same_twice_and_small(catalogue: Catalogue) -> None:
    first, second = list(explore_files(catalogue)), list(explore_files(catalogue))
    assert first == second
    # What must be there before anything can be filtered; the rest follows.
    assert len(first[0][1].encode()) < 350 * len(catalogue.papers)


def test_what_runs_here_is_a_thing_to_ask_for(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert select(catalogue, "has:implementation") == [] or index.IMPLEMENTATIONS
    one = Implementation("dlg", "DLG", "attack", "zhu2019deep", "", "Algorithm 1", "atlas attack dlg")
    monkeypatch.setattr(index, "IMPLEMENTATIONS", (one,))
    assert [paper.id for paper in select(catalogue, "has:implementation")] == ["zhu2019deep"]
    papers = newest_first(catalogue.papers.values())
    bit = list(HAS).index("implementation")
    having = [papers[at].id for at, bits in enumerate(works(catalogue, papers)["has"]) if bits >> bit & 1]
    assert having == ["zhu2019deep"]


@pytest.mark.usefixtures("read_once")
@pytest.mark.parametrize("name", OFFERED)
def test_parts_join_to_what_the_shell_exports(catalogue: Catalogue, name: str) -> None:
    parts = FORMATS[name].pieces
    assert parts
    rendered = parts(catalogue).render(catalogue.papers.values())
    for query in ("", "id=zhu2019deep", "kind:survey", "year=2019..2021 has:code", "author:balunovic"):
        words = shlex.split(query)
        printed = CliRunner().invoke(atlas, ["--root", str(ROOT), "export", name, *words]).stdout_bytes
        ids = [paper.id for paper in select(catalogue, query)]
        assert ids
        assert rendered.file(ids) == printed, query
    path, content = export_file(FORMATS[name], rendered)
    assert path == f"explore/{name}.json"
    assert joined(json.loads(content), ids).encode() == printed


def joined(parts: dict[str, Any], ids: Collection[str]) -> str:
    """Join parts as the page does."""
    shape = next(each for each in parts["shapes"] if each["most"] is None or len(ids) <= each["most"])
    preamble, letters = parts.get("preamble"), set[str]()
    if preamble:
        letters = {letter for id in ids for letter in preamble["letters"].get(id, "")}
    before = (
        preamble["open"] + "".join(map(preamble["define"].get, sorted(letters))) + preamble["close"] if letters else ""
    )
    texts = [shape["before"] + parts["texts"][id] + shape["after"] for id in ids]
    return str(before + shape["head"] + shape["between"].join(texts) + shape["foot"])


def test_letters_are_defined_only_where_a_selection_needs_them(make_catalogue: Callable[..., Catalogue]) -> None:
    plain = {"title": "Plain", "authors": ["Doe, Jane"], "year": 2020, "kind": "attack"}
    strange = plain | {"title": "Ọ and ễ", "authors": ["Tọ, Ễ"]}
    catalogue = make_catalogue({"doe2020plain": plain, "to2020o": strange})
    for name in ("bibtex", "biblatex"):
        parts = FORMATS[name].pieces
        assert parts
        rendered = parts(catalogue).render(catalogue.papers.values())
        assert b"@preamble" not in rendered.file(["doe2020plain"])
        assert b"@preamble" in rendered.file(["doe2020plain", "to2020o"])
        papers = list(catalogue.papers.values())
        assert rendered.file([paper.id for paper in papers]) == FORMATS[name].write(catalogue, papers)


def test_a_hostile_record_stays_data(make_catalogue: Callable[..., Catalogue]) -> None:
    record = {"title": HOSTILE, "authors": [f"{HOSTILE}, X"], "year": 2020, "kind": "attack", "summary": HOSTILE}
    catalogue = make_catalogue({"x2020hostile": record})
    data, texts = read(catalogue)
    assert data["works"]["titles"] == [HOSTILE]
    assert texts["summaries"] == [HOSTILE]


def test_a_bare_record_is_no_special_case(make_catalogue: Callable[..., Catalogue]) -> None:
    bare = {"title": "Bare", "authors": ["Nobody"], "year": 2020, "kind": "attack"}
    data, texts = read(make_catalogue({"nobody2020bare": bare}))
    assert data["works"]["venues"] == [-1]
    assert texts["urls"] == [""]


def test_lists_lead_to_the_same_query_here(site: Path) -> None:
    for page, query in (
        ("papers/2019", "year%3D2019"),
        ("papers", "year%3E%3D2019%20has%3Acode"),
        ("terms/access/white-box", "access%3Dwhite-box"),
        ("datasets/celeba", "dataset%3Dceleba"),
    ):
        root = "../" * (page.count("/") + 1)
        html = (site / page / "index.html").read_text()
        assert f'<a href="{root}explore/?q={query}">The same in Explore</a>' in html
