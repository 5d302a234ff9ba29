"""What is written, read by the programs it is for: biber, BibTeX, pdflatex, pandoc."""

from __future__ import annotations

import json
import re
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import bibtex, csl_json, latex_table
from inversion_atlas.exports.tex import ALONE
from inversion_atlas.intake.latex import to_unicode

pytestmark = pytest.mark.slow

Compile = Callable[..., dict[str, str]]
BIBLATEX = r"\usepackage[backend=biber]{biblatex}\addbibresource{atlas.bib}"
NAMES = r"\usepackage[backend=biber,maxnames=2000]{biblatex}\addbibresource{atlas.bib}"
TABLE = r"\usepackage{array,booktabs,longtable,amssymb}"
SIGNS = "\"<>|~`^_$%#&@=\\'(-.*[?!:;/+{}"
HOSTILE = [
    {"title": r"\input{/etc/passwd} \write18{ls} {unbalanced", "authors": ["Doe, Jane"]},
    {"title": "50 % of & # $ _ ~ ^ < > | \" ` '' -- ,, ?` }", "authors": ["O'Brien & Sons, Inc."]},
    {
        "title": "α-GAN: ‖∇x‖² ≤ ∞, 𝔼[ℓ] ∈ ℝ, x̂ and ß – “q” … ⟨a⟩",
        "authors": ["Nguyễn, Tọ", "Trần, Thị Hương", "Lậ, Ǖī"],
    },
    {
        "title": "Быстрая атака and 模型反演 و هجوم 😀 한글 עברית",
        "authors": ["张, 伟", "Παπαδόπουλος, Γιώργος", "Иванов, Пётр", "محمد, علي"],
    },
    {"title": "İıǐǰ đĐ ħŦ ŋ ș ț ə ʻokina ḥ ﬁ ½ № ™", "authors": ["Łukasz, Żółć", "Ångström, Ðóra", "Čapek, Ij"]},
    {"title": "X" * 10_000, "authors": ["van der Maaten, Laurens", "García de Polavieja, Gonzalo"]},
    {"title": "word " * 1_900 + "end", "authors": ["King, Martin, Jr.", "others", "Bill and Melinda Gates Foundation"]},
    {"title": "xdata=x and crossref=y", "authors": ["xdata=x", "useprefix=true, Doe", "Doe, Jane, X., Y"]},
    {"title": "family=given, prefix=von", "authors": ["family=Doe, given=x", "A, B, C, D", "and", ",", "{,}"]},
    {
        "title": "@article{x, title={y}}",
        "authors": ["OpenAI", "Smith, {J}", "\\, \\"],
        "venue": "hostile",
        "pages": "1-9",
    },
    {"title": "Signs", "authors": [f"{sign}Doe, {sign}Jane {sign}" for sign in SIGNS]},
    {"title": "Sign", "authors": [f"{sign}Doe" for sign in SIGNS]},
    {
        "title": "Links",
        "authors": ["Doe, J."],
        "venue": "hostile",
        "volume": "1%",
        "issue": "2_3",
        "links": {"doi": "10.1002/(SICI)1097_4(1)49:8%3C6#&~$1", "paper": "https://a.example/x%20_y?a=1&b=~$#z"},
    },
    {"venue": "book", "pages": "1-9"},
    {"venue": "book"},
    {"venue": "thesis"},
    {"venue": "report", "issue": "7"},
    {"venue": "workshop", "volume": "7", "issue": "3"},
    {"venue": "arxiv", "links": {"arxiv": "1906.08935"}},
    {"status": {"state": "retracted", "reason": "Plagiarism", "evidence": "https://a.example"}},
]


@pytest.fixture
def hostile(catalogue_of: Callable[..., Catalogue]) -> Catalogue:
    """A catalogue of papers that a bibliography would choke on."""
    return catalogue_of(*HOSTILE)


def written(catalogue: Catalogue, flavor: str) -> dict[str, bytes]:
    write = bibtex.write if flavor == "bibtex" else bibtex.write_biblatex
    return {"atlas.bib": write(catalogue, list(catalogue.papers.values()))}


def complaints(logs: dict[str, str]) -> list[str]:
    """Return what biber, BibTeX and LaTeX said about an entry."""
    found = re.findall(r"^.*\b(?:WARN|ERROR)\b.*|^Warning--.*|^.*error message.*", logs.get("blg", ""), re.MULTILINE)
    found += re.findall(r"^(?:!|.*(?:biblatex|LaTeX|natbib) Warning|Missing character).*", logs["log"], re.MULTILINE)
    return found


@pytest.mark.parametrize("flavor", ["bibtex", "biblatex"])
@pytest.mark.parametrize("which", ["catalogue", "hostile"])
def test_biber_and_pdflatex_cite_everything(
    request: pytest.FixtureRequest, compile_paper: Compile, which: str, flavor: str
) -> None:
    made: Catalogue = request.getfixturevalue(which)
    cites = "".join(rf"\cite{{{id}}} " for id in made.papers)
    logs = compile_paper(cites + r"\printbibliography", written(made, flavor), BIBLATEX, bibliography="biber")
    assert complaints(logs) == []
    assert logs["bbl"].count(r"\entry{") == len(made.papers)


@pytest.mark.parametrize("flavor", ["bibtex", "biblatex"])
def test_biber_keeps_accents_that_stand_alone_and_those_without_a_letter_of_their_own(
    catalogue_of: Callable[..., Catalogue], compile_paper: Compile, flavor: str
) -> None:
    titles = [f"G{accent} d of it{accent}" for accent in ALONE]
    titles += ["X\u0304 rays and G\u0331AN", "H\u0304ow p\u0302 are"]
    made = catalogue_of(*({"title": title, "authors": [f"{title}, Jane", f"{title[1:]}, J."]} for title in titles))
    logs = compile_paper(r"\nocite{*}\printbibliography", written(made, flavor), BIBLATEX, bibliography="biber")
    assert complaints(logs) == []
    passed = {to_unicode(found) for found in re.findall(r"\\field\{title\}\{(.*)\}$", logs["bbl"], re.MULTILINE)}
    assert passed == {unicodedata.normalize("NFC", title) for title in titles}


@pytest.mark.parametrize("style", ["plain", "alpha", "plainnat"])
@pytest.mark.parametrize("which", ["catalogue", "hostile"])
def test_bibtex_and_pdflatex_cite_everything(
    request: pytest.FixtureRequest, compile_paper: Compile, which: str, style: str
) -> None:
    made: Catalogue = request.getfixturevalue(which)
    body = rf"\nocite{{*}}\bibliographystyle{{{style}}}\bibliography{{atlas}}"
    packages = r"\usepackage{url}" + (r"\usepackage[numbers]{natbib}" if style == "plainnat" else "")
    logs = compile_paper(body, written(made, "bibtex"), packages, bibliography="bibtex")
    assert complaints(logs) == []
    assert logs["bbl"].count(r"\bibitem") == len(made.papers)


@pytest.mark.parametrize(("flavor", "backend"), [("biblatex", "biber"), ("bibtex", "biber"), ("bibtex", "bibtex")])
def test_every_letter_compiles(
    catalogue_of: Callable[..., Catalogue], compile_paper: Compile, flavor: str, backend: str
) -> None:
    blocks = [
        (0xA0, 0x250),
        (0x2C6, 0x2E0),
        (0x370, 0x400),
        (0x400, 0x460),
        (0x1E00, 0x1F00),
        (0x2010, 0x2030),
        (0x2190, 0x22D0),
    ]
    blocks += [(0x4E00, 0x4E20), (0x1F600, 0x1F610), (0x5D0, 0x5EB), (0x621, 0x64B), (0xAC00, 0xAC10)]
    letters = [[char for char in map(chr, range(*block)) if char.isprintable() and is_nfc(char)] for block in blocks]
    titles = (" ".join(block[at : at + 40]) for block in letters for at in range(0, len(block), 40))
    authors = [f"{char}bc, {char}x" for block in letters for char in block if char.isalpha()]
    made = catalogue_of(*({"title": title} for title in titles), {"authors": authors})
    if backend == "biber":
        logs = compile_paper(r"\nocite{*}\printbibliography", written(made, flavor), NAMES, bibliography="biber")
    else:
        body = r"\nocite{*}\bibliographystyle{plain}\bibliography{atlas}"
        logs = compile_paper(body, written(made, flavor), bibliography="bibtex")
    assert complaints(logs) == []


@pytest.mark.parametrize("which", ["catalogue", "hostile"])
@pytest.mark.parametrize("most", [6, None])
def test_the_latex_table_compiles(
    request: pytest.FixtureRequest, compile_paper: Compile, which: str, most: int | None
) -> None:
    made: Catalogue = request.getfixturevalue(which)
    papers = list(made.papers.values())[:most]
    files = {"table.tex": latex_table.write(made, papers), **written(made, "bibtex")}
    body = r"\input{table}\bibliographystyle{plain}\bibliography{atlas}"
    logs = compile_paper(body, files, TABLE, bibliography="bibtex")
    about_space = ("longtable", "Float too large") if which == "hostile" else ("longtable",)
    assert [line for line in complaints(logs) if not any(word in line for word in about_space)] == []


@pytest.mark.parametrize("which", ["catalogue", "hostile"])
def test_pandoc_cites_everything(
    request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path: Path, which: str
) -> None:
    made: Catalogue = request.getfixturevalue(which)
    papers = list(made.papers.values())
    (tmp_path / "atlas.json").write_bytes(csl_json.write(made, papers))
    command = [
        program("pandoc"),
        "--citeproc",
        "--bibliography",
        "atlas.json",
        "-f",
        "markdown",
        "-t",
        "plain",
        "--wrap=none",
    ]
    text = "---\nnocite: '@*'\n---\n" + " ".join(f"[@{paper.id}]" for paper in papers[:5])
    done = subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, timeout=300, check=True)
    assert done.stderr == ""
    shown = " ".join(done.stdout.split())
    for paper in papers if which == "catalogue" else []:
        assert loose(paper.title) in loose(shown)
    back = [program("pandoc"), "-f", "csljson", "-t", "csljson", "atlas.json"]
    again = json.loads(subprocess.run(back, cwd=tmp_path, capture_output=True, timeout=300, check=True).stdout)
    assert [item["id"] for item in again] == [paper.id for paper in papers]
    assert [len(item["author"]) for item in again] == [len(paper.authors) for paper in papers]


def is_nfc(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text)


def loose(text: str) -> str:
    """Return letters and digits only: citeproc sets its own quotes, dashes and capitals."""
    return re.sub(r"[\W_]", "", text).lower()
