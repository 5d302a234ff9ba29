"""The filter language of the page and of the shell: the same works, the same errors, whatever is asked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import MAX_LENGTH, QueryError, fields, newest_first, select
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.records.folding import fold

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium")]

LOAD = """async () => {
  const [works, query, folding, spelling, search] = await Promise.all(
    ["works", "query", "folding", "spelling", "search"]
      .map((name) => import(`${location.origin}/assets/explore/${name}.js`)));
  const read = async (name) => (await fetch(`${location.origin}/explore/${name}.json`)).json();
  const atlas = works.readWorks(await read("works"));
  works.addTexts(atlas, await read("texts"));
  window.asked = { atlas, works, query, folding, spelling, search };
}"""
ASK = """(queries) => queries.map((text) => {
  const { atlas, query } = window.asked;
  try { return query.select(atlas, text).map((at) => atlas.ids[at]); }
  catch (error) {
    if (!(error instanceof query.QueryError)) throw error;
    return { message: error.problem, hint: error.hint, position: error.position };
  }
})"""


@dataclass(frozen=True)
class Language:
    """The page's own modules, loaded in a browser from the built site."""

    page: Page

    def ask(self, queries: list[str]) -> list[Any]:
        return list(self.page.evaluate(ASK, queries))


@pytest.fixture
def language(browser: Browser, site: Path, serving: Callable[[Path], str]) -> Iterator[Language]:
    page = browser.new_page()
    # An empty page of the same origin, so that nothing else uses the modules.
    page.goto(f"{serving(site)}404.html")
    page.evaluate(LOAD)
    yield Language(page)
    page.close()


def expected(catalogue: Catalogue, text: str) -> Any:
    try:
        return [paper.id for paper in newest_first(select(catalogue, text))]
    except QueryError as error:
        return {"message": error.message, "hint": error.hint, "position": error.position}


def typo(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return rng.choice((text[:at] + text[at + 1 :], text[:at] + "x" + text[at:], text[:at] + "é" + text[at + 1 :]))


def named(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield a field and a spelling of one of its values, every kind of field and of spelling among them."""
    for facet in catalogue.facets.values():
        for term in facet.terms.values():
            yield from ((facet.id, spelling) for spelling in (term.id, term.label, *term.aliases))
    for field, records in (("dataset", catalogue.datasets), ("metric", catalogue.metrics)):
        for record in records.values():
            for spelling in (record.id, record.name, record.full_name, *record.other_names, *record.aliases):
                if spelling:
                    yield field, spelling
    for venue in catalogue.venues.values():
        yield from (("venue", spelling) for spelling in (venue.id, venue.short, venue.name, *venue.aliases))
    yield from (("source", id) for id in catalogue.sources)
    for paper in catalogue.papers.values():
        yield "id", paper.id
        yield from (("id", alias) for alias in paper.aliases)
        yield "improves", paper.id
        yield "attacked-by", paper.id
        yield "title", paper.title
        yield "author", paper.authors[0]
        yield from (("method", method) for method in paper.methods)
        if paper.links.doi:
            yield "doi", paper.links.doi.upper()
        if paper.links.arxiv:
            yield "arxiv", paper.links.arxiv


HOSTILE = [
    "", " ", "-", "--", "-=", "=", ":", "a=", 'a=""', 'access=","', "access=,", 'access="', '"', '""', '"""', '"a"b',
    'a"b"', 'x "open', '"deep leakage"', '-"deep leakage"', '"leakage deep"', "leakage deep", "&", "-&", "title:&",
    'title:"&"', "method:&", "venue>neurips", "kind<=attack", "year", "year=", "year=old", "year=2019..2021,2023",
    "year>2019..2021", "year!=2019", "-year!=2019", "year=..", "year:..2018", "year=2022..", "year=9999..1",
    "year>=2022 year<2024", "year=٢٠١٩", "year=٢٠١٩..", "year=20199", "YEAR=2019", "Kind:SURVEY", "acces=x", "zzzz=x",
    "kind=atack", "has:cod", "has:implementation", "has:code,reported", "-has:code", "has:code has:reported",
    "access=label-onyl", "access=white-box,black-box", "-access=white-box,black-box", "access!=white-box",
    "-access!=white-box", "kind=background", "-kind=background", "kind!=background", "id=nobody2000x",
    "improves=zhu2019dep", "improved-by=zhao2020idlg", "surveys=zhu2019deep", "status=retracted", "status=retract",
    "text:leakage,inversion", "text=dlg", "title=leakage", "title=deep-leakage-from-gradients", "author:Müller",
    "author:muller", "Balunović", "balunovic", "ＤＬＧ", "𝐃𝐋𝐆", "ﬁ", "STRASSE", "straße", "ΣΊΣΥΦΟΣ", "σίσυφος",
    "İstanbul",
    "tội", "e\u0301", "ᾳ", "ᏣᎳᎩ", "ꮳꮃꭹ", "हिन्दी", "שלום", "مرحبا", "中文", "🙂", "-🙂", "title:🙂", "a🙂=b", "añb=c",
    "access=🙂", "access='x'", "access=it's", 'kind="x\ty"', "kind=x\u200by", "kind=\x07", 'kind="a\u2028b"',
    "kind=\U000e0001",
    "a\x1fb", "a\x85b", "a\ufeffb", "a\u3000b", "\u3000a", "a\u3000", "\n a \n b\n", "<script>alert(1)</script>",
    "title:<script>", "__proto__=x", "constructor:x", "kind=__proto__", "kind=constructor", "has:toString", "toString",
    "title:__proto__", "(a", "a)", "[", "*", "a.*b", "\\", "title:\\", "'", "it's", "a,b", "title:a,b", 'title:"a,b",c',
    'venue="Advances in Neural Information Processing Systems"', "venue=NeurIPS,ICML", "venue=nuerips", "dataset=celba",
    "metric=psn", "source=atals", "domain=faces", "family=gradient-inversion -kind:survey", "a" * MAX_LENGTH,
    "a" * (MAX_LENGTH + 1), "🙂" * MAX_LENGTH, "🙂" * (MAX_LENGTH + 1), "é " * 900, "kind=" + "z" * 500,
    "x" * 30 + ' "' + "y" * 60, 'ok 🙂 "unclosed 🙂', "🙂 acces=x", "doi=10.", "arxiv=1906.08935", "ARXIV:1906.08935",
    "doi:" + "10.1145/2810103.2813677", "resnet-18", "label-only", "l-a-b-e-l", "-label", "- label", "--label", "a-b=c",
]  # fmt: skip


def test_the_page_finds_what_the_shell_finds(catalogue: Catalogue, language: Language) -> None:
    rng = random.Random(7)
    everything = list(named(catalogue))
    queries = list(HOSTILE)
    for field, value in rng.sample(everything, 250):
        operator = rng.choice((":", "=", "=", "!="))
        queries.append(f'{rng.choice(("", "", "-"))}{field}{operator}"{value}"')
    for field, value in rng.sample(everything, 150):
        queries.append(f'{field}="{typo(rng, value)}"')
    queries += [typo(rng, field) + "=x" for field in fields(catalogue)]
    words = sorted({word for paper in catalogue.papers.values() for word in f"{paper.title} {paper.summary}".split()})
    queries += [" ".join(rng.sample(words, rng.randint(1, 3))) for _ in range(150)]
    queries += [word[: rng.randint(1, len(word))] for word in rng.sample(words, 100)]
    answers = language.ask(queries)
    assert len(queries) > 700
    wrong = [
        (query, answer, known)
        for query, answer in zip(queries, answers, strict=True)
        if answer != (known := expected(catalogue, query))
    ]
    assert wrong == []
    assert sum(isinstance(answer, dict) for answer in answers) > 150
    assert sum(bool(answer) for answer in answers if isinstance(answer, list)) > 300


def test_text_is_folded_alike(language: Language) -> None:
    rng = random.Random(3)
    # What both know: Python's Unicode is the older one.
    texts = [chr(code) for code in range(0x20, 0x3000)] + [
        "".join(map(chr, rng.choices(range(0x300, 0x1EFF), k=4))) for _ in range(500)
    ]
    texts = [text for text in texts if text.isprintable()]
    folded = language.page.evaluate("(texts) => texts.map(window.asked.folding.fold)", texts)
    assert [(text, got) for text, got in zip(texts, folded, strict=True) if got != fold(text)] == []


def test_hints_and_quoted_text_are_the_same(language: Language, catalogue: Catalogue) -> None:
    rng = random.Random(5)
    known = [*catalogue.papers, *catalogue.venues]
    words = [typo(rng, typo(rng, rng.choice(known))) for _ in range(60)] + ["", "🙂", "é" * 100]
    hints = language.page.evaluate(
        "([words, known]) => words.map((word) => window.asked.spelling.didYouMean(word, known))", [words, known]
    )
    assert hints == [did_you_mean(word, known) for word in words]
    texts = ["", "'", '"', "'\"", "\\", "\n\t\r\0\x7f\xa0\xad", "é🙂", "\u200b\u2028\U000e0001\ue000"]
    assert language.page.evaluate("(texts) => texts.map(window.asked.spelling.repr)", texts) == list(map(repr, texts))


def test_a_clause_is_written_as_it_is_read(language: Language) -> None:
    written = language.page.evaluate(
        """(queries) => queries.map((text) => {
          const { parse, write } = window.asked.query;
          const plain = (clauses) =>
            clauses.map(({ field, operator, values, negated }) => [field, operator, values, negated]);
          const clauses = parse(text);
          return JSON.stringify([plain(clauses), plain(parse(clauses.map(write).join(" ")))]);
        })""",
        [text for text in HOSTILE if not isinstance(read_alone(text), QueryError)],
    )
    assert len(written) > 80
    for pair in written:
        before, after = json.loads(pair)
        assert before == after


def read_alone(text: str) -> object:
    from inversion_atlas.query import parse

    try:
        return parse(text)
    except QueryError as error:
        return error


@pytest.mark.parametrize(
    ("word", "other", "near"),
    [
        ("gradeint", "gradient", True),
        ("gradent", "gradient", True),
        ("graddient", "gradient", True),
        ("gradiant", "gradient", True),
        ("gradei", "gradient", True),
        ("radient", "gradient", True),
        ("grdaeint", "gradient", False),
        ("grident", "gradient", False),
        ("attakc", "attacks", True),
        ("attackz", "attack", True),
        ("attackzz", "attack", False),
    ],
)
def test_one_typo_is_one_letter(language: Language, word: str, other: str, near: bool) -> None:
    found = language.page.evaluate("([a, b]) => window.asked.search.isOneTypoAway(a, b)", [word, other])
    assert found is near
