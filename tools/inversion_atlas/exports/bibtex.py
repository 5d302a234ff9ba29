"""BibTeX in two flavours: ASCII for BibTeX and whatever reads it, Unicode with biblatex's own types for biber."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from urllib.parse import quote

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import tex, titles
from inversion_atlas.exports.citation import Citation, Form, Name, arxiv_address, cite
from inversion_atlas.exports.pieces import Pieces, Preamble, Shape
from inversion_atlas.records.paper import Paper

# A name with one of these is kept whole, for biber takes the initials of its parts and stumbles over them; commas it
# counts inside braces too, unless they hold the whole name.
_ALONE = "".join(tex.SPACING) + "ˆ"
_ODD = re.compile(rf"[\\{{}}%&#$_^~<>|`\"@={_ALONE}]")
# The names that need nothing: capitalized words, none of them the word that joins two names.
_PLAIN = re.compile(r"(?!And,)[A-Z][a-z]+, (?:[A-Z](?:\.|[a-z]+)(?<!And)(?: |$))+(?<! )")
# At the start of a name these would become an initial that is half a TeX command.
_NO_INITIAL = "\\{}~^`_$%#& " + _ALONE
_AND = re.compile(r"(?:^|\s)and(?:\s|$)", re.IGNORECASE)
_VERBATIM = frozenset(("doi", "url", "eprint"))
_TYPES = {
    Form.ARTICLE: "article",
    Form.PROCEEDINGS: "inproceedings",
    Form.CHAPTER: "incollection",
    Form.BOOK: "book",
    Form.THESIS: "phdthesis",
    Form.REPORT: "techreport",
    Form.PREPRINT: "misc",
    Form.OTHER: "misc",
}
_SHAPE = Shape(between="\n")
_PREAMBLE = Preamble(f"@preamble{{{{{tex.DEFINE_LETTER}", lambda letter: f"\n{tex.define_letter(letter)}", "}}\n\n")
_BIBLATEX_TYPES = {**_TYPES, Form.THESIS: "thesis", Form.REPORT: "report", Form.PREPRINT: "online"}


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return a .bib file for BibTeX, all ASCII."""
    return pieces(catalogue).render(papers).file([paper.id for paper in papers])


def write_biblatex(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return a .bib file for biblatex and biber, in UTF-8."""
    return biblatex_pieces(catalogue).render(papers).file([paper.id for paper in papers])


def pieces(catalogue: Catalogue) -> Pieces:
    """Return the parts of a .bib file for BibTeX."""
    return Pieces(
        (_SHAPE,),
        partial(entry, catalogue),
        _PREAMBLE,
        lambda paper, _: frozenset().union(*map(tex.strange_letters, _printed_text(catalogue, paper))),
    )


def biblatex_pieces(catalogue: Catalogue) -> Pieces:
    """Return the parts of a .bib file for biblatex."""
    return Pieces((_SHAPE,), partial(biblatex_entry, catalogue), _PREAMBLE, lambda _, text: tex.strange_letters(text))


def entry(catalogue: Catalogue, paper: Paper) -> str:
    """Return the BibTeX entry of a paper."""
    return entry_of(catalogue, paper, cite(catalogue, paper))


def entry_of(catalogue: Catalogue, paper: Paper, fact: Citation) -> str:
    """Return the BibTeX entry of a paper whose citation is at hand."""
    fields: dict[str, str] = {
        "author": _authors(fact.names, tex.escape_name),
        "title": titles.protect(fact.title, tex.escape, _proper_names(catalogue, paper)) or "Untitled",
        **_container(fact, tex.escape, biblatex=False),
        "year": str(fact.year),
        **_numbers(fact, tex.escape),
        "doi": fact.doi,
        "url": _ascii_address(fact.url) if _tells_more(fact) else "",
        "eprint": fact.arxiv,
        "archiveprefix": "arXiv" if fact.arxiv else "",
        "note": fact.note,
    }
    # The standard styles refuse a number beside a volume in anything but a journal.
    if fact.form is not Form.ARTICLE and fields["volume"]:
        fields["number"] = ""
    return _entry(_thesis(_TYPES[fact.form], fact), fact.id, fields)


def biblatex_entry(catalogue: Catalogue, paper: Paper) -> str:
    """Return the biblatex entry of a paper."""
    fact = cite(catalogue, paper)
    only_arxiv = fact.arxiv and fact.url == arxiv_address(fact.arxiv)
    fields = {
        "author": _authors(fact.names, tex.keep),
        "title": titles.protect(fact.title, tex.keep, _proper_names(catalogue, paper), subtitle=True) or "Untitled",
        **_container(fact, tex.keep, biblatex=True),
        "date": str(fact.year),
        **_numbers(fact, tex.keep),
        "doi": fact.doi,
        "url": _ascii_address(fact.url) if _tells_more(fact) and not only_arxiv else "",
        "eprint": fact.arxiv,
        "eprinttype": "arxiv" if fact.arxiv else "",
        "note": fact.note,
        "keywords": ", ".join(fact.keywords),
    }
    kind = _BIBLATEX_TYPES[fact.form]
    return _entry("misc" if kind == "online" and not (fact.url or fact.arxiv) else kind, fact.id, fields)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = "".join(f"  {name} = {{{_value(name, value)}}},\n" for name, value in fields.items() if value)
    return f"@{kind}{{{key},\n{lines}}}\n"


def _value(name: str, value: str) -> str:
    return value if name in _VERBATIM or not value.lower().startswith("xdata") else _no_key(value)


def _thesis(kind: str, fact: Citation) -> str:
    return "mastersthesis" if kind == "phdthesis" and _is_master(fact) else kind


def _is_master(fact: Citation) -> bool:
    return "master" in f"{fact.container} {fact.short_container}".lower()


def _container(fact: Citation, escape: Callable[[str], str], *, biblatex: bool) -> dict[str, str]:
    container, publisher = escape(fact.container), escape(fact.publisher)
    match fact.form:
        case Form.ARTICLE:
            return {"journaltitle" if biblatex else "journal": container, "publisher": publisher}
        case Form.PROCEEDINGS | Form.CHAPTER:
            return {"booktitle": container, "publisher": publisher}
        case Form.BOOK:
            return {"publisher": publisher or container}
        case Form.THESIS if biblatex:
            kind = "mathesis" if _is_master(fact) else "phdthesis"
            return {"type": kind, "institution": publisher or container}
        case Form.THESIS:
            return {"school": publisher or container}
        case Form.REPORT if biblatex:
            return {"type": "techreport", "institution": publisher or container}
        case Form.REPORT:
            return {"institution": publisher or container}
        case _:
            return {}


def _numbers(fact: Citation, escape: Callable[[str], str]) -> dict[str, str]:
    pages = ", ".join("--".join(map(escape, part.split("–"))) for part in fact.pages.split(", "))
    return {"volume": escape(fact.volume), "number": escape(fact.issue), "pages": pages}


def _authors(names: Sequence[Name], escape: Callable[[str], str]) -> str:
    return " and ".join(_name(name, escape) for name in names)


@lru_cache(maxsize=2**16)
def _name(name: Name, escape: Callable[[str], str]) -> str:
    if _PLAIN.fullmatch(f"{name.family}, {name.given}") and not (name.particle or name.suffix):
        return f"{name.family}, {name.given}"
    family, given = escape(name.family), escape(name.given)
    if name.whole or not family or not given or _ODD.search(f"{name.surname}{name.given}") or "," in name.given:
        shown = ", ".join(part for part in (name.surname, name.suffix, name.given) if part)
        return f"{{{_no_key(escape(shown.lstrip(_NO_INITIAL))) or 'Anonymous'}}}"
    if any(word[:1].islower() for word in name.family.split()[:-1]) or _AND.search(name.family):
        family = f"{{{family}}}"
    if _AND.search(name.given):
        given = f"{{{given}}}"
    surname = f"{escape(name.particle)} {family}".strip()
    if _AND.search(name.particle):
        surname = f"{{{surname}}}"
    return ", ".join(part for part in (surname, escape(name.suffix), given) if part)


def _no_key(text: str) -> str:
    """Keep biber from reading `family=` or `xdata=` in a text as its own syntax."""
    # The sign in `\=A` is an accent.
    return re.sub(r"(?<!\\)=", "{=}", text)


def _proper_names(catalogue: Catalogue, paper: Paper) -> frozenset[str]:
    """Return single words that name the paper's own methods and datasets."""
    known = [catalogue.datasets[id] for id in paper.datasets if id in catalogue.datasets]
    named = [*paper.methods, *(name for record in known for name in (record.name, *record.other_names))]
    return frozenset(name for name in named if " " not in name)


def _tells_more(fact: Citation) -> bool:
    return not (fact.doi and fact.url.endswith(f"doi.org/{fact.doi}"))


def _ascii_address(url: str) -> str:
    return quote(url, safe="".join(map(chr, range(0x21, 0x7F)))) if not url.isascii() else url


def _printed_text(catalogue: Catalogue, paper: Paper) -> Iterator[str]:
    venue = catalogue.venues.get(paper.venue or "")
    yield from (paper.title, *paper.authors)
    if venue:
        yield from (venue.name, venue.publisher or "")
