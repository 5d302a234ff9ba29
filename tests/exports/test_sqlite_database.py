"""The SQLite database."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import sqlite_database
from inversion_atlas.records.paper import Paper

OnePaper = Callable[..., tuple[Catalogue, Paper]]


def opened(data: bytes) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.deserialize(data)
    return connection


def test_the_database_is_whole_and_the_same_each_time(catalogue: Catalogue) -> None:
    papers = list(catalogue.papers.values())
    data = sqlite_database.write(catalogue, papers)
    database = opened(data)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("SELECT count(*) FROM papers").fetchone() == (len(papers),)
    assert database.execute("SELECT count(*) FROM authors").fetchone() == (sum(len(p.authors) for p in papers),)
    rows = sum(len(source.rows) for source in catalogue.sources.values())
    assert database.execute("SELECT count(*) FROM source_rows").fetchone() == (rows,)
    database.close()
    assert sqlite_database.write(catalogue, papers) == data


def test_full_text_search_folds_accents(one_paper: OnePaper) -> None:
    catalogue, paper = one_paper(title="Deep Leakage", authors=["Gürses, Seda"], methods=["DLG"], summary="Gradients.")
    database = opened(sqlite_database.write(catalogue, [paper]))
    for words in ("gurses", "leak*", "methods:dlg", '"deep leakage"', "gradients"):
        found = database.execute("SELECT id FROM paper_search WHERE paper_search MATCH ?", (words,)).fetchall()
        assert found == [(paper.id,)]
    assert database.execute("SELECT authors FROM paper_list").fetchall() == [("Gürses, Seda",)]
    database.close()


def test_sqlite3_opens_the_database(catalogue: Catalogue, program: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "atlas.sqlite"
    path.write_bytes(sqlite_database.write(catalogue, list(catalogue.papers.values())))
    query = "PRAGMA integrity_check; PRAGMA foreign_key_check; SELECT count(*) FROM paper_list;"
    done = subprocess.run([program("sqlite3"), str(path), query], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ok", str(len(catalogue.papers))]
