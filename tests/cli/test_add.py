"""`atlas add`: what it writes, says and returns, offline and against servers that play the services."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.servers import services
from tests.servers.playing import Answer, Played, play_services
from tests.servers.scholarly import Work, serve
from tests.servers.services import ARXIV, DOI, encoded

from inversion_atlas.catalogue import load
from inversion_atlas.cli.main import atlas
from inversion_atlas.records.yamlfile import parse

RECORD = """\
title: Deep Leakage from Gradients
authors: ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"]
year: 2019
venue: arxiv
kind: attack
links:
  arxiv: "1906.08935"
"""
VENUES = """\
arxiv: {name: arXiv, short: arXiv, type: preprint}
ccs: {name: ACM SIGSAC Conference on Computer and Communications Security, short: CCS, type: conference}
neurips: {name: Neural Information Processing Systems, short: NeurIPS, type: conference}
"""
BIB = """\
@inproceedings{new, title={Sealing {Wax}}, author={M{\\"u}ller, J. and Li, B.}, booktitle={CCS '24}, year=2024,
 doi={10.1234/wax}}
@article{known, title={Deep Leakage from Gradients}, author={Zhu, Ligeng and others}, year=2019,
 journal={NeurIPS}, volume=32}
@misc{twice, title={Sealing wax}, author={J. M{\\"u}ller}, year=2024}
@misc{bad, title={Nobody's}, year=2020}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "data/papers/2019").mkdir(parents=True)
    (tmp_path / "data/papers/2019/zhu2019deep.yaml").write_text(RECORD)
    (tmp_path / "data/venues.yaml").write_text(VENUES)
    (tmp_path / "in.bib").write_text(BIB)
    return tmp_path


def add(root: Path, *arguments: str, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "add", *arguments], input=text)


def listed(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def papers(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "data/papers").rglob("*") if path.is_file())


def test_a_file_is_read_entry_by_entry(root: Path) -> None:
    result = add(root, str(root / "in.bib"), "--offline")
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines() if line[0] != " "] == [
        "new",
        "update",
        "duplicate",
        "refused",
    ]
    assert f"{root / 'in.bib'}:6: [no-author] the entry names no author" in result.stderr
    assert "1 new, 1 update, 1 duplicate, 1 refused" in result.stderr
    assert "Remains in data/papers/2024/muller2024sealing.yaml: " in result.stderr
    assert papers(root) == ["muller2024sealing.yaml", "zhu2019deep.yaml"]
    assert load(root).papers["muller2024sealing"].venue == "ccs"
    assert (root / "data/papers/2019/zhu2019deep.yaml").read_text() == RECORD


def test_json_says_the_same_of_each_entry(root: Path) -> None:
    result = add(root, str(root / "in.bib"), "--offline", "--json", "--dry-run")
    assert result.exit_code == 1
    new, known, twice, bad = listed(result)
    asked = ("title", "authors", "year", "venue", "doi", "arxiv", "url", "status", "problems")
    assert {key: new[key] for key in asked} == {
        "title": "Sealing Wax", "authors": ["Müller, J.", "Li, B."], "year": 2024, "venue": "ccs", "doi": "10.1234/wax",
        "arxiv": None, "url": None, "status": "new", "problems": [],
    }  # fmt: skip
    assert (known["status"], known["id"]) == ("update", "zhu2019deep")
    assert {"field": "venue", "old": "arxiv", "new": "neurips"} in known["changes"]
    assert [(p["code"], p["line"]) for p in known["problems"]] == [("et-al", 3)]
    assert twice["status"] == "duplicate"
    assert (bad["status"], bad["title"], bad["authors"], bad["line"]) == ("refused", "Nobody's", [], 6)
    assert [(p["code"], p["line"]) for p in bad["problems"]] == [("no-author", 6)]
    assert papers(root) == ["zhu2019deep.yaml"]


def test_running_again_goes_on(root: Path) -> None:
    add(root, str(root / "in.bib"), "--offline")
    (root / "in.bib").write_text(BIB + "@misc{more, title={One More Work}, author={Else, S.}, year=2025}")
    result = add(root, str(root / "in.bib"), "--offline", "--json")
    assert [item["status"] for item in listed(result)] == ["duplicate", "update", "duplicate", "refused", "new"]


def test_an_update_is_made_when_asked_for(root: Path) -> None:
    assert add(root, str(root / "in.bib"), "--offline", "--update").exit_code == 2
    result = add(root, str(root / "in.bib"), "--offline", "--update", "--yes")
    assert "changed data/papers/2019/zhu2019deep.yaml" in result.stderr
    record = load(root).papers["zhu2019deep"]
    assert (record.venue, record.volume, record.links.arxiv) == ("neurips", "32", "1906.08935")
    assert record.authors == ("Zhu, Ligeng", "Liu, Zhijian", "Han, Song")


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (BIB, ["new", "update", "duplicate", "refused"]),
        ("TY  - JOUR\nTI  - A Work of Wax\nAU  - Li, B.\nPY  - 2020\nER  - \n", ["new"]),
        ('[{"title": "A Work of Wax", "author": [{"family": "Li"}], "issued": {"date-parts": [[2020]]}}]', ["new"]),
        (b"\xef\xbb\xbf@misc{a, title={W\xfcx}, author={A B}, year=2020}", ["new"]),
        ("10.1234/nothing\n\n2911.01234\n", ["refused", "refused"]),
        ("", ["refused"]),
        (b"\0\xff\xfe" * 100, ["refused"]),
    ],
)
def test_what_is_pasted_is_recognized(root: Path, monkeypatch: Any, text: str | bytes, statuses: list[str]) -> None:
    monkeypatch.setenv("ATLAS_CACHE", str(root / "cache"))
    result = add(root, "-", "--offline", "--dry-run", "--json", text=text)
    assert [item["status"] for item in listed(result)] == statuses
    assert result.exit_code == (1 if "refused" in statuses else 0)


@pytest.mark.parametrize("arguments", [[], ["nothing.bib"], ["10.1/x", "--yes"], ["x", "--bogus"]])
def test_wrong_use_is_said(root: Path, arguments: list[str]) -> None:
    result = add(root, *arguments)
    assert result.exit_code == 2
    assert result.stderr


def test_a_record_broken_elsewhere_is_mentioned(root: Path) -> None:
    (root / "data/papers/2019/bad2019bad.yaml").write_text("a: [")
    result = add(root, "-", "--offline", "--dry-run", text="@misc{a, title={Wax}, author={A B}, year=2020}")
    assert result.exit_code == 0
    assert "The catalogue has 1 errors" in result.stderr


# With servers


@pytest.fixture
def server(root: Path, monkeypatch: Any) -> Iterator[Played]:
    with play_services(monkeypatch, root / "cache") as played:
        yield played


def test_a_doi_becomes_a_draft_with_its_evidence(root: Path, server: Played) -> None:
    (root / "data/atlas.yaml").write_text("title: A\ndescription: B\ncontact: curator@atlas.example\n")
    server.answer(f"/crossref/works/{DOI}", encoded(services.CROSSREF))
    result = add(root, f"https://doi.org/{DOI}")
    assert result.exit_code == 0, result.output
    (name,) = set(papers(root)) - {"zhu2019deep.yaml"}
    record = load(root).papers[name.removesuffix(".yaml")]
    assert (record.venue, record.year, record.links.doi) == ("ccs", 2029, DOI)
    assert record.evidence == (f"https://doi.org/{DOI}",)
    assert "mailto:curator@atlas.example" in server.asked[0][1]["User-Agent"]
    assert "mailto=curator" in server.paths()[0]


def test_an_arxiv_id_is_looked_up_once_and_then_known_offline(root: Path, server: Played) -> None:
    server.answer("/arxiv/api/query", services.ARXIV_FEED)
    first = listed(add(root, f"arXiv:{ARXIV}v2", "--dry-run", "--json"))
    second = listed(add(root, ARXIV, "--dry-run", "--json", "--offline"))
    assert len(server.asked) == 1
    assert first[0]["status"] == second[0]["status"] == "new"
    assert (second[0]["venue"], second[0]["arxiv"], second[0]["doi"]) == ("arxiv", ARXIV, DOI)


def test_many_arxiv_ids_are_asked_for_together(root: Path, server: Played) -> None:
    works = [Work(f"Work {number} of Wax", arxiv=f"2901.{number:05d}") for number in range(1, 31)]
    serve(server, works)
    bib = "".join(
        f"@misc{{k{at}, title={{{work.title}}}, author={{Ada Wax}}, year=2026, eprint={{{work.arxiv}}}}}\n"
        for at, work in enumerate(works[20:])
    )
    (root / "some.bib").write_text(bib)
    items = listed(add(root, *(work.arxiv for work in works[:20]), str(root / "some.bib"), "--json"))
    assert [item["title"] for item in items] == [work.title for work in works]
    assert {item["status"] for item in items} == {"new"}
    assert len([path for path in server.paths() if path.startswith("/arxiv/api/query")]) == 1


def test_entries_of_a_file_are_completed_by_their_ids(root: Path, server: Played) -> None:
    server.answer("/arxiv/api/query", services.ARXIV_FEED)
    title = "Mending Leaky Gradients with Sealing Wax"
    bib = f"@misc{{m, title={{{title}}}, author={{M. and others}}, year=2029, eprint={{{ARXIV}}}}}"
    (item,) = listed(add(root, "-", "--json", text=bib))
    assert item["authors"] == list(services.AUTHORS)
    assert load(root).papers[item["id"]].evidence == (f"https://arxiv.org/abs/{ARXIV}",)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=500), 3),
        (Answer(status=429, headers={"Retry-After": "9999"}), 3),
        (Answer(fault="reset"), 3),
        (Answer(fault="endless"), 3),
        (Answer(b"<html>", headers={"Content-Type": "application/json"}), 3),
        (Answer(status=302, headers={"Location": "/crossref/works/10.1234/x"}), 3),
        (Answer(status=302, headers={"Location": "http://169.254.169.254/latest/"}), 1),
        (Answer(status=404), 1),
    ],
)
def test_a_failing_service_gives_a_line_an_exit_code_and_no_file(
    root: Path, server: Played, answer: Answer, code: int
) -> None:
    server.answer("/crossref/works/10.1234/x", answer)
    result = add(root, "10.1234/x", "--json")
    assert result.exit_code == code
    (item,) = listed(result)
    assert item["status"] == "refused"
    assert len(item["problems"][0]["message"]) < 500
    assert papers(root) == ["zhu2019deep.yaml"]


def test_without_leave_no_private_address_is_asked(root: Path, server: Played, monkeypatch: Any) -> None:
    monkeypatch.delenv("ATLAS_ALLOW_PRIVATE")
    (item,) = listed(add(root, "10.1234/x", "--json"))
    assert item["problems"][0]["code"] == "refused-address"
    assert server.asked == []


def test_without_httpx_files_are_read_and_look_ups_say_what_to_install(root: Path, monkeypatch: Any) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("inversion_atlas.network", "inversion_atlas.intake.lookup"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httpx", None)
    assert add(root, str(root / "in.bib"), "--offline", "--dry-run").exit_code == 1
    result = add(root, "10.1234/x")
    assert result.exit_code == 2
    assert "pip install 'inversion-atlas[intake]'" in result.stderr


def test_an_interruption_leaves_whole_files_and_a_whole_array(root: Path) -> None:
    many = "\n".join(
        f"@misc{{k{n}, title={{Work {n} of Wax {n}}}, author={{A{'x' * (n % 50)}, B}}, year=2020}}" for n in range(4000)
    )
    (root / "many.bib").write_text(many)
    command = [sys.executable, "-c", "from inversion_atlas.cli.main import main; main()", "--root", str(root), "add",
               str(root / "many.bib"), "--offline", "--json"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        while len(papers(root)) < 30 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    items = json.loads(out)
    assert b"Interrupted after" in said
    written = [path for path in (root / "data/papers").rglob("*") if path.is_file()]
    assert len(items) == len(written) - 1
    assert len(written) < 4000
    assert all(path.suffix == ".yaml" and parse(path.read_text(encoding="utf-8")) for path in written)
    load(root)


def test_an_interruption_before_the_first_entry_says_so_as_well(root: Path, monkeypatch: Any) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("inversion_atlas.cli.add.read", interrupted)
    result = add(root, str(root / "in.bib"), "--offline")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_what_is_no_entry_lacks_nothing_else(root: Path) -> None:
    (item,) = listed(add(root, "nothing of the kind", "--offline", "--json"))
    assert [problem["code"] for problem in item["problems"]] == ["bad-thing"]


# Archived copies

COPY = {
    "archived_snapshots": {
        "closest": {
            "available": True,
            "url": "http://web.archive.org/web/20290101000000/http://evil.example/",
            "timestamp": "20290101000000",
            "status": "200",
        }
    },
    "url": "x",
}
PAGE = f"https://arxiv.org/abs/{ARXIV}"


def record_of(root: Path) -> Any:
    (name,) = set(papers(root)) - {"zhu2019deep.yaml"}
    return load(root).papers[name.removesuffix(".yaml")]


def test_the_archived_copy_of_a_new_paper_stands_in_its_record(root: Path, server: Played) -> None:
    server.answer("/arxiv/api/query", services.ARXIV_FEED)
    server.answer("/archive/wayback/available", encoded(COPY))
    (item,) = listed(add(root, ARXIV, "--json"))
    assert item["archive"] == record_of(root).links.archive == f"https://web.archive.org/web/20290101000000/{PAGE}"
    assert not any("links.archive" in todo for todo in item["remaining"])
    asked = [path for path in server.paths() if path.startswith("/archive")]
    assert asked == ["/archive/wayback/available?url=https%3A%2F%2Farxiv.org%2Fabs%2F2911.01234"]


@pytest.mark.parametrize("words", [["--dry-run"], ["--offline"]])
def test_nobody_asks_the_archive_where_nothing_is_written_or_asked(
    root: Path, server: Played, words: list[str]
) -> None:
    server.answer("/arxiv/api/query", services.ARXIV_FEED)
    add(root, ARXIV, "--dry-run")
    add(root, ARXIV, *words)
    assert [path for path in server.paths() if path.startswith("/archive")] == []


def test_a_known_paper_asks_for_no_copy(root: Path, server: Played) -> None:
    bib = "@misc{z, title={Deep Leakage from Gradients}, author={Zhu, Ligeng}, year=2019, url={https://a.example/x}}"
    assert [item["status"] for item in listed(add(root, "-", "--json", text=bib))] == ["update"]
    assert server.paths() == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500),
        Answer(status=429, headers={"Retry-After": "600"}),
        Answer(fault="reset"),
        Answer(fault="endless"),
        Answer(fault="garbage"),
        Answer(b"<html>", headers={"Content-Type": "application/json"}),
        Answer(b"[]"),
        Answer(b'{"archived_snapshots": {"closest": 1}}'),
        Answer(encoded({"archived_snapshots": {"closest": {"available": True, "status": "200", "timestamp": "1"}}})),
        Answer(status=302, headers={"Location": "http://169.254.169.254/latest/"}),
    ],
)
def test_an_archive_that_is_down_is_said_once_and_keeps_no_record_from_being_written(
    root: Path, server: Played, answer: Answer
) -> None:
    server.answer("/archive/wayback/available", answer)
    bib = "".join(
        f"@misc{{w{n}, title={{A Work of {w}}}, author={{Li, {w}}}, year=2020, url={{https://a.example/{w}}}}}\n"
        for n, w in enumerate(("Wax", "String", "Paper"))
    )
    result = add(root, "-", "--json", text=bib)
    assert result.exit_code == 0
    assert [item["status"] for item in listed(result)] == ["new"] * 3
    assert result.stderr.count("archived copies are left out: the archive fails") == 1
    assert len([path for path in server.paths() if path.startswith("/archive")]) == 1
    assert len(papers(root)) == 4
    assert all(item["archive"] is None and "links.archive" in " ".join(item["remaining"]) for item in listed(result))


@pytest.mark.parametrize(
    "said", [{"archived_snapshots": {}}, {"archived_snapshots": {"closest": {"available": False}}}]
)
def test_a_page_without_a_copy_is_left_to_the_curator(root: Path, server: Played, said: Any) -> None:
    server.answer("/arxiv/api/query", services.ARXIV_FEED)
    server.answer("/archive/wayback/available", encoded(said))
    result = add(root, ARXIV)
    assert (result.exit_code, record_of(root).links.archive) == (0, None)
    assert "give an archived copy in `links.archive`" in result.stderr


def test_a_copy_is_made_when_asked_for(root: Path, server: Played, monkeypatch: Any) -> None:
    monkeypatch.setenv("ATLAS_ARCHIVE_KEYS", "access:secret")
    monkeypatch.setattr("inversion_atlas.intake.archive._PAUSE", 0.0)
    server.answer("/arxiv/api/query", services.ARXIV_FEED)
    server.answer("/archive/wayback/available", b'{"archived_snapshots": {}}')
    server.answer("/archive_web/save", encoded({"url": PAGE, "job_id": "spn2-1f"}))
    done = {"status": "success", "timestamp": "20300101000000", "original_url": PAGE}
    server.answer("/archive_web/save/status/spn2-1f", Answer(b'{"status": "pending"}', times=1), encoded(done))
    result = add(root, ARXIV, "--archive")
    assert record_of(root).links.archive == f"https://web.archive.org/web/20300101000000/{PAGE}"
    sent = [headers for path, headers, _ in server.asked if path.startswith("/archive_web")]
    assert [headers["Authorization"] for headers in sent] == ["LOW access:secret"] * 3
    assert server.bodies == [b"url=https%3A%2F%2Farxiv.org%2Fabs%2F2911.01234&if_not_archived_within=30d"]
    assert "secret" not in result.output
    kept = [path.read_text() for path in (root / "cache").iterdir()]
    assert not any("secret" in text or "archive_web" in text for text in kept)


@pytest.mark.parametrize(
    ("save", "status", "says"),
    [
        ({"message": "You have already reached the limit\n##[x]"}, {}, "already reached the limit"),
        ({"job_id": "a/../b"}, {}, "the archive refuses"),
        ({"job_id": "a"}, {"status": "error", "message": "Live page is not available"}, "Live page is not available"),
        ({"job_id": "a"}, {}, "it takes too long"),
        ({"job_id": "a"}, {"status": "success", "timestamp": "x"}, "its answer cannot be read"),
    ],
)
def test_a_copy_that_cannot_be_made_is_said(
    root: Path, server: Played, monkeypatch: Any, save: Any, status: Any, says: str
) -> None:
    monkeypatch.setenv("ATLAS_ARCHIVE_KEYS", "access:secret")
    server.answer("/arxiv/api/query", services.ARXIV_FEED)
    server.answer("/archive/wayback/available", b'{"archived_snapshots": {}}')
    server.answer("/archive_web/save", encoded(save))
    server.answer("/archive_web/save/status/a", encoded(status))
    result = add(root, ARXIV, "--archive")
    assert (result.exit_code, record_of(root).links.archive) == (0, None)
    assert says in result.stderr
    assert "##[" not in result.stderr


@pytest.mark.parametrize("keys", ["", "access", "access:", ":secret", "access:se cret", "access:secret\r\nX: y"])
def test_without_keys_no_copy_is_made(root: Path, server: Played, monkeypatch: Any, keys: str) -> None:
    monkeypatch.setenv("ATLAS_ARCHIVE_KEYS", keys)
    result = add(root, ARXIV, "--archive")
    assert (result.exit_code, "ATLAS_ARCHIVE_KEYS" in result.stderr) == (2, True)
    assert server.asked == []
