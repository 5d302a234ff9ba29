"""Errata, disagreements and coverage as pages: nothing left out, every number the same as in the shell."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.coverage import coverage
from inversion_atlas.disagreements import all_disagreements
from inversion_atlas.errata import located_errata
from inversion_atlas.records.erratum import Fault
from inversion_atlas.website.pages import renderer_for
from inversion_atlas.website.review_pages import _ENTRIES, MEANS, coverage_pages, disagreement_pages, errata_pages

from .conftest import ROOT, parse


def test_every_erratum_stands_on_the_page_of_its_source(site: Path, catalogue: Catalogue) -> None:
    for each in located_errata(catalogue):
        folder = site / "errata"
        pages = [page.read_text(encoding="utf-8") for page in folder.glob(f"{each.source}*/index.html")]
        (page,) = [page for page in pages if f'id="{each.anchor}"' in page]
        start = page.index(f'id="{each.anchor}"')
        entry = page[start : page.index("</li>", start)]
        assert escape(each.erratum.says).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in entry, each
        for url in each.erratum.evidence:
            assert escape(url) in entry


def test_every_type_of_erratum_is_explained() -> None:
    assert MEANS.keys() == set(Fault)


def test_long_lists_of_errata_are_cut_and_their_types_still_found(make_catalogue: Callable[..., Catalogue]) -> None:
    def wrong(type: str, at: int) -> dict[str, object]:
        return {
            "place": f"row {at}",
            "title": "T",
            "unresolved": "none",
            "errata": [{"type": type, "says": f"{type} {at}", "correct": "right"}],
        }

    rows = [wrong("wrong-link", at) for at in range(_ENTRIES + 5)] + [wrong("misspelt", at) for at in range(3)]
    catalogue = make_catalogue(
        {"a2020t": {"title": "T", "authors": ["A, B"], "year": 2020, "kind": "attack"}},
        sources={"list": {"title": "L", "kind": "list", "rows": rows}},
    )
    pages = {page.address: page for page in errata_pages(renderer_for(catalogue, ROOT))}
    assert list(pages) == ["errata/", "errata/list/", "errata/list_2/"]
    assert 'href="../errata/list_2/#misspelt"' in pages["errata/"].body
    assert 'id="misspelt"' in pages["errata/list_2/"].body
    printed = "".join(page.body for page in pages.values())
    assert len(re.findall(r'<li id="row-', printed)) == len(rows)


def test_every_disagreement_stands_on_the_page_of_its_field(catalogue: Catalogue) -> None:
    pages = {page.address: page.body for page in disagreement_pages(renderer_for(catalogue, ROOT))}
    found = list(all_disagreements(catalogue))
    for paper, each in found:
        shown = "".join(body for at, body in pages.items() if at.startswith(f"disagreements/{each.field}"))
        assert f'<li id="{paper.id}">' in shown
    assert sum(len(re.findall("<li id=", body)) for at, body in pages.items()) == len(found) > 50


def test_coverage_shows_what_the_command_counts(catalogue: Catalogue) -> None:
    (page,) = coverage_pages(renderer_for(catalogue, ROOT))
    words = parse(page.body).words
    for each in coverage(catalogue):
        line = f"{each.source.id} {each.rows} {each.resolved} {each.unresolved} {each.percent} %"
        assert line.replace(" ", "") in words.replace(" ", "")
        if each.source.count:
            assert " ".join(each.source.count.split()) in words


def test_without_sources_there_is_nothing_to_review(make_catalogue: Callable[..., Catalogue]) -> None:
    catalogue = make_catalogue({"a2020t": {"title": "T", "authors": ["A, B"], "year": 2020, "kind": "attack"}})
    renderer = renderer_for(catalogue, ROOT)
    made = [*errata_pages(renderer), *disagreement_pages(renderer), *coverage_pages(renderer)]
    assert [page.address for page in made] == ["errata/", "disagreements/", "coverage/"]
    for page in made:
        parse(page.body)
