"""`atlas discover` against servers that play arXiv and OpenAlex, in a small catalogue and in a copy of the real one."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import markdown
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.servers.playing import Answer, Played, play, play_services
from tests.servers.scholarly import Work, arxiv_feed, openalex_list, openalex_work, serve

from inversion_atlas.catalogue import load
from inversion_atlas.cli import discover as cli_discover
from inversion_atlas.cli.main import atlas
from inversion_atlas.cli.reader import open_reader
from inversion_atlas.freshness.asking import _sighting
from inversion_atlas.freshness.memory import read_memory
from inversion_atlas.freshness.sieve import Sieve

ROOT = Path(__file__).resolve().parents[2]
RECORDS = {
    "data/papers/2019/zhu2019deep.yaml": """\
title: Deep Leakage from Gradients
authors: ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"]
year: 2019
kind: attack
summary: Inverts gradients of a federated learner.
links:
  arxiv: "1906.08935"
""",
    "data/papers/2020/roe2020inverting.yaml": """\
title: Inverting Gradients of Faces
authors: ["Roe, Richard"]
year: 2020
kind: attack
links:
  doi: "10.1234/faces"
""",
    "data/papers/2016/kid2016deep.yaml": """\
title: Cooking with Deep Pans
authors: ["Kid, Ann"]
year: 2016
kind: background
""",
    "data/venues.yaml": "arxiv: {name: arXiv, short: arXiv, type: preprint}\n",
    "data/discovery.yaml": """\
arxiv_queries: ['abs:"gradients"']
openalex_queries: ['"gradients"']
core: [zhu2019deep, roe2020inverting]
""",
    "data/refused.yaml": """\
# Kept as it is.
doi:10.1234/unwanted: {title: Gradients of Seismic Waves in Rock, reason: about stone, date: 2026-01-01}
""",
    "taxonomy/x.yaml": "label: X\nquestion: Q\norder: 1\nterms: {}\n",
}
DLG = Work("Deep Leakage from Gradients", ("Ligeng Zhu",), "2019-06-21", "1906.08935", openalex="W1")
FACES = Work("Inverting Gradients of Faces", ("Richard Roe",), "2020-01-01", doi="10.1234/faces", openalex="W2")
PREPRINT = Work("Inverting Gradients of Voices", ("Ada Wax", "Bo Li"), "2026-11-01", "2611.00001",
                abstract="We invert gradients of voices.")  # fmt: skip
PUBLISHED = replace(PREPRINT, arxiv="", doi="10.1234/voices", venue="Wax Conference", openalex="W3", cites=("W1",),
                    kind="article")  # fmt: skip
PANS = Work("Cooking with Hotter Pans", ("Ann Kid",), "2026-11-02", "2611.00002", abstract="Pans and gradients.")
STONE = Work("Gradients of Seismic Waves in Rocks", ("Al Stone",), "2026-11-03", "2611.00003")
CITING = Work("Leakage of Voices", ("Eve Ear",), "2026-11-04", doi="10.1234/ear", openalex="W4", cites=("W1", "W2"))
WORKS = [DLG, FACES, PREPRINT, PUBLISHED, PANS, STONE, CITING]
TODAY = "2026-11-20"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in RECORDS.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: Any) -> Iterator[Played]:
    with play_services(monkeypatch, tmp_path / "cache") as played:
        serve(played, WORKS)
        yield played


def discover(root: Path, *arguments: str, today: str = TODAY) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "discover", "--today", today, *arguments])


def found(root: Path, *arguments: str, today: str = TODAY) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(discover(root, "--json", *arguments, today=today).stdout)
    return whole


def titles(whole: dict[str, Any]) -> list[str]:
    return [work["title"] for work in whole["candidates"]]


def test_what_is_new_is_listed_and_what_is_known_or_refused_is_not(root: Path, server: Played) -> None:
    result = discover(root)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("<!-- inversion-atlas: discover -->\n")
    assert "Inverting Gradients of Voices" in result.stdout
    assert "atlas add 10.1234/voices" in result.stdout
    assert "cites `roe2020inverting`, `zhu2019deep`" in result.stdout
    assert "near `roe2020inverting`" in result.stdout
    for absent in ("Deep Leakage from Gradients]", "Faces]", "Seismic", "Pans"):
        assert absent not in result.stdout
    assert "refused" in result.stderr
    assert "1 further works are less like the catalogue than 0; they are not listed" in result.stdout


def test_preprint_and_publication_are_one_candidate_with_both_ids(root: Path, server: Played) -> None:
    (voices,) = [work for work in found(root)["candidates"] if "Voices" in work["title"] and "Inv" in work["title"]]
    assert (voices["arxiv"], voices["doi"], voices["openalex"]) == ("2611.00001", "10.1234/voices", "W3")
    assert (voices["venue"], voices["cites"]) == ("Wax Conference", ["zhu2019deep"])


def test_the_likest_stand_first_and_the_limit_holds(root: Path, server: Played) -> None:
    whole = found(root)
    scores = [work["likeness"] for work in whole["candidates"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == whole["all"] == 2
    assert "1 more: " in discover(root, "--limit", "1").stdout


def test_the_next_run_asks_only_for_what_is_newer_and_keeps_what_waits(root: Path, server: Played) -> None:
    first = found(root)
    asked = json.loads((root / "data/discovered.json").read_text())["asked"]
    assert asked['arxiv abs:"gradients"'] == {"since": "2026-08-22", "day": TODAY}
    assert set(asked) == {
        'arxiv abs:"gradients"',
        'openalex "gradients"',
        "cites zhu2019deep",
        "cites roe2020inverting",
    }
    server.asked.clear()
    serve(server, [DLG, FACES])
    second = found(root, today="2027-01-20")
    assert titles(second) == titles(first)
    assert {work["found"] for work in second["candidates"]} == {TODAY}
    (query,) = [path for path in server.paths() if path.startswith("/arxiv")]
    assert "submittedDate%3A%5B202610210000%20TO%20202701202359%5D" in query
    assert all("from_publication_date%3A2026-10-21" in path for path in server.paths() if "from_publication" in path)


def test_what_was_added_or_refused_since_is_no_longer_listed(root: Path, server: Played) -> None:
    assert len(titles(found(root))) == 2
    assert (
        discover(root, "--refuse", "https://doi.org/10.1234/EAR", "--because", "on ears: no inversion").exit_code == 0
    )
    (root / "data/papers/2026").mkdir()
    (root / "data/papers/2026/wax2026inverting.yaml").write_text(
        'title: Inverting Gradients of Voices\nauthors: ["Wax, Ada"]\nyear: 2026\nkind: attack\n'
    )
    assert titles(found(root)) == []
    assert "Nothing new." in discover(root).stdout
    text = (root / "data/refused.yaml").read_text()
    assert text.startswith("# Kept as it is.\n")
    refusal = load(root).refused["doi:10.1234/ear"]
    assert (refusal.title, refusal.reason, refusal.also) == (CITING.title, "on ears: no inversion", ("openalex:W4",))
    assert refusal.date.isoformat() == TODAY
    assert discover(root, "--refuse", "10.1234/ear", "--because", "again").exit_code == 0
    assert (root / "data/refused.yaml").read_text() == text


def test_a_refused_work_is_known_under_another_id_by_title_and_author(root: Path, server: Played) -> None:
    discover(root)
    discover(root, "--refuse", "arxiv:2611.00001v2", "--because", "no")
    also = load(root).refused["arxiv:2611.00001"].also
    assert also == ("doi:10.1234/voices", "openalex:W3")
    elsewhere = replace(PREPRINT, arxiv="2611.99999", authors=("Bo Li",))
    namesake = replace(PREPRINT, arxiv="2611.88888", authors=("Nobody Else",))
    serve(server, [elsewhere, namesake])
    assert [work["arxiv"] for work in found(root)["candidates"] if work["arxiv"]] == ["2611.88888"]


@pytest.mark.parametrize(
    ("id", "because", "code"),
    [("nonsense", "x", 2), ("10.1234/x", "  ", 1), ("10.1234/x", "a\0b", 1), ("W12", "fine", 0),
     ("10.1234/a(b)c:d", "fine", 0), ("10.1234/x#y", "fine # not a comment", 0)],
)  # fmt: skip
def test_a_refusal_is_written_whole_or_not_at_all(root: Path, id: str, because: str, code: int) -> None:
    before = (root / "data/refused.yaml").read_text()
    result = discover(root, "--refuse", id, "--because", because)
    assert result.exit_code == code, result.output
    after = (root / "data/refused.yaml").read_text()
    assert (after == before) == (code != 0)
    assert len(load(root).refused) == 1 + (code == 0)


def test_a_refusal_needs_its_reason_and_a_first_one_makes_the_file(root: Path) -> None:
    assert discover(root, "--refuse", "10.1234/x").exit_code == 2
    for text in (None, "", "# words\n{}\n"):
        (root / "data/refused.yaml").unlink(missing_ok=True)
        if text is not None:
            (root / "data/refused.yaml").write_text(text)
        expected = 0 if text != "" else 1
        assert discover(root, "--refuse", "10.1234/x", "--because", "y").exit_code == expected, text
    assert (root / "data/refused.yaml").read_text().startswith("# words\ndoi:10.1234/x:\n")


def test_a_memory_that_cannot_be_written_is_said_and_the_list_is_there(
    root: Path, server: Played, monkeypatch: Any
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("inversion_atlas.freshness.memory.write_atomic", full)
    result = discover(root)
    assert result.exit_code == 1
    assert "data/discovered.json was left as it is" in result.stderr
    assert "10.1234/voices" in result.stdout


def test_a_dry_run_remembers_nothing(root: Path, server: Played) -> None:
    assert len(titles(found(root, "--dry-run"))) == 2
    assert not (root / "data/discovered.json").exists()


def test_offline_reads_what_was_read_before(root: Path, server: Played) -> None:
    first = found(root)
    count = len(server.asked)
    again = discover(root, "--offline", "--json", today="2026-12-24")
    assert titles(json.loads(again.stdout)) == titles(first)
    assert (len(server.asked), again.exit_code) == (count, 0)
    shutil.rmtree(root / "cache")
    bare = discover(root, "--offline", "--json")
    assert titles(json.loads(bare.stdout)) == titles(first)
    assert "not read before" in bare.stderr


def test_since_asks_further_back(root: Path, server: Played) -> None:
    old = replace(PREPRINT, title="Inverting Gradients of Old Voices", arxiv="2401.00001", day="2024-01-05")
    serve(server, [old])
    assert titles(found(root)) == []
    assert titles(found(root, "--since", "2024-01-01")) == [old.title]


def test_answers_are_read_page_by_page_and_a_cut_is_said(root: Path, server: Played) -> None:
    many = [
        Work(f"Inverting Gradients of Voice {number}", (f"A{number} B",), "2026-11-01", f"2611.{number:05d}")
        for number in range(250)
    ]
    serve(server, many)
    whole = found(root, "--limit", "1000")
    assert len(whole["candidates"]) == 250
    assert sum("start=" in path for path in server.paths()) == 3
    with (root / "data/discovery.yaml").open("a") as file:
        file.write("most: 120\n")
    shutil.rmtree(root / "cache")
    (root / "data/discovered.json").unlink()
    whole = found(root, "--limit", "1000")
    assert len(whole["candidates"]) == 120
    assert any("only the newest 120 of 250 works were read" in note for note in whole["notes"])


def test_openalex_pages_by_cursor_with_a_key_that_stays_in_a_header(
    root: Path, server: Played, monkeypatch: Any
) -> None:
    many = [
        Work(
            f"Inverting Gradients of Voice {number}", (f"A{number} B",), doi=f"10.1234/v{number}", openalex=f"W{number}"
        )
        for number in range(1, 231)
    ]
    serve(server, many)
    monkeypatch.setenv("ATLAS_OPENALEX_KEY", "sesame-open")
    assert len(found(root, "--limit", "1000")["candidates"]) == 230
    pages = [path for path in server.paths() if "title_and_abstract" in path]
    assert len(pages) == 3
    assert all("cursor=" in path and "page=2" not in path for path in pages)
    for path, headers, _ in server.asked:
        assert "sesame" not in path
        assert ("sesame-open" in headers.get("Authorization", "")) == path.startswith("/openalex") or "/arxiv" in path
    kept = b"".join(path.read_bytes() for path in (root / "cache").iterdir())
    assert b"sesame" not in kept
    monkeypatch.delenv("ATLAS_OPENALEX_KEY")
    shutil.rmtree(root / "cache")
    server.asked.clear()
    assert len(found(root, "--limit", "1000", "--since", "2026-01-01")["candidates"]) == 230
    assert not any("cursor=" in path for path in server.paths())


def test_a_key_does_not_follow_a_redirect_to_another_host(root: Path, server: Played, monkeypatch: Any) -> None:
    monkeypatch.setenv("ATLAS_OPENALEX_KEY", "sesame-open")
    with play() as other:
        other.answer("/stolen", b"{}")
        server.answer("/openalex/works", Answer(status=302, headers={"Location": f"{other.base}/stolen"}))
        assert discover(root).exit_code == 3
        assert other.asked
        assert all("Authorization" not in headers for _, headers, _ in other.asked)


def test_citing_works_are_asked_for_in_batches(root: Path, server: Played) -> None:
    discover(root)
    resolved = [path for path in server.paths() if "filter=doi" in path]
    citing = [path for path in server.paths() if "cites%3A" in path]
    assert len(resolved) == len(citing) == 1
    assert "cites%3AW1%7CW2" in citing[0]
    with (root / "data/discovery.yaml").open("a") as file:
        file.write("look_back: 3\n")
    text = (root / "data/discovery.yaml").read_text().replace("[zhu2019deep, ", "[zhu2019deep, kid2016deep, ")
    (root / "data/discovery.yaml").write_text(text)
    result = discover(root, today="2027-01-20")
    assert result.exit_code == 0
    assert "OpenAlex does not know these core works: kid2016deep" in result.stdout


# When services fail

BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><feed>&b;</feed>'
EMPTY = (
    b'<feed xmlns="http://www.w3.org/2005/Atom"><o:totalResults xmlns:o="http://a9.com/-/spec/opensearch/1.1/">7'
    b"</o:totalResults></feed>"
)
FAULTS = [
    (Answer(status=503), "server-error"),
    (Answer(status=429, headers={"Retry-After": "99999"}), "try later"),
    (Answer(status=401), "401"),
    (Answer(fault="reset"), "broken-answer"),
    (Answer(fault="garbage"), "broken-answer"),
    (Answer(fault="cut"), "broken-answer"),
    (Answer(fault="endless"), "too-large"),
    (Answer(b'{"results": [', headers={"Content-Type": "application/json"}), "unreadable-answer"),
    (Answer(b"[" * 100_000), "unreadable-answer"),
    (Answer(b"<feed><entry>"), "unreadable-answer"),
    (Answer(BOMB), "unreadable-answer"),
    (Answer(BOMB.decode().encode("utf-16")), "unreadable-answer"),
    (Answer(EMPTY), "unreadable-answer"),
    (Answer("<feed>é</feed>".encode("latin-1"), headers={"Content-Type": "text/xml; charset=x"}), "unreadable-answer"),
    (Answer(status=302, headers={"Location": "/arxiv/api/query"}), "redirect-loop"),
    (Answer(status=302, headers={"Location": "http://169.254.169.254/latest/"}), "169.254.169.254"),
]


@pytest.mark.parametrize("down", ["arxiv", "openalex"])
@pytest.mark.parametrize(("fault", "said"), FAULTS)
def test_one_service_that_fails_loses_nothing_of_the_other(
    root: Path, server: Played, down: str, fault: Answer, said: str
) -> None:
    path = "/arxiv/api/query" if down == "arxiv" else "/openalex/works"
    where = fault.headers.get("Location", "")
    headers = {"Location": path} if where.startswith("/") else fault.headers
    server.answer(path, replace(fault, headers=headers))
    result = discover(root)
    assert result.exit_code == 3
    assert said in result.stderr
    assert "**The list is not whole:**" in result.stdout
    assert ("10.1234/ear" in result.stdout) == (down == "arxiv")
    # OpenAlex knows this preprint as well.
    assert "2611.00001" in result.stdout or "10.1234/voices" in result.stdout
    asked = json.loads((root / "data/discovered.json").read_text())["asked"]
    assert not any(key.startswith("arxiv" if down == "arxiv" else ("openalex", "cites")) for key in asked)
    assert asked
    serve(server, WORKS)
    assert discover(root).exit_code == 0


@pytest.mark.parametrize(
    "passing",
    [
        Answer(status=503, times=1),
        Answer(status=429, headers={"Retry-After": "0"}, times=1),
        Answer(fault="reset", times=1),
        Answer(EMPTY, times=2),
    ],
)
def test_a_fault_that_passes_is_not_noticed(root: Path, server: Played, passing: Answer) -> None:
    server.answer("/arxiv/api/query", replace(passing), Answer(lambda asked: arxiv_feed(WORKS, asked)))
    result = discover(root)
    assert result.exit_code == 0
    assert "2611.00001" in result.stdout


def impatient(*arguments: Any, **options: Any) -> Any:
    reader, *rest = open_reader(*arguments, **options)
    reader._manners = replace(reader._manners, deadline=0.3, tries=1)
    return reader, *rest


def test_a_server_that_drips_is_left_at_the_deadline(root: Path, server: Played, monkeypatch: Any) -> None:
    monkeypatch.setattr(cli_discover, "open_reader", impatient)
    server.answer("/arxiv/api/query", Answer(fault="drip-body"))
    started = time.monotonic()
    result = discover(root)
    assert result.exit_code == 3
    assert "too slow" in result.stderr
    assert time.monotonic() - started < 5


def test_a_page_that_fails_keeps_those_before_it(root: Path, server: Played) -> None:
    many = [
        Work(f"Inverting Gradients of Voice {number}", (f"A{number} B",), "2026-11-01", f"2611.{number:05d}")
        for number in range(150)
    ]
    server.answer("/arxiv/api/query", Answer(lambda q: arxiv_feed(many, q), times=1), Answer(status=500))
    result = discover(root, "--json", "--limit", "1000")
    whole = json.loads(result.stdout)
    assert result.exit_code == 3
    assert len([work for work in whole["candidates"] if work["arxiv"]]) == 100
    server.asked.clear()
    server.answer("/arxiv/api/query", Answer(lambda q: arxiv_feed(many, q)))
    whole = found(root, "--limit", "1000")
    assert len([work for work in whole["candidates"] if work["arxiv"]]) == 150
    assert len([path for path in server.paths() if path.startswith("/arxiv")]) == 1, "the first page was kept"


def test_a_work_without_authors_is_said_and_not_lost(root: Path, server: Played) -> None:
    nobody = replace(PREPRINT, authors=(), arxiv="2611.77777")
    serve(server, [nobody, replace(DLG, authors=(), day="2026-11-01")])
    result = discover(root)
    assert result.exit_code == 0
    assert "could not be judged: Inverting Gradients of Voices (the entry names no author)" in result.stdout
    assert "Deep Leakage" not in result.stdout


@pytest.mark.parametrize(
    "change",
    [{"authorships": None}, {"authorships": [None]}, {"title": None}, {"referenced_works": 3}, {"biblio": []},
     {"abstract_inverted_index": {"a": "b"}}, {"doi": 7}, {"primary_location": []}, {"publication_year": "x"},
     {"id": None}, {"title": "\ud800 gradients"}, {"title": "G" * 100_000}],
)  # fmt: skip
def test_an_odd_work_spoils_no_other(root: Path, server: Played, change: dict[str, Any]) -> None:
    odd = {**openalex_work(replace(PUBLISHED, doi="10.1234/odd", openalex="W77", title="Odd Gradients")), **change}

    def listed(asked: dict[str, str]) -> bytes:
        answer = json.loads(openalex_list(WORKS, asked))
        return json.dumps({**answer, "results": [odd, *answer["results"], 3, None]}).encode()

    server.answer("/openalex/works", Answer(listed))
    result = discover(root, "--json")
    assert result.exit_code == 0, result.output
    assert "Leakage of Voices" in titles(json.loads(result.stdout))


def test_a_work_with_neither_doi_nor_arxiv_id_is_led_to_by_its_page(root: Path, server: Played) -> None:
    bare = {**openalex_work(PUBLISHED), "doi": None, "id": "https://openalex.org/W88", "locations": [],
            "primary_location": {"landing_page_url": "https://papers.example.org/wax?a=1&b=`x`"}}  # fmt: skip
    plain = {**bare, "id": "https://openalex.org/W89", "title": "Inverting Gradients of Drums", "authorships": [
        {"author": {"display_name": "Cy Drum"}}],
        "primary_location": {"landing_page_url": "https://papers.example.org/drums?a=1&b=2"}}  # fmt: skip
    server.answer("/arxiv/api/query", Answer(lambda asked: arxiv_feed([], asked)))
    server.answer("/openalex/works", json.dumps({"meta": {"count": 2}, "results": [bare, plain]}))
    text = discover(root).stdout
    assert "`atlas add 'https://papers.example.org/drums?a=1&b=2'` · id `openalex:W89`" in text
    assert "(https://openalex.org/W88)" in text
    assert "it has neither DOI nor arXiv id: `atlas new` · id `openalex:W88`" in text


def test_without_a_key_a_refusal_of_openalex_says_where_to_get_more(root: Path, server: Played) -> None:
    server.answer("/openalex/works", Answer(status=401))
    assert "ATLAS_OPENALEX_KEY" in discover(root).stderr


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(sorted(openalex_work(PUBLISHED))), JSON, max_size=4))
def test_nothing_that_openalex_may_say_of_a_work_raises(root: Path, changes: dict[str, Any]) -> None:
    sieve = Sieve(load(root), date.fromisoformat(TODAY))
    sieve.take(_sighting({**openalex_work(PUBLISHED), **changes}), {"W1": "zhu2019deep"})
    sieve.candidates(-100)


# What strangers write


class Seen(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "](javascript:alert(1))", "![x](http://evil.example/p.png)", "`rm -rf /`",
        "@everyone #1 evil/repo#2", "https://evil.example", "<!-- -->", "a | b\n\n# H", "--- \n## x", "[x]: http://e",
        "<img src=x onerror=y>", "&lt;script&gt;", "\u202ecba\u200b", "$\\href{http://e}{x}$", "::set-output name=x::",
    ],
)  # fmt: skip
def test_what_strangers_write_stays_text(root: Path, server: Played, text: str) -> None:
    hostile = replace(
        PUBLISHED, title=f"Inverting Gradients {text} of Wax", authors=(f"Ada {text}", f"Bo {text}"), venue=f"V {text}"
    )
    serve(server, [DLG, FACES, hostile])
    result = discover(root)
    assert result.exit_code == 0
    page = Seen(markdown.markdown(result.stdout.partition("\n")[2]))
    assert page.tags <= {"p", "ul", "li", "a", "code", "em", "strong"}
    assert set(page.addresses) <= {"https://doi.org/10.1234/voices"}
    outside = re.sub(r"\[(?:\\.|[^\]\\])*\]\([^)]*\)|`[^`]*`|<!-- -->", "\0", result.stdout)
    assert not re.search(r"@\w|#\d|https?://|www\.", outside.replace("@\0", "").replace("#\0", ""))
    assert "\u202e" not in result.stdout


def test_commands_are_safe_to_paste(root: Path, server: Played) -> None:
    serve(server, [replace(PUBLISHED, doi="10.1234/$(touch;x)&a'b")])
    (line,) = [line for line in discover(root).stdout.splitlines() if "`atlas add" in line]
    command = line.split("`")[1]
    assert shlex.split(command) == ["atlas", "add", "10.1234/$(touch;x)&a'b"]
    assert subprocess.run(["bash", "-c", f"set -- {command}; printf %s $#"], capture_output=True).stdout == b"3"


def test_a_very_long_list_fits_into_an_issue(root: Path, server: Played) -> None:
    many = [
        Work(f"Inverting Gradients {number} of {'very' * 65}", (f"A{number} B",), "2026-11-01",
             f"2611.{number:05d}")
        for number in range(160)
    ]  # fmt: skip
    serve(server, many)
    text = discover(root, "--limit", "1000").stdout
    assert len(text) < 65_536
    assert re.search(r"- \d+ more: `atlas discover --offline --limit 160`", text)


# Files that are not as they should be


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"asked": {}, "candidates": {"x": {}}}', '{"asked": {"a": 3}, "candidates": {}}', "\0",
     '{"asked": {}}', '{"asked": {}, "candidates": {"doi:10.1234/x": {"title": "T"}}}'],
)  # fmt: skip
def test_a_memory_that_is_not_understood_is_said_and_left(root: Path, server: Played, text: str) -> None:
    (root / "data/discovered.json").write_text(text)
    result = discover(root)
    assert result.exit_code == 1
    assert "discovered.json" in result.stderr
    assert "ake it from the last commit" in result.stderr
    assert (root / "data/discovered.json").read_text() == text
    assert not server.asked


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("data/discovery.yaml", "openalex_queries: ['a, b']\n", 1),
        ("data/discovery.yaml", "arxive: [x]\n", 1),
        ("data/discovery.yaml", "most: 3\n", 2),
        ("data/refused.yaml", "W3: {reason: x, date: 2026-01-01}\n", 1),
        ("data/refused.yaml", "openalex:W3: {date: 2026-01-01}\n", 1),
    ],
)
def test_wrong_settings_are_said_before_anything_is_asked(
    root: Path, server: Played, path: str, text: str, code: int
) -> None:
    (root / path).write_text(text)
    result = discover(root)
    assert result.exit_code == code
    assert path in result.stderr
    assert not server.asked


def test_an_interruption_keeps_what_was_answered(root: Path, server: Played) -> None:
    server.answer("/openalex/works", Answer(fault="silent"))
    started = "from inversion_atlas.cli.main import main; main()"
    command = [sys.executable, "-c", started, "--root", str(root), "discover", "--today", TODAY]
    (root / "data/discovery.yaml").write_text("arxiv_queries: ['abs:\"gradients\"']\nopenalex_queries: [x]\n")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not any(path.startswith("/openalex") for path in server.paths()) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert process.returncode == 130, said.decode()
    assert b"2611.00001" in out
    memory = read_memory(root / "data/discovered.json")
    assert list(memory.asked) == ['arxiv abs:"gradients"']
    assert "arxiv:2611.00001" in memory.candidates


@pytest.mark.slow
def test_the_real_catalogue_is_asked_about_and_none_of_its_papers_is_new(tmp_path: Path, server: Played) -> None:
    for folder in ("data", "taxonomy"):
        shutil.copytree(ROOT / folder, tmp_path / "copy" / folder)
    known = [
        Work(
            paper.title,
            tuple(" ".join(reversed(author.split(", ", 1))) for author in paper.authors),
            arxiv=paper.links.arxiv or "",
            doi=(paper.links.doi or "") if at % 2 else "",
            abstract="gradient inversion and model inversion attack",
            openalex=f"W{at + 10}",
        )
        for at, paper in enumerate(load(tmp_path / "copy").papers.values())
    ]
    serve(server, [*known, PREPRINT, PUBLISHED])
    whole = found(tmp_path / "copy", "--limit", "1000")
    assert whole["failed"] == []
    assert titles(whole) == [PREPRINT.title]
