"""Pages of records: right links, small, sound HTML, and text that stays text whatever it holds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inversion_atlas.addresses import address, author_address, relative, term_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import select
from inversion_atlas.records.facet import Facet, Term
from inversion_atlas.records.paper import Kind, Links, Paper, Relation, State, Status
from inversion_atlas.records.settings import Settings
from inversion_atlas.records.source import Row, Source, SourceKind
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.build import page_files
from inversion_atlas.website.citation_tags import citation_tags
from inversion_atlas.website.pages import pages, renderer_for, stamped
from inversion_atlas.website.paper_pages import paper_page
from inversion_atlas.website.rendering import host, leaves, pager
from inversion_atlas.website.shells import Shell
from inversion_atlas.website.subject_pages import shown_range

from .conftest import ROOT, Parsed, parse

PAPER_PAGE_BYTES = 20_000
# A list carries each work a second time, for reference managers.
LIST_PAGE_BYTES = 60_000
HOSTILE = (
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7*7 }} {% raw %} {# x #}",
    "@@atlas-body@@ @@atlas-title@@",
    "<!-- --> <![CDATA[ ]]> &lt;b&gt; &amp;amp;",
    '<a href="papers/x/">',
    "\u200fעברית\u200e 中文 👩‍🔬 Nguyễn ﷽ x",
    "javascript:alert(1) ' \" ` \\ $\\frac{a$ %s {0}",
)


@pytest.fixture(scope="session")
def html_pages(site: Path) -> dict[str, Parsed]:
    found = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*.html"))}
    return {name: parse(path.read_text()) for name, path in found.items() if not name.startswith("downloads/inver")}


def records_of(catalogue: Catalogue) -> Iterator[str]:
    for records in (catalogue.papers, catalogue.datasets, catalogue.metrics, catalogue.venues, catalogue.sources):
        yield from (address(record) for record in records.values())
    for facet in catalogue.facets.values():
        yield address(facet)
        yield from (term_address(facet.id, term) for term in facet.terms)


def test_every_record_has_a_page(site: Path, catalogue: Catalogue) -> None:
    missing = [at for at in records_of(catalogue) if not (site / at / "index.html").is_file()]
    assert missing == []


def test_a_page_of_a_record_is_small(site: Path, catalogue: Catalogue) -> None:
    ledgers = {address(source) for source in catalogue.sources.values()} | {"families/"}
    sizes = {at: (site / at / "index.html").stat().st_size for at in records_of(catalogue) if at not in ledgers}
    most = {at: PAPER_PAGE_BYTES if at.startswith("papers/") else LIST_PAGE_BYTES for at in sizes}
    assert {at: size for at, size in sizes.items() if size > most[at]} == {}


def test_every_internal_link_leads_somewhere(site: Path, html_pages: dict[str, Parsed]) -> None:
    ids = {path: {attributes.get("id") for _, attributes in page.tags} for path, page in html_pages.items()}
    # Asked of the disk once: most links stand on every page.
    folders, files = {""}, set()
    for found in site.rglob("*"):
        (folders if found.is_dir() else files).add(found.relative_to(site).as_posix())
    for path, page in html_pages.items():
        for tag, link in links_of(page):
            # The page that says there is no such page answers at any depth, so its links start at the top.
            start = "" if path == "404.html" else posixpath.dirname(path)
            link = link.removeprefix("/") if path == "404.html" else link
            assert not link.startswith("/"), f"{path}: {link} works under one prefix only"
            parts = urlsplit(link)
            target = posixpath.normpath(posixpath.join(start, unquote(parts.path)))
            target = "" if target == "." else target
            if parts.path.endswith("/") or target in folders:
                assert not target or parts.path.endswith("/") or not parts.path, f"{path}: {link} wants a slash"
                target = posixpath.join(target, "index.html")
            if not parts.path:
                target = path
            assert target in files, f"{path}: <{tag}> {link} leads nowhere"
            if parts.fragment and target in ids:
                assert unquote(parts.fragment) in ids[target], f"{path}: no {parts.fragment} in {target}"


def links_of(page: Parsed) -> Iterator[tuple[str, str]]:
    """Yield every address inside the site that a page names: links, what it loads, where its forms lead."""
    for tag, attributes in page.tags:
        for name in ("href", "src", "action", "poster", "data"):
            link = attributes.get(name)
            if link and not urlsplit(link).scheme and not link.startswith("//"):
                yield tag, link


def test_no_page_has_inline_style_handlers_or_scripts(html_pages: dict[str, Parsed]) -> None:
    for path, page in html_pages.items():
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name == "style" or name.startswith("on")], (
                path,
                tag,
                attributes,
            )
            # What is no script but data may stand in a page: the policy lets no browser run it.
            assert tag != "script" or attributes.get("src") or attributes["type"] == "application/ld+json", path


def test_nothing_is_loaded_from_another_host(html_pages: dict[str, Parsed]) -> None:
    for path, page in html_pages.items():
        for tag, attributes in page.tags:
            if tag in ("script", "img", "iframe", "source", "embed", "object") or (
                tag == "link" and attributes.get("rel") not in ("canonical", "alternate", "search")
            ):
                assert "//" not in (attributes.get("src") or attributes.get("href") or ""), (path, attributes)


def test_every_page_is_accessible_by_structure(html_pages: dict[str, Parsed]) -> None:
    for path, page in html_pages.items():
        tags = [tag for tag, _ in page.tags]
        headings = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert headings[:1] == [1], f"{path} starts with {headings[:3]}"
        assert headings.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(headings)), (path, headings)
        assert {"main", "header", "footer", "nav", "title"} <= set(tags), path
        assert page.tags[0] == ("html", {"lang": "en"})
        named = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
        assert len(named) == len(set(named)), f"{path}: an id stands twice"
        for tag, attributes in page.tags:
            assert tag != "img" or "alt" in attributes, path
            assert tag != "th" or attributes.get("scope"), path


def test_lists_are_what_the_filter_language_selects(catalogue: Catalogue) -> None:
    renderer = renderer_for(catalogue, ROOT)
    queries = [("dataset", id) for id in catalogue.datasets] + [("metric", id) for id in catalogue.metrics]
    queries += [("venue", id) for id in catalogue.venues]
    queries += [(facet.id, term) for facet in catalogue.facets.values() for term in facet.terms]
    for field, value in queries:
        wanted = {paper.id for paper in select(catalogue, f"{field}={value}")}
        assert {paper.id for paper in renderer.having(field, value)} == wanted, f"{field}={value}"


def test_a_background_work_has_a_page_and_stands_in_no_list(site: Path, catalogue: Catalogue) -> None:
    hidden = next(paper for paper in catalogue.papers.values() if paper.kind is Kind.BACKGROUND)
    assert (site / address(hidden) / "index.html").is_file()
    for page in ("papers", "terms", "families", *(f"papers/{year.name}" for year in (site / "papers").glob("[0-9]*"))):
        assert f"papers/{hidden.id}/" not in (site / page / "index.html").read_text()


def test_a_long_list_is_cut_into_pages() -> None:
    cut = list(leaves("papers/2019/", range(450), 100))
    assert [leaf.address for leaf in cut] == ["papers/2019/", *(f"papers/2019_{n}/" for n in range(2, 6))]
    assert [number for leaf in cut for number in leaf.members] == list(range(450))
    assert [leaf.first for leaf in cut] == [1, 101, 201, 301, 401]
    assert [number for number, _ in pager(cut[0], "papers/2019/")] == [1, 2, 3, None, 5]
    assert [len(leaf.members) for leaf in leaves("x/", [], 100)] == [0]


def test_links_are_relative() -> None:
    assert relative("papers/zhu2019deep/", "papers/2019/") == "../../papers/2019/"
    assert relative("") == "./"


def test_a_link_is_called_after_its_host_or_repository() -> None:
    assert host("https://www.nature.com/articles/x") == "nature.com"
    assert host("https://github.com/mit-han-lab/dlg/blob/main/README.md") == "github.com/mit-han-lab/dlg"
    assert host("https://github.com") == "github.com"


def test_ranges_read_like_mathematics(catalogue: Catalogue) -> None:
    metric = next(iter(catalogue.metrics.values()))
    shown = [
        shown_range(metric.model_copy(update={"range": ends})) for ends in ((0.0, float("inf")), (-1.0, 1.0), None)
    ]
    assert shown == ["[0, ∞)", "[−1, 1]", ""]


def hostile_catalogue(text: str, title: str) -> Catalogue:
    """Return a catalogue of two papers, a facet and a source in which `text` stands wherever text may."""
    venue_free = {"year": 2020, "kind": Kind.ATTACK}
    paper = Paper(
        id="doe2020hostile",
        title=title,
        authors=(title, "Doe, Jane"),
        methods=(title,),
        summary=text,
        pages="1-9",
        volume=title,
        other_titles=(title,),
        status=Status(state=State.RETRACTED, reason=text, evidence="https://a.example/x?y=1&z=2"),
        taxonomy={"access": ("white-box",)},
        links=Links(doi="10.1000/a&b'c", paper="https://a.example/?a=1&b=2", code=("https://github.com/a/b",)),
        relations=(Relation(verb="improves", target="roe2019other", how=text),),
        unconfirmed={"venue": "survey"},
        evidence=("https://a.example/e?x=&lt;",),
        **venue_free,  # type: ignore[arg-type]
    )
    other = Paper(id="roe2019other", title=title, authors=("Roe, R.",), year=2019, kind=Kind.DEFENSE)
    term = Term(id="white-box", label=title, definition=text, aliases=(title,), sources=("survey",), note=text)
    row = Row(place=title, title=title, paper="doe2020hostile", says={title: (title,)}, note=text)
    return Catalogue(
        root=ROOT,
        settings=Settings(title="Atlas", description="D", site="https://atlas.example/x"),
        papers={paper.id: paper, other.id: other},
        datasets={},
        metrics={},
        venues={},
        facets={"access": Facet(id="access", label=title, question=title, order=1, terms={"white-box": term})},
        sources={"survey": Source(id="survey", title=title, kind=SourceKind.SURVEY, rows=(row,))},
    )


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(attributes)) for tag, attributes in parse(html).tags]


def stamp_all(catalogue: Catalogue, shells: dict[str, Shell]) -> dict[str, str]:
    renderer = renderer_for(catalogue, ROOT)
    return dict(stamped(pages(renderer), shells, renderer, Stamp("0")))


@pytest.fixture(scope="session")
def harmless(shells: dict[str, Shell]) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    return {path: shape(html) for path, html in stamp_all(hostile_catalogue("Plain.", "Plain"), shells).items()}


def _readable(text: str) -> bool:
    try:
        hostile_catalogue(text, text)
    except ValueError:
        return False
    return True


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=60).filter(_readable))
@example(HOSTILE[0])
@example(HOSTILE[1])
@example(HOSTILE[2])
@example(HOSTILE[3])
@example(HOSTILE[4])
@example(HOSTILE[5])
@example(HOSTILE[6])
@example(HOSTILE[7])
def test_text_of_a_record_never_becomes_markup(
    shells: dict[str, Shell], harmless: dict[str, list[tuple[str, tuple[str, ...]]]], text: str
) -> None:
    made = stamp_all(hostile_catalogue(text, text), shells)
    own = f"{author_address(text)}index.html"
    assert own in made
    # The authors' lists hold other letters where a name begins with another one.
    named = {path: html for path, html in made.items() if not path.startswith("authors/")}
    assert named.keys() == {path for path in harmless if not path.startswith("authors/")}
    for path, html in named.items():
        assert shape(html) == harmless[path], path
    assert shape(made[own]) == harmless["authors/plain/index.html"]
    for path in made.keys() - named.keys():
        assert {tag for tag, _ in shape(made[path])} <= {tag for found in harmless.values() for tag, _ in found}, path
    page = parse(made["papers/doe2020hostile/index.html"])
    assert page.text.count(text) + sum(text in part for part in page.text) >= 5
    titles = [attributes["content"] for _, attributes in page.tags if attributes.get("name") == "citation_title"]
    assert titles == [text]


def test_a_page_says_what_reference_managers_read(catalogue: Catalogue) -> None:
    page = parse(f"<x>{paper_page(renderer_for(catalogue, ROOT), catalogue.papers['zhu2019deep']).head}</x>")
    tags = [(attributes.get("name"), attributes.get("content")) for _, attributes in page.tags]
    assert ("citation_title", "Deep Leakage from Gradients") in tags
    assert [value for name, value in tags if name == "citation_author"] == ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"]
    assert ("citation_arxiv_id", "1906.08935") in tags


def test_a_retracted_work_says_so_first(shells: dict[str, Shell]) -> None:
    made = stamp_all(hostile_catalogue("Data were invented.", "T"), shells)
    assert "This work was retracted. Data were invented." in parse(made["papers/doe2020hostile/index.html"]).words
    assert "retracted" in parse(made["papers/2020/index.html"]).words


@pytest.mark.parametrize("dash", ["-", "–", "--"])
def test_first_and_last_page_are_told_apart_whatever_dash_joins_them(catalogue: Catalogue, dash: str) -> None:
    paper = catalogue.papers["zhu2019deep"].model_copy(update={"pages": f"147{dash}156"})
    tags = dict(citation_tags(catalogue, paper))
    assert (tags["citation_firstpage"], tags["citation_lastpage"]) == ("147", "156")


def test_public_addresses_appear_only_when_they_are_set(
    make_catalogue: Callable[..., Catalogue], shells: dict[str, Shell], tmp_path: Path
) -> None:
    paper = {"title": "T", "authors": ["A, B"], "year": 2020, "kind": "attack", "aliases": ["b2020t"]}

    def made() -> dict[str, str]:
        catalogue = make_catalogue(
            {"a2020t": paper}, facets={"family": {"label": "F", "question": "Q", "order": 1, "terms": {}}}
        )
        renderer = renderer_for(catalogue, ROOT)
        return {path: str(html) for path, html in page_files(renderer, shells, Stamp("0"))}

    without = made()
    assert "sitemap.xml" not in without
    assert not [path for path, html in without.items() if "canonical" in html or "og:" in html]
    assert "Fix this record" not in without["papers/a2020t/index.html"]
    settings = "title: A\ndescription: B\nsite: https://atlas.example/x/\nrepository: https://code.example/r\n"
    (tmp_path / "data" / "atlas.yaml").write_text(settings)
    with_site = made()
    page = with_site["papers/a2020t/index.html"]
    assert '<link rel="canonical" href="https://atlas.example/x/papers/a2020t/">' in page
    assert 'href="https://code.example/r/edit/main/data/papers/2020/a2020t.yaml"' in page
    # The form's name and the id of its field, so that GitHub fills in the record.
    assert 'href="https://code.example/r/issues/new?template=fix-record.yml&amp;record=a2020t"' in page
    assert "id: record\n" in (ROOT / ".github/ISSUE_TEMPLATE/fix-record.yml").read_text()
    assert "<loc>https://atlas.example/x/papers/a2020t/</loc>" in with_site["sitemap.xml"]
    redirect = with_site["papers/b2020t/index.html"]
    assert 'content="0; url=../../papers/a2020t/"' in redirect
    assert "noindex" in redirect
    assert "papers/b2020t/" not in with_site["sitemap.xml"]


def test_what_is_not_known_is_shown_as_its_id(make_catalogue: Callable[..., Catalogue]) -> None:
    paper = {"title": "T", "authors": ["A, B"], "year": 2020, "kind": "attack"}
    paper |= {"datasets": ["nope"], "metrics": ["nada"], "venue": "nowhere", "taxonomy": {"access": ["none"]}}
    catalogue = make_catalogue({"a2020t": {**paper, "relations": [{"improves": "z2000gone"}]}})
    words = parse(paper_page(renderer_for(catalogue, ROOT), catalogue.papers["a2020t"]).body).words
    for id in ("nope", "nada", "nowhere", "z2000gone"):
        assert id in words
