"""Permanent moves in the text of a record: the addresses change and nothing else does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from inversion_atlas.catalogue import Catalogue, Place, load
from inversion_atlas.links.fixing import Move, moved_text, moves
from inversion_atlas.links.places import link_places
from inversion_atlas.links.state import Class, Known, State

TEXT = """\
# a record of somebody's
title: T   # kept
authors: ["Doe, Jane"]
year: 2020
kind: attack
links:
  doi: "10.1234/x"
  paper: http://old.example.org/p   # http, alas
  code: [https://old.example.org/a, 'https://old.example.org/b']
  project: "http://old.example.org/p"
evidence:
  - http://old.example.org/p#page=3
  - https://other.example.org/
"""


def known(to: str) -> Known:
    return Known(Class.MOVED, date(2026, 11, 20), date(2026, 11, 20), to=to)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "data/papers/2020").mkdir(parents=True)
    (tmp_path / "data/papers/2020/doe2020t.yaml").write_text(TEXT)
    return load(tmp_path)


def fixed(catalogue: Catalogue, state: dict[str, Known]) -> str:
    found = list(moves(catalogue, link_places(catalogue), State(state)))
    assert {move.place.path for move in found} <= {"data/papers/2020/doe2020t.yaml"}
    return moved_text(TEXT, found)


def test_every_place_of_an_address_follows_and_comments_stay(catalogue: Catalogue) -> None:
    text = fixed(catalogue, {"http://old.example.org/p": known("https://new.example.org/p,1")})
    expected = TEXT.replace("http://old.example.org/p   #", '"https://new.example.org/p,1"   #')
    expected = expected.replace('"http://old.example.org/p"', '"https://new.example.org/p,1"')
    expected = expected.replace("http://old.example.org/p#page=3", '"https://new.example.org/p,1#page=3"')
    assert text == expected


def test_an_address_in_a_list_in_brackets(catalogue: Catalogue) -> None:
    state = {f"https://old.example.org/{at}": known(f"https://new.example.org/{at}") for at in "ab"}
    assert fixed(catalogue, state) == TEXT.replace("https://old.example.org", "https://new.example.org")


@pytest.mark.parametrize(
    "to",
    [
        "https://new.example.org/p?sessionid=1",
        "https://new.example.org/p?utm_source=x",
        "https://new.example.org/login?next=/p",
        "http://localhost/p",
        "http://10.0.0.1/p",
        "javascript:alert(1)",
        'https://new.example.org/"x"',
        "https://user:secret@new.example.org/",
    ],
)
def test_no_address_is_replaced_by_a_worse_one(catalogue: Catalogue, to: str) -> None:
    assert fixed(catalogue, {"http://old.example.org/p": known(to)}) == TEXT


def test_identifiers_and_what_has_not_moved_stay(catalogue: Catalogue) -> None:
    well = Known(Class.OK, date(2026, 11, 20), date(2026, 11, 20))
    state = {"https://doi.org/10.1234/x": known("https://new.example.org/x"), "https://other.example.org/": well}
    assert fixed(catalogue, state) == TEXT


def test_a_text_that_would_say_something_else_is_left() -> None:
    place = Place("x.yaml", ("links", "paper"))
    with pytest.raises(ValueError, match="not written in one piece"):
        moved_text('links:\n  paper: "http://old.example.org/\\x70"\n', [Move(place, "http://old.example.org/p", "x")])


def test_every_address_of_the_real_catalogue_is_where_it_is_said_to_be() -> None:
    root = Path(__file__).resolve().parents[2]
    real = load(root)
    places = link_places(real)
    assert len(places) > 2000
    state = State({url: known(f"https://moved.example.org/{at}") for at, url in enumerate(places)})
    found: dict[str, list[Move]] = {}
    for move in moves(real, dict(list(places.items())[::40]), state):
        found.setdefault(move.place.path, []).append(move)
    assert found
    for path, changes in found.items():
        text = (root / path).read_text(encoding="utf-8")
        edited = moved_text(text, changes)
        assert sum(a != b for a, b in zip(text.splitlines(), edited.splitlines(), strict=True)) <= len(changes)
