"""One run of `atlas discover`: question after question, so that a service that fails loses nobody else's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.freshness.asking import Asking, Sighting
from inversion_atlas.freshness.memory import Asked, Candidate, Memory
from inversion_atlas.freshness.sieve import Sieve
from inversion_atlas.network.polite import ReadError
from inversion_atlas.records.paper import Paper

ARXIV, OPENALEX = "arXiv", "OpenAlex"


@dataclass(frozen=True)
class Question:
    """What is asked of a service: the names under which it is remembered, and the works that answer it."""

    service: str
    text: str
    keys: tuple[str, ...]
    since: date
    ask: Callable[[], Iterator[Sighting]]


@dataclass
class Discovering:
    """A run under way. `failed` are the questions without a whole answer, each with the reason."""

    catalogue: Catalogue
    memory: Memory
    asking: Asking
    today: date
    since: date | None = None
    # Without the network, what was asked last is read again.
    offline: bool = False
    failed: list[str] = field(default_factory=list)
    # Questions that nothing read before answers, without the network.
    unread: int = 0

    def __post_init__(self) -> None:
        self.sieve = Sieve(self.catalogue, self.today)
        for candidate in self.memory.candidates.values():
            self.sieve.remember(candidate)
        self.sieve.counts.clear()
        self.sieve.unreadable.clear()
        self._core: dict[str, str] = {}
        self._down: set[str] = set()
        self._answered: dict[str, Asked] = {}

    def run(self, tell: Callable[[str, int], None] = lambda _, __: None) -> None:
        """Ask every question; what went wrong is in `failed`. `tell` hears question and works read."""
        self._find_core()
        for question in self._questions():
            tell(question.text, self.sieve.counts.total())
            if question.service in self._down:
                self.failed.append(f"{question.service} was not asked again: {question.text}")
                continue
            try:
                for sighting in question.ask():
                    self.sieve.take(sighting, self._core)
            except ReadError as error:
                self._note(question.service, question.text, error)
            else:
                asked = Asked(since=question.since, day=self.today)
                self._answered |= dict.fromkeys(question.keys, asked)

    def candidates(self) -> dict[str, Candidate]:
        """Return what the catalogue lacks, the likest first."""
        return self.sieve.candidates(self.catalogue.discovery.least)

    def remembered(self) -> Memory:
        """Return what the next run has to know: the questions that were answered, and what waits for a curator."""
        known = {key: asked for key, asked in self.memory.asked.items() if key in self._all_keys()}
        return Memory(known | self._answered, self.candidates())

    def unjudged(self) -> list[str]:
        """Return a line for each work that a service described in a way that cannot be judged."""
        lines = (
            f"{entry.title[:120] or 'a work without title'} "
            f"({'; '.join(problem.message for problem in entry.problems if problem.fatal) or 'it has no id'})"
            for entry in self.sieve.unreadable
        )
        return list(dict.fromkeys(lines))

    def _find_core(self) -> None:
        papers = self._core_papers()
        if not papers:
            return
        try:
            self._core = self.asking.ids_of(papers)
        except ReadError as error:
            self._note(OPENALEX, "the core works' ids", error)
            return
        if missing := [paper.id for paper in papers if paper.id not in self._core.values()]:
            self.asking.cut.append(f"OpenAlex does not know these core works: {', '.join(missing)}")

    def _questions(self) -> Iterator[Question]:
        asking, settings = self.asking, self.catalogue.discovery
        for query in settings.arxiv_queries:
            since, until = self._days(key := f"arxiv {query}")
            yield Question(ARXIV, query, (key,), since, partial(asking.arxiv, query, since, until))
        for query in settings.openalex_queries:
            since, _ = self._days(key := f"openalex {query}")
            yield Question(OPENALEX, query, (key,), since, partial(asking.searched, query, since))
        # Core works that came later are asked for further back.
        groups: dict[date, list[str]] = {}
        for paper in dict.fromkeys(self._core.values()):
            groups.setdefault(self._days(f"cites {paper}")[0], []).append(paper)
        for since, group in sorted(groups.items()):
            ids = [id for id, paper in self._core.items() if paper in group]
            text = f"works that cite {group[0]}" + (f" or {len(group) - 1} others" if len(group) > 1 else "")
            keys = tuple(f"cites {paper}" for paper in group)
            yield Question(OPENALEX, text, keys, since, partial(asking.citing, ids, since))

    def _days(self, key: str) -> tuple[date, date]:
        last = self.memory.asked.get(key)
        if self.offline and last:
            return self.since or last.since, last.day
        settings = self.catalogue.discovery
        since = self.memory.since(key, self.today, settings.look_back, settings.first_days)
        return self.since or since, self.today

    def _core_papers(self) -> list[Paper]:
        ids = (self.catalogue.redirects.get(id, id) for id in self.catalogue.discovery.core)
        return [self.catalogue.papers[id] for id in dict.fromkeys(ids) if id in self.catalogue.papers]

    def _all_keys(self) -> set[str]:
        settings = self.catalogue.discovery
        return {
            *(f"arxiv {query}" for query in settings.arxiv_queries),
            *(f"openalex {query}" for query in settings.openalex_queries),
            *(f"cites {paper.id}" for paper in self._core_papers()),
        }

    def _note(self, service: str, question: str, error: ReadError) -> None:
        """Remember a failure; a service that does not answer, rather than refuse one question, is left alone."""
        if error.code == "offline":
            self.unread += 1
            return
        self.failed.append(f"{service}: {error.message} [{error.code}]: {question}")
        refused_one = error.status is not None and 400 <= error.status < 500 and error.status != 429
        if not refused_one and error.code != "unreadable-answer":
            self._down.add(service)
