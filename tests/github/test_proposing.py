"""`atlas github propose`: branch, pull request and answer, on a server that plays GitHub."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.github.conftest import Event, Run
from tests.servers.github import BOT, Playing

from inversion_atlas.catalogue import load
from inversion_atlas.github.proposing import MARKER

PATH = "data/papers/2020/li2020wax.yaml"
TEXT = 'title: Wax\nauthors: ["Li, Bo"]\nyear: 2020\nkind: attack\n'
BRANCH = "form/issue-12"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "proposal.json")


def write(file: Path, **changed: object) -> Path:
    given = {"number": 12, "reply": "Add it", "path": PATH, "text": TEXT, "title": "Add li2020wax: Wax", "body": "B"}
    file.write_text(json.dumps(given | changed))
    return file


def test_a_proposal_becomes_a_branch_a_pull_request_and_an_answer(
    run: Run, event: Event, hub: Playing, file: Path
) -> None:
    result = run("propose", file, "--event", event("add-doi-opened"))
    assert result.exit_code == 0, result.output
    assert hub.files(BRANCH) == {"README.md": "# Atlas", PATH: TEXT}
    assert hub.files("main") == {"README.md": "# Atlas"}
    (pull,) = hub.pulls
    assert (pull["title"], pull["body"], pull["head"]["ref"]) == ("Add li2020wax: Wax", "B", BRANCH)
    assert hub.said(12) == [f"{MARKER}\nAdd it\n\nProposed in #{pull['number']}."]


def test_an_edited_form_renews_all_three(run: Run, event: Event, hub: Playing, file: Path) -> None:
    run("propose", file, "--event", event("add-doi-opened"))
    hub.say(12, "a-stranger", f"{MARKER}\nNot the bot")
    other = write(file, text=TEXT.replace("Wax", "Sealing Wax"), title="Add li2020wax: Sealing Wax")
    assert run("propose", other, "--event", event("add-doi-edited")).exit_code == 0
    assert "Sealing Wax" in hub.files(BRANCH)[PATH]
    assert len(hub.commits[hub.refs[BRANCH]]["parents"]) == 1
    assert [pull["title"] for pull in hub.pulls] == ["Add li2020wax: Sealing Wax"]
    assert len(hub.said(12)) == 2
    assert hub.said(12)[1] == f"{MARKER}\nNot the bot"


def test_an_answer_without_a_record_touches_no_branch(run: Run, event: Event, hub: Playing, file: Path) -> None:
    write(file, path="", text="", title="", body="", reply="No record can be made.")
    for _ in range(2):
        assert run("propose", file, "--event", event("add-doi-opened")).exit_code == 0
    assert hub.said(12) == [f"{MARKER}\nNo record can be made."]
    assert (hub.pulls, list(hub.refs)) == ([], ["main"])
    assert {method for method, _ in hub.asked} == {"GET", "POST"}


def test_the_answer_is_found_behind_many_comments(run: Run, event: Event, hub: Playing, file: Path) -> None:
    for number in range(230):
        hub.say(12, "a-stranger", f"Comment {number}")
    for _ in range(2):
        assert run("propose", file, "--event", event("add-doi-opened")).exit_code == 0
    assert len(hub.said(12)) == 231


def test_what_a_curator_did_is_not_overwritten(run: Run, event: Event, hub: Playing, file: Path) -> None:
    run("propose", file, "--event", event("add-doi-opened"))
    hub.commit(BRANCH, "a-curator")
    tip = hub.refs[BRANCH]
    assert run("propose", write(file, title="Other"), "--event", event("add-doi-edited")).exit_code == 0
    assert hub.refs[BRANCH] == tip
    assert hub.pulls[0]["title"] == "Add li2020wax: Wax"
    assert "Somebody has worked on #100 since" in hub.said(12)[0]


def test_what_was_reviewed_does_not_change_under_the_reviewer(run: Run, event: Event, hub: Playing, file: Path) -> None:
    run("propose", file, "--event", event("add-doi-opened"))
    hub.reviews[100] = [{"id": 1, "user": {"login": "a-curator"}, "state": "APPROVED"}]
    tip = hub.refs[BRANCH]
    assert run("propose", write(file, title="Other"), "--event", event("add-doi-edited")).exit_code == 0
    assert (hub.refs[BRANCH], hub.pulls[0]["title"]) == (tip, "Add li2020wax: Wax")


def test_commits_of_nobody_count_as_somebody(run: Run, event: Event, hub: Playing, file: Path) -> None:
    run("propose", file, "--event", event("add-doi-opened"))
    hub.commit(BRANCH, "")
    tip = hub.refs[BRANCH]
    run("propose", write(file, title="Other"), "--event", event("add-doi-edited"))
    assert hub.refs[BRANCH] == tip


def test_a_closed_proposal_stays_closed(run: Run, event: Event, hub: Playing, file: Path) -> None:
    run("propose", file, "--event", event("add-doi-opened"))
    hub.pulls[0]["state"] = "closed"
    tip = hub.refs[BRANCH]
    assert run("propose", file, "--event", event("add-doi-edited")).exit_code == 0
    assert (len(hub.pulls), hub.refs[BRANCH]) == (1, tip)
    assert "#100, is closed" in hub.said(12)[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"path": ".github/workflows/form.yml"}, "not that of a paper"),
        ({"path": "data/papers/2020/../../../x/li2020wax.yaml"}, "not that of a paper"),
        ({"path": "data/papers/2021/li2020wax.yaml"}, "not that of a paper"),
        ({"path": "/data/papers/2020/li2020wax.yaml"}, "not that of a paper"),
        ({"text": "run: evil"}, "is no proposal"),
        ({"text": "a: ["}, "no YAML"),
        ({"text": "- a"}, "no record"),
        ({"text": "x" * 200_001}, "at most"),
        ({"number": 13}, "for issue 13"),
        ({"reply": "x" * 1_000_001}, "more than"),
    ],
)
def test_anything_but_one_record_of_this_issue_is_refused(
    run: Run, event: Event, hub: Playing, file: Path, changed: dict[str, object], said: str
) -> None:
    result = run("propose", write(file, **changed), "--event", event("add-doi-opened"))
    assert result.exit_code == 1
    assert said in result.stderr
    assert hub.asked == []


def test_a_server_that_fails_is_said_and_returns_3(run: Run, event: Event, hub: Playing, file: Path) -> None:
    hub.broken = True
    result = run("propose", file, "--event", event("add-doi-opened"))
    assert (result.exit_code, len(result.stderr.splitlines())) == (3, 1)
    assert "No server is available" in result.stderr


def test_without_a_token_it_says_what_is_missing(
    run: Run, event: Event, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    result = run("propose", file, "--event", event("add-doi-opened"))
    assert result.exit_code == 3
    assert "GITHUB_REPOSITORY and GITHUB_TOKEN must be set" in result.stderr


def test_without_httpx_it_says_what_to_install(
    run: Run, event: Event, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("api", "proposing", "commenting", "standing"):
        monkeypatch.delitem(sys.modules, f"inversion_atlas.github.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)
    for words in (["propose", file], ["comment"], ["issue", file], ["list", file, "--title", "New"]):
        result = run(*words, *([] if words[0] in ("issue", "list") else ["--event", event("add-doi-opened")]))
        assert result.exit_code == 2
        assert "pip install 'inversion-atlas[intake]'" in result.stderr


def test_only_the_bot_speaks_for_the_atlas() -> None:
    assert BOT == "github-actions[bot]"


@pytest.mark.parametrize("name", ["add-bibtex-opened", "fix-opened"])
def test_what_is_drafted_can_be_proposed(
    run: Run, event: Event, hub: Playing, root: Path, tmp_path: Path, name: str
) -> None:
    """A form without an identifier, so that nothing is looked up."""
    bib = "@misc{a, title={Sealing Wax}, author={Li, Bo}, year=2020}"
    body = f"### Paper\n\n{bib}\n\n### Kind\n\nattack\n\n### Summary\n\n_No response_\n\n### Code\n\n_No response_"
    happened = event(name, body if name.startswith("add") else None)
    assert run("draft", "--event", happened, "-o", tmp_path / "out.json").exit_code == 0
    result = run("propose", tmp_path / "out.json", "--event", happened)
    assert result.exit_code == 0, result.output
    number = json.loads(happened.read_text())["issue"]["number"]
    (path,) = set(hub.files(f"form/issue-{number}")) - {"README.md"}
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text(hub.files(f"form/issue-{number}")[path], encoding="utf-8")
    assert Path(path).stem in load(root).papers
    assert hub.pulls[0]["body"].startswith(f"Closes #{number}.")
    assert "Proposed in #100." in hub.said(number)[0]
