"""RIS and CSL-JSON as they are found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import csl_json as csl_export
from inversion_atlas.exports import ris as ris_export
from inversion_atlas.intake import files
from inversion_atlas.intake.entry import Entry


def codes(entry: Entry) -> list[tuple[str, int]]:
    return [(problem.code, problem.line) for problem in entry.problems]


def test_two_records_without_an_end_are_two_records() -> None:
    data = b"TY  - JOUR\r\nAU  - Zhu, L.\r\nTI  - One\r\n wrapped\r\nPY  - 2019/05/01\r\n"
    data += b"TY  - CONF\r\nA1  - Gr\xfcn, J.\r\nT1  - Two\r\nY1  - 2020\r\n"
    first, second = files.read(data)
    assert (first.title, first.authors, first.year) == ("One wrapped", ("Zhu, L.",), 2019)
    assert (second.title, second.authors, second.year) == ("Two", ("Grün, J.",), 2020)
    assert codes(first) == [("no-end", 1)]
    assert codes(second) == [("not-utf8", 7), ("no-end", 6)]


def test_ris_without_its_start_is_reported() -> None:
    read = files.read(b"TY  - JOUR\nTI  - A\nER  - \nAU  - Lost, I.\nTI  - B\nER  - \n")
    assert codes(read[1]) == [("stray-text", 4)]
    assert read[1].refused


@pytest.mark.parametrize("dash", ["  - ", "  -", " - "])
def test_ris_with_other_spaces_is_ris(dash: str) -> None:
    fields = {"TY": "JOUR", "AU": "Zhu, L.", "TI": "One", "PY": "2019", "ER": ""}
    (entry,) = files.read("\n".join(f"{tag}{dash}{value}" for tag, value in fields.items()).encode())
    assert (entry.title, entry.year, entry.problems) == ("One", 2019, ())


def test_joined_files_of_both_formats_lose_nothing() -> None:
    bib = "@misc{a, title={First}, author={A B}, year=2019}\n"
    entries = files.read(f"{bib}TY  - JOUR\nTI  - Second\nER  - \n{bib}TY  - JOUR\nTI  - Last\nER  - \n".encode())
    assert [entry.title for entry in entries] == ["First", "Second", "First", "Last"]


def test_ris_fields_are_read() -> None:
    text = "TY  - JOUR\nAU  - van Gogh, V.\nAU  - et al.\nTI  - T\nJO  - J. X\nVL  - 3\nIS  - 2\nSP  - 12\nEP  - 19\n"
    (entry,) = files.read(f"{text}PY  - 2019\nDO  - nonsense\nUR  - https://x.org/a\nER  - \n".encode())
    assert (entry.venue, entry.volume, entry.issue, entry.pages, entry.doi) == ("J. X", "3", "2", "12–19", "")
    assert entry.authors == ("van Gogh, V.",)
    assert entry.cut_off
    assert {code for code, _ in codes(entry)} == {"et-al", "bad-doi"}


ITEM: dict[str, Any] = {
    "type": "article-journal",
    "title": "A <i>b</i> &amp; c",
    "author": [{"family": "Gogh", "given": "V.", "non-dropping-particle": "van"}, {"literal": "The Team"}],
    "issued": {"date-parts": [["2019", 5, 1]]},
    "DOI": "10.1145/2810103",
    "page": "12-19",
}


@pytest.mark.parametrize("data", [[ITEM], ITEM, {"items": [ITEM]}])
def test_csl_json_comes_as_array_or_alone(data: Any) -> None:
    (entry,) = files.read(json.dumps(data).encode())
    assert (entry.title, entry.authors, entry.year) == ("A b & c", ("van Gogh, V.", "The Team"), 2019)
    assert (entry.doi, entry.pages, entry.problems) == ("10.1145/2810103", "12–19", ())


@pytest.mark.parametrize(
    "issued", [{"raw": "May 2019"}, {"literal": "2019"}, "2019-05", {"date-parts": [[2019]]}, {"year": 2019}, 2019]
)
def test_years_of_csl_json(issued: Any) -> None:
    (entry,) = files.read(json.dumps([{**ITEM, "issued": issued}]).encode())
    assert entry.year == 2019


@pytest.mark.parametrize("item", [3, None, "x", [], {}, True])
def test_what_is_no_item_is_refused_and_its_neighbors_are_read(item: Any) -> None:
    first, second = files.read(json.dumps([item, ITEM]).encode())
    assert first.refused
    assert second.title == "A b & c"


@pytest.mark.parametrize(("data", "code"), [(b"[{", "not-json"), (b"[" * 100_000, "not-json"), (b"[]", "no-entry"),
                                            (b"", "no-entry"), (b" \n", "no-entry"),
                                            (b"TY  - ", "no-end")])  # fmt: skip
def test_what_holds_nothing_is_refused(data: bytes, code: str) -> None:
    (entry,) = files.read(data)
    assert entry.complete().refused
    assert code in dict(codes(entry))


def test_items_have_their_lines() -> None:
    entries = files.read(b'[\n {"title": "a"},\n\n {"title": "b", "author": [{"family": "{"}]}\n]')
    assert [entry.line for entry in entries] == [2, 4]


def test_every_record_comes_back_from_ris_and_csl_json(catalogue: Catalogue) -> None:
    papers = list(catalogue.papers.values())
    for export in (ris_export, csl_export):
        entries = files.read(export.write(catalogue, papers))
        assert [entry.key for entry in entries] == [paper.id for paper in papers]
        assert [entry.title for entry in entries] == [paper.title for paper in papers]
        assert [entry.year for entry in entries] == [paper.year for paper in papers]
        assert [len(entry.authors) for entry in entries] == [len(paper.authors) for paper in papers]
        assert [entry.doi for entry in entries] == [(paper.links.doi or "").lower() for paper in papers]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ITEM, "family", "name"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(
    st.lists(st.dictionaries(st.sampled_from([*ITEM, "URL", "note", "archive", "number", "id"]), values), max_size=3)
)
def test_no_json_makes_the_reader_raise(items: list[dict[str, Any]]) -> None:
    assert [entry.complete() for entry in files.read(json.dumps(items).encode())]


@given(
    st.lists(st.sampled_from(["TY  - ", "AU  - ", "ER  - ", "TI  - x", "PY  - 2019", "", "AU", "  - ", "é"])).map(
        "\n".join
    )
)
def test_no_ris_makes_the_reader_raise(text: str) -> None:
    assert len(files.read(f"TY  - JOUR\n{text}".encode())) >= 1
