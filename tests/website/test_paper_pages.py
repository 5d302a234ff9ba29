"""A paper's page: what reference managers make of it, who says what, and that it stays small."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from inversion_atlas.addresses import author_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.disagreements import disagreements
from inversion_atlas.records.paper import Kind
from inversion_atlas.reference import index
from inversion_atlas.reference.index import Implementation, Measured, MeasuredDefense
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.likeness import _COMPARED, Likeness
from inversion_atlas.website.pages import renderer_for, stamped
from inversion_atlas.website.paper_pages import paper_page
from inversion_atlas.website.rendering import Renderer
from inversion_atlas.website.shells import Shell

from .conftest import ROOT, Parsed, parse

VENUES = {
    "conf": {"name": "Conference on Leaks", "short": "Leaks", "type": "conference", "publisher": "ACM"},
    "journal": {"name": "Journal of Leaks", "short": "J. Leaks", "type": "journal"},
    "arxiv": {"name": "arXiv", "short": "arXiv", "type": "preprint"},
    "eth": {"name": "ETH Zurich", "short": "ETH", "type": "thesis"},
}
PAPER: dict[str, Any] = {"title": "T", "authors": ["Doe, Jane", "van der Berg, A."], "year": 2020, "kind": "attack"}
FAMILY = {
    "label": "Family",
    "question": "How?",
    "order": 1,
    "terms": {id: {"label": id.title(), "definition": "d", "sources": ["s"]} for id in ("one", "two", "three")},
}
# Zotero's translator "Embedded Metadata": which field a Highwire tag fills, and which tag decides the type.
FIELDS = {
    "citation_title": "title",
    "citation_publication_date": "date",
    "citation_journal_title": "publicationTitle",
    "citation_conference_title": "conferenceName",
    "citation_dissertation_institution": "university",
    "citation_volume": "volume",
    "citation_issue": "issue",
    "citation_publisher": "publisher",
    "citation_doi": "DOI",
    "citation_public_url": "url",
}
TYPES = {
    "citation_journal_title": "journalArticle",
    "citation_conference_title": "conferencePaper",
    "citation_technical_report_institution": "report",
    "citation_inbook_title": "bookSection",
    "citation_dissertation_institution": "thesis",
}


def zotero(head: str) -> dict[str, Any]:
    """Return the item that Zotero makes of a page's meta tags."""
    tags = [(str(a.get("name")), str(a.get("content"))) for tag, a in parse(f"<x>{head}</x>").tags if tag == "meta"]
    item: dict[str, Any] = {FIELDS[name]: content for name, content in tags if name in FIELDS}
    # The last container wins; without one, a title makes an article of a journal unless the page names the type.
    item["itemType"] = next((TYPES[name] for name, _ in reversed(tags) if name in TYPES), "journalArticle")
    item["itemType"] = dict(tags).get("z:itemType", item["itemType"])
    item["creators"] = [tuple(content.split(", ", 1)) for name, content in tags if name == "citation_author"]
    item["pages"] = "-".join(content for name, content in tags if name in ("citation_firstpage", "citation_lastpage"))
    item["attachment"] = dict(tags).get("citation_pdf_url")
    return item


def page_of(catalogue: Catalogue, id: str) -> tuple[str, Parsed]:
    page = paper_page(renderer_for(catalogue, ROOT), catalogue.papers[id])
    return page.head, parse(page.body)


@pytest.fixture
def cited(make_catalogue: Callable[..., Catalogue]) -> Callable[..., dict[str, Any]]:
    def make(**record: Any) -> dict[str, Any]:
        catalogue = make_catalogue({"doe2020t": PAPER | record}, venues=VENUES)
        return zotero(page_of(catalogue, "doe2020t")[0])

    return make


def test_zotero_takes_a_conference_paper(cited: Callable[..., dict[str, Any]]) -> None:
    item = cited(venue="conf", pages="3–14", links={"doi": "10.1145/1.2", "pdf": "https://a.example/t.pdf"})
    assert (item["itemType"], item["conferenceName"], item["pages"]) == (
        "conferencePaper",
        "Conference on Leaks",
        "3-14",
    )
    assert item["creators"] == [("Doe", "Jane"), ("van der Berg", "A.")]
    assert (item["DOI"], item["date"], item["publisher"]) == ("10.1145/1.2", "2020", "ACM")
    assert item["attachment"] == "https://a.example/t.pdf"
    assert "publicationTitle" not in item


def test_zotero_takes_an_article(cited: Callable[..., dict[str, Any]]) -> None:
    item = cited(venue="journal", volume="7", issue="2", links={"arxiv": "2001.00001"})
    assert (item["itemType"], item["publicationTitle"]) == ("journalArticle", "Journal of Leaks")
    assert (item["volume"], item["issue"], "conferenceName" in item) == ("7", "2", False)
    assert item["attachment"] == "https://arxiv.org/pdf/2001.00001"


@pytest.mark.parametrize("record", [{"venue": "arxiv"}, {}])
def test_zotero_takes_a_preprint(cited: Callable[..., dict[str, Any]], record: dict[str, Any]) -> None:
    item = cited(links={"arxiv": "2001.00001"}, **record)
    assert item["itemType"] == "preprint"
    assert not {"publicationTitle", "conferenceName"} & item.keys()


def test_zotero_takes_a_thesis(cited: Callable[..., dict[str, Any]]) -> None:
    item = cited(venue="eth")
    assert (item["itemType"], item["university"]) == ("thesis", "ETH Zurich")


def test_every_paper_names_one_container_at_most_and_every_author(catalogue: Catalogue) -> None:
    renderer = renderer_for(catalogue, ROOT)
    for paper in catalogue.papers.values():
        head = paper_page(renderer, paper).head
        names = re.findall('<meta name="([^"]*)"', head)
        assert sum(name in TYPES for name in names) <= 1, paper.id
        authors = re.findall('<meta name="citation_author" content="([^"]*)">', head)
        assert tuple(map(unescape, authors)) == paper.authors


def json_ld(html: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert len(found) == 1
    document: dict[str, Any] = json.loads(found[0])
    return document


def test_programs_read_a_scholarly_article(make_catalogue: Callable[..., Catalogue]) -> None:
    links = {"doi": "10.1145/1.2", "arxiv": "2001.00001"}
    catalogue = make_catalogue({"doe2020t": PAPER | {"venue": "conf", "links": links}}, venues=VENUES)
    document = json_ld(paper_page(renderer_for(catalogue, ROOT), catalogue.papers["doe2020t"]).body)
    assert (document["@type"], document["datePublished"]) == ("ScholarlyArticle", "2020")
    assert [author["name"] for author in document["author"]] == ["Jane Doe", "A. van der Berg"]
    assert document["sameAs"] == ["https://doi.org/10.1145/1.2", "https://arxiv.org/abs/2001.00001"]
    assert document["isPartOf"]["name"] == "Conference on Leaks"
    assert "url" not in document


def test_a_title_cannot_end_the_data_it_stands_in(make_catalogue: Callable[..., Catalogue]) -> None:
    title = "</script><script>alert(1)</script><!-- & <script>"
    catalogue = make_catalogue({"doe2020t": PAPER | {"title": title}})
    body = paper_page(renderer_for(catalogue, ROOT), catalogue.papers["doe2020t"]).body
    assert json_ld(body)["name"] == title
    assert [a.get("type") for tag, a in parse(body).tags if tag == "script"] == ["application/ld+json"]


def test_the_threat_model_says_who_says_so(make_catalogue: Callable[..., Catalogue]) -> None:
    access = {**FAMILY, "label": "Access"}
    adversary = {**FAMILY, "label": "Adversary"}
    paper = PAPER | {"taxonomy": {"access": ["one"], "adversary": ["two"]}, "evidence": ["https://a.example/"]}
    paper["unconfirmed"] = {"taxonomy.adversary": "list"}
    sources = {}
    for name, said in (("survey", "one"), ("list", "three")):
        row = {"place": "row 1", "title": "T", "paper": "doe2020t", "says": {"access": [said]}}
        sources[name] = {"title": name, "kind": "list", "rows": [row]}
    catalogue = make_catalogue({"doe2020t": paper}, facets={"access": access, "adversary": adversary}, sources=sources)
    words = page_of(catalogue, "doe2020t")[1].words
    assert "seesOne curator; list differs: three; survey the same" in words
    assert "The adversary isTwo list alone" in words
    assert "Surveys disagree" in words


def test_the_badge_stands_where_sources_disagree_and_nowhere_else(catalogue: Catalogue) -> None:
    renderer = renderer_for(catalogue, ROOT)
    shown = {id for id, paper in catalogue.papers.items() if "Surveys disagree" in paper_page(renderer, paper).body}
    assert shown == {id for id, paper in catalogue.papers.items() if disagreements(catalogue, paper)} != set()


def whole_page(catalogue: Catalogue, id: str, shells: dict[str, Shell]) -> str:
    renderer = renderer_for(catalogue, ROOT)
    ((_, html),) = stamped([paper_page(renderer, catalogue.papers[id])], shells, renderer, Stamp("0"))
    return html


def test_a_hundred_authors_stay_small_and_are_all_linked(
    make_catalogue: Callable[..., Catalogue], shells: dict[str, Shell]
) -> None:
    authors = [f"Family{number:03d}, Given" for number in range(100)]
    catalogue = make_catalogue({"doe2020t": PAPER | {"authors": authors}})
    html = whole_page(catalogue, "doe2020t", shells)
    assert len(html.encode()) <= 20_000
    links = {a.get("href") for tag, a in parse(html).tags if tag == "a"}
    assert {f"../../{author_address(author)}" for author in authors} <= links
    assert html.count('name="citation_author"') == 100


def test_a_work_that_hundreds_build_on_stays_small_and_says_what_it_leaves_out(
    make_catalogue: Callable[..., Catalogue], shells: dict[str, Shell]
) -> None:
    relation = {"improves": "doe2020t", "how": ("More " * 20).strip()}
    others = {
        f"roe20{number:02d}{'abcdef'[at]}": PAPER
        | {"title": f"Work {number} {at}{' of great length' * 5}", "relations": [relation]}
        for number in range(50)
        for at in range(6)
    }
    numbers = [
        {
            "metric": "psnr",
            "value": at,
            "place": f"Table {at}",
            "setting": ("long " * 30).strip(),
            "evidence": "https://a.example/",
        }
        for at in range(60)
    ]
    rows = [
        {"place": f"row {at}", "title": f"T {at}", "paper": "doe2020t", "note": ("Said " * 20).strip()}
        for at in range(80)
    ]
    catalogue = make_catalogue(
        {"doe2020t": PAPER | {"reported": numbers}, **others},
        sources={"list": {"title": "L", "kind": "list", "rows": rows}},
    )
    html = whole_page(catalogue, "doe2020t", shells)
    assert len(html.encode()) <= 20_000
    words = parse(html).words
    for left in (r"(\d+) more\b", r"(\d+) more rows", r"(\d+) more stand in"):
        assert re.search(left, words), left
    assert "../../explore/?q=improves%3Ddoe2020t" in html


def test_what_runs_here_is_shown_with_its_command_and_result(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Measured("psnr", 49.4, "dB", 11.1, "five crops, one gradient")
    here = Implementation("dlg", "DLG", "attack", "zhu2019deep", "", "Algorithm 1", "atlas bench dlg", (measured,))
    monkeypatch.setattr(index, "IMPLEMENTATIONS", (here,))
    _, page = page_of(catalogue, "zhu2019deep")
    assert "Runs hereDLG, Algorithm 1. atlas bench dlg" in page.words
    assert "five crops, one gradientPSNR 49.4 against 11.1 dB" in page.words
    assert "Runs here" not in page_of(catalogue, "zhao2020idlg")[1].words


def test_a_defense_that_runs_here_is_shown_with_what_the_attack_reaches_without_it(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = MeasuredDefense("model-accuracy", 0.95, "", 0.2, "five digits, trained under it", "", 0.97)
    lost = MeasuredDefense("psnr", 9.5, "dB", 8.0, "one gradient, under it", "dlg", 49.4)
    here = Implementation("x", "Noise", "defense", "zhao2020idlg", "", "on gradients", "atlas attack dlg", (cost, lost))
    monkeypatch.setattr(index, "IMPLEMENTATIONS", (here,))
    words = page_of(catalogue, "zhao2020idlg")[1].words
    assert "Measured here, without the defense, and with no signal" in words
    assert "five digits, trained under itModel accuracy 0.95 instead of 0.97, with no signal 0.2" in words
    assert "one gradient, under itdlg: PSNR 9.5 instead of 49.4, with no signal 8 dB" in words


def test_what_can_be_copied_is_marked(catalogue: Catalogue) -> None:
    _, page = page_of(catalogue, "balunovic2022lamp")
    assert {a["data-copy"] for _, a in page.tags if "data-copy" in a} == {"text", "Markdown", "BibTeX", "command"}
    assert {tag for tag, a in page.tags if "data-copy" in a} == {"p", "pre"}


def test_an_archived_copy_is_linked_where_there_is_one(make_catalogue: Callable[..., Catalogue]) -> None:
    archived = make_catalogue({"doe2020t": PAPER | {"links": {"archive": "https://web.archive.example/x"}}})
    assert "Archived copy" in page_of(archived, "doe2020t")[1].words


def test_similar_works_share_something_and_are_not_related(catalogue: Catalogue) -> None:
    renderer = renderer_for(catalogue, ROOT)
    some = 0
    for paper in catalogue.papers.values():
        alike = renderer.likeness.alike(paper)
        some += bool(alike)
        assert len(alike) <= 6
        related = {edge.other for edge in catalogue.edges.get(paper.id, ())}
        for each in alike:
            assert each.paper.id not in related | {paper.id}
            assert each.paper.kind is not Kind.BACKGROUND
            assert each.shared
    assert some > len(catalogue.papers) / 2


def test_the_most_alike_come_first(make_catalogue: Callable[..., Catalogue]) -> None:
    kinds: list[dict[str, Any]] = [{"taxonomy": {"family": ["two"]}}, {"taxonomy": {"family": ["one"]}}]
    papers = {f"doe20{number:02d}x": PAPER | kinds[number % 2] for number in range(30)}
    papers["doe2001x"] |= {"methods": ["DLG"]}
    papers["doe2029x"] |= {"methods": ["dlg"]}
    catalogue = make_catalogue(papers, facets={"family": FAMILY})
    found = Renderer(catalogue, ROOT / "site" / "templates").likeness.alike(catalogue.papers["doe2001x"])
    assert found[0].paper.id == "doe2029x"
    assert {int(each.paper.id[5:7]) % 2 for each in found} == {1}


def test_the_cost_of_likeness_does_not_grow_with_the_square(make_catalogue: Callable[..., Catalogue]) -> None:
    one = PAPER | {"taxonomy": {"family": ["one"]}}
    papers = {f"doe{1900 + at // 26}{chr(97 + at % 26)}": one for at in range(500)}
    catalogue = make_catalogue(papers, facets={"family": FAMILY})
    likeness = Likeness(catalogue, list(catalogue.papers.values()))
    assert all(len(likeness._candidates(number)) <= _COMPARED for number in range(500))
    assert len(likeness.alike(catalogue.papers["doe1905c"])) == 6
