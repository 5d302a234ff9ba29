"""`atlas check` from the outside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inversion_atlas.cli.main import atlas
from inversion_atlas.records.yamlfile import parse

ROOT = Path(__file__).resolve().parents[2]
ZHU = "data/papers/2019/zhu2019deep.yaml"
TEXT = """\
title: Deep Leakage from Gradients
year: 2019
authors: ["Zhu, Ligeng", 'Han, Song']  # all of them
venue: NIPS
kind: background
evidence: [http://a.org/x]
"""
FIXED = """\
title: Deep Leakage from Gradients
authors: ["Zhu, Ligeng", "Han, Song"]  # all of them
year: 2019
venue: neurips
kind: background
evidence: [http://a.org/x]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / ZHU).parent.mkdir(parents=True)
    (tmp_path / ZHU).write_text(TEXT)
    venues = "neurips:\n  name: Advances\n  short: NeurIPS\n  type: conference\n  aliases: [NIPS]\n"
    (tmp_path / "data/venues.yaml").write_text(venues)
    return tmp_path


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "check", *arguments])


def test_findings_say_where_what_and_what_to_do_and_end_with_a_count(root: Path) -> None:
    result = run(root)
    assert result.exit_code == 1
    assert f"{ZHU}:4:1: error [record/bad-id] `venue` is 'NIPS'. An id is lower-case" in result.stdout
    assert result.stderr == "1 error, 2 warnings, 1 note in 2 files (--notes shows the notes)\n"


def test_fix_shows_its_diff_without_writing(root: Path) -> None:
    result = run(root, "--fix", "--diff")
    assert result.exit_code == 1
    assert "-venue: NIPS\n+venue: neurips\n" in result.stdout
    assert (root / ZHU).read_text() == TEXT


def test_fix_puts_right_what_is_mechanical_says_so_and_checks_again(root: Path) -> None:
    (root / ZHU).chmod(0o640)
    result = run(root, "--fix")
    assert result.exit_code == 0
    assert (root / ZHU).read_text() == FIXED
    assert (root / ZHU).stat().st_mode & 0o777 == 0o640
    assert f"{ZHU}: fixed key order, quotes, venue\n" in result.stderr
    assert "0 errors, 0 warnings, 1 note in 2 files (--notes shows the notes)" in result.stderr
    assert run(root, "--fix", "--diff").exit_code == 0


def test_fix_leaves_alone_what_it_cannot_parse_or_was_not_asked_for(root: Path) -> None:
    (root / ZHU).write_text("year: [\ntitle: x\n")
    assert run(root, "--fix").exit_code == 1
    assert (root / ZHU).read_text() == "year: [\ntitle: x\n"
    (root / ZHU).write_text(TEXT)
    run(root, "--fix", "data/venues.yaml")
    assert (root / ZHU).read_text() == TEXT


MISSPELLED = """\
title: Deep Leakage by Mu\u0308ller
authors: ["Mu\u0308ller, Jo\u0308rg"]
year: 2019
kind: attack
taxonomy:
  access: [White box, "label only", "nobody knows", white-box]  # all of them
  nothing: [White box]
links:
  doi: https://doi.org/10.1145/3616855
  arxiv: 'arXiv:1906.08935v2'
  paper: https://doi.org/10.1145/3616855
"""
SPELLED = """\
title: Deep Leakage by Müller
authors: ["Müller, Jörg"]
year: 2019
kind: attack
taxonomy:
  access: [white-box, label-only, "nobody knows", white-box]  # all of them
  nothing: [White box]
links:
  doi: "10.1145/3616855"
  arxiv: "1906.08935"
  paper: https://doi.org/10.1145/3616855
"""


def test_fix_writes_terms_identifiers_and_accents_by_one_rule(root: Path) -> None:
    shutil.copy(ROOT / "taxonomy/access.yaml", root / "taxonomy")
    (root / ZHU).write_text(MISSPELLED)
    result = run(root, "--fix", ZHU)
    assert (root / ZHU).read_text() == SPELLED
    assert f"{ZHU}: fixed quotes, accents, terms, identifiers\n" in result.stderr
    assert run(root, "--fix", "--diff").exit_code == 0


@pytest.mark.parametrize(
    "line",
    [
        "links: {doi: https://doi.org/nothing}",
        "links: {arxiv: https://arxiv.org/list/cs}",
        "links: [doi]",
        "links: {doi: >-\n  https://doi.org/10.1/x}",
        "taxonomy: {access: white box}",
        "taxonomy: {access: [[white box]]}",
        "? [a]\n: links",
    ],
)
def test_fix_leaves_alone_what_it_cannot_know(root: Path, line: str) -> None:
    shutil.copy(ROOT / "taxonomy/access.yaml", root / "taxonomy")
    (root / ZHU).write_text(FIXED + line + "\n")
    run(root, "--fix", ZHU)
    after = (root / ZHU).read_text()
    # Order and quotes are put right; what is said stays.
    assert after == FIXED + line + "\n" or parse(after) == parse(FIXED + line + "\n")


def test_notes_are_hidden_until_asked_for_and_warnings_count_when_strict(root: Path) -> None:
    (root / ZHU).write_text(FIXED)
    assert run(root).stdout == ""
    shown = run(root, "-v")
    assert shown.exit_code == 0
    assert "note [link/http]" in shown.stdout
    (root / ZHU).write_text(FIXED.replace("from", "from "))
    (root / ZHU).write_text(FIXED.replace("Gradients", "Gradients."))
    assert run(root).exit_code == 0
    assert run(root, "--strict").exit_code == 1


def test_json_is_an_array_of_findings(root: Path) -> None:
    found = json.loads(run(root, "--format", "json").stdout)
    assert [set(each) for each in found] == [{"code", "severity", "path", "line", "column", "message", "hint"}] * 3
    assert found[0]["path"] == ZHU
    (root / ZHU).write_text(FIXED)
    assert json.loads(run(root, "--format", "json").stdout) == []


def test_annotations_are_escaped_for_the_workflow(root: Path) -> None:
    (root / ZHU).rename(root / "data/papers/2019/a,b:c%\n::error::x.yaml")
    lines = run(root, "--format", "github").stdout.splitlines()
    assert all(
        line.startswith(("::error file=data/papers/2019/a%2Cb%3Ac%25\\n%3A%3Aerror", "::warning file="))
        for line in lines
    )
    assert any(",title=record/bad-paper-id::`id` is " in line for line in lines)


@pytest.mark.parametrize("form", ["text", "github", "json"])
def test_no_text_of_a_record_is_obeyed_by_a_terminal_or_a_log(root: Path, form: str) -> None:
    hostile = '"\\e[2J\\n::set-output name=x::y\\r##[command]rm \\u202e": x\n'
    (root / ZHU).write_text(FIXED + hostile + 'methods: ["\\e[31m  red"]\n')
    result = run(root, "--format", form, "-v")
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    assert "##[" not in result.output
    assert not any(line.lstrip().startswith("::set-output") for line in result.output.splitlines())


def test_paths_limit_what_is_shown(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(root, "data/venues.yaml").exit_code == 0
    assert run(root, "data/papers").exit_code == 1
    monkeypatch.chdir(root / "data/papers/2019")
    assert run(root, "zhu2019deep.yaml").exit_code == 1
    assert run(root, "zhu2018deep.yaml").exit_code == 2
    assert run(root, "/etc/passwd").exit_code == 2


def test_codes_are_listed_and_explained(root: Path) -> None:
    assert "duplicate/title" in run(root, "--list").stdout
    assert run(root, "--explain", "duplicate/title").stdout == "duplicate/title  error    Two records have one title.\n"
    unknown = run(root, "--explain", "duplicate/titel")
    assert unknown.exit_code == 2
    assert "did you mean duplicate/title?" in unknown.stderr


def test_diff_alone_is_wrong_use(root: Path) -> None:
    assert run(root, "--diff").exit_code == 2
    assert run(root, "--format", "xml").exit_code == 2


def test_colours_stay_away_where_they_are_not_wanted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--root", str(root), "check"]
    assert "\x1b" in CliRunner().invoke(atlas, arguments, color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(atlas, arguments, color=True).stdout
