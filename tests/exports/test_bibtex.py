"""BibTeX and biblatex entries, read back by bibtexparser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bibtexparser
import pytest
from bibtexparser.middlewares import SeparateCoAuthors, SplitNameParts
from bibtexparser.model import Entry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import bibtex
from inversion_atlas.exports.citation import cite, parse_name
from inversion_atlas.records.paper import Paper

OnePaper = Callable[..., tuple[Catalogue, Paper]]
ReadLatex = Callable[[str], str]
# Quotes and hyphens of several shapes print alike.
ALIKE = str.maketrans({"’": "'", "ʼ": "'", "‘": "`", "‐": "-", "‑": "-", "\u00a0": " "})
WORDS = st.text(
    st.sampled_from([*"abcXYZ019 .:;!?()/+=*'@,-{}\\%&#$_~^<>|`\"", *"äéñøßłŠčğşễọĐœ", "–", "—"]), min_size=1
).map(str.strip)


def parse(data: bytes, *, names: bool = False) -> list[Entry]:
    middleware = [SeparateCoAuthors(), SplitNameParts()] if names else []
    library = bibtexparser.parse_string(data.decode(), append_middleware=middleware)
    assert not library.failed_blocks
    return library.entries


def plain(text: str) -> str:
    return " ".join(text.translate(ALIKE).split())


@pytest.mark.parametrize("write", [bibtex.write, bibtex.write_biblatex])
def test_every_record_reads_back_field_by_field(
    catalogue: Catalogue, read_latex: ReadLatex, write: Callable[..., bytes]
) -> None:
    papers = list(catalogue.papers.values())
    entries = parse(write(catalogue, papers), names=True)
    assert [entry.key for entry in entries] == [paper.id for paper in papers]
    for entry, paper in zip(entries, papers, strict=True):
        fields = {field.key: field.value for field in entry.fields}
        fact = cite(catalogue, paper)
        assert plain(read_latex(fields["title"])) == plain(paper.title)
        assert fields.get("year", fields.get("date")) == str(paper.year)
        assert fields.get("doi", "") == fact.doi
        assert fields.get("eprint", "") == fact.arxiv
        assert fields.get("pages", "") == fact.pages.replace("–", "--")
        assert fields.get("volume", "") == fact.volume
        container = fields.get("booktitle") or fields.get("journal") or fields.get("journaltitle")
        assert plain(read_latex(container or fact.container)) == plain(fact.container)
        for parts, author in zip(fields["author"], paper.authors, strict=True):
            read = [plain(read_latex(" ".join(part))) for part in (parts.von, parts.last, parts.jr, parts.first)]
            name = parse_name(author)
            assert read == [plain(part) for part in (name.particle, name.family, name.suffix, name.given)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(title=WORDS.filter(bool), given_name=WORDS.filter(bool), family=WORDS.filter(bool))
def test_hostile_titles_and_names_read_back(
    one_paper: OnePaper, read_latex: ReadLatex, title: str, given_name: str, family: str
) -> None:
    author = f"{family}, {given_name}"
    catalogue, paper = one_paper(title=title, authors=[author, "Roe, Richard"])
    (entry,) = parse(bibtex.write(catalogue, [paper]))
    fields = {field.key: field.value for field in entry.fields}
    assert plain(read_latex(fields["title"])) == plain(title)
    first, second = fields["author"].rsplit(" and ", 1)
    assert second == "Roe, Richard"
    name = parse_name(author)
    shown = ", ".join(part for part in (name.surname, name.suffix, name.given) if part)
    # What cannot be an initial is left out at the start of a name.
    assert plain(read_latex(first)).replace(" ", "") == plain(shown.lstrip("\\{}~^`_$%#& ") or "Anonymous").replace(
        " ", ""
    )


@pytest.mark.parametrize(
    ("author", "latex"),
    [
        ("van der Maaten, Laurens", "van der Maaten, Laurens"),
        ("García de Polavieja, Gonzalo", r"{Garc{\'i}a de Polavieja}, Gonzalo"),
        ("King Jr., Martin", "King, Jr., Martin"),
        ("OpenAI", "{OpenAI}"),
        ("Bill and Melinda Gates Foundation", "{Bill and Melinda Gates Foundation}"),
        ("others", "{others}"),
        ("Παπαδόπουλος, Γιώργος", "Papadopoylos, Giorgos"),
        ("علي, محمد", "'ly, mhmd"),
        ("Nguyễn, Tọ", r"Nguy{\~{\^e{}}}n, T{\d{o}}"),
        ("Doe, Jane, X., Y", "{Doe, Jane, X., Y}"),
        ("family=Doe, given=x", "{family{=}Doe, given{=}x}"),
    ],
)
def test_a_name_keeps_its_parts(one_paper: OnePaper, author: str, latex: str) -> None:
    assert f"  author = {{{latex}}},\n" in bibtex.entry(*one_paper(authors=[author]))


@pytest.mark.parametrize(
    ("fields", "bib", "biblatex"),
    [
        ({"venue": "neurips"}, "inproceedings", "inproceedings"),
        ({"venue": "hostile"}, "article", "article"),
        ({"venue": "arxiv", "links": {"arxiv": "1906.08935"}}, "misc", "online"),
        ({"venue": "book"}, "book", "book"),
        ({"venue": "book", "pages": "1-9"}, "incollection", "incollection"),
        ({"venue": "thesis"}, "phdthesis", "thesis"),
        ({"venue": "report"}, "techreport", "report"),
        ({}, "misc", "misc"),
    ],
)
def test_the_entry_type_follows_the_venue(one_paper: OnePaper, fields: dict[str, Any], bib: str, biblatex: str) -> None:
    made = one_paper(**fields)
    assert bibtex.entry(*made).startswith(f"@{bib}{{doe2020paper0,")
    assert bibtex.biblatex_entry(*made).startswith(f"@{biblatex}{{doe2020paper0,")


def test_an_arxiv_id_is_an_eprint(one_paper: OnePaper) -> None:
    made = one_paper(links={"arxiv": "cs/0701001"}, pages="1-9")
    assert "  eprint = {cs/0701001},\n  archiveprefix = {arXiv},\n" in bibtex.entry(*made)
    assert "  eprint = {cs/0701001},\n  eprinttype = {arxiv},\n" in bibtex.biblatex_entry(*made)
    assert "url" not in bibtex.biblatex_entry(*made)
    assert "  pages = {1--9},\n" in bibtex.entry(*made)


def test_a_link_that_repeats_the_doi_is_left_out(one_paper: OnePaper) -> None:
    text = bibtex.entry(*one_paper(links={"doi": "10.1000/a_b", "paper": "https://doi.org/10.1000/a_b"}))
    assert "  doi = {10.1000/a_b},\n" in text
    assert "url" not in text


def test_an_address_is_ascii(one_paper: OnePaper) -> None:
    text = bibtex.entry(*one_paper(links={"paper": "https://a.example/ü%20x_y#z"}))
    assert "  url = {https://a.example/%C3%BC%20x_y#z},\n" in text


def test_bibtex_is_ascii_and_biblatex_keeps_letters(one_paper: OnePaper) -> None:
    catalogue, paper = one_paper(title="ọ α 張 😀", authors=["Nguyễn, Tọ"])
    assert bibtex.write(catalogue, [paper]).isascii()
    assert "title = {ọ α 張 😀}" in bibtex.write_biblatex(catalogue, [paper]).decode()
