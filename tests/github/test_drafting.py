"""`atlas github draft`: recorded events become proposals, hostile ones one clear answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.github.conftest import RECORD, Event, Run, payload
from tests.github.harmless import acting
from tests.servers import services
from tests.servers.playing import Answer, Played, play_services
from tests.servers.services import DOI, encoded

from inversion_atlas.github.proposal import Proposal
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.yamlfile import parse


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    with play_services(monkeypatch, tmp_path / "cache") as played:
        played.answer(f"/crossref/works/{DOI}", encoded(services.CROSSREF))
        yield played


def add(paper: str, kind: str = "not sure", summary: str = "_No response_", code: str = "_No response_") -> str:
    return f"### Paper\n\n{paper}\n\n### Kind\n\n{kind}\n\n### Summary\n\n{summary}\n\n### Code\n\n{code}"


def fix(record: str, field: str, value: str, evidence: str = "https://papers.example/zhu") -> str:
    return (
        f"### Record\n\n{record}\n\n### Field\n\n{field}\n\n### What is right\n\n{value}\n\n"
        f"### Where this can be seen\n\n{evidence}"
    )


def drafted(run: Run, event: Path, root: Path) -> Proposal | None:
    """Run the command; whatever it says, the repository stays as it was."""
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    output = event.parent / "proposal.json"
    result = run("draft", "--event", event, "-o", output)
    assert result.exit_code == 0, result.output
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    return Proposal.model_validate_json(output.read_text()) if output.exists() else None


def record(proposal: Proposal) -> Paper:
    data = parse(proposal.text)
    assert isinstance(data, dict)
    return Paper.model_validate({**data, "id": Path(proposal.path).stem})


def test_a_doi_becomes_a_record_and_the_words_of_a_pull_request(
    run: Run, event: Event, root: Path, server: Played
) -> None:
    proposal = drafted(run, event("add-doi-opened"), root)
    assert proposal
    assert (proposal.number, proposal.branch) == (12, "form/issue-12")
    assert proposal.path == "data/papers/2029/muller2029mending.yaml"
    paper = record(proposal)
    assert (paper.kind, paper.summary, paper.venue) == ("defense", "Seals gradients with wax.", "ccs")
    assert paper.links.code == ("https://github.com/wax/seal",)
    assert "# taxonomy:" in proposal.text
    assert proposal.title.startswith("Add muller2029mending: Mending Leaky Gradients")
    assert proposal.body.startswith("Closes #12.\n")
    assert "How <code>muller2029mending</code> will look" in proposal.body
    assert "error `year/future`" in proposal.body
    assert "Remains to be done in the file: choose the terms of taxonomy;" in proposal.reply
    assert server.paths()[0].startswith("/crossref/")


def test_a_record_from_a_form_holds_its_archived_copy(run: Run, event: Event, root: Path, server: Played) -> None:
    closest = {"available": True, "status": "200", "timestamp": "20290101000000", "url": "http://evil.example/"}
    server.answer("/archive/wayback/available", encoded({"archived_snapshots": {"closest": closest}}))
    proposal = drafted(run, event("add-doi-opened"), root)
    assert proposal
    assert (record(proposal).links.archive or "").startswith("https://web.archive.org/web/20290101000000/https://")


def test_an_edited_form_is_read_again_for_the_same_branch(run: Run, event: Event, root: Path, server: Played) -> None:
    proposal = drafted(run, event("add-doi-edited"), root)
    assert proposal
    assert (proposal.branch, record(proposal).kind, record(proposal).summary) == ("form/issue-12", "attack", None)


def test_pasted_bibtex_becomes_a_record(run: Run, event: Event, root: Path, server: Played) -> None:
    server.answer("/crossref/works/10.1234/wax", Answer(status=404))
    proposal = drafted(run, event("add-bibtex-opened"), root)
    assert proposal
    assert record(proposal).authors == ("Müller, Jörg", "Li, Bo")
    fenced = add("```bibtex\n@misc{a, title={Wax}, author={Li, Bo}, year=2020}\n```")
    assert (again := drafted(run, event("add-bibtex-opened", fenced), root))
    assert record(again).title == "Wax"


@pytest.mark.parametrize(
    "name",
    [
        "add-doi-labeled",
        "add-closed-edited",
        "broken-link-opened",
        "fix-other-opened",
        "question-opened",
        "no-body-opened",
    ],
)
def test_other_events_ask_for_nothing(run: Run, event: Event, root: Path, server: Played, name: str) -> None:
    assert drafted(run, event(name), root) is None
    assert server.asked == []


def test_a_fact_is_put_right_with_its_evidence_and_nothing_else(run: Run, event: Event, root: Path) -> None:
    proposal = drafted(run, event("fix-opened"), root)
    assert proposal
    assert proposal.title == "Fix zhu2019deep: Deep Leakage from Gradients"
    wanted = RECORD.replace("venue: arxiv", "venue: neurips")
    wanted = wanted.replace("08935]", "08935, https://papers.example/zhu]")
    assert proposal.text == wanted


@pytest.mark.parametrize(
    ("field", "value", "attribute", "result"),
    [
        ("title", "Deep  Leakage", "title", "Deep  Leakage"),
        ("authors", "Zhu, Ligeng\r\n\r\nHan, Song", "authors", ("Zhu, Ligeng", "Han, Song")),
        ("year", "2020", "year", 2020),
        ("methods", "DLG\niDLG", "methods", ("DLG", "iDLG")),
        ("summary", "One.\nTwo.", "summary", "One. Two."),
        ("kind", "defense", "kind", "defense"),
    ],
)
def test_each_sort_of_field_can_be_put_right(
    run: Run, event: Event, root: Path, field: str, value: str, attribute: str, result: Any
) -> None:
    proposal = drafted(run, event("fix-opened", fix("zhu2019deep", field, value)), root)
    assert proposal
    assert getattr(record(proposal), attribute) == result
    assert "# The first of its kind." in proposal.text


def test_links_can_be_put_right(run: Run, event: Event, root: Path) -> None:
    body = fix("zhu2019deep", "links.code", "https://a.example/x\nhttps://b.example/y")
    proposal = drafted(run, event("fix-opened", body), root)
    assert proposal
    assert record(proposal).links.code == ("https://a.example/x", "https://b.example/y")
    assert record(proposal).links.arxiv == "1906.08935"


MANY = "\n".join(f"@misc{{k{n}, title={{Work {n}}}, author={{Li, Bo}}, year=2020}}" for n in range(2))
ENTRY = "@misc{{a, title={{{title}}}, author={{Li, Bo}}, year=2020}}"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("add-doi-opened", add(f"{DOI}\n2911.01234"), "names 2 papers"),
        ("add-doi-opened", add(MANY), "names 2 papers"),
        ("add-doi-opened", add("_No response_"), "names no paper"),
        ("add-doi-opened", add("1906.08935"), "The catalogue has this paper"),
        ("add-doi-opened", add("http://169.254.169.254/latest/meta-data/"), "private, local or reserved"),
        ("add-doi-opened", add("../../etc/passwd"), "is no DOI"),
        ("add-doi-opened", add("$(touch /tmp/x) `id` ${{ github.token }}"), "is no DOI"),
        ("add-doi-opened", add("@octocat #1 <img src=x>"), "No record can be made"),
        ("add-doi-opened", add("@misc{a, title={Wax"), "No record can be made"),
        ("add-doi-opened", add(ENTRY.format(title="Wax"), kind="evil"), "does not fit"),
        ("add-doi-opened", add(ENTRY.format(title="Wax"), code="javascript:alert(1)"), "does not fit"),
        ("add-doi-opened", add(ENTRY.format(title="Wax"), summary="a\u202eb"), "does not fit"),
        ("add-doi-opened", add("x\n\n### Kind\n\nattack"), "stands twice"),
        ("fix-opened", fix("zhu2019dep", "year", "2020"), "did you mean zhu2019deep"),
        ("fix-opened", fix("../../.github/workflows/form", "year", "2020"), "No paper has the id"),
        ("fix-opened", fix("@octocat", "year", "2020"), "No paper has the id"),
        ("fix-opened", fix("zhu2019deep", "year", "next"), "does not fit"),
        ("fix-opened", fix("zhu2019deep", "id", "x2019y"), "no field"),
        ("fix-opened", fix("zhu2019deep", "not_duplicate_of", "a2020b"), "no field"),
        ("fix-opened", fix("zhu2019deep", "links.archive.x", "x"), "no field"),
        ("fix-opened", fix("zhu2019deep", "model_config", "x"), "no field"),
        ("fix-opened", fix("zhu2019deep", "year", "2019"), "says this already"),
        ("fix-opened", fix("zhu2019deep", "year", "2020", "_No response_"), "names no page"),
        ("fix-opened", fix("zhu2019deep", "year", "2020", "file:///etc/passwd"), "does not fit"),
        ("fix-opened", fix("zhu2019deep", "title", "\x1b[31mred"), "does not fit"),
    ],
)
def test_a_hostile_form_gets_one_answer_and_no_file(
    run: Run, event: Event, root: Path, server: Played, name: str, body: str, said: str
) -> None:
    feed = services.ARXIV_FEED.replace(services.ARXIV, "1906.08935").replace(services.DOI, "")
    server.answer(
        "/arxiv/api/query", feed.replace("Mending Leaky Gradients\n  with Sealing Wax", "Deep Leakage from Gradients")
    )
    server.answer("/pages/latest/meta-data/", Answer(status=302, headers={"Location": "http://169.254.169.254/"}))
    proposal = drafted(run, event(name, body), root)
    assert proposal
    assert proposal.path == ""
    assert said in proposal.reply.replace("<!-- -->", "")
    assert "Nothing was written" in proposal.reply
    assert len(proposal.reply) < 3000
    assert acting(proposal.reply) == []
    assert not {"\x1b", "\u202e"} & set(proposal.reply)


def test_a_hostile_title_acts_on_nothing_in_the_pull_request(run: Run, event: Event, root: Path) -> None:
    title = "Fixes \\#1 for @octocat: <b>model</b> [inversion](https://evil.example)"
    proposal = drafted(run, event("add-doi-opened", add(ENTRY.format(title=title))), root)
    assert proposal
    assert proposal.title == f"Add {Path(proposal.path).stem}"
    assert acting(proposal.body) == ["#1"]
    assert acting(proposal.reply) == []
    assert proposal.body.startswith("Closes #12.")


def test_a_huge_body_is_not_read(run: Run, event: Event, root: Path) -> None:
    assert drafted(run, event("add-doi-opened", add("x" * 70_000)), root) is None
    proposal = drafted(run, event("add-doi-opened", add("@misc{" * 9000)), root)
    assert proposal
    assert (proposal.path, len(proposal.reply) < 61_000) == ("", True)


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(fault="reset"), Answer(b"<html>")])
def test_a_service_that_fails_is_said(run: Run, event: Event, root: Path, server: Played, answer: Answer) -> None:
    server.answer(f"/crossref/works/{DOI}", answer)
    proposal = drafted(run, event("add-doi-opened"), root)
    assert proposal
    assert proposal.path == ""
    assert "edit the form later to try again" in proposal.reply


def test_a_preprint_that_was_published_is_proposed_as_an_update(run: Run, event: Event, root: Path) -> None:
    bib = "@inproceedings{a, title={Deep Leakage from Gradients}, author={Zhu, Ligeng}, year=2019, booktitle={NeurIPS}}"
    proposal = drafted(run, event("add-doi-opened", add(bib)), root)
    assert proposal
    assert proposal.title.startswith("Update zhu2019deep")
    assert record(proposal).venue == "neurips"
    assert "# The first of its kind." in proposal.text


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"action": "opened"}', '{"action":"opened","issue":{"number":0}}', "[" * 9000]
)
def test_a_file_that_is_no_event_is_refused(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "event.json").write_text(text)
    result = run("draft", "--event", tmp_path / "event.json", "-o", tmp_path / "out.json")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out.json").exists()


def test_the_payloads_are_of_the_forms_of_this_repository() -> None:
    assert json.dumps(payload("add-doi-opened")).count("### ") == 4
