"""What is remembered of a link, when it is given up, and that the file holds it all."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inversion_atlas.links.state import Answer, Class, Known, State, read_state, remembered, write_state
from inversion_atlas.records.findings import CatalogueError

DAY = date(2026, 11, 1)
GONE, OK, BLOCKED = Answer(Class.GONE, said="404"), Answer(Class.OK), Answer(Class.BLOCKED, said="403")


def story(*answers: tuple[int, Answer]) -> Known:
    known: Known | None = None
    for after, answer in answers:
        known = remembered(known, answer, DAY + timedelta(days=after))
    assert known
    return known


def test_dead_only_after_enough_failures_over_enough_days() -> None:
    assert not story((0, GONE)).dead
    assert not story((0, GONE), (30, GONE)).dead, "two failures are no habit"
    assert not story((0, GONE), (1, GONE), (2, GONE), (3, GONE)).dead, "a server may be down for some days"
    assert not story((0, GONE), (0, GONE), (0, GONE), (7, GONE)).dead, "a day counts once"
    dead = story((0, OK), (1, GONE), (4, GONE), (8, GONE))
    assert dead.dead
    assert (dead.good, dead.failing, dead.failures) == (DAY, DAY + timedelta(days=1), 3)


def test_one_good_answer_or_a_wall_ends_a_row_of_failures() -> None:
    assert not story((0, GONE), (5, GONE), (9, OK), (10, GONE)).dead
    walled = story((0, GONE), (5, GONE), (9, BLOCKED), (10, GONE), (11, GONE))
    assert (walled.dead, walled.failing) == (False, DAY + timedelta(days=10))


def test_a_wall_is_never_dead() -> None:
    known = story((0, OK), *((at, BLOCKED) for at in range(1, 60)))
    assert (known.dead, known.failures, known.good) == (False, 0, DAY)


def test_what_was_learned_later_stays() -> None:
    known = story((5, OK))
    assert remembered(known, GONE, DAY) == known


_DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
_ANSWERS = st.builds(Answer, st.sampled_from(Class), st.sampled_from(("", "https://x.org/ü")), st.text(max_size=9))


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=20), st.lists(st.tuples(_DAYS, _ANSWERS), min_size=1, max_size=5), max_size=5))
def test_the_file_keeps_everything(tmp_path_factory: pytest.TempPathFactory, links: dict) -> None:  # type: ignore[type-arg]
    state = State()
    for url, answers in links.items():
        for day, answer in sorted(answers, key=lambda item: item[0]):
            state[url] = remembered(state.get(url), answer, day)
    path = tmp_path_factory.getbasetemp() / "links.json"
    write_state(path, state)
    assert read_state(path) == state
    first = path.read_bytes()
    write_state(path, dict(reversed(read_state(path).items())))
    assert path.read_bytes() == first
    assert len(first.splitlines()) == len(state) + 2 * bool(state) + (not state)


def test_no_file_means_nothing_is_known(tmp_path: Path) -> None:
    assert read_state(tmp_path / "links.json") == {}
    assert read_state(tmp_path / "links.json").of("https://x.org/") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", 1),
        ("[]", 1),
        ("[" * 100_000, 1),
        ('{\n"a": {"class": "ok", "checked": "2026-11-01"},\n"b": {"class": "fine", "checked": "2026-11-01"}\n}', 3),
        ('{\n"a": {"class": "ok", "checked": "1 Nov"}\n}', 2),
        ('{\n"a": {"class": "gone", "checked": "2026-11-01"}\n}', 2),
        ('{\n"a": ["ok"]\n}', 2),
        ("\udcff", 1),
    ],
)
def test_a_file_that_is_broken_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "links.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CatalogueError) as caught:
        read_state(path)
    (finding,) = caught.value.findings
    assert (finding.code, finding.line) == ("links/state", line)


def test_fragments_are_no_matter_of_the_server() -> None:
    state = State({"https://x.org/a": story((0, OK))})
    assert state.of("https://x.org/a#part") == state["https://x.org/a"]
