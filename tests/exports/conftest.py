"""Hostile records, LaTeX read back as text, and papers compiled with the real programs."""

from __future__ import annotations

import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.venue import Venue

# What pylatexenc does not know, or knows as the empty text.
_UNKNOWN = {
    "textbraceleft": "{",
    "textbraceright": "}",
    "textquotedbl": '"',
    "textperiodcentered": "·",
    "textcent": "¢",
    "textyen": "¥",
    "textordfeminine": "ª",
    "textordmasculine": "º",
    "dots": "…",
    "ddag": "‡",
    "S": "§",
    "P": "¶",
    "pounds": "£",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textasciicircum": "^",
    "Vert": "‖",
    "textlangle": "⟨",
    "textrangle": "⟩",
}
VENUES = {
    "neurips": {"name": "Advances in Neural Information Processing Systems", "short": "NeurIPS", "type": "conference"},
    "hostile": {
        "name": r'{Venue} \input{x} & "co" %$#_~^ <b>bold</b>',
        "short": "=V|]",
        "type": "journal",
        "publisher": "A & B",
    },
    "arxiv": {"name": "arXiv", "short": "arXiv", "type": "preprint"},
    "book": {"name": "A Book", "short": "Book", "type": "book", "publisher": "Press"},
    "thesis": {"name": "University of Somewhere", "short": "Uni", "type": "thesis"},
    "report": {"name": "Technical Reports", "short": "TR", "type": "report", "publisher": "Institute"},
    "workshop": {"name": "A Workshop", "short": "WS", "type": "workshop"},
}


def _comma_below(node: Any, l2tobj: LatexNodes2Text) -> str:
    return unicodedata.normalize("NFC", l2tobj.nodelist_to_text(node.nodeargd.argnlist) + "\u0326")


@pytest.fixture(scope="session")
def read_latex() -> Callable[[str], str]:
    """Return a function that says what LaTeX prints, as text in NFC."""
    database = get_default_latex_context_db()
    known = [MacroTextSpec(name, text) for name, text in _UNKNOWN.items()]
    database.add_context_category("atlas", macros=[*known, MacroTextSpec("textcommabelow", _comma_below)], prepend=True)
    reader = LatexNodes2Text(latex_context=database, math_mode="text")
    return lambda latex: unicodedata.normalize("NFC", reader.latex_to_text(latex))


@pytest.fixture(scope="session")
def venues() -> dict[str, Venue]:
    """One venue of each type, and one with a hostile name."""
    return {id: Venue.model_validate({"id": id, **data}) for id, data in VENUES.items()}


@pytest.fixture
def catalogue_of(catalogue: Catalogue, venues: dict[str, Venue]) -> Callable[..., Catalogue]:
    """Return a function that gives the real catalogue with other papers; what they miss is filled in."""

    def build(*papers: dict[str, Any]) -> Catalogue:
        made = {}
        for at, fields in enumerate(papers):
            data = {"id": f"doe2020paper{at}", "title": "A Title", "authors": ["Doe, Jane"], "year": 2020}
            paper = Paper.model_validate({**data, "kind": "attack", **fields})
            made[paper.id] = paper
        return replace(catalogue, papers=made, sources={}, venues={**catalogue.venues, **venues})

    return build


@pytest.fixture
def one_paper(catalogue_of: Callable[..., Catalogue]) -> Callable[..., tuple[Catalogue, Paper]]:
    """Return a function that gives a catalogue of one paper, and the paper."""

    def build(**fields: Any) -> tuple[Catalogue, Paper]:
        made = catalogue_of(fields)
        return made, next(iter(made.papers.values()))

    return build


@pytest.fixture
def compile_paper(program: Callable[[str], str], tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return a function that compiles a document with its files and gives the text of its logs by ending."""

    def compile(
        body: str, files: dict[str, bytes], packages: str = "", *, bibliography: str = "", runs: int = 2
    ) -> dict[str, str]:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        fonts = r"\usepackage[T1]{fontenc}\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}"
        document = rf"\documentclass{{article}}{fonts}{packages}\begin{{document}}{body}\end{{document}}"
        (tmp_path / "paper.tex").write_text(document, encoding="utf-8")
        latex = [program("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper"]
        _run([*latex[:-1], "-draftmode", "paper"], tmp_path)
        if bibliography:
            _run([program(bibliography), "paper"], tmp_path)
        for left in range(runs, 0, -1):
            _run([*latex[:-1], *(["-draftmode"] if left > 1 else []), "paper"], tmp_path)
        return {path.suffix[1:]: path.read_text("utf-8", "replace") for path in tmp_path.glob("paper.*")}

    return compile


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    output = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, "\n".join(line for line in output.splitlines() if line.strip())[-3000:]
