"""`atlas links`: what it asks, remembers, prints and returns, against a farm of links on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.servers import farm as play
from tests.servers.farm import Farm, serve, status, to

from inversion_atlas.cli.main import atlas
from inversion_atlas.links.state import read_state

pytestmark = pytest.mark.usefixtures("own_loop")
RECORD = """\
title: {title}
authors: ["Doe, Jane"]
year: 2020
kind: attack
links:
  paper: {base}/old
  code: [{base}/well, {base}/gone]
evidence:
  - {base}/well#top
"""


@pytest.fixture
def farm() -> Iterator[Farm]:
    with serve() as found:
        found.pages |= {"/old": to("/new"), "/new": status(200), "/well": status(200)}
        yield found


@pytest.fixture
def root(tmp_path: Path, farm: Farm) -> Path:
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "data/papers/2020").mkdir(parents=True)
    (tmp_path / "data/papers/2020/doe2020t.yaml").write_text(RECORD.format(base=farm.base, title="T"))
    return tmp_path


def links(root: Path, *words: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "links", *words])


def check(root: Path, *words: str) -> Result:
    return links(root, "check", "--allow-private", "--delay", "0", "--timeout", "2", *words)


def test_what_answers_is_remembered_line_by_line(root: Path, farm: Farm) -> None:
    result = check(root, "--today", "2026-11-20")
    assert result.exit_code == 1, result.output
    assert "3 links: 1 ok, 1 moved, 1 failing." in result.stdout
    assert f"moved    {farm.base}/old\n         moved to {farm.base}/new\n" in result.stdout
    assert (root / "data/links.json").read_text() == (
        "{\n"
        f'"{farm.base}/gone": {{"class": "gone", "checked": "2026-11-20", "failures": 1, "failing": "2026-11-20",'
        ' "said": "404"},\n'
        f'"{farm.base}/old": {{"class": "moved", "checked": "2026-11-20", "to": "{farm.base}/new"}},\n'
        f'"{farm.base}/well": {{"class": "ok", "checked": "2026-11-20"}}\n'
        "}\n"
    )


def test_a_link_is_dead_after_some_failures_over_some_days(root: Path, farm: Farm) -> None:
    for day, dead in (("01", 0), ("02", 0), ("03", 0), ("08", 1)):
        result = check(root, "--today", f"2026-11-{day}", "--json")
        standings = {link["url"]: link["standing"] for link in json.loads(result.stdout)}
        assert (standings[f"{farm.base}/gone"] == "dead") == bool(dead), day
    assert links(root, "report").exit_code == 1
    told = links(root, "report", "--markdown").stdout
    assert told.startswith("3 links: 1 ok, 1 moved, 1 dead.\n\n## Dead\n\n- <")
    assert "gone (404) 4 times in a row since 2026-11-01, never seen alive; `data/papers/2020/doe2020t.yaml`" in told
    farm.pages["/gone"] = status(200)
    assert check(root, "--today", "2026-11-09").exit_code == 0
    assert "No link fails." in links(root, "report", "--markdown").stdout


def test_what_was_asked_today_is_not_asked_again(root: Path, farm: Farm) -> None:
    check(root, "--today", "2026-11-20")
    farm.asked.clear()
    result = check(root, "--today", "2026-11-20")
    assert not farm.asked
    assert result.exit_code == 1, "what is remembered is reported all the same"
    assert "3 links were asked lately" in result.stderr
    check(root, "--today", "2026-11-24", "--max-age", "5")
    assert not farm.asked
    check(root, "--today", "2026-11-20", "--max-age", "0")
    assert farm.asked


def test_a_query_and_a_host_select(root: Path, farm: Farm) -> None:
    other = RECORD.format(base="http://127.0.0.9:1", title="Other")
    (root / "data/papers/2020/doe2020other.yaml").write_text(other)
    check(root, "title:t", "--today", "2026-11-20", "--host", "127.0.0.1")
    assert {url.split("/")[2] for url in read_state(root / "data/links.json")} == {farm.base.split("/")[2]}
    assert check(root, "year=2019").exit_code == 0
    assert "0 links." in check(root, "year=2019").stdout
    assert check(root, "nonsense=1").exit_code == 2


def test_what_no_record_links_any_more_is_forgotten_by_a_whole_check_only(root: Path, farm: Farm) -> None:
    check(root)
    record = root / "data/papers/2020/doe2020t.yaml"
    record.write_text(record.read_text().replace(f", {farm.base}/gone", ""))
    check(root, "year=2020")
    assert len(read_state(root / "data/links.json")) == 3
    assert check(root).exit_code == 0
    assert len(read_state(root / "data/links.json")) == 2


def test_private_addresses_are_asked_only_if_allowed(root: Path, farm: Farm) -> None:
    result = links(root, "check", "--delay", "0", "--json")
    assert result.exit_code == 1
    assert {link["class"] for link in json.loads(result.stdout)} == {"refused-address"}
    assert not farm.asked


def test_a_network_that_is_down_is_no_fault_of_the_links(root: Path) -> None:
    hosts = "\n".join(f"  - http://127.0.0.{at}:9/" for at in range(20, 26))
    (root / "data/papers/2020/doe2020t.yaml").write_text(RECORD.format(base="http://127.0.0.19:9", title="T") + hosts)
    result = check(root)
    assert result.exit_code == 3
    assert "Nothing was remembered" in result.stderr
    assert not (root / "data/links.json").exists()


def test_a_state_that_is_broken_stops_with_its_line_and_stays(root: Path) -> None:
    path = root / "data/links.json"
    path.write_text('{\n"x": 1\n}\n')
    for command in ("check", "report", "fix"):
        result = links(root, command)
        assert result.exit_code == 1
        assert "links.json:2:1" in result.stderr
    assert path.read_text() == '{\n"x": 1\n}\n'


def test_moves_are_shown_and_with_write_applied(root: Path, farm: Farm) -> None:
    record = root / "data/papers/2020/doe2020t.yaml"
    before = record.read_text()
    assert "No link is known" in links(root, "fix").stderr
    check(root)
    assert "No link is known" in links(root, "fix").stderr, "nobody else reaches a loopback address"
    state = root / "data/links.json"
    state.write_text(state.read_text().replace(f"{farm.base}/new", "https://new.org/p"))
    result = links(root, "fix")
    assert result.exit_code == 0
    assert result.stdout == f"data/papers/2020/doe2020t.yaml links.paper: {farm.base}/old -> https://new.org/p\n"
    assert record.read_text() == before
    assert links(root, "fix", "--write").exit_code == 0
    assert record.read_text() == before.replace(f"{farm.base}/old", "https://new.org/p")


def test_ctrl_c_keeps_what_was_learned_and_the_next_run_goes_on(root: Path, farm: Farm) -> None:
    with serve("127.0.0.5") as slow:
        slow.pages |= {f"/{at}": play.late(0.2) for at in range(40)}
        extra = "\n".join(f"  - {slow.base}/{at}" for at in range(40))
        record = root / "data/papers/2020/doe2020t.yaml"
        record.write_text(record.read_text() + extra + "\n")
        command = [sys.executable, "-c", "from inversion_atlas.cli.main import main; main()", "--root", str(root)]
        command += ["links", "check", "--allow-private", "--delay", "0", "--today", "2026-11-20"]
        run = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ, text=True)
        while len(slow.asked) < 8 and run.poll() is None:
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=20)
        assert run.returncode == 130, told
        assert "the same command goes on" in told
        known = read_state(root / "data/links.json")
        assert 5 <= len(known) < 43
        asked = set(known)
        slow.asked.clear()
        slow.pages |= {f"/{at}": status(200) for at in range(40)}
        result = check(root, "--today", "2026-11-20")
        assert len(read_state(root / "data/links.json")) == 43
        assert result.exit_code == 1, "one of the three others is gone"
        assert not {f"{slow.base}{path}" for _, path, _ in slow.asked} & asked
    assert not list((root / "data").glob(".*"))


def test_wrong_use(root: Path) -> None:
    for words in (
        ["report", "--json", "--markdown"],
        ["check", "--max-age", "-1"],
        ["check", "--today", "soon"],
        ["x"],
    ):
        assert links(root, *words).exit_code == 2, words


def test_without_httpx_it_says_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    for name in ("inversion_atlas.links.checking", "inversion_atlas.network.guard", "inversion_atlas.network.polite"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    result = links(root, "check")
    assert result.exit_code == 2
    assert "inversion-atlas[intake]" in result.stderr
    assert links(root, "report").exit_code == 0
    assert links(root, "fix").exit_code == 0


def test_hostile_answers_cannot_write_to_the_terminal(root: Path, farm: Farm) -> None:
    farm.pages["/gone"] = status(200, b"<title>404\x1b[2J ##[error] Not found</title>")
    farm.pages["/well"] = status(200, "<h1>Page not found | \u202e\x1b]0;x\x07</h1>".encode())
    shown = check(root).output + links(root, "report", "--markdown").output
    assert "soft-404" in shown
    assert not set(shown) & set("\x1b\x07\u202e")
    parsed: list[dict[str, Any]] = json.loads(check(root, "--json").stdout)
    assert len(parsed) == 3


def test_annotations_name_the_file_and_the_line_of_the_link(root: Path, farm: Farm) -> None:
    record = "data/papers/2020/doe2020t.yaml"
    shown = check(root, "--format", "github").stdout.splitlines()
    column = len(f"  code: [{farm.base}/well, ") + 1
    failing, moved = f"file={record},line=7,col={column},title=links/failing", f"file={record},line=6,col=3"
    assert shown == [
        f"::warning {failing}::{farm.base}/gone: gone (404) on {date.today()}, never seen alive. Nothing yet; it is "
        "dead once it has failed for a week.",
        f"::notice {moved},title=links/moved::{farm.base}/old: moved to {farm.base}/new. `atlas links fix --write` "
        "follows it.",
    ]
    assert links(root, "report", "--format", "github").stdout.splitlines() == shown


def test_an_annotation_stays_one_command_whatever_a_page_says(root: Path, farm: Farm) -> None:
    farm.pages["/gone"] = status(200, b"<title>404 Not found | 100% ::error::x\n##[set-output name=a]</title>")
    farm.pages["/old"] = to("/new?a=1%0A::stop-commands::x")
    farm.pages["/new?a=1%0A::stop-commands::x"] = status(200)
    lines = check(root, "--format", "github").stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(("::warning file=", "::notice file=")) for line in lines)
    assert "100%25" in lines[0]
    assert not any("##[" in line or "%0A" in line for line in lines)


def test_what_becomes_of_the_issue_is_decided_from_the_list(root: Path, farm: Farm, tmp_path: Path) -> None:
    check(root)
    listed = tmp_path / "issues.json"
    listed.write_text("[]")
    created = json.loads(links(root, "issue", str(listed)).stdout)
    assert (created["action"], created["number"]) == ("create", None)
    assert f"{farm.base}/old" in created["body"]
    ours = {"number": 5, "state": "OPEN", "title": created["title"], "body": created["body"]}
    listed.write_text(json.dumps([{**ours, "author": {"login": "app/github-actions"}}]))
    assert json.loads(links(root, "issue", str(listed)).stdout)["action"] == "nothing"
    farm.pages["/old"] = status(200)
    check(root, "--max-age", "0")
    closed = json.loads(links(root, "issue", str(listed)).stdout)
    assert (closed["action"], closed["number"]) == ("close", 5)


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", "[" * 100_000, "\xff"])
def test_a_list_of_issues_that_is_none_is_said(root: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "issues.json").write_text(text, encoding="latin-1")
    result = links(root, "issue", str(tmp_path / "issues.json"))
    assert (result.exit_code, "ISSUES" in result.stderr) == (2, True)
