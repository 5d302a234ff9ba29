"""The Atom feeds, as RFC 4287 wants them and as an independent reader sees them."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

import feedparser
import pytest

from inversion_atlas.addresses import address, feed_address
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.query import select
from inversion_atlas.stamp import Stamp, last_changes, read_stamp, utc
from inversion_atlas.website.feeds import BEGINNING, MAX_ENTRIES, Change, change, changes, feed_files, urn
from inversion_atlas.website.pages import renderer_for

from .conftest import ROOT
from .test_pages import HOSTILE, hostile_catalogue

ATOM = "{http://www.w3.org/2005/Atom}"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FACETS = {
    "access": {
        "label": "Access",
        "question": "Q",
        "order": 1,
        "terms": {"white-box": {"label": "White box", "definition": "D", "sources": ["s"]}},
    }
}


def paper(title: str, **fields: object) -> dict[str, object]:
    return {"title": title, "authors": ["A, B"], "year": 2020, "kind": "attack", **fields}


def feeds_of(catalogue: Catalogue, stamp: Stamp | None = None) -> dict[str, str]:
    renderer = renderer_for(catalogue, ROOT)
    return dict(feed_files(renderer, changes(renderer, stamp or Stamp("0"))))


def one(element: ET.Element, name: str) -> str:
    (found,) = element.findall(f"{ATOM}{name}")
    assert found.text
    return found.text


def links(element: ET.Element, relation: str) -> list[str]:
    return [link.attrib["href"] for link in element.findall(f"{ATOM}link") if link.attrib["rel"] == relation]


@pytest.fixture(scope="module")
def feeds(catalogue: Catalogue) -> dict[str, str]:
    return feeds_of(catalogue, read_stamp(catalogue))


def parsed(feeds: dict[str, str]) -> Iterator[tuple[str, ET.Element]]:
    for at, text in feeds.items():
        yield at, ET.fromstring(text.encode())


def test_there_is_a_feed_of_everything_and_one_per_term(feeds: dict[str, str], catalogue: Catalogue) -> None:
    wanted = {feed_address(facet.id, term) for facet in catalogue.facets.values() for term in facet.terms}
    assert feeds.keys() == wanted | {"feeds/all.xml"}


def test_every_feed_has_what_the_standard_asks(feeds: dict[str, str]) -> None:
    ids = [one(feed, "id") for _, feed in parsed(feeds)]
    assert len(set(ids)) == len(ids)
    for at, feed in parsed(feeds):
        assert feed.tag == f"{ATOM}feed"
        assert RFC_3339.fullmatch(one(feed, "updated")), at
        assert one(feed, "title")
        assert len(links(feed, "self")) == len(links(feed, "alternate")) == 1
        entries = feed.findall(f"{ATOM}entry")
        assert len(entries) <= MAX_ENTRIES
        named = [one(entry, "id") for entry in entries]
        assert len(set(named)) == len(named)
        updated = [one(entry, "updated") for entry in entries]
        assert updated == sorted(updated, reverse=True)
        assert not entries or one(feed, "updated") == updated[0]
        for entry in entries:
            assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one(entry, "id"))
            assert RFC_3339.fullmatch(one(entry, "published"))
            assert one(entry, "updated") >= one(entry, "published")
            assert entry.findall(f"{ATOM}author/{ATOM}name")
            assert len(links(entry, "alternate")) == 1
            assert one(entry, "summary")


def test_a_feed_leads_to_pages_that_exist(feeds: dict[str, str], site: Path) -> None:
    for at, feed in parsed(feeds):
        base = urljoin(f"https://a.example/x/{at}", feed.attrib["{http://www.w3.org/XML/1998/namespace}base"])
        assert base == "https://a.example/x/"
        for element in (feed, *feed.findall(f"{ATOM}entry")):
            for link in links(element, "alternate"):
                assert (site / link / "index.html").is_file(), link
        assert links(feed, "self") == [at]
        assert (site / at).is_file()


def test_an_independent_reader_finds_the_same(feeds: dict[str, str], catalogue: Catalogue) -> None:
    for at, text in feeds.items():
        read = feedparser.parse(text.encode())
        assert not read.bozo, (at, read.get("bozo_exception"))
        assert read.version == "atom10"
        for entry in read.entries:
            record = catalogue.papers[entry.link.rstrip("/").rsplit("/", 1)[-1]]
            assert entry.title_detail.value == record.title
            assert len(entry.authors) == len(record.authors)
            assert {"term": f"kind={record.kind}", "scheme": None, "label": record.kind.capitalize()} in entry.tags
            assert entry.published_parsed[0] == record.added.year if record.added else True


def test_a_feed_holds_what_the_filter_language_selects(feeds: dict[str, str], catalogue: Catalogue) -> None:
    for facet in catalogue.facets.values():
        for term in facet.terms:
            wanted = {urn(address(found)) for found in select(catalogue, f"{facet.id}={term}")}
            feed = ET.fromstring(feeds[feed_address(facet.id, term)])
            ids = {one(entry, "id") for entry in feed.findall(f"{ATOM}entry")}
            assert ids <= wanted
            assert len(ids) == min(len(wanted), MAX_ENTRIES), f"{facet.id}={term}"


@pytest.mark.parametrize("text", [*HOSTILE, "\ufffe\uffff ]]> & <b>"])
def test_whatever_stands_in_a_title_stays_text(text: str) -> None:
    feed = ET.fromstring(feeds_of(hostile_catalogue(text, text))["feeds/all.xml"].encode())
    titles = [one(entry, "title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles == [text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")] * 2


def test_addresses_are_absolute_and_ids_the_same_where_the_site_has_one() -> None:
    feed = ET.fromstring(feeds_of(hostile_catalogue("T", "T"))["feeds/all.xml"])
    assert links(feed, "self") == ["https://atlas.example/x/feeds/all.xml"]
    entry = feed.findall(f"{ATOM}entry")[0]
    assert links(entry, "alternate")[0].startswith("https://atlas.example/x/papers/")
    assert one(entry, "id") in {urn("papers/doe2020hostile/"), urn("papers/roe2019other/")}


def test_a_term_without_works_has_a_feed_to_wait_at(make_catalogue: Callable[..., Catalogue]) -> None:
    made = feeds_of(make_catalogue({"a2020t": paper("T")}, facets=FACETS))
    feed = ET.fromstring(made["feeds/access/white-box.xml"])
    assert feed.findall(f"{ATOM}entry") == []
    assert one(feed, "updated") == BEGINNING


def test_the_last_fifty_are_those_changed_last(make_catalogue: Callable[..., Catalogue]) -> None:
    papers = {f"a{2000 + n}t": paper(f"T{n}", added=f"2026-01-{1 + n % 28:02}") for n in range(20)}
    papers |= {f"b{2000 + n}t": paper(f"U{n}", added="2026-02-01") for n in range(45)}
    made = ET.fromstring(feeds_of(make_catalogue(papers))["feeds/all.xml"])
    titles = [one(entry, "title") for entry in made.findall(f"{ATOM}entry")]
    assert len(titles) == MAX_ENTRIES
    assert {title[0] for title in titles[:45]} == {"U"}
    assert titles[45:] == ["T19", "T18", "T17", "T16", "T15"]


def test_a_correction_is_dated_by_the_commit_that_made_it(
    make_catalogue: Callable[..., Catalogue], tmp_path: Path, program: Callable[[str], str]
) -> None:
    git = [program("git"), "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@a.example"]

    def commit(date: str) -> None:
        subprocess.run([*git, "add", "-A"], check=True)
        environment = {
            "GIT_COMMITTER_DATE": date,
            "GIT_AUTHOR_DATE": date,
            "HOME": str(tmp_path),
            "PATH": "/usr/bin:/bin",
        }
        subprocess.run([*git, "commit", "-qm", "x"], check=True, env=environment)

    subprocess.run([*git, "init", "-q"], check=True)
    make_catalogue({"a2020t": paper("A", added="2026-03-01"), "b2021t": paper("B", added="2026-03-01")})
    commit("2026-03-01T12:00:00+02:00")
    catalogue = make_catalogue({"a2020t": paper("A, mended", added="2026-03-01")})
    commit("2026-04-02T23:30:00-02:00")
    stamp = read_stamp(catalogue)
    assert stamp.changed["data/papers/2020/a2020t.yaml"] == "2026-04-03T01:30:00Z"
    assert stamp.changed["data/papers/2021/b2021t.yaml"] == "2026-03-01T10:00:00Z"
    found = changes(renderer_for(catalogue, ROOT), stamp)
    assert list(found) == ["a2020t", "b2021t"]
    assert [found[id].corrected for id in found] == [True, False]
    shallow = tmp_path / "shallow"
    subprocess.run([*git, "clone", "-q", "--depth=1", tmp_path.as_uri(), str(shallow)], check=True)
    assert last_changes(shallow) == {}


def test_a_record_without_a_day_is_as_old_as_its_file_or_the_atlas(catalogue: Catalogue) -> None:
    record = catalogue.papers["zhu2019deep"].model_copy(update={"added": None})
    assert change(record, "") == Change(BEGINNING, BEGINNING)
    assert change(record, "2027-01-02T03:04:05Z") == Change("2027-01-02T03:04:05Z", "2027-01-02T03:04:05Z")
    assert not change(record, "2027-01-02T03:04:05Z").corrected


def test_times_are_told_in_utc() -> None:
    assert utc("2026-11-21T00:30:00+02:00") == "2026-11-20T22:30:00Z"
    assert datetime.fromisoformat(BEGINNING)
