"""`atlas refresh` against servers that play arXiv, OpenAlex, DBLP and Crossref."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.servers.playing import Answer, Played, play, play_services
from tests.servers.scholarly import Work, openalex_list, serve

from inversion_atlas.catalogue import load
from inversion_atlas.cli.main import atlas

ROOT = Path(__file__).resolve().parents[2]
RECORD = """\
# Seen by a curator.
title: Deep Leakage of Wax
authors: ["Wax, Ada", "Li, Bo"]
year: 2025
venue: arxiv  # for now
kind: attack
summary: Melts wax.
links:
  arxiv: "2501.00001"
evidence: [https://arxiv.org/abs/2501.00001]
# The end.
"""
VENUES = """\
arxiv: {name: arXiv, short: arXiv, type: preprint}
neurips: {name: Neural Information Processing Systems, short: NeurIPS, type: conference}
"""
WAX = Work("Deep Leakage of Wax", ("Ada Wax", "Bo Li"), "2025-01-01", "2501.00001", openalex="W1")
PUBLISHED = replace(WAX, arxiv="", doi="10.1234/wax", venue="NeurIPS", kind="article", day="2025-12-01", pages="1-12")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "data/papers/2025").mkdir(parents=True)
    (tmp_path / "data/papers/2025/wax2025deep.yaml").write_text(RECORD)
    (tmp_path / "data/venues.yaml").write_text(VENUES)
    return tmp_path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: Any) -> Iterator[Played]:
    with play_services(monkeypatch, tmp_path / "cache") as played:
        yield played


def refresh(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "refresh", *arguments])


def found(root: Path, *arguments: str) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(refresh(root, "--json", *arguments).stdout)
    return whole


def changes(whole: dict[str, Any]) -> dict[str, str]:
    (upgrade,) = whole["upgrades"]
    return {change["field"]: change["new"] for change in upgrade["changes"]}


EXPECTED = {"venue": "neurips", "links.doi": "10.1234/wax", "pages": "1–12"}


@pytest.mark.parametrize(
    ("works", "by"),
    [
        ([replace(WAX, doi="10.1234/wax", venue="NeurIPS", pages="1-12", kind="article")],
         "Crossref, by the DOI at arXiv"),
        ([WAX, PUBLISHED], "DBLP"),
    ],
)  # fmt: skip
def test_a_published_preprint_is_offered_its_publication(
    root: Path, server: Played, works: list[Work], by: str
) -> None:
    serve(server, works)
    whole = found(root)
    assert whole["failed"] == whole["doubts"] == []
    assert whole["upgrades"][0]["by"] == by
    assert changes(whole).items() >= EXPECTED.items()
    assert (root / "data/papers/2025/wax2025deep.yaml").read_text() == RECORD


def test_openalex_leads_to_the_doi_that_arxiv_does_not_know(root: Path, server: Played) -> None:
    whole_work = replace(WAX, doi="10.1234/wax", venue="NeurIPS", pages="1-12", kind="article")
    serve(server, [WAX])
    server.answer("/openalex/works", Answer(lambda asked: openalex_list([whole_work], asked)))
    with play() as crossref:
        serve(crossref, [PUBLISHED])
        server.routes["/crossref/works/10.1234/wax"] = crossref.routes["/crossref/works/10.1234/wax"]
        whole = found(root)
    assert whole["upgrades"][0]["by"] == "Crossref, by the DOI at OpenAlex"
    assert changes(whole).items() >= EXPECTED.items()


def test_crossref_finds_by_title_what_dblp_lacks_and_arxiv_may_name_the_journal(root: Path, server: Played) -> None:
    serve(server, [WAX, PUBLISHED])
    server.answer("/dblp/search/publ/api", json.dumps({"result": {"hits": {"@total": "0"}}}))
    assert found(root)["upgrades"][0]["by"] == "Crossref"
    shutil.rmtree(root / "cache")
    serve(server, [replace(WAX, journal_ref="NeurIPS 2025")])
    whole = found(root)
    assert whole["upgrades"][0]["by"] == "arXiv, its journal reference"
    assert changes(whole)["venue"] == "neurips"


def test_write_changes_the_fields_and_no_other_line(root: Path, server: Played) -> None:
    serve(server, [WAX, replace(PUBLISHED, day="2026-02-01")])
    result = refresh(root, "--write")
    assert result.exit_code == 0, result.output
    text = (root / "data/papers/2025/wax2025deep.yaml").read_text()
    assert text.startswith("# Seen by a curator.\n")
    assert text.endswith("# The end.\n")
    record = load(root).papers["wax2025deep"]
    assert (record.venue, record.year, record.pages) == ("neurips", 2026, "1–12")
    assert (record.links.doi, record.links.arxiv) == ("10.1234/wax", "2501.00001")
    assert len(record.evidence) == 2
    assert list(load(root).papers) == ["wax2025deep"], "a record never becomes two"
    assert found(root) == {"upgrades": [], "doubts": [], "failed": []}


@pytest.mark.parametrize(
    "other",
    [
        replace(PUBLISHED, authors=("Eve Ear", "Al Stone")),
        replace(PUBLISHED, authors=("Ada Wax", "Eve Ear", "Al Stone", "Cy Dee"), title="Deep Leakage of Honey"),
        replace(PUBLISHED, title="Deep Leakage of Waxwings"),
        replace(PUBLISHED, venue="CoRR", doi=""),
        replace(PUBLISHED, venue="arXiv"),
    ],
)
def test_another_work_of_like_title_or_author_is_not_the_publication(root: Path, server: Played, other: Work) -> None:
    serve(server, [WAX, other])
    assert found(root)["upgrades"] == []


@pytest.mark.parametrize(
    ("linked", "said"),
    [
        (replace(PUBLISHED, authors=("Eve Ear",)), "whose authors are others"),
        (replace(PUBLISHED, venue="Journal of Unheard Wax"), "not in data/venues.yaml"),
        (replace(PUBLISHED, day="2019-01-01"), "older than the preprint"),
    ],
)
def test_what_is_doubtful_is_said_and_not_written(root: Path, server: Played, linked: Work, said: str) -> None:
    serve(server, [replace(WAX, doi="10.1234/wax"), linked])
    server.answer("/dblp/search/publ/api", json.dumps({"result": {"hits": {"@total": "0"}}}))
    server.answer("/openalex/works", Answer(lambda asked: openalex_list([], asked)))
    server.answer("/crossref/works", json.dumps({"message": {"items": []}}))
    whole = found(root, "--write")
    assert [(doubt["id"], said in doubt["message"]) for doubt in whole["doubts"]] == [("wax2025deep", True)]
    assert whole["upgrades"] == []
    assert (root / "data/papers/2025/wax2025deep.yaml").read_text() == RECORD


def test_a_publication_that_has_a_record_already_is_never_written_into_a_second(root: Path, server: Played) -> None:
    twin = 'title: Deep Leakage of Wax\nauthors: ["Wax, Ada"]\nyear: 2025\nvenue: neurips\nkind: attack\n'
    (root / "data/papers/2025/wax2025twin.yaml").write_text(f'{twin}links:\n  doi: "10.1234/WAX"\n')
    serve(server, [WAX, PUBLISHED])
    whole = found(root, "--write")
    assert whole["upgrades"] == []
    assert "wax2025twin has the same DOI" in whole["doubts"][0]["message"]


def test_a_doi_that_differs_is_left_to_a_curator(root: Path, server: Played) -> None:
    path = root / "data/papers/2025/wax2025deep.yaml"
    path.write_text(RECORD.replace("  arxiv:", '  doi: "10.1234/other"\n  arxiv:'))
    serve(server, [WAX, PUBLISHED])
    whole = found(root, "--write")
    assert whole["upgrades"] == []
    assert "has the doi 10.1234/other" in whole["doubts"][0]["message"]


def test_only_what_a_query_selects_is_asked_for(root: Path, server: Played) -> None:
    serve(server, [WAX, PUBLISHED])
    assert found(root, "kind=defense")["upgrades"] == []
    assert server.asked == []
    assert len(found(root, "id=wax2025deep")["upgrades"]) == 1


def many(root: Path, count: int) -> list[Work]:
    works = []
    for number in range(count):
        title = f"Leakage of Candle {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number % 26] * (2 + number // 26)} Wax"
        work = Work(title, (f"Ann A{'x' * number}",), "2025-01-01", f"2502.{number:05d}", openalex=f"W{number}")
        (root / f"data/papers/2025/a2025leakage{number}.yaml").write_text(
            f'title: {title}\nauthors: ["A{"x" * number}, Ann"]\nyear: 2025\nvenue: arxiv\nkind: attack\n'
            f'links:\n  arxiv: "{work.arxiv}"\n'
        )
        works += [work, replace(work, arxiv="", doi=f"10.1234/c{number}", venue="NeurIPS", kind="article")]
    return works


def test_arxiv_and_openalex_are_asked_in_batches(root: Path, server: Played) -> None:
    serve(server, [WAX, *many(root, 60)])
    assert len(found(root)["upgrades"]) == 60
    assert len([path for path in server.paths() if path.startswith("/arxiv")]) == 1
    assert len([path for path in server.paths() if path.startswith("/openalex")]) == 2


@pytest.mark.parametrize("down", ["/arxiv/api/query", "/openalex/works", "/dblp/search/publ/api", "/crossref/works"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Answer(status=500), "500"),
        (Answer(status=429, headers={"Retry-After": "99999"}), "try later"),
        (Answer(fault="reset"), "broke"),
        (Answer(fault="endless"), "larger"),
        (Answer(b'{"result": 3, "results": {}, "message": []}'), "answer"),
        (Answer(status=302, headers={"Location": "http://169.254.169.254/x"}), "169.254.169.254"),
    ],
)
def test_a_service_that_fails_is_said_and_the_others_still_answer(
    root: Path, server: Played, down: str, fault: Answer, said: str
) -> None:
    serve(server, [WAX, PUBLISHED, *many(root, 3)])
    server.answer(down, replace(fault))
    result = refresh(root, "--json")
    whole = json.loads(result.stdout)
    if down == "/crossref/works":  # DBLP is asked before, and answers
        assert [upgrade["by"] for upgrade in whole["upgrades"]] == ["DBLP"] * 4
        return
    assert result.exit_code == 3
    assert len(whole["upgrades"]) == 4
    assert any(said in line for line in whole["failed"])
    assert len(whole["failed"]) <= 4
    assert len([path for path in server.paths() if path.startswith(down)]) <= 12, "a dead service is left alone"


def test_an_interruption_shows_what_was_found(root: Path, server: Played) -> None:
    works = many(root, 3)
    serve(server, works)
    answered = server.routes["/dblp/search/publ/api"][0]
    server.answer("/dblp/search/publ/api", replace(answered, times=2), Answer(fault="silent"))
    started = "from inversion_atlas.cli.main import main; main()"
    command = [sys.executable, "-c", started, "--root", str(root), "refresh", "--json", "--write"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while sum(path.startswith("/dblp") for path in server.paths()) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert process.returncode == 130, said.decode()
    assert len(json.loads(out)["upgrades"]) == 2
    assert b"Interrupted after 2 of 4" in said
    assert len([paper for paper in load(root).papers.values() if paper.venue == "neurips"]) == 2


def test_markdown_names_records_changes_and_failures(root: Path, server: Played) -> None:
    serve(server, [WAX, PUBLISHED])
    server.answer("/openalex/works", Answer(status=500))
    text = refresh(root).stdout
    assert text.startswith("<!-- inversion-atlas: refresh -->\n1 preprints were looked up; 1 of them are known")
    assert "- `wax2025deep` Deep Leakage of Wax (DBLP)\n" in text
    assert "\n  - venue: arxiv -&gt; neurips\n" in text
    assert "**Something may be missing:**" in text


@pytest.mark.slow
def test_the_real_catalogue_takes_its_upgrades_and_still_checks(tmp_path: Path, server: Played) -> None:
    for folder in ("data", "taxonomy"):
        shutil.copytree(ROOT / folder, tmp_path / "copy" / folder)
    before = load(tmp_path / "copy")
    preprints = [paper for paper in before.papers.values() if paper.venue == "arxiv" and not paper.status]
    chosen = sorted(preprints, key=lambda paper: (paper.year, paper.id))[:10]
    works = []
    for at, paper in enumerate(chosen):
        people = tuple(" ".join(reversed(author.split(", ", 1))) for author in paper.authors)
        works.append(
            Work(paper.title, people, f"{paper.year}-12-01", doi=f"10.5555/{at}", venue="NeurIPS", kind="article")
        )
    serve(server, works)
    result = refresh(tmp_path / "copy", "--write", "--limit", "20")
    assert result.exit_code == 0, result.stderr[-2000:]
    after = load(tmp_path / "copy")
    assert list(after.papers) == list(before.papers)
    upgraded = [paper for paper in chosen if after.papers[paper.id].venue == "neurips"]
    assert len(upgraded) >= 9
    assert {id for id, paper in after.papers.items() if paper != before.papers[id]} == {paper.id for paper in upgraded}
    checked = CliRunner().invoke(atlas, ["--root", str(tmp_path / "copy"), "check"])
    assert checked.exit_code == 0, checked.output[-2000:]
