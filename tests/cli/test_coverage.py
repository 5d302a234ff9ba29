"""`atlas coverage`, as a shell calls it, on the real catalogue and on ledgers made to order."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.cli.main import atlas

ROOT = Path(__file__).resolve().parents[2]
PAPER = {"title": "T", "authors": ["Doe, A."], "year": 2020, "kind": "attack"}
RESOLVED = {"place": "row 1", "title": "T", "paper": "doe2020t"}
OPEN = {"place": "row 2", "title": "Another work", "unresolved": "no record yet"}


def run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(atlas, ["--root", str(root), "coverage", *words])


@pytest.fixture
def ledger(make_catalogue: Callable[..., Catalogue]) -> Callable[..., Path]:
    def make(*rows: dict[str, Any], **paper: Any) -> Path:
        sources = {
            "list": {
                "title": "A List",
                "kind": "list",
                "rows": [copy.deepcopy(row) for row in rows],
                "count": "wc -l list.txt",
            }
        }
        return make_catalogue({"doe2020t": {**PAPER, **paper}}, sources=sources).root

    return make


def test_every_row_resolved_is_exit_code_0(ledger: Callable[..., Path]) -> None:
    result = run(ledger(RESOLVED))
    assert (result.exit_code, "100.0 %" in result.stdout) == (0, True)


def test_an_open_row_is_exit_code_1(ledger: Callable[..., Path]) -> None:
    result = run(ledger(RESOLVED, OPEN))
    assert result.exit_code == 1
    assert "50.0 %" in result.stdout


def test_one_open_row_of_thousands_is_not_100_percent(ledger: Callable[..., Path]) -> None:
    result = run(ledger(*[RESOLVED] * 4999, OPEN))
    assert result.exit_code == 1
    assert "99.9 %" in result.stdout
    assert "100" not in result.stdout


def test_a_row_whose_record_is_missing_is_open(ledger: Callable[..., Path]) -> None:
    result = run(ledger({**RESOLVED, "paper": "gone2020x"}), "--unresolved")
    assert result.exit_code == 1
    assert "no record has the id gone2020x" in result.stdout


def test_open_rows_are_listed_with_file_and_line(ledger: Callable[..., Path]) -> None:
    root = ledger(RESOLVED, OPEN)
    result = run(root, "--unresolved")
    path, line, said = result.stdout.split(":", 2)
    assert (root / path).read_text().splitlines()[int(line) - 1].startswith("- place: row 2")
    assert "no record yet" in said
    assert "1 of 2 rows" in result.stderr


def test_what_rests_on_a_source_alone_is_counted(ledger: Callable[..., Path]) -> None:
    root = ledger(RESOLVED, pages="1-2", volume="3", unconfirmed={"pages": "list", "volume": "list"})
    document = json.loads(run(root, "--json").stdout)
    assert document["sources"][0]["unconfirmed"] == {"works": 1, "fields": {"pages": 1, "volume": 1}}
    assert document["sources"][0]["count"] == "wc -l list.txt"


def test_errata_are_counted_by_type(ledger: Callable[..., Path]) -> None:
    wrong = {"type": "wrong-year", "says": "2019", "correct": "2020"}
    root = ledger({**RESOLVED, "errata": [wrong, {**wrong}, {**wrong, "type": "misspelt"}]})
    assert json.loads(run(root, "--json").stdout)["sources"][0]["errata"] == {"wrong-year": 2, "misspelt": 1}


def test_the_real_catalogue_adds_up(catalogue: Catalogue) -> None:
    result = run(ROOT, "--json", "--unresolved")
    document = json.loads(result.stdout)
    assert [each["id"] for each in document["sources"]] == list(catalogue.sources)
    for each in document["sources"]:
        assert each["rows"] == len(catalogue.sources[each["id"]].rows) == each["resolved"] + each["unresolved"]
    assert len(document["open"]) == sum(each["unresolved"] for each in document["sources"])
    assert result.exit_code == (1 if document["open"] else 0)


def test_one_source_can_be_asked_for(catalogue: Catalogue) -> None:
    id = next(iter(catalogue.sources))
    assert [each["id"] for each in json.loads(run(ROOT, id, "--json").stdout)["sources"]] == [id]


def test_an_unknown_source_is_wrong_use() -> None:
    result = run(ROOT, "yang-survy")
    assert result.exit_code == 2
    assert "yang-survey" in result.stderr
