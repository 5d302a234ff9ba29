"""Writing records: any text survives, and formatting a file changes no more than it must."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from inversion_atlas.catalogue import read
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.records.fields import BIDI_CONTROLS, INVISIBLE, Record
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Kind, Links, Paper, Relation, Reported
from inversion_atlas.records.source import Row, Source
from inversion_atlas.records.venue import Venue
from inversion_atlas.records.writing import WIDTH, format_text, misplaced, to_yaml
from inversion_atlas.records.yamlfile import parse

# Failures are shrunk by hand: shrinking whole records takes minutes.
quick = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def _readable(text: str) -> bool:
    hidden = BIDI_CONTROLS | INVISIBLE
    return (
        bool(text.strip())
        and text == text.strip()
        and unicodedata.normalize("NFC", text) == text
        and not any(char in hidden or (char != "\n" and unicodedata.category(char) in ("Cc", "Cs")) for char in text)
    )


pieces = st.sampled_from(
    "||#| #|: |:|- |-|'|\"|[|]|{|}|,|&a|*a|!t|>|%|@|`|\\|  | |~|null|---|...|? |?|=|<<|0|2401.01230".split("|")
    + f"\u200f|\u200e|🧪|👩\u200d🔬|Gürses|{'x' * 130}|\u00a0|\u3000|https://a.b/c?d=:?e#f|\uffff|a b c d e f".split(
        "|"
    )
)
lines = (st.lists(pieces, min_size=1, max_size=9).map("".join) | st.text(max_size=60)).map(
    lambda text: unicodedata.normalize("NFC", text.replace("\n", " ")).strip()
)
line = lines.filter(_readable)
text = (
    st.lists(lines | st.just(""), min_size=1, max_size=4).map("\n".join).map(str.strip).filter(_readable)
    | line
    | st.lists(st.sampled_from(["word", "a", "longer-word", "#", "- x", "x:"]), min_size=1, max_size=60).map(" ".join)
)
slug = st.sampled_from(["a", "cifar-10", "x-1-y", "0"])
paper_id = st.sampled_from(["zhu2019deep", "zhao2020idlg"])
url = st.sampled_from(["https://a.org/", "https://a.org/?q=[1,2]&b=:?#f", "https://a.org/" + "x" * 120])
number = st.floats(allow_nan=False, allow_infinity=False)
day = st.dates(date(1000, 1, 1))


def tuples(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=4).map(tuple)


papers = st.builds(
    Paper,
    id=st.just("zhu2019deep"),
    title=line,
    authors=st.lists(line, min_size=1, max_size=5).map(tuple),
    year=st.integers(1000, 9999),
    kind=st.sampled_from(Kind),
    pages=st.none() | line,
    methods=tuples(line),
    summary=st.none() | text,
    taxonomy=st.dictionaries(slug, tuples(slug), max_size=3),
    links=st.builds(Links, doi=st.none() | st.just("10.1145/a#b"), paper=st.none() | url, code=tuples(url)),
    relations=tuples(
        st.builds(Relation, verb=st.sampled_from(["improves", "extended-by"]), target=paper_id, how=st.none() | text)
    ),
    reported=tuples(st.builds(Reported, metric=slug, value=number, place=line, evidence=url, setting=st.none() | text)),
    unconfirmed=st.dictionaries(line, slug, max_size=2),
    added=st.none() | day,
)
rows = st.builds(Row, place=line, title=line, unresolved=text, says=st.dictionaries(line, tuples(line), max_size=3))
others = (
    st.builds(
        Dataset, id=slug, name=line, description=text, splits=st.dictionaries(line, st.integers(0, 10**14), max_size=3)
    )
    | st.builds(Source, id=slug, title=line, kind=st.just("list"), rows=tuples(rows))
    | st.builds(
        Facet,
        id=slug,
        label=line,
        question=line,
        order=st.integers(0, 9),
        terms=st.dictionaries(
            slug, st.builds(Term, id=st.just("x"), label=line, definition=text, sources=st.just(("a",))), max_size=3
        ),
    )
)


def reread(record: Record) -> Record:
    data = parse(to_yaml(record))
    assert isinstance(data, dict)
    if isinstance(record, Facet):
        data["terms"] = {id: {**term, "id": "x"} for id, term in data["terms"].items()}  # type: ignore
    return type(record).model_validate({**data, "id": record.id})  # type: ignore[attr-defined]


@quick
@given(papers | others)
def test_a_record_of_any_text_reads_back_equal(record: Record) -> None:
    assert reread(record) == record


@quick
@given(papers)
def test_the_canonical_text_of_a_record_is_left_alone_by_the_formatter(record: Paper) -> None:
    written = to_yaml(record)
    assert format_text(written, Paper) == written
    assert not list(misplaced(written, Paper))


@quick
@given(papers, st.randoms(use_true_random=False))
def test_formatting_keeps_what_a_shuffled_record_says_and_is_done_in_one_go(record: Paper, chance: Any) -> None:
    blocks: list[str] = []
    for row in to_yaml(record).splitlines(keepends=True):
        if row[0] in " \n" or (row[0] == ":" and blocks):
            blocks[-1] += row
        else:
            blocks.append(row)
    chance.shuffle(blocks)
    shuffled = "".join(blocks)
    formatted = format_text(shuffled, Paper)
    assert parse(formatted) == parse(shuffled)
    assert format_text(formatted, Paper) == formatted
    assert sorted(formatted.splitlines()) == sorted(shuffled.splitlines())
    assert not list(misplaced(formatted, Paper))


def test_prose_is_folded_within_the_width_and_identifiers_are_quoted() -> None:
    record = Paper(
        id="zhu2019deep",
        title="Deep Leakage from Gradients",
        authors=("Zhu, Ligeng", "Liu, Zhijian"),
        year=2019,
        venue="neurips",
        kind=Kind.ATTACK,
        summary="Optimizes dummy inputs and labels until their gradient equals the shared one. " * 3 + "Done.",
        taxonomy={"access": ("white-box",)},
        links=Links(arxiv="1906.08935", code=("https://github.com/mit-han-lab/dlg",)),
        relations=(Relation(verb="improved-by", target="zhao2020idlg"),),
        added=date(2025, 1, 2),
    )
    assert to_yaml(record) == (
        "title: Deep Leakage from Gradients\n"
        'authors: ["Zhu, Ligeng", "Liu, Zhijian"]\n'
        "year: 2019\nvenue: neurips\nkind: attack\n"
        "summary: >-\n"
        "  Optimizes dummy inputs and labels until their gradient equals the shared one. Optimizes dummy inputs and\n"
        "  labels until their gradient equals the shared one. Optimizes dummy inputs and labels until their gradient\n"
        "  equals the shared one. Done.\n"
        "taxonomy:\n  access: [white-box]\n"
        'links:\n  arxiv: "1906.08935"\n  code: [https://github.com/mit-han-lab/dlg]\n'
        "relations:\n  - {improved-by: zhao2020idlg}\n"
        "added: 2025-01-02\n"
    )
    assert max(map(len, to_yaml(record).splitlines())) <= WIDTH


def test_a_number_with_a_leading_zero_is_quoted_for_readers_that_take_it_for_octal() -> None:
    record = Paper(id="roe2004work", title="Work", authors=("Roe, Ann",), year=2004, kind=Kind.ATTACK, pages="066138")
    assert yaml.safe_load(to_yaml(record))["pages"] == "066138"


def test_a_metric_keeps_an_unbounded_range() -> None:
    direction = {"attacker": "higher", "defender": "lower"}
    data = {"name": "PSNR", "group": "pixel", "description": "d", "direction": direction, "blind_to": "b"}
    record = Metric.model_validate({"id": "psnr", **data, "range": ["-inf", "inf"]})
    assert "range: [-inf, inf]\n" in to_yaml(record)
    assert reread(record) == record


UNSORTED = """\
# The paper that began it.

year: 2019  # as published
# as on the cover
title: Deep Leakage from Gradients
links:
  # not the preprint
  paper: https://a.org/x
  doi: 10.1/abc
authors: ['Zhu, Ligeng', Liu]
# kind follows
kind: attack
summary: >-
  One line
  # no comment, but text

venue: NIPS
# the end
"""

SORTED = """\
# The paper that began it.

# as on the cover
title: Deep Leakage from Gradients
authors: ["Zhu, Ligeng", "Liu"]
year: 2019  # as published
venue: neurips
# kind follows
kind: attack
summary: >-
  One line
  # no comment, but text

links:
  doi: "10.1/abc"
  # not the preprint
  paper: https://a.org/x
# the end
"""


def test_keys_move_with_their_comments_and_the_rest_stays_byte_for_byte() -> None:
    formatted = format_text(UNSORTED, Paper, venues={"nips": "neurips"})
    assert formatted == SORTED
    assert format_text(formatted, Paper, venues={"nips": "neurips"}) == formatted


def test_what_is_misplaced_is_named_with_its_place() -> None:
    found = list(misplaced(UNSORTED, Paper, venues={"nips": "neurips"}))
    assert ("key order", 5, 1) in found
    assert ("key order", 9, 3) in found
    assert ("quotes", 9, 8) in found
    assert ("quotes", 10, 11) in found
    assert ("venue", 17, 8) in found


def test_entries_of_a_collection_are_sorted_by_id_and_each_in_itself() -> None:
    before = "# head\n\nb:\n  short: B\n  name: Bee\n\n# of a\na:\n  name: Ay\n  short: A\n  type: journal"
    after = "# head\n\n# of a\na:\n  name: Ay\n  short: A\n  type: journal\n\nb:\n  name: Bee\n  short: B\n"
    assert format_text(before, Venue, collection=True) == after
    assert format_text(after, Venue, collection=True) == after


def test_rows_of_a_ledger_and_terms_of_a_facet_get_the_order_of_their_model() -> None:
    ledger = "title: L\nkind: list\nrows:\n  # one\n  - title: T\n    place: row 1\n    paper: zhu2019deep\n"
    expected = "title: L\nkind: list\nrows:\n  # one\n  - place: row 1\n    title: T\n    paper: zhu2019deep\n"
    assert format_text(ledger, Source) == expected
    facet = "label: F\norder: 1\nterms:\n  z:\n    sources: [s]\n    label: Z\n  a: {sources: [s], label: A}\n"
    assert format_text(facet, Facet) == (
        "label: F\norder: 1\nterms:\n  z:\n    label: Z\n    sources: [s]\n  a: {label: A, sources: [s]}\n"
    )


def test_a_relation_in_flow_style_names_its_verb_first() -> None:
    assert (
        format_text("relations:\n- {how: 'a, b', improves: zhu2019deep}\n", Paper)
        == "relations:\n- {improves: zhu2019deep, how: 'a, b'}\n"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_stay_as_they_are(end: str) -> None:
    before = f"year: 2019{end}# c{end}title: x{end}"
    assert format_text(before, Paper) == f"# c{end}title: x{end}year: 2019{end}"


def test_unknown_keys_and_flow_documents_survive() -> None:
    assert format_text("{year: 2019, title: x}", Paper) == "{title: x, year: 2019}"
    assert format_text("year: 1\nfoo: 2\ntitle: x\n", Paper) == "title: x\nyear: 1\nfoo: 2\n"
    assert format_text("- a\n", Paper) == "- a\n"
    assert format_text("? title\n: x\n? kind\n: y\n? year\n: 1\n", Paper) == "? title\n: x\n? kind\n: y\n? year\n: 1\n"


def test_the_real_catalogue_reads_back_equal() -> None:
    catalogue, _ = read(Path(__file__).parents[2])
    for records in (catalogue.papers, catalogue.datasets, catalogue.metrics, catalogue.venues, catalogue.sources):
        for record in records.values():
            assert reread(record) == record  # type: ignore[arg-type]
