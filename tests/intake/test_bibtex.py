"""BibTeX as it is found: each entry read or refused with its line, nothing lost, and no faster way to be slow."""

from __future__ import annotations

import logging
import time

import bibtexparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import bibtex as exported
from inversion_atlas.intake import bibtex, draft
from inversion_atlas.intake.decoding import decode
from inversion_atlas.intake.entry import Entry


def read(text: str | bytes) -> list[Entry]:
    return bibtex.read(decode(text if isinstance(text, bytes) else text.encode()))


def only(text: str | bytes) -> Entry:
    (entry,) = read(text)
    return entry


def codes(entry: Entry) -> list[tuple[str, int]]:
    return [(problem.code, problem.line) for problem in entry.problems]


GOOD = "author={Zhu, Ligeng}, year={2019}"


def test_several_fields_on_a_line_strings_months_and_pieces_are_read() -> None:
    entry = only(
        '@string{ccs = "ACM {CCS}"}\n@STRING(yr = 20)\n@preamble{"x"}\n@comment{jabref {a}}\n% a remark\n'
        '@InProceedings(key:1+x/y, title="A " # {B}, AUTHOR = {Zhu, Ligeng}, booktitle=ccs # " \'15",'
        ' month=10 # "~" # jan,'
        "year = yr # 19, pages = 1--2)"
    )
    assert (entry.title, entry.venue, entry.year, entry.pages) == ("A B", "ACM CCS '15", 2019, "1–2")
    assert (entry.key, entry.line, entry.problems) == ("key:1+x/y", 6, ())


@pytest.mark.parametrize(
    "key", ["a{1}", "a#b", "é", "a b c", "a'b", "10.1/x", "a:b_c-d", "$x^2$", "a\\_b", "&", "x(y)", ""]
)
def test_any_key_is_a_key(key: str) -> None:
    entry = only(f"@misc{{{key}, title={{T x}}, {GOOD}}}")
    assert (entry.key, entry.title, entry.authors, entry.problems) == (key, "T x", ("Zhu, Ligeng",), ())


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("@misc{a title={T x}, GOOD}", "missing-comma", 1),
        ("@misc{a\n title={T x}, GOOD}", "missing-comma", 1),
        ("@misc{a,\n title={T x}\n GOOD}", "missing-comma", 2),
        ("@misc{a,\n title={T x}}, GOOD}", "extra-brace", 2),
        ("@misc{a,\n title={T x,\n GOOD\n}", "unclosed-brace", 2),
        ('@misc{a,\n title="T x,\n GOOD\n}', "unclosed-quotation", 2),
        ("@misc{a,\n title={T x},\n GOOD\n", "unclosed-entry", 1),
        ("\nmisc{a, title={T x}, GOOD}", "no-at", 2),
        ("@misc{title={T x}, GOOD}", "no-key", 1),
        ("@misc{a, title=T x, GOOD}", "no-braces", 1),
        ("@misc{a,\n\n what is this\n title={T x}, GOOD}", "unreadable-field", 3),
        ("@misc{a,\n title={T x}, title={Z}, GOOD}", "field-twice", 2),
        ("@misc{a, title={T x}, journal=unknown, GOOD}", "unknown-macro", 1),
        ("@misc{a, title={T x}, pages=, GOOD}", "no-value", 1),
        ("@misc{a, title={T x}, crossref={z}, GOOD}", "no-crossref", 1),
        ("@misc{a, title={T x}, crossref={a}, GOOD}", "crossref-circle", 1),
        ("@misc{a, title={T x}, doi={nonsense}, GOOD}", "bad-doi", 1),
        ("@misc{a, title={T x},\n author={Zhu, Ligeng and others}, year=2019}", "et-al", 2),
        ("@misc{a, title={T\0 x}, GOOD}", "control-character", 1),
    ],
)
def test_what_is_broken_is_said_with_its_line_and_the_rest_is_read(text: str, code: str, line: int) -> None:
    entry = only(text.replace("GOOD", GOOD))
    assert (entry.title, entry.authors, entry.year) == ("T x", ("Zhu, Ligeng",), 2019)
    assert (code, line) in codes(entry)
    assert not entry.complete().refused


@pytest.mark.parametrize("comma", ["，", ","])
def test_full_width_commas_part_fields_and_are_text_inside_of_them(comma: str) -> None:
    entry = only(f"@misc{{a{comma} title={{甲，乙}}{comma} {GOOD.replace('}, ', '}' + comma)}}}")
    assert (entry.title, entry.authors, entry.year, entry.problems) == ("甲，乙", ("Zhu, Ligeng",), 2019, ())


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("\n@article nothing here", "no-brace", 2),
        ("x\n title = {Lost}", "stray-text", 2),
        ("just words", "no-entry", 1),
        ("@string{=}\n", "unreadable", 1),
        ("@proceedings{p, title={P}, year=2020}", "not-a-work", 1),
    ],
)
def test_what_is_no_entry_stands_there_refused(text: str, code: str, line: int) -> None:
    entry = only(text)
    assert entry.refused
    assert (code, line) in codes(entry)


@pytest.mark.parametrize(
    ("fields", "code"), [("author={A B}, year=2000", "no-title"), ("title={T}, year=2000", "no-author"),
                         ("title={T}, author={A B}", "no-year"), ("title={T}, author={A B}, year={soon}", "bad-year")]
)  # fmt: skip
def test_an_entry_without_title_author_or_year_is_refused(fields: str, code: str) -> None:
    entry = only(f"\n@misc{{a, {fields}}}").complete()
    assert entry.refused
    assert code in dict(codes(entry))


def test_an_unclosed_entry_costs_only_itself() -> None:
    first, second, third = read(
        f"@misc{{a, title={{Open\n@misc{{b, title={{B}}, {GOOD}}} @misc{{c, title={{C}}, {GOOD}}}"
    )
    assert [first.title, second.title, third.title] == ["Open", "B", "C"]
    assert (second.problems, third.problems, third.line) == ((), (), 2)
    assert first.complete().refused


def test_crossref_gives_what_is_missing() -> None:
    paper, volume = read(
        "@inproceedings{a, title={T}, author={A B}, crossref={V}}\n"
        "@proceedings{v, title={Proc. of X}, year=2020, volume=3, doi={10.1234/volume}, editor={E}}"
    )
    assert (paper.title, paper.venue, paper.year, paper.volume, paper.doi) == ("T", "Proc. of X", 2020, "3", "")
    assert volume.refused


def test_identifiers_are_found_wherever_they_stand() -> None:
    spellings = [
        "eprint={1906.08935v2}, archivePrefix={arXiv}", "journal={arXiv preprint arXiv:1906.08935}",
        "eprint={1906.08935}",
        "journal={CoRR}, volume={abs/1906.08935}",
        "url={https://arxiv.org/pdf/1906.08935v1.pdf}",
        "doi={10.48550/arXiv.1906.08935}", "note={arXiv: 1906.08935}",
        "howpublished={\\url{http://arxiv.org/abs/1906.08935}}",
    ]  # fmt: skip
    for spelling in spellings:
        entry = only(f"@article{{a, title={{T}}, {GOOD}, {spelling}}}")
        assert (entry.arxiv, entry.doi, entry.volume) == ("1906.08935", "", ""), spelling
    for spelling in ("doi={https://doi.org/10.1145/2810103.2813677}", "doi={DOI: 10.1145/2810103.2813677.}",
                     "url={https://dx.doi.org/10.1145/2810103.2813677}"):  # fmt: skip
        assert only(f"@article{{a, {spelling}}}").doi == "10.1145/2810103.2813677"


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"\xef\xbb\xbf@misc{a, title={Gr\xc3\xb6\xc3\x9fe}}", "Größe"),
        ("@misc{a, title={Größe}}".encode("utf-16"), "Größe"),
        (b"@misc{a, title={Gr\xf6\xdfe \x93x\x94}}", "Größe “x”"),
        (b"@misc{a,\r\n title={Gr\xc3\xb6\r\xc3\x9fe}}", "Grö ße"),
        (b"@misc{a, t\0itle={Gr\xc3\xb6\xc3\x9fe}}", "Größe"),
    ],
)
def test_any_encoding_is_read(data: bytes, title: str) -> None:
    assert only(data).title == title


def test_one_line_in_latin_1_does_not_spoil_the_others() -> None:
    first, second = read(b"@misc{a, title={Gr\xc3\xbcn}}\n@misc{b,\n title={Gr\xfcn}}\n")
    assert (first.title, first.problems) == ("Grün", ())
    assert second.title == "Grün"
    assert ("not-utf8", 3) in codes(second)


def test_every_record_of_the_catalogue_comes_back(catalogue: Catalogue) -> None:
    papers = list(catalogue.papers.values())
    entries = read(exported.write(catalogue, papers))
    assert [entry.key for entry in entries] == [paper.id for paper in papers]
    assert [entry.year for entry in entries] == [paper.year for paper in papers]
    assert [entry.arxiv for entry in entries] == [paper.links.arxiv or "" for paper in papers]
    assert [problem for entry in entries for problem in entry.problems] == []


def test_bibtexparser_reads_the_same_of_what_is_well_formed(catalogue: Catalogue) -> None:
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    text = exported.write(catalogue, list(catalogue.papers.values())[::5]).decode()
    ours = {raw.key: raw.fields for raw in bibtex.raw_entries(text)}
    theirs = {e.key: {f.key.lower(): f.value for f in e.fields} for e in bibtexparser.parse_string(text).entries}
    assert ours == theirs


@given(st.text() | st.text(alphabet='@{}()",=#\\ \nabxyz1', max_size=200) | st.binary())
def test_no_text_makes_the_reader_raise(text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    entries = [entry.complete() for entry in read(data)]
    assert entries or not decode(data).text.strip() or b"@" in data


# What the run of a million mutated files, and the shorter ones before it, found (docs/adding.md).
FOUND = [
    (b"@s{author=~{", ()),
    (b"article{title=g author=and _others\nyear=2020", ()),
    (b"@e{title=g author={_and others}year=2020", ()),
    (b"@i{title=p author={and ^others}year=2020", ()),
    (b"@a{title=v author={%others}year=2020", ()),
    (b"@e{title=n author=and others;\nyear=2020", ()),
    (b'@i{author="M {e\xef\xbc\x8ct\ntitle=5,year=2015', ("e, t, M",)),
    (b'@i{author="M {a and s\ntitle=o,year=2015', ("a and s, M",)),
    (b"@i{author={A; B C}, title=x1, year=2015}", ("A", "C, B")),
]


@pytest.mark.parametrize(("data", "authors"), FOUND)
def test_what_the_fuzzing_found_stays_mended(catalogue: Catalogue, data: bytes, authors: tuple[str, ...]) -> None:
    entry = only(data)
    assert entry.authors == authors
    paper, _ = draft.paper_of(entry, catalogue)
    if paper is not None:
        again = only(exported.entry(catalogue, draft.with_id(paper, ())))
        assert (again.title, again.authors, again.year) == (paper.title, paper.authors, paper.year)


HEAD = "@a{x,"
SLOW = {
    "opened": "@a{" * 50_000, "unclosed values": HEAD + "a={b{," * 50_000, "quotes": HEAD + 'a="b,\n' * 50_000,
    "spaces": HEAD + " " * 500_000, "words": HEAD + "b=c " + "d " * 100_000, "hashes": HEAD + "a=b" + "#c" * 100_000,
    "braces": HEAD + "{" * 200_000, "closed": "}" * 500_000, "ats": "@\n" * 200_000, "comments": "@comment{" * 50_000,
    "strings": "@string{a={" * 50_000, "accents": HEAD + "title={" + "\\'" * 100_000 + "}}",
    "groups": HEAD + "title=" + "{\\'" * 50_000, "names": HEAD + "author={" + "A B and " * 50_000 + "}}",
    "commas": HEAD + "author={" + "A," * 100_000 + "}}", "entries": "@a{x, title={y,\n author=\n" * 20_000,
    "entities": HEAD + "title={" + "&amp;" * 100_000 + "}}",
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_time_grows_with_the_length_alone(name: str) -> None:
    """Twice the text may take twice the time, with much room; squared growth of these would take minutes."""
    before = time.process_time()
    read(SLOW[name])
    assert time.process_time() - before < 60
