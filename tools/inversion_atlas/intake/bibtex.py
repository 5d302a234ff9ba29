"""BibTeX as it is found -> entries, one for each thing that looks like an entry, read or refused with its line.

A reader of our own, since it must lose nothing: bibtexparser 2 takes `title = {A} year = 2020` (a comma is missing)
for one field, and gives up an entry at its first unclosed brace. Where text is well formed the two agree, which a test
holds. The reader goes forward only; what it could not read it says, with the line, and reads on at the next field.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from inversion_atlas.intake import identifiers, names
from inversion_atlas.intake.decoding import Text
from inversion_atlas.intake.entry import Entry, Problem, refused
from inversion_atlas.intake.latex import to_unicode

_KINDS = (
    "article|book|booklet|conference|inbook|incollection|inproceedings|manual|mastersthesis|misc|phdthesis|"
    "proceedings|techreport|unpublished|online|thesis|report|dataset|software|electronic|patent|periodical"
)
# The start of an entry: `@kind{`, anywhere; `kind{` without its at sign and `@kind` without brace at a line's start.
_START = re.compile(
    rf"@[ \t]*([A-Za-z][\w-]*)\s*([{{(｛])|^[ \t]*({_KINDS})[ \t]*([{{(])|^[ \t]*@[ \t]*([A-Za-z][\w-]*)",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_START = re.compile(rf"^[ \t]*(?:@[ \t]*[A-Za-z][\w-]*\s*[{{(｛]|(?:{_KINDS})[ \t]*\{{)", re.I | re.MULTILINE)
_AT_START = re.compile(r"@[ \t]*[A-Za-z][\w-]*[ \t]*[{(]")
_KEY = re.compile(r"\s*([^,，=\n]*?)[ \t]*(?:([,，])|(?=\n)|(?=[})]\s*(?:\n|$))|$)")
_NAME = re.compile(r"([A-Za-z][\w:.+/-]*)\s*[=＝]\s*")
_NAMED = re.compile(rf"\s*{_NAME.pattern}")
_KEY_AND_NAME = re.compile(rf"\s*([^\s,，={{}}\"]+)[ \t]+(?={_NAME.pattern})")
_JUNK = re.compile(r"[^\s,，}]+|.", re.DOTALL)
_BARE = re.compile(r"[^,，{}\"#=\n@)]*")
_NEXT_FIELD = re.compile(r"\n[ \t]*,?[ \t]*[A-Za-z][\w:.+/-]*[ \t]*=[ \t]*(?=[{\"\w])")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_QUOTED = re.compile(r"\\.|[{}\"]", re.DOTALL)
_WORD = re.compile(r"[^\s,，{}\"#=()@]+")
_GAP = re.compile(r"[\s,，;]*")
_SPACE = re.compile(r"\s*")
_ORPHAN = re.compile(r"^[ \t]*,?[ \t]*[A-Za-z][\w-]*[ \t]*=[ \t]*[{\"]", re.MULTILINE)
_MONTHS = {
    month[:3]: month
    for month in "january february march april may june july august september october november december".split()
}
# Of a volume of papers, what its papers have from it under another name.
_FROM_VOLUME = {"title": "booktitle", "booktitle": "booktitle"}
_NOT_INHERITED = frozenset(("author", "key", "crossref", "xref", "label", "doi", "url", "eprint", "pages", "abstract"))
_DEEPEST = 5
_HELD = frozenset(
    """author title subtitle year date volume number issue pages doi url eprint archiveprefix eprinttype arxiv arxivid
    abstract crossref""".split()
)
_NO_WORK = {"proceedings": "a volume of proceedings", "periodical": "a whole periodical"}


@dataclass
class Raw:
    """An entry as it stands in the file: the names of fields in lower case, their values without outer braces."""

    kind: str
    key: str
    line: int
    last_line: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(text: Text, origin: str = "") -> list[Entry]:
    """Return the entries of a BibTeX file in their order; never raises."""
    file = _File(text.text)
    raws = list(file.entries())
    by_key: dict[str, Raw] = {}
    for raw in raws:
        if isinstance(raw, Raw):
            if raw.key and raw.key.lower() in by_key:
                raw.problems.append(Problem("key-twice", f"the key {raw.key[:80]!r} stands twice", raw.line))
            by_key.setdefault(raw.key.lower(), raw)
    found = []
    for raw in raws:
        if isinstance(raw, Entry):
            found.append(replace(raw, origin=origin))
        else:
            found.append(_entry(raw, by_key, text, origin))
    if not found and text.text.strip():
        found.append(refused("no-entry", "no BibTeX entry (`@kind{key, …}`) was found", 1, origin=origin))
    return found


def raw_entries(text: str) -> list[Raw]:
    """Return what can be read as entries, macros replaced, `crossref` not followed."""
    return [raw for raw in _File(text).entries() if isinstance(raw, Raw)]


class _File:
    """One pass over a file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.macros = dict(_MONTHS)
        self.ends = [found.start() for found in re.finditer("\n", text)]
        self._next_start = -1

    def line(self, at: int) -> int:
        return bisect_right(self.ends, at - 1) + 1

    def entries(self) -> Iterator[Raw | Entry]:
        at = 0
        while found := _START.search(self.text, at):
            yield from self._stray(at, found.start())
            kind = (found[1] or found[3] or found[5]).lower()
            line = self.line(found.start() + len(found[0]) - len(found[0].lstrip()))
            if found[5] is not None:
                yield refused("no-brace", f"`@{kind}` is not followed by a brace", line)
                at = found.end()
                continue
            at = found.end()
            closing = ")" if (found[2] or found[4]) == "(" else "}"
            if kind == "comment":
                at = self._balanced(at, self._limit(at))[1]
            elif kind in ("string", "preamble"):
                at, problem = self._string(at, closing, kind)
                if problem:
                    yield refused("unreadable", problem, line)
            else:
                raw = Raw(kind, "", line)
                if found[3] is not None:
                    raw.problems.append(Problem("no-at", f"the at sign before `{kind}` is missing", line))
                at = self._fields(raw, at, closing)
                raw.last_line = self.line(at)
                yield raw
        yield from self._stray(at, len(self.text))

    def _stray(self, start: int, end: int) -> Iterator[Entry]:
        """Text between entries is a comment, unless fields stand in it that lost their entry."""
        if (found := _ORPHAN.search(self.text, start, end)) is not None:
            line = self.line(found.end())
            yield refused("stray-text", "fields stand outside of any entry; is a line `@kind{key,` missing?", line)

    def _limit(self, at: int) -> int:
        """Return where the next entry starts a line, beyond which nothing that is open may reach."""
        if self._next_start <= at:
            found = _LINE_START.search(self.text, at)
            self._next_start = found.start() if found else len(self.text) + 1
        return min(self._next_start, len(self.text))

    def _balanced(self, at: int, limit: int) -> tuple[bool, int]:
        """Return whether the group that opened before `at` ends before `limit`, and the place after its end."""
        depth = 1
        for found in _BRACES.finditer(self.text, at, limit):
            if found[0] == "{":
                depth += 1
            elif found[0] == "}":
                depth -= 1
                if not depth:
                    return True, found.end()
        return False, limit

    def _quoted(self, at: int, limit: int) -> tuple[bool, int]:
        depth = 0
        for found in _QUOTED.finditer(self.text, at, limit):
            match found[0]:
                case "{":
                    depth += 1
                case "}":
                    depth -= 1
                    if depth < 0:
                        return False, limit
                case '"' if not depth:
                    return True, found.end()
        return False, limit

    def _string(self, at: int, closing: str, kind: str) -> tuple[int, str]:
        limit = self._limit(at)
        scratch = Raw(kind, "", self.line(at))
        if kind == "preamble":
            at = self._value(scratch, at, _Bounds(limit), "preamble")[1]
        else:
            found = _NAME.match(self.text, _after(_SPACE, self.text, at))
            if not found:
                return self._balanced(at, limit)[1], "a @string without `name = value`"
            value, at = self._value(scratch, found.end(), _Bounds(limit), found[1])
            self.macros[found[1].lower()] = value
        at = _after(_GAP, self.text, at)
        if self.text[at : at + 1] == closing:
            return at + 1, ""
        return at, f"the @{kind} is not closed"

    def _fields(self, raw: Raw, start: int, closing: str) -> int:
        """Read key and fields into `raw`; return the place after the entry."""
        bounds = _Bounds(self._limit(start))
        before = list(raw.problems)
        at = self._key(raw, start, bounds)
        closed, end = self._until_end(raw, at, closing, bounds)
        if not closed and not bounds.broken and any(map(_NEXT_FIELD.search, raw.fields.values())):
            # A value's brace was left open and the entry's own closed it: read again, each value on its own.
            raw.fields, raw.lines, raw.problems = {}, {}, before
            bounds.broken = True
            closed, end = self._until_end(raw, self._key(raw, start, bounds), closing, bounds)
        if not closed:
            raw.problems.append(Problem("unclosed-entry", "the entry is not closed", raw.line))
        return end

    def _key(self, raw: Raw, at: int, bounds: _Bounds) -> int:
        """Read the key; return the place after it."""
        text = self.text
        if not _NAMED.match(text, at, bounds.limit):
            if found := _KEY.match(text, at, bounds.limit):
                raw.key = found[1].strip()
                if found[2] is None and text[found.end() : found.end() + 1] == "\n" and raw.key:
                    problem = Problem("missing-comma", "the comma after the key is missing", self.line(found.end()))
                    raw.problems.append(problem)
                return found.end()
            if found := _KEY_AND_NAME.match(text, at, bounds.limit):
                raw.key = found[1]
                raw.problems.append(Problem("missing-comma", "the comma after the key is missing", self.line(at)))
                return found.end()
        raw.problems.append(Problem("no-key", "the entry has no key", raw.line))
        return at

    def _until_end(self, raw: Raw, at: int, closing: str, bounds: _Bounds) -> tuple[bool, int]:
        """Read field after field; return whether the entry is closed, and the place after it."""
        text = self.text
        left_out = False
        while True:
            at = _after(_GAP, text, at, bounds.limit)
            if at >= bounds.limit or (text[at] == "@" and _AT_START.match(text, at)):
                return False, min(at, bounds.limit)
            if text[at] in ("}", closing):
                at += 1
                # One brace too many inside ends the entry early; fields that follow at once are still its own.
                following = _after(_GAP, text, at, bounds.limit)
                if "," not in text[at:following] or not _NAME.match(text, following, bounds.limit):
                    return True, at
                raw.problems.append(Problem("extra-brace", "a brace too many", self.line(at)))
                at = following
            elif name := _NAME.match(text, at, bounds.limit):
                left_out = False
                at = self._field(raw, name, bounds)
            else:
                if not left_out:
                    shown = text[at : at + 40].split("\n")[0]
                    message = f"{shown!r} is no field and was left out"
                    raw.problems.append(Problem("unreadable-field", message, self.line(at)))
                left_out = True
                at = self._balanced(at + 1, bounds.field(text, at))[1] if text[at] == "{" else _after(_JUNK, text, at)

    def _field(self, raw: Raw, name: re.Match[str], bounds: _Bounds) -> int:
        """Read the field of that name; return the place after it."""
        key, line = name[1].lower(), self.line(name.start())
        value, at = self._value(raw, name.end(), bounds, name[1])
        if key in raw.fields:
            raw.problems.append(Problem("field-twice", f"`{key[:40]}` stands twice; the first holds", line))
        else:
            raw.fields[key], raw.lines[key] = value, line
        after = _after(_SPACE, self.text, at, bounds.limit)
        if after < bounds.limit and self.text[after] not in ",，})" and _NAME.match(self.text, after, bounds.limit):
            raw.problems.append(Problem("missing-comma", f"the comma after `{key[:40]}` is missing", self.line(at)))
        return at

    def _value(self, raw: Raw, at: int, bounds: _Bounds, name: str) -> tuple[str, int]:
        """Return a value, its pieces joined, and the place after it."""
        pieces = []
        while True:
            piece, at = self._piece(raw, at, bounds, name)
            pieces.append(piece)
            there = _after(_SPACE, self.text, at, bounds.limit)
            if there >= bounds.limit or self.text[there] != "#":
                return "".join(pieces), at
            at = _after(_SPACE, self.text, there + 1, bounds.limit)

    def _piece(self, raw: Raw, at: int, bounds: _Bounds, name: str) -> tuple[str, int]:
        text = self.text
        opening = text[at : at + 1] if at < bounds.limit else ""
        if opening and opening in '{"':
            end = bounds.field(text, at) if bounds.broken else bounds.limit
            closed, after = self._balanced(at + 1, end) if opening == "{" else self._quoted(at + 1, end)
            if closed:
                return text[at + 1 : after - 1], after
            bounds.broken = True
            what = "brace" if opening == "{" else "quotation mark"
            raw.problems.append(
                Problem(f"unclosed-{what.split()[0]}", f"the {what} of `{name[:40]}` is not closed", self.line(at))
            )
            end = bounds.field(text, at)
            return _trimmed(text[at + 1 : end], opening), end
        word = _WORD.match(text, at, bounds.limit)
        if word is None:
            raw.problems.append(Problem("no-value", f"`{name[:40]}` has no value", self.line(at)))
            return "", at
        bare = word[0]
        if bare.lower() in self.macros:
            return self.macros[bare.lower()], word.end()
        if not bare[0].isdigit():
            # Several words without braces: everything up to the end of the line or the next comma.
            rest = text[word.end() : _after(_BARE, text, word.end(), bounds.limit)]
            if rest.strip() and not _NAME.match(text, word.end() + len(rest) - len(rest.lstrip()), bounds.limit):
                problem = Problem("no-braces", f"the value of `{name[:40]}` stands without braces", self.line(at))
                raw.problems.append(problem)
                return (bare + rest).strip(), word.end() + len(rest)
            message = f"{bare[:40]!r} is no @string of this file and stands as it is"
            raw.problems.append(Problem("unknown-macro", message, self.line(at)))
        return bare, word.end()


class _Bounds:
    """How far an entry may reach and, once one of its values was not closed, how far each value may."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.broken = False
        self._next_field = -1

    def field(self, text: str, at: int) -> int:
        """Return where the next line starts that looks like a field, or the limit."""
        if self._next_field <= at:
            found = _NEXT_FIELD.search(text, at + 1, self.limit)
            self._next_field = found.start() if found else self.limit
        return self._next_field


def _after(pattern: re.Pattern[str], text: str, at: int, limit: int | None = None) -> int:
    """Return the place after what matches at `at`, or `at`."""
    found = pattern.match(text, at, len(text) if limit is None else limit)
    return found.end() if found else at


def _trimmed(value: str, opening: str) -> str:
    """Return an unclosed value without the comma and braces that ended its line."""
    value = value.rstrip().rstrip(",").rstrip()
    while opening == "{" and value.endswith("}") and value.count("{") < value.count("}"):
        value = value[:-1].rstrip().rstrip(",")
    return value.strip('"') if opening == '"' else value


# What stands in a file -> an entry


def _entry(raw: Raw, by_key: dict[str, Raw], text: Text, origin: str) -> Entry:
    fields = dict(raw.fields)
    problems = list(raw.problems)
    _inherit(raw, fields, by_key, problems)
    authors, cut_off, wrong = names.read_bibtex(fields.get("author", ""), raw.lines.get("author", raw.line))
    problems += wrong
    if raw.kind in _NO_WORK:
        problems.append(Problem("not-a-work", f"{_NO_WORK[raw.kind]}, not a paper", raw.line))
    title = to_unicode(fields.get("title", ""))
    if subtitle := to_unicode(fields.get("subtitle", "")):
        title = f"{title}: {subtitle}" if title else subtitle
    doi, arxiv = _identifiers(fields)
    if fields.get("doi", "").strip() and not doi and not arxiv:
        shown = to_unicode(fields["doi"])[:80]
        problems.append(Problem("bad-doi", f"{shown!r} is no DOI", raw.lines.get("doi", raw.line)))
    year = identifiers.read_year(to_unicode(fields.get("year") or fields.get("date") or ""))
    if year is None and (said := fields.get("year") or fields.get("date")):
        problems.append(Problem("bad-year", f"{to_unicode(said)[:40]!r} is no year", raw.lines.get("year", raw.line)))
    venue_field, venue = _venue(raw.kind, fields)
    url = _url(fields.get("url", ""), fields.get("howpublished", ""))
    return Entry(
        title=title,
        authors=authors,
        year=year,
        venue=venue,
        volume=_volume(fields),
        issue=to_unicode(fields.get("number") or fields.get("issue") or ""),
        pages=identifiers.read_pages(to_unicode(fields.get("pages", ""))),
        doi=doi,
        arxiv=arxiv,
        url=url,
        abstract=to_unicode(fields.get("abstract", "")),
        line=raw.line,
        key=raw.key,
        origin=origin,
        problems=(*text.between(raw.line, raw.last_line), *problems),
        cut_off=cut_off,
        preprint=_says_preprint(venue) or (bool(arxiv) and not venue),
        left_out=tuple(_left_out(raw.fields, venue_field, url)),
    )


def _left_out(fields: dict[str, str], venue_field: str, url: str) -> Iterator[str]:
    """Yield the fields that say something for which a record has no place."""
    for name, value in fields.items():
        if not value.strip() or name in _HELD or name == venue_field:
            continue
        # Some fields are read for an identifier or an address and hold nothing more.
        if not (identifiers.read_arxiv(to_unicode(value)) or "doi.org/10." in value or (url and url in value)):
            yield name


def _inherit(raw: Raw, fields: dict[str, str], by_key: dict[str, Raw], problems: list[Problem]) -> None:
    """Take from the entries that `crossref` names, one after the other, what is missing here."""
    seen = {raw.key.lower()}
    here, depth = raw, 0
    while parent_key := here.fields.get("crossref", "").strip():
        parent = by_key.get(parent_key.lower())
        line = raw.lines.get("crossref", raw.line)
        if parent is None:
            problems.append(Problem("no-crossref", f"crossref names {parent_key[:80]!r}, which is not here", line))
            return
        depth += 1
        if parent.key.lower() in seen or depth > _DEEPEST:
            problems.append(Problem("crossref-circle", "the crossrefs lead in a circle", line))
            return
        seen.add(parent.key.lower())
        volume = parent.kind in ("proceedings", "book", "collection", "mvproceedings") or "booktitle" in parent.fields
        for name, value in parent.fields.items():
            if name not in _NOT_INHERITED:
                fields.setdefault(_FROM_VOLUME.get(name, name) if volume else name, value)
        here = parent


def _identifiers(fields: dict[str, str]) -> tuple[str, str]:
    doi = identifiers.read_doi(fields.get("doi", "")) or _doi_in_url(fields)
    arxiv = identifiers.arxiv_of_doi(doi)
    if arxiv:
        doi = ""
    source = to_unicode(fields.get("archiveprefix") or fields.get("eprinttype") or "").lower()
    if fields.get("eprint") and source in ("arxiv", ""):
        arxiv = arxiv or identifiers.read_arxiv(fields["eprint"])
    for name in ("arxiv", "arxivid", "url", "journal", "journaltitle", "volume", "note", "howpublished", "booktitle"):
        if not arxiv and (value := fields.get(name)):
            arxiv = identifiers.read_arxiv(to_unicode(value))
    return doi, arxiv


def _doi_in_url(fields: dict[str, str]) -> str:
    for name in ("url", "ee", "bdsk-url-1"):
        if "doi.org/10." in (value := fields.get(name, "")):
            return identifiers.read_doi(value[value.index("doi.org/") :])
    return ""


def _volume(fields: dict[str, str]) -> str:
    volume = to_unicode(fields.get("volume", ""))
    return "" if volume.startswith("abs/") else volume


def _venue(kind: str, fields: dict[str, str]) -> tuple[str, str]:
    """Return the field that names the venue, and what it says; nothing where none does."""
    order = {
        "inproceedings": ("booktitle", "journal", "journaltitle", "series", "eventtitle"),
        "conference": ("booktitle", "journal", "series"),
        "phdthesis": ("school", "institution"),
        "mastersthesis": ("school", "institution"),
        "thesis": ("institution", "school"),
        "techreport": ("institution", "journal"),
        "report": ("institution", "journal"),
        "book": ("publisher", "series"),
    }.get(kind, ("journal", "journaltitle", "booktitle", "howpublished", "eventtitle", "publisher"))
    for name in order:
        value = fields.get(name, "")
        if value.strip() and not (name == "howpublished" and "http" in value) and "\\url" not in value:
            return name, to_unicode(value)
    return "", ""


def _says_preprint(venue: str) -> bool:
    return bool(re.search(r"\b(?:arxiv|corr|preprint|biorxiv|medrxiv|ssrn|techrxiv)\b", venue, re.IGNORECASE))


def _url(*values: str) -> str:
    for value in values:
        # An address is verbatim but for the escapes that some exporters add.
        plain = re.sub(r"\\([_%&#~$])", r"\1", value).replace("{", "").replace("}", "")
        if found := re.search(r"https?://[^\s,;\"'<>\\^`|]+", plain):
            return found[0].rstrip(".)") if found[0].count("(") < found[0].count(")") else found[0].rstrip(".")
    return ""
