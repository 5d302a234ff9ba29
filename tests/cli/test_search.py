"""`atlas search`, `show` and `stats`, as a shell calls them, on the real catalogue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.cli.main import atlas
from inversion_atlas.query import select

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("read_once")


def run(*words: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(ROOT), *words])


def test_search_prints_one_line_a_paper_newest_first(catalogue: Catalogue) -> None:
    result = run("search", "kind=attack")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert {row[0] for row in rows} == {paper.id for paper in select(catalogue, "kind=attack")}
    years = [int(row[1]) for row in rows]
    assert years == sorted(years, reverse=True)


def test_an_exclusion_is_no_option() -> None:
    everything, without = run("search", "--ids"), run("search", "--ids", "-kind:survey")
    surveys = run("search", "--ids", "kind:survey")
    assert set(everything.stdout.split()) - set(without.stdout.split()) == set(surveys.stdout.split()) != set()


def test_an_exclusion_by_has_is_not_help() -> None:
    result = run("search", "--ids", "-has:code", "--limit", "2")
    assert result.exit_code == 0
    assert len(result.stdout.split()) == 2


@pytest.mark.parametrize("phrase", ["deep leakage", "title:deep leakage", "title=deep leakage from gradients"])
def test_a_phrase_that_the_shell_unquoted_is_a_phrase_again(phrase: str) -> None:
    assert "zhu2019deep" in run("search", "--ids", phrase).stdout.split()


def test_nothing_found_is_exit_code_1() -> None:
    result = run("search", "zzzzzzzz")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "0 of" in result.stderr


def test_a_wrong_query_is_exit_code_2_with_a_suggestion() -> None:
    result = run("search", "acces=white-box")
    assert result.exit_code == 2
    assert "did you mean access?" in result.stderr


def test_a_folder_without_a_catalogue_is_exit_code_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(atlas, ["--root", str(tmp_path), "search", "x"])
    assert result.exit_code == 2
    assert "holds no catalogue" in result.stderr


def test_a_broken_catalogue_is_exit_code_1_with_the_findings(tmp_path: Path) -> None:
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "data" / "papers" / "2019").mkdir(parents=True)
    (tmp_path / "data" / "papers" / "2019" / "zhu2019deep.yaml").write_text("title: [", encoding="utf-8")
    result = CliRunner().invoke(atlas, ["--root", str(tmp_path), "search", "x"])
    assert result.exit_code == 1
    assert "zhu2019deep.yaml:" in result.stderr
    assert "atlas check" in result.stderr


def test_search_lists_its_fields(catalogue: Catalogue) -> None:
    listed = {line.split()[0] for line in run("search", "--fields").stdout.splitlines()}
    assert {"access", "family", "year", "has", "improved-by", *catalogue.facets} <= listed


def test_show_prints_the_record_with_what_others_say_of_it() -> None:
    text = run("show", "zhu2019deep").stdout
    assert "title: Deep Leakage from Gradients" in text
    assert "improved-by zhao2020idlg" in text
    assert "listed by yang-repository" in text


@pytest.mark.parametrize("id", ["zhu2019deep", "celeba", "psnr", "neurips"])
def test_show_gives_json_of_every_kind_of_record(id: str) -> None:
    assert json.loads(run("show", id, "--json").stdout)["id"] == id


def test_show_suggests_the_nearest_id() -> None:
    result = run("show", "zhu2019dep")
    assert result.exit_code == 2
    assert "did you mean zhu2019deep?" in result.stderr


def test_stats_count_what_search_finds(catalogue: Catalogue) -> None:
    counts = json.loads(run("stats", "--json").stdout)
    for term, number in counts["access"].items():
        assert number == len(select(catalogue, f"access={term}")), term
    assert sum(counts["kind"].values()) == len(select(catalogue))


def test_a_closed_pipe_ends_quietly() -> None:
    code = "import sys; from inversion_atlas.cli.main import main; main()"
    command = f"{sys.executable} -c '{code}' search kind=attack 2>/dev/null | head -1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Traceback" not in result.stderr


def test_titles_survive_a_terminal_that_knows_ascii_only() -> None:
    code = "from inversion_atlas.cli.main import main; main()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [sys.executable, "-c", code, "search", "id=geiping2020inverting"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "geiping2020inverting" in result.stdout
