"""Hostile records through every format."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable

import bibtexparser
import pytest
import rispy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.formats import FORMATS
from inversion_atlas.records.fields import BIDI_CONTROLS, INVISIBLE

FRAGMENTS = [
    "</script><script>alert(1)</script>", '"onmouseover="x', "javascript:alert(1)", "]](https://x.example)", "{", "}",
    "\\input{/etc/passwd}", "\\write18{ls}", "$", "%", "|", "=HYPERLINK(1)", "ER  - ", "TY  - JOUR", "@article{x,",
    " and ", ", ", "\u200f", "\u200e", "\u202e", "😀", "👩\u200d💻", "张伟", "محمد", "Nguyễn", "ọ", "\u0301",
    "x" * 10_000, "'", "`", "-->", "]]>", "&amp;", "family=x", "others", "\x00", "\n",
]  # fmt: skip


def _clean(text: str) -> str:
    """Leave out what no record can hold, as the models refuse it."""
    banned = BIDI_CONTROLS | INVISIBLE
    text = "".join(char for char in text if char not in banned and unicodedata.category(char) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", text).strip()


HOSTILE = (
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6)), min_size=1, max_size=5)
    .map("".join)
    .map(_clean)
    .filter(bool)
)


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=40)
@given(title=HOSTILE, author=HOSTILE, other=HOSTILE)
def test_no_record_breaks_a_format(catalogue_of: Callable[..., Catalogue], title: str, author: str, other: str) -> None:
    status = {"state": "rejected", "reason": other, "evidence": "https://a.example"}
    hostile = {
        "title": title, "authors": [author, other], "summary": other, "methods": [title], "venue": "hostile",
        "pages": other, "volume": title, "issue": other, "status": status,
        "links": {"doi": "10.1000/a%b#c&d_$~", "paper": "https://a.example/%7B?a=1&b=_#~$", "code": ["https://b.example/"]},
    }  # fmt: skip
    catalogue = catalogue_of(hostile, {})
    papers = list(catalogue.papers.values())
    made = {name: format.write(catalogue, papers) for name, format in FORMATS.items()}

    for name in ("bibtex", "biblatex"):
        library = bibtexparser.parse_string(made[name].decode())
        assert not library.failed_blocks
        assert [entry.key for entry in library.entries] == [paper.id for paper in papers]
    assert [entry["id"] for entry in rispy.loads(made["ris"].decode())] == [paper.id for paper in papers]
    assert [item["id"] for item in json.loads(made["csl-json"])] == [paper.id for paper in papers]
    assert json.loads(made["json"])["papers"][0]["title"] == title
    rows = list(csv.reader(io.StringIO(made["csv"].decode(), newline="")))
    assert len(rows) == 3
    assert not [cell for row in rows[1:] for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert len(made["markdown"].decode().split("\n")) == 5
    page = made["html"].decode()
    assert page.count("<tr") == 3
    assert "<script" not in page
    assert 'onmouseover="' not in page
    for name in ("bibtex", "biblatex", "latex"):
        text = made[name].decode()
        assert text.count("{") == text.count("}")
        assert "\\write18" not in text
        assert "\\input" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_catalogue_gives_the_same_bytes(catalogue: Catalogue, name: str) -> None:
    papers = list(catalogue.papers.values())[:40]
    assert FORMATS[name].write(catalogue, papers) == FORMATS[name].write(catalogue, papers)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_can_hold_nothing(catalogue: Catalogue, name: str) -> None:
    FORMATS[name].write(catalogue, [])
