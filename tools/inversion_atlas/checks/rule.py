"""A rule, and a problem that it finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.records.findings import Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and what to do. `at` is line and column where the place's keys do not lead to them."""

    place: Place
    message: str
    hint: str = ""
    at: tuple[int, int] | None = None


# Yields texts of one kind out of a catalogue; says what is wrong with one such text, and what to do.
Texts = Callable[[Catalogue], Iterator[tuple[Place, str]]]
Test = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A code with its severity and meaning, and what finds it; a rule of the reader finds nothing itself.

    `find` looks at a catalogue, `find_on` at the day, too, and `each` tests every text of a kind by itself, which
    lets many rules share one walk.
    """

    code: str
    severity: Severity
    says: str
    find: Callable[[Catalogue], Iterator[Problem]] | None = None
    find_on: Callable[[Catalogue, date], Iterator[Problem]] | None = None
    each: tuple[Texts, Test] | None = None


def problems(rules: Iterable[Rule], catalogue: Catalogue, today: date) -> Iterator[tuple[Rule, Problem]]:
    """Yield what the rules find in a catalogue on a day."""
    tests: defaultdict[Texts, list[tuple[Rule, Test]]] = defaultdict(list)
    for rule in rules:
        if rule.find:
            yield from ((rule, problem) for problem in rule.find(catalogue))
        if rule.find_on:
            yield from ((rule, problem) for problem in rule.find_on(catalogue, today))
        if rule.each:
            tests[rule.each[0]].append((rule, rule.each[1]))
    for texts, members in tests.items():
        for place, text in texts(catalogue):
            for rule, test in members:
                if said := test(text):
                    yield rule, Problem(place, *said)
