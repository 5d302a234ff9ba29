"""One work as something outside the catalogue describes it, and what was wrong with the description."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

# Sorts of problem that leave no record to write; every other one is said and lived with.
FATAL = frozenset(
    (
        "no-title",
        "no-author",
        "no-year",
        "bad-record",
        "no-entry",
        "no-brace",
        "stray-text",
        "not-json",
        "not-an-item",
        "not-a-work",
        "unreadable",
        "look-up",
        "not-found",
        "offline",
        "bad-address",
        "refused-address",
        "bad-thing",
        "too-large",
    )
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an entry; `line` is where its file says so, 0 where there is no file."""

    code: str
    message: str
    line: int = 0

    @property
    def fatal(self) -> bool:
        """Whether no record can be made."""
        return self.code in FATAL


@dataclass(frozen=True, slots=True)
class Entry:
    """One work: names as `Family, Given`, text in Unicode; what is not known is empty.

    `venue` is what the description calls it, `journal_ref` where a preprint says it was published. `evidence` are the
    addresses that were read. `origin` says what it was read from, `key` what it is called there.
    """

    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    arxiv: str = ""
    url: str = ""
    pdf: str = ""
    archive: str = ""
    abstract: str = ""
    journal_ref: str = ""
    line: int = 0
    key: str = ""
    origin: str = ""
    evidence: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    # The authors are known to be more than those named.
    cut_off: bool = False
    preprint: bool = False
    # Fields of the description that no record holds, as they are called there.
    left_out: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether no record can be made of this."""
        return any(problem.fatal for problem in self.problems)

    def with_problems(self, problems: Iterable[Problem]) -> Entry:
        """Return the entry with further problems."""
        added = tuple(problem for problem in problems if problem not in self.problems)
        return replace(self, problems=self.problems + added) if added else self

    def complete(self) -> Entry:
        """Return the entry, refused where title, authors or year are missing; what is no entry lacks nothing."""
        if self.refused and not (self.title or self.authors or self.year):
            return self
        missing = (
            (not any(map(str.isalnum, self.title)), "no-title", "the entry has no title"),
            (not self.authors, "no-author", "the entry names no author"),
            (self.year is None, "no-year", "the entry has no year"),
        )
        return self.with_problems(Problem(code, message, self.line) for lacks, code, message in missing if lacks)


def refused(code: str, message: str, line: int = 0, *, origin: str = "", title: str = "", key: str = "") -> Entry:
    """Return what stands for an entry that could not be read."""
    return Entry(title=title, key=key, line=line, origin=origin, problems=(Problem(code, message, line),))
