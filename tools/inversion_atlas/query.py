"""The one filter language: `access=label-only domain=face year>=2022 has:code -kind:survey "free text"`.

A query is clauses that must all hold. A clause is a word, a "phrase", or field, operator and values; a comma
between values means or, a minus before a clause means not. Broader terms include narrower ones. Works of kind
`background` are left out unless the query asks for a kind, an id, a DOI or an arXiv id.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import PASSIVE, VERBS, Kind, Paper, State
from inversion_atlas.reference import index

Test = Callable[[Paper], bool]

MAX_LENGTH = 2000
_TOKEN = re.compile(
    r"""(?P<minus>-?)
        (?:(?P<field>[A-Za-z][\w-]*)(?P<op>!=|>=|<=|=|:|>|<)(?P<values>(?:"[^"]*"|[^\s"])*)
          |"(?P<phrase>[^"]*)"
          |(?P<word>[^\s"]+))
        (?=\s|$)""",
    re.VERBOSE,
)
# A clause as far as its operator, which tells `title:"two words"` from plain words.
CLAUSE_START = re.compile(r"-?[A-Za-z][\w-]*(?:!=|>=|<=|=|:|>|<)")
_VALUE = re.compile(r'"([^"]*)"|([^,"]+)')
_RANGE = re.compile(r"([0-9]{4})?\.\.([0-9]{4})?")
_ORDER: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
# What `has:` may ask for.
HAS: dict[str, Callable[[Paper], object]] = {
    "arxiv": lambda paper: paper.links.arxiv,
    "code": lambda paper: paper.links.code,
    "datasets": lambda paper: paper.datasets,
    "doi": lambda paper: paper.links.doi,
    "implementation": lambda paper: any(found.paper == paper.id for found in index.IMPLEMENTATIONS),
    "methods": lambda paper: paper.methods,
    "metrics": lambda paper: paper.metrics,
    "pdf": lambda paper: paper.links.pdf,
    "reimplementation": lambda paper: paper.links.reimplementation,
    "relations": lambda paper: paper.relations,
    "reported": lambda paper: paper.reported,
    "status": lambda paper: paper.status,
    "summary": lambda paper: paper.summary,
    "unconfirmed": lambda paper: paper.unconfirmed,
    "venue": lambda paper: paper.venue,
    "video": lambda paper: paper.links.video,
}
_WORDS: dict[str, Callable[[Catalogue, Paper], Iterable[str]]] = {
    "text": lambda catalogue, paper: searchable(catalogue, paper),
    "title": lambda _, paper: (paper.title, *paper.other_titles),
    "author": lambda _, paper: paper.authors,
    "method": lambda _, paper: paper.methods,
}


class QueryError(ValueError):
    """The query cannot be read; `position` is the offset of the offending clause in it."""

    def __init__(self, message: str, hint: str, position: int) -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message, self.hint, self.position = message, hint, position


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition. Free text has the field `text` and the operator `:`."""

    field: str
    operator: str
    values: tuple[str, ...]
    negated: bool
    position: int


def parse(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a query; raises QueryError."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query is longer than {MAX_LENGTH} characters", "shorten it", 0)
    clauses: list[Clause] = []
    at = len(text) - len(text.lstrip())
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise QueryError(f"cannot read {text[at : at + 40]!r}", "close the quotation mark, or leave it out", at)
        if clause := _clause(found):
            clauses.append(clause)
        at = found.end()
        at += len(text[at:]) - len(text[at:].lstrip())
    return tuple(clauses)


def select(catalogue: Catalogue, text: str = "", *, background: bool = False) -> list[Paper]:
    """Return the papers that a query names, in the order of their ids; raises QueryError."""
    clauses = parse(text)
    tests = [compile_clause(catalogue, clause) for clause in clauses]
    if not background and not any(map(_names_works, clauses)):
        tests.append(lambda paper: paper.kind is not Kind.BACKGROUND)
    return [paper for paper in catalogue.papers.values() if all(test(paper) for test in tests)]


def newest_first(papers: Iterable[Paper]) -> list[Paper]:
    """Return papers by year, newest first, and by id within a year: the order of every list."""
    return sorted(papers, key=lambda paper: (-paper.year, paper.id))


def fields(catalogue: Catalogue) -> dict[str, str]:
    """Return every field of the language with a line that says what it takes."""
    known = {name: facet.question for name, facet in catalogue.facets.items()}
    known |= {
        "kind": ", ".join(Kind),
        "status": ", ".join(State),
        "year": "2019, >=2019, 2019..2021",
        "venue": "a venue's id, short name or name",
        "dataset": "a dataset's id or name",
        "metric": "a metric's id or name",
        "source": "id of a survey or list that names the paper",
        "has": ", ".join(HAS),
        "text": "words of any of these: title, authors, methods, venue, summary, terms",
        "title": "words of the title",
        "author": "words of an author's name",
        "method": "name of a method",
        "id": "the paper's id",
        "doi": "a bare DOI",
        "arxiv": "a bare arXiv id",
    }
    return known | dict.fromkeys((*VERBS, *PASSIVE), "id of the paper at the other end")


def compile_clause(catalogue: Catalogue, clause: Clause) -> Test:
    """Return the test that a clause stands for; raises QueryError for an unknown field, operator or value."""
    if clause.operator in _ORDER and clause.field != "year":
        plain = f"{clause.field}={','.join(clause.values)}"
        raise QueryError(f"{clause.field} has no order", f"write {plain}", clause.position)
    if clause.field == "year":
        test = _year_test(clause)
    elif clause.field in _WORDS:
        test = _word_test(catalogue, clause)
    else:
        test = _member_test(catalogue, clause)
    negated = clause.negated != (clause.operator == "!=")
    return (lambda paper: not test(paper)) if negated else test


def _names_works(clause: Clause) -> bool:
    """Tell whether a clause asks for works in a way that may mean background ones."""
    positive = not clause.negated and clause.operator != "!="
    return positive and clause.field in ("kind", "id", "doi", "arxiv")


def _clause(found: re.Match[str]) -> Clause | None:
    negated, at = bool(found["minus"]), found.start()
    if found["field"] is None:
        free = found["phrase"] if found["phrase"] is not None else found["word"]
        return Clause("text", ":", (free,), negated, at) if fold(free) else None
    values = tuple(quoted or plain for quoted, plain in _VALUE.findall(found["values"]) if quoted or plain)
    if not values:
        raise QueryError(f"{found['field']} has no value", f"write {found['field']}=something", at)
    return Clause(found["field"].lower(), found["op"], values, negated, at)


def searchable(catalogue: Catalogue, paper: Paper) -> Iterator[str]:
    """Yield every text of a paper that free words are looked for in."""
    yield from (paper.id, paper.title, *paper.other_titles, *paper.methods)
    for author in paper.authors:
        family, _, given = author.partition(", ")
        yield f"{given} {family}"
    if venue := catalogue.venues.get(paper.venue or ""):
        yield from (venue.short, venue.name)
    if paper.summary:
        yield paper.summary
    for facet, terms in paper.taxonomy.items():
        known = catalogue.facets[facet].terms if facet in catalogue.facets else {}
        yield from (known[term].label for term in terms if term in known)


def _year_test(clause: Clause) -> Test:
    tests: list[Callable[[int], bool]] = []
    for value in clause.values:
        span = _RANGE.fullmatch(value)
        if span and clause.operator in ("=", ":", "!="):
            first, last = int(span[1] or 0), int(span[2] or 9999)
            tests.append(lambda year, first=first, last=last: first <= year <= last)  # type: ignore[misc]
        elif re.fullmatch(r"[0-9]{4}", value):
            compare = _ORDER.get(clause.operator, operator.eq)
            tests.append(lambda year, compare=compare, bound=int(value): compare(year, bound))  # type: ignore[misc]
        else:
            raise QueryError(f"{value!r} is no year", "write 2019, or 2019..2021", clause.position)
    return lambda paper: any(test(paper.year) for test in tests)


def _word_test(catalogue: Catalogue, clause: Clause) -> Test:
    texts = _WORDS[clause.field]
    wanted = [fold(value) for value in clause.values]
    if clause.operator in ("=", "!="):
        return lambda paper: any(fold(text) in wanted for text in texts(catalogue, paper))
    starts = [f" {words}" for words in wanted]

    def test(paper: Paper) -> bool:
        # A line each, so that no phrase runs from one text into the next.
        folded = "\n".join(f" {fold(text)}" for text in texts(catalogue, paper))
        return any(start in folded for start in starts)

    return test


def _member_test(catalogue: Catalogue, clause: Clause) -> Test:
    """Test whether a paper's values of a field meet those the clause names, each known by several spellings."""
    values_of = _values_of(catalogue, clause.field)
    if values_of is None:
        hint = did_you_mean(clause.field, fields(catalogue)) + " (or quote it to search for the text)"
        raise QueryError(f"unknown field {clause.field!r}", hint, clause.position)
    if clause.field in ("doi", "arxiv"):
        wanted = frozenset(value.lower() for value in clause.values)
        return lambda paper: not wanted.isdisjoint(values_of(paper))
    spellings = _spellings(catalogue, clause.field)
    named: set[str] = set()
    for value in clause.values:
        meant = spellings.get(fold(value))
        if meant is None:
            raise QueryError(f"unknown {clause.field} {value!r}", _suggest(value, spellings), clause.position)
        named |= meant[1]
    return lambda paper: not named.isdisjoint(values_of(paper))


def _suggest(value: str, spellings: Mapping[str, tuple[str, frozenset[str]]]) -> str:
    hint = did_you_mean(fold(value), spellings)
    nearest = spellings.get(hint.removeprefix("did you mean ").removesuffix("?"))
    if nearest:
        return f"did you mean {nearest[0]}?"
    return did_you_mean("", dict.fromkeys(name for name, _ in spellings.values()))


def _values_of(catalogue: Catalogue, field: str) -> Callable[[Paper], Iterable[str]] | None:
    if field in catalogue.facets:
        return lambda paper: paper.taxonomy.get(field, ())
    if field in VERBS or field in PASSIVE:
        return lambda paper: (edge.other for edge in catalogue.edges.get(paper.id, ()) if edge.verb == field)
    single: dict[str, Callable[[Paper], Iterable[str]]] = {
        "has": lambda paper: (name for name, test in HAS.items() if test(paper)),
        "kind": lambda paper: (paper.kind,),
        "status": lambda paper: (paper.status.state,) if paper.status else (),
        "venue": lambda paper: (paper.venue,) if paper.venue else (),
        "dataset": lambda paper: paper.datasets,
        "metric": lambda paper: paper.metrics,
        "source": lambda paper: (source.id for source, _ in catalogue.listed_by.get(paper.id, ())),
        "id": lambda paper: (paper.id,),
        "doi": lambda paper: ((paper.links.doi or "").lower(),),
        "arxiv": lambda paper: ((paper.links.arxiv or "").lower(),),
    }
    return single.get(field)


def _spellings(catalogue: Catalogue, field: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return folded spelling -> (the name to suggest, the ids it stands for); ids win over other spellings."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    named = list(_named(catalogue, field))
    for name, ids, _ in named:
        found[fold(name)] = (name, ids)
    for name, ids, others in named:
        for other in others:
            found.setdefault(fold(other), (name, ids))
    return found


def _named(catalogue: Catalogue, field: str) -> Iterator[tuple[str, frozenset[str], Iterable[str]]]:
    """Yield every value of a field: its id, the ids it includes, its other spellings."""
    if field in catalogue.facets:
        for term in catalogue.facets[field].terms.values():
            yield term.id, catalogue.narrower[field, term.id], (term.label, *term.aliases)
    elif field in ("dataset", "metric"):
        for record in (catalogue.datasets if field == "dataset" else catalogue.metrics).values():
            others = (record.name, record.full_name or record.name, *record.other_names, *record.aliases)
            yield record.id, frozenset((record.id,)), others
    elif field == "venue":
        for venue in catalogue.venues.values():
            yield venue.id, frozenset((venue.id,)), (venue.short, venue.name, *venue.aliases)
    elif field in ("has", "kind", "status", "source"):
        closed: dict[str, Iterable[str]] = {"has": HAS, "kind": Kind, "status": State, "source": catalogue.sources}
        yield from ((str(name), frozenset((str(name),)), ()) for name in closed[field])
    else:
        for paper in catalogue.papers.values():
            yield paper.id, frozenset((paper.id,)), paper.aliases
