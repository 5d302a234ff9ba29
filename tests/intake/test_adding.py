"""From entries to records: duplicates, updates, drafts, suggestions, and BibTeX that keeps its fields on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inversion_atlas.catalogue import Catalogue, broader_terms, load
from inversion_atlas.checks import duplicates as rules
from inversion_atlas.exports import bibtex as exported
from inversion_atlas.exports import tex
from inversion_atlas.intake import bibtex, draft, files, update
from inversion_atlas.intake.adding import DUPLICATE, NEW, REFUSED, UPDATE, Adding
from inversion_atlas.intake.decoding import decode
from inversion_atlas.intake.duplicates import Index
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.latex import to_unicode
from inversion_atlas.intake.suggest import Suggester, suggested_kind
from inversion_atlas.records.paper import Kind, Links, Paper
from inversion_atlas.records.writing import format_text, to_yaml
from inversion_atlas.records.yamlfile import parse

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 1, 2)
DLG = Entry(title="Deep Leakage from Gradients", authors=("Zhu, Ligeng", "Liu, Zhijian", "Han, Song"), year=2019)
RECORD: dict[str, Any] = {
    "title": "Deep Leakage from Gradients", "authors": list(DLG.authors), "year": 2019, "venue": "arxiv",
    "kind": "attack",
    "links": {"arxiv": "1906.08935"},
}  # fmt: skip
VENUES = {
    "arxiv": {"name": "arXiv", "short": "arXiv", "type": "preprint"},
    "neurips": {"name": "Neural Information Processing Systems", "short": "NeurIPS", "type": "conference"},
}
FACETS = {
    "access": {"label": "Access", "question": "What can be reached?", "order": 1,
               "terms": {"white-box": {"label": "White box", "definition": "All.", "sources": ["atlas"]}}},
}  # fmt: skip


@pytest.fixture
def small(make_catalogue: Callable[..., Catalogue]) -> Catalogue:
    return make_catalogue({"zhu2019deep": RECORD}, venues=VENUES, facets=FACETS)


@cache
def the_catalogue() -> Catalogue:
    """The repository's own; hypothesis would print a fixture whole."""
    return load(ROOT)


def taking(catalogue: Catalogue, **options: Any) -> Adding:
    return Adding(catalogue, TODAY, **options)


def codes(entry: Entry) -> list[str]:
    return [problem.code for problem in entry.problems]


def test_a_new_work_is_written_as_a_draft_that_is_a_record(small: Catalogue) -> None:
    entry = Entry(title="Sealing a White-box: 50 %", authors=("Müller, J.",), year=2024, venue="NeurIPS 2024",
                  doi="10.1234/x",
                  abstract="Against white-box attacks.\n# not: a comment", origin="x.bib", line=3)  # fmt: skip
    outcome = taking(small).take(entry)
    assert (outcome.status, outcome.path) == (NEW, "data/papers/2024/muller2024sealing.yaml")
    text = (small.root / outcome.path).read_text(encoding="utf-8")
    assert text == outcome.text
    again = load(small.root).papers["muller2024sealing"]
    assert (again.title, again.venue, again.links.doi, again.added) == (entry.title, "neurips", "10.1234/x", TODAY)
    assert "#   access: [white-box]" in text
    assert "suggested: white-box, since “white box” stands in title or abstract" in text
    assert "Against white-box attacks." not in text
    assert "write `summary`" in outcome.todo
    assert [path.name for path in (small.root / "data/papers/2024").iterdir()] == ["muller2024sealing.yaml"]


def test_a_draft_is_in_canonical_form_and_keeps_its_comments_there(catalogue: Catalogue) -> None:
    adding = taking(catalogue, dry_run=True)
    for title in ("A Gradient Inversion Attack on Faces", "Cabbages and Kings: a Survey of Wax, Strings and Sealing"):
        text = adding.take(replace(DLG, title=title, year=2031, venue="NeurIPS", doi=f"10.1234/{len(title)}")).text
        assert format_text(text, Paper) == text
        for facet in catalogue.facets.values():
            assert f"#   {facet.id}: [" in text
            assert set(facet.terms) <= set(re.split(r"[\s,]+", text))
        assert max(map(len, text.splitlines())) <= 130


def test_a_dry_run_writes_nothing(small: Catalogue) -> None:
    before = sorted(small.root.rglob("*"))
    outcome = taking(small, dry_run=True).take(replace(DLG, title="Another of Many Works", year=2030))
    assert (outcome.status, outcome.path) == (NEW, "data/papers/2030/zhu2030another.yaml")
    assert sorted(small.root.rglob("*")) == before


def test_a_file_that_came_meanwhile_is_not_overwritten(small: Catalogue) -> None:
    adding = taking(small)
    path = small.root / "data/papers/2030/zhu2030another.yaml"
    path.parent.mkdir()
    path.write_text("mine")
    outcome = adding.take(replace(DLG, title="Another of Many Works", year=2030))
    assert outcome.path == "data/papers/2030/zhu2030many.yaml"
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    "title",
    ["x\n# y: z", "a: b", "- a", "'\"", "{a}", "#", "&a *b", "<script>", "‮x", "é" * 500, "null", "2019", "a\u2028b"],
)
def test_whatever_a_stranger_writes_stays_inside_its_field(small: Catalogue, title: str) -> None:
    said = bibtex.read(
        decode(f"@misc{{k, title={{T {title}}}, author={{A B}}, year=2020, booktitle={{V {title}}}}}".encode())
    )
    outcome = taking(small).take(said[0])
    assert outcome.status == NEW
    data = parse(outcome.text)
    assert isinstance(data, dict)
    assert set(data) == {"title", "authors", "year", "kind", "added"}
    assert load(small.root).papers[outcome.path.split("/")[-1][:-5]].title == said[0].title


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [
        ({}, DUPLICATE, []),
        ({"title": "Deep leakage from gradient"}, DUPLICATE, []),
        ({"arxiv": "1906.08935", "title": "Deep Leakage From the Gradients, Retitled"}, DUPLICATE, []),
        ({"doi": "10.1234/x"}, UPDATE, ["links.doi"]),
        ({"venue": "NeurIPS", "pages": "1–9", "year": 2020}, UPDATE, ["year", "venue", "pages"]),
        ({"title": "Deep Leakage from Gradients in Models", "authors": ("Else, S.",)}, NEW, []),
        ({"authors": ("Else, S.",), "year": 2023, "arxiv": "2301.02621"}, NEW, []),
    ],
)
def test_a_work_is_known_again(small: Catalogue, change: dict[str, Any], status: str, fields: list[str]) -> None:
    outcome = taking(small, dry_run=True).take(replace(DLG, **change))
    assert (outcome.status, [found.field for found in outcome.changes]) == (status, fields)


def test_an_id_of_another_work_is_reported_and_never_attached(small: Catalogue) -> None:
    entry = replace(DLG, title="Cabbages and Kings and Wax", authors=("Carroll, L.",), arxiv="1906.08935", line=4)
    outcome = taking(small).take(entry)
    assert outcome.status == NEW
    assert [(p.code, p.line) for p in outcome.entry.problems] == [("id-contradicts-title", 4)]
    assert outcome.as_json()["arxiv"] is None
    assert "1906.08935" not in outcome.text


def test_another_id_of_a_known_work_is_reported_and_not_taken(small: Catalogue) -> None:
    outcome = taking(small).take(replace(DLG, arxiv="1906.99999"))
    assert outcome.status == DUPLICATE
    assert codes(outcome.entry) == ["id-differs"]


def test_within_the_input_the_second_is_a_duplicate(small: Catalogue) -> None:
    adding = taking(small, dry_run=True)
    entry = replace(DLG, title="Sealing Wax on Gradients", origin="x.bib", line=9)
    assert adding.take(entry).status == NEW
    second = adding.take(replace(entry, title="Sealing wax on {gradients}", line=20, year=2021))
    assert (second.status, second.why) == (DUPLICATE, "the same title as line 9 of x.bib")


def test_what_cannot_be_a_record_is_refused_with_the_reason(small: Catalogue) -> None:
    adding = taking(small)
    assert codes(adding.take(Entry(title="T", line=2)).entry) == ["no-author", "no-year"]
    odd = adding.take(replace(DLG, title="An Odd One", url="javascript:alert(1)", volume="a\u202eb", venue="Nowhere"))
    assert odd.status == NEW
    assert set(codes(odd.entry)) == {"unknown-venue", "bad-link", "bad-value"}
    assert adding.take(replace(DLG, title="A Hidden\u202e Mark")).status == REFUSED


def test_an_update_changes_its_lines_and_no_other(small: Catalogue, tmp_path: Path) -> None:
    path = small.root / "data/papers/2019/zhu2019deep.yaml"
    text = (
        "# mine\ntitle: Deep Leakage from Gradients\nauthors: [\"Zhu, Ligeng\", \"Liu, Zhijian\", \"Han, Song\"]\n"
        "year: 2019\n"
        "venue: arxiv  # for now\nkind: attack\n# of links\nlinks:\n  arxiv: \"1906.08935\"  # checked\n\n# the end\n"
    )  # fmt: skip
    path.write_text(text)
    catalogue = load(small.root)
    adding = taking(catalogue)
    entry = replace(DLG, venue="NeurIPS", volume="32", doi="10.1234/x", evidence=("https://doi.org/10.1234/x",))
    outcome = adding.take(entry)
    assert [str(change) for change in outcome.changes] == [
        "venue: arxiv -> neurips", "volume: (nothing) -> 32", "links.doi: (nothing) -> 10.1234/x",
        "evidence: (nothing) -> https://doi.org/10.1234/x",
    ]  # fmt: skip
    edited = adding.apply(outcome)
    assert edited == (
        "# mine\ntitle: Deep Leakage from Gradients\nauthors: [\"Zhu, Ligeng\", \"Liu, Zhijian\", \"Han, Song\"]\n"
        "year: 2019\n"
        "venue: neurips\nvolume: 32\nkind: attack\n# of links\nlinks:\n  doi: \"10.1234/x\"\n"
        "  arxiv: \"1906.08935\"  # checked\n"
        "evidence: [https://doi.org/10.1234/x]\n\n# the end\n"
    )  # fmt: skip


def test_every_record_of_the_catalogue_can_be_updated_in_place(catalogue: Catalogue) -> None:
    for paper in list(catalogue.papers.values())[::7]:
        text = (catalogue.root / catalogue.place(paper).path).read_text(encoding="utf-8")
        links = paper.links.model_copy(update={"doi": "10.1234/new", "video": "https://example.org/v"})
        changed = paper.model_copy(
            update={"volume": "99", "links": links, "evidence": (*paper.evidence, "https://example.org")}
        )
        edited = update.edited(text, paper, changed)
        kept = [line for line in text.splitlines() if line.lstrip().startswith("#") or line.startswith("title:")]
        assert [line for line in kept if line not in edited.splitlines()] == []


def test_the_index_finds_what_the_checks_find(catalogue: Catalogue) -> None:
    papers = list(catalogue.papers.values())
    index = Index(papers)
    for paper in papers[::9]:
        stranger = paper.model_copy(
            update={"id": "stranger2000x", "title": paper.title.upper(), "not_duplicate_of": ()}
        )
        found, why = index.find(stranger)
        expected = {other.id for other, _ in rules.twins(catalogue, stranger)}
        assert found is not None
        assert found.id in expected
        assert why


def test_suggestions_name_their_reason_and_are_mostly_right(catalogue: Catalogue) -> None:
    """The rates of docs/adding.md, each record judged by what the others teach."""
    suggester, right, wrong, facets, met, kinds, curated = Suggester(catalogue), 0, 0, 0, 0, 0, 0
    for paper in catalogue.papers.values():
        if not paper.taxonomy:
            continue
        held = {
            (facet, wider) for facet, terms in paper.taxonomy.items() for term in terms
            for wider in broader_terms(catalogue.facets[facet], term)
        }  # fmt: skip
        made = suggester.suggest(paper.title, paper.summary or "", but=paper)
        assert all(suggestion.reason for suggestion in made)
        named = {(s.facet, s.term) for s in made if s.facet in catalogue.facets}
        right += len(named & held)
        wrong += len(named - held)
        facets += len(paper.taxonomy)
        met += len({facet for facet, _ in named & held})
        kinds += suggested_kind(paper.title, paper.summary or "")[0] == paper.kind
        curated += 1
    print(f"right {right / (right + wrong):.3f}, facets {met / facets:.3f}, kinds {kinds / curated:.3f} of {curated}")
    assert right / (right + wrong) > 0.7
    assert met / facets > 0.35
    assert kinds / curated > 0.65


def test_nothing_suggests_nothing(catalogue: Catalogue) -> None:
    assert Suggester(catalogue).suggest("Cabbages and Kings") == []
    assert suggested_kind("Cabbages and Kings") == (Kind.BACKGROUND, "Nothing in title or abstract suggests one.")


letters = st.characters(categories=("Ll", "Lu"), max_codepoint=0x17F, exclude_characters="ŉſĿŀĸĲĳªº")
words = st.text(letters, min_size=2, max_size=9)
lines = st.lists(words | st.sampled_from(["&", "50%", "#1", "A_b", "$", "C++", "(x)", "–", "R-GAP", "α", "ℓ₂", "x²"]),
                 min_size=1, max_size=8).map(" ".join).filter(lambda text: any(map(str.isalpha, text)))  # fmt: skip
people = st.builds(
    lambda family, given, particle: f"{particle}{family.capitalize()}, {given.capitalize()}",
    words, words, st.sampled_from(["", "van ", "de la ", "von "]),
)  # fmt: skip


@given(
    title=lines,
    authors=st.lists(people | words.map(lambda word: f"{word.upper()} TEAM"), min_size=1, max_size=4, unique=True),
    year=st.integers(1950, 2030),
    numbers=st.fixed_dictionaries({}, optional={"volume": st.integers(1, 99).map(str),
                                                "issue": st.integers(1, 9).map(str),
                                                "pages": st.sampled_from(["1–9", "e12", "12", "7-1–7-9", "1–2, 5–6"])}),
    links=st.fixed_dictionaries({}, optional={"doi": st.sampled_from(["10.1145/2810103.28", "10.1007/978-3_1"]),
                                              "arxiv": st.sampled_from(["1906.08935", "cs/0601001"]),
                                              "paper": st.sampled_from(["https://example.org/a_b?c=1&d=%20#e"])}),
    venue=st.sampled_from([None, "neurips", "tifs", "arxiv", "cvpr", "ccs", "springer"]),
)  # fmt: skip
@settings(max_examples=150)
def test_bibtex_keeps_every_field_through_a_record(
    title: str,
    authors: list[str],
    year: int,
    numbers: dict[str, str],
    links: dict[str, str],
    venue: str | None,
) -> None:
    catalogue = the_catalogue()
    known = venue if venue in catalogue.venues else None
    paper = Paper(id="anon2000x", title=title, authors=tuple(authors), year=year, venue=known, kind=Kind.ATTACK,
                  links=Links(**links), **numbers)  # fmt: skip
    written = exported.entry(catalogue, paper)
    (entry,) = bibtex.read(decode(written.encode()))
    assert entry.problems == ()
    again, entry = draft.paper_of(entry, catalogue)
    assert again is not None, entry.problems
    # The kind is not among the fields of BibTeX, the key is the id.
    same = again.model_copy(update={"id": paper.id, "kind": paper.kind})
    assert exported.entry(catalogue, same) == written
    assert parse(to_yaml(same))


# BibTeX as others write it, of what a record can hold.


# LaTeX has no code for some letters, which `escape` then writes as others.
latin = words.map(str.capitalize).filter(lambda word: to_unicode(tex.escape_name(word)) == word)


def braced(text: str) -> str:
    return f"{{{text}}}"


@st.composite
def written_names(draw: st.DrawFn) -> tuple[str, str]:
    """A name as a record holds it, and one of the ways in which BibTeX writes it."""
    family, given = draw(latin), draw(latin)
    particle, suffix = draw(st.sampled_from(["", "van der", "de"])), draw(st.sampled_from(["", "Jr.", "III"]))
    surname = " ".join(filter(None, (particle, family)))
    held = ", ".join(filter(None, (surname, given, suffix)))
    spelled = [tex.escape(part) for part in (particle, family, given, suffix)]
    p, f, g, s = spelled if draw(st.booleans()) else (particle, family, given, suffix)
    forms = [", ".join(filter(None, (" ".join(filter(None, (p, f))), s, g)))]
    forms += [" ".join(filter(None, (g, p, f, s)))]
    return held, draw(st.sampled_from(forms))


@st.composite
def bibtex_entries(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An entry with macros, quotes, pieces, braces and LaTeX as they come, and what a record holds of it."""
    people = draw(st.lists(written_names(), min_size=1, max_size=4, unique_by=lambda pair: pair[0]))
    title = draw(lines.filter(lambda text: to_unicode(tex.escape(text)) == " ".join(text.split())))
    year = draw(st.integers(1950, 2030))
    first, last = draw(st.integers(1, 99)), draw(st.integers(100, 999))
    key = draw(st.sampled_from(["neurips", "cvpr", "ccs", "tifs"]))
    venue = the_catalogue().venues[key]
    doi, arxiv = draw(st.sampled_from(["10.1145/abc.1", "10.1007/978-3_1"])), draw(st.sampled_from(["1906.08935", ""]))
    spelled = tex.escape(draw(st.sampled_from([venue.name, venue.short, *venue.aliases])))
    journal = key == "tifs"
    spellings = ["thevenue", braced(spelled), f'"" # {braced(spelled)}']
    fields = {
        "title": draw(st.sampled_from([braced(tex.escape(title)), braced(braced(tex.escape(title)))])),
        "author": braced(" and ".join(form for _, form in people)),
        "year": draw(st.sampled_from([str(year), braced(str(year)), f'"{year}"'])),
        "journal" if journal else "booktitle": draw(st.sampled_from(spellings)),
        "pages": braced(f"{first}{draw(st.sampled_from(['-', '--', '–', ' -- ']))}{last}"),
        "volume": draw(st.sampled_from(["7", "{7}"])),
        "doi": braced(
            draw(st.sampled_from([doi, doi.upper(), f"https://doi.org/{doi}", doi.replace("_", "\\_")])),
        ),
        "url": "{https://example.org/a_b?c=1}",
        "month": draw(st.sampled_from(["jan", '"12~" # mar', "{May}"])),
    }
    if journal:
        fields["number"] = "3"
    if arxiv:
        fields |= draw(st.sampled_from([
            {"eprint": f"{{{arxiv}v2}}", "archiveprefix": "{arXiv}"}, {"note": f"{{arXiv:{arxiv}}}"},
        ]))  # fmt: skip
    order = draw(st.permutations(list(fields)))
    body = "".join(
        f",\n  {draw(st.sampled_from([name, name.upper(), name.title()]))} = {fields[name]}" for name in order
    )
    kind = "article" if journal else "InProceedings"
    text = f"@string{{thevenue = {braced(spelled)}}}\n@{kind}{{x{body}\n}}\n"
    held = {"title": " ".join(title.split()), "authors": tuple(name for name, _ in people), "year": year, "venue": key,
            "volume": "7", "issue": "3" if journal else None, "pages": f"{first}–{last}",
            "links": Links(doi=doi, arxiv=arxiv or None, paper="https://example.org/a_b?c=1")}  # fmt: skip
    return text, held


@given(bibtex_entries())
@settings(max_examples=200)
def test_every_field_of_bibtex_that_a_record_can_hold_is_held_and_written_again(
    made: tuple[str, dict[str, Any]],
) -> None:
    text, held = made
    catalogue = the_catalogue()
    (entry,) = bibtex.read(decode(text.encode()))
    assert entry.problems == ()
    # What no record holds is named.
    assert entry.left_out == ("month",)
    paper, entry = draft.paper_of(entry, catalogue)
    assert paper is not None, entry.problems
    assert {name: getattr(paper, name) for name in held} == held
    (again,) = bibtex.read(decode(exported.entry(catalogue, paper).encode()))
    same, again = draft.paper_of(again, catalogue)
    assert same is not None, again.problems
    assert {name: getattr(same, name) for name in held} == held


def test_what_no_record_holds_is_named() -> None:
    bib = (
        "@misc{a, title={T}, author={A B}, year=2020, keywords={x}, isbn={1}, note={}, howpublished={arXiv:1906.08935}}"
    )
    (entry,) = files.read(bib.encode())
    assert entry.left_out == ("keywords", "isbn")
    (entry,) = files.read(b"TY  - JOUR\nTI  - T\nAU  - B, A\nPY  - 2020\nKW  - x\nKW  - y\nSN  - 1\nER  - \n")
    assert entry.left_out == ("KW", "SN")
    (entry,) = files.read(b'[{"title": "T", "author": [{"family": "B"}], "ISSN": "1", "issued": {"raw": "2020"}}]')
    assert entry.left_out == ("ISSN",)


@given(st.binary() | st.text(alphabet='@{}=,"# \nabcAUTYER-[]:1').map(str.encode))
def test_no_file_makes_adding_raise(data: bytes) -> None:
    adding = Adding(the_catalogue(), TODAY, dry_run=True)
    for entry in files.read(data, "x"):
        outcome = adding.take(entry)
        assert outcome.status in (NEW, UPDATE, DUPLICATE, REFUSED)
        assert outcome.status != REFUSED or outcome.entry.problems
        assert outcome.as_json()["problems"] == [
            {"code": p.code, "message": p.message, "line": p.line or None} for p in outcome.entry.problems
        ]
