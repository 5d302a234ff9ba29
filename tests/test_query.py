"""The filter language, on a small catalogue written to disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion_atlas.catalogue import Catalogue, load
from inversion_atlas.query import MAX_LENGTH, QueryError, fields, parse, select

FILES = {
    "taxonomy/access.yaml": """
        label: Access
        question: What can the adversary reach?
        order: 1
        terms:
          black-box: {label: Black box, definition: Answers only., sources: [atlas], aliases: [API access]}
          label-only: {label: Label only, definition: Labels only., broader: black-box, sources: [atlas]}
          white-box: {label: White box, definition: Everything., sources: [atlas], aliases: [while-box]}
    """,
    "taxonomy/domain.yaml": """
        label: Domain
        question: What is it about?
        order: 2
        terms:
          face: {label: Faces, definition: Faces., sources: [atlas]}
    """,
    "data/venues.yaml": """
        neurips: {name: Advances in Neural Information Processing Systems, short: NeurIPS, type: conference}
    """,
    "data/datasets.yaml": """
        celeba: {name: CelebA, full_name: CelebFaces Attributes, description: Faces.}
    """,
    "data/sources/atlas.yaml": """
        title: The atlas
        kind: atlas
        rows:
          - {place: row 1, title: Deep Leakage, paper: zhu2019deep}
    """,
    "data/papers/2019/zhu2019deep.yaml": """
        title: Deep Leakage from Gradients
        authors: ["Zhu, Ligeng", "Balunović, Mislav"]
        year: 2019
        venue: neurips
        kind: attack
        methods: [DLG]
        taxonomy: {access: [white-box]}
        links: {arxiv: "1906.08935", code: [https://github.com/mit-han-lab/dlg]}
    """,
    "data/papers/2022/kahla2022label.yaml": """
        title: Label-Only Model Inversion Attacks via Boundary Repulsion
        authors: ["Kahla, Mostafa"]
        year: 2022
        kind: attack
        taxonomy: {access: [label-only], domain: [face]}
        datasets: [celeba]
        relations:
          - {improves: zhu2019deep, how: needs labels only}
    """,
    "data/papers/2023/nobody2023survey.yaml": """
        title: A Survey of "Inversion" & more
        authors: ["Nobody, N."]
        year: 2023
        kind: survey
        taxonomy: {access: [black-box]}
    """,
    "data/papers/1998/lecun1998gradient.yaml": """
        title: Gradient-based learning
        authors: ["LeCun, Yann"]
        year: 1998
        kind: background
        aliases: [lecun1998old]
    """,
}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    root = tmp_path_factory.mktemp("catalogue")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").splitlines()
        path.write_text("\n".join(line[8:] for line in lines) + "\n", encoding="utf-8")
    return load(root)


ZHU, KAHLA, SURVEY, LECUN = "zhu2019deep", "kahla2022label", "nobody2023survey", "lecun1998gradient"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {ZHU, KAHLA, SURVEY}),
        ("access=label-only", {KAHLA}),
        ("access=black-box", {KAHLA, SURVEY}),
        ('access:"Label Only"', {KAHLA}),
        ("access=while-box", {ZHU}),
        ("access=label-only,white-box", {KAHLA, ZHU}),
        ("access=label-only domain=face year>=2022", {KAHLA}),
        ("-kind:survey", {ZHU, KAHLA}),
        ("kind!=survey", {ZHU, KAHLA}),
        ("-kind!=survey", {SURVEY}),
        ("kind=background", {LECUN}),
        ("id=lecun1998gradient", {LECUN}),
        ("id=lecun1998old", {LECUN}),
        ("has:code", {ZHU}),
        ("-has:code,venue", {KAHLA, SURVEY}),
        ("year=2019", {ZHU}),
        ("year=2019..2022", {ZHU, KAHLA}),
        ("year=..2019", {ZHU}),
        ("year=2023..", {SURVEY}),
        ("year>2022", {SURVEY}),
        ("year<2022", {ZHU}),
        ("venue=NeurIPS", {ZHU}),
        ('venue="advances in neural information processing systems"', {ZHU}),
        ("dataset=celebfaces-attributes", {KAHLA}),
        ("source=atlas", {ZHU}),
        ("improves=zhu2019deep", {KAHLA}),
        ("improved-by=kahla2022label", {ZHU}),
        ("arxiv=1906.08935", {ZHU}),
        ("author:balunovic", {ZHU}),
        ("author:Balunović", {ZHU}),
        ("title=deep-leakage-from-gradients", {ZHU}),
        ("title:deep", {ZHU}),
        ("title=deep", set()),
        ("method=dlg", {ZHU}),
        ("leak", {ZHU}),
        ("eakage", set()),
        ('"deep leakage"', {ZHU}),
        ('"leakage deep"', set()),
        ("leakage deep", {ZHU}),
        ("-leakage", {KAHLA, SURVEY}),
        ("label-only", {KAHLA}),
        ("  spaces   around  ", set()),
        ("&", {ZHU, KAHLA, SURVEY}),
    ],
)
def test_a_query_names_these_works(catalogue: Catalogue, query: str, expected: set[str]) -> None:
    assert {paper.id for paper in select(catalogue, query)} == expected


def test_background_works_are_found_when_asked_for(catalogue: Catalogue) -> None:
    assert LECUN in {paper.id for paper in select(catalogue, "", background=True)}


@pytest.mark.parametrize(
    ("query", "message", "hint", "position"),
    [
        ("has:code acces=x", "unknown field 'acces'", "access", 9),
        ("access=label-onyl", "unknown access 'label-onyl'", "label-only", 0),
        ("kind=atack", "unknown kind 'atack'", "attack", 0),
        ("year=old", "'old' is no year", "2019", 0),
        ("year>2019..2021", "is no year", "2019", 0),
        ("venue>neurips", "venue has no order", "venue=neurips", 0),
        ("access=", "access has no value", "access=something", 0),
        ('access=""', "access has no value", "access=something", 0),
        ('x "open', "cannot read", "quotation mark", 2),
        ("a" * (MAX_LENGTH + 1), "longer than", "shorten", 0),
    ],
)
def test_a_wrong_query_says_what_and_where(
    catalogue: Catalogue, query: str, message: str, hint: str, position: int
) -> None:
    with pytest.raises(QueryError) as caught:
        select(catalogue, query)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.position == position


def answer(catalogue: Catalogue, query: str) -> set[str] | QueryError:
    try:
        return {paper.id for paper in select(catalogue, query)}
    except QueryError as error:
        return error


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_a_query_error(catalogue: Catalogue, text: str) -> None:
    found = answer(catalogue, text)
    assert 0 <= found.position <= len(text) if isinstance(found, QueryError) else found <= set(catalogue.papers)


@given(st.text(st.characters(exclude_characters='"'), min_size=1, max_size=30))
def test_a_quoted_phrase_is_one_clause(phrase: str) -> None:
    assert [clause.values for clause in parse(f'"{phrase}"')] in ([(phrase,)], [])


def test_a_negated_clause_is_the_complement(catalogue: Catalogue) -> None:
    everything = {paper.id for paper in select(catalogue)}
    for clause in ("access=black-box", "year>=2022", "has:code", "leakage", "domain=face"):
        hits = {paper.id for paper in select(catalogue, clause)}
        assert {paper.id for paper in select(catalogue, f"-{clause}")} == everything - hits


OPEN_FIELDS = {"text", "title", "author", "method", "doi", "arxiv"}


def test_every_field_that_is_listed_is_understood(catalogue: Catalogue) -> None:
    for field in fields(catalogue):
        if field in OPEN_FIELDS:
            assert select(catalogue, f"{field}=zzzzzz") == []
        else:
            with pytest.raises(QueryError, match=f"unknown {field}|no year"):
                select(catalogue, f"{field}=zzzzzz")


def test_a_new_facet_needs_no_code(catalogue: Catalogue) -> None:
    assert fields(catalogue)["domain"] == "What is it about?"
