"""What a THING is, and what the services say of it: one entry, merged, with the addresses that were read.

Precedence: for a DOI Crossref, where it does not know it DataCite; for an arXiv id arXiv; for an address its page.
What those leave empty OpenAlex fills. A service that fails beside one that answered is said as a problem.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from urllib.parse import quote, urlsplit

from inversion_atlas.checks.duplicates import like_titles
from inversion_atlas.exports.citation import arxiv_address, doi_address
from inversion_atlas.intake import arxiv, crossref, dblp, identifiers, openalex, pages
from inversion_atlas.intake.draft import merged
from inversion_atlas.intake.duplicates import contradiction
from inversion_atlas.intake.entry import Entry, Problem, refused
from inversion_atlas.network.polite import Page, Reader, ReadError

_DBLP = re.compile(
    r"https?://(?:dblp\.(?:org|uni-trier\.de|dagstuhl\.de))/rec/(.+?)(?:\.(?:html|bib|xml))?(?:[?#].*)?$"
)


# So many arXiv ids are asked for at once.
_BATCH = 100


@dataclass(frozen=True)
class Services:
    """Base addresses; a variable such as ATLAS_CROSSREF_URL replaces one, which is how the tests play them."""

    crossref: str = "https://api.crossref.org"
    datacite: str = "https://api.datacite.org"
    arxiv: str = "https://export.arxiv.org"
    dblp: str = "https://dblp.org"
    openalex: str = "https://api.openalex.org"
    openreview: str = "https://api2.openreview.net"
    openreview_old: str = "https://api.openreview.net"
    archive: str = "https://archive.org"
    archive_web: str = "https://web.archive.org"
    # If set, pages of publishers are read here, under their own path.
    pages: str = ""

    @classmethod
    def from_environment(cls) -> Services:
        """Return the addresses with those replaced that the environment names."""
        given = {field.name: os.environ.get(f"ATLAS_{field.name.upper()}_URL", "").rstrip("/") for field in fields(cls)}
        return cls(**{name: value for name, value in given.items() if value})


@dataclass
class LookUp:
    """Asks the services; `mail` is the contact they may write to. Expected arXiv ids are asked for in batches."""

    reader: Reader
    services: Services
    mail: str = ""
    # arXiv ids that will be asked for, in order, and what batches of them answered.
    _expected: dict[str, None] = field(default_factory=dict)
    _batched: dict[str, Entry] = field(default_factory=dict)

    def expect(self, id: str) -> None:
        """Let an arXiv id be asked for together with others when the first of them is needed."""
        if id:
            self._expected[id] = None

    def thing(self, thing: str) -> Entry:
        """Return the entry of an identifier or address; never raises for what services and servers do."""
        found = self._thing(thing.strip())
        return replace(found, origin=found.origin or thing)

    def complete(self, entry: Entry) -> Entry:
        """Return an entry of a file with what its identifiers lead to, the file's own words first.

        An identifier that leads to another title is reported and left out.
        """
        for kind, value, ask in (("doi", entry.doi, self.of_doi), ("arxiv", entry.arxiv, self.of_arxiv)):
            if not value:
                continue
            found = ask(value)
            if found.refused:
                soft = (Problem("not-looked-up", problem.message, entry.line) for problem in found.problems)
                entry = entry.with_problems(soft)
            elif entry.title and found.title and not _same_work(entry, found):
                entry = replace(entry, doi="") if kind == "doi" else replace(entry, arxiv="")
                entry = entry.with_problems([contradiction(kind, value, found.title, entry.line)])
            else:
                if entry.cut_off and found.authors and not found.cut_off:
                    entry = replace(entry, authors=found.authors, cut_off=False)
                entry = merged(entry, found)
        return entry

    def _thing(self, thing: str) -> Entry:
        if found := _DBLP.match(thing):
            return self._dblp(found[1])
        if id := identifiers.read_arxiv(thing):
            return self._filled(self.of_arxiv(id))
        is_address = thing.startswith(("http://", "https://"))
        if (doi := identifiers.read_doi(thing)) and (not is_address or "doi.org/" in thing):
            if id := identifiers.arxiv_of_doi(doi):
                return self._filled(self.of_arxiv(id))
            return self._filled(self.of_doi(doi))
        if is_address:
            return self._page(thing)
        message = f"{thing[:100]!r} is no DOI, arXiv id, address or file"
        return refused("bad-thing", message, origin=thing)

    def of_doi(self, doi: str) -> Entry:
        """Return what Crossref, or else DataCite, says of a DOI; refused where neither knows it."""
        path = quote(doi, safe="/()")
        mail = f"?mailto={quote(self.mail)}" if self.mail else ""
        found = self._asked(
            f"{self.services.crossref}/works/{path}{mail}", crossref.read, doi_address(doi), "application/json"
        )
        if _codes(found) & {"not-found"}:
            datacite = f"{self.services.datacite}/dois/{path}"
            found = self._asked(datacite, crossref.read_datacite, doi_address(doi), "application/json")
        return found

    def of_arxiv(self, id: str) -> Entry:
        """Return what arXiv says of an id; refused where it does not know it."""
        if id in self._expected and len(self._expected) > 1:
            self._ask_batch(id)
        self._expected.pop(id, None)
        if id in self._batched:
            return self._batched[id]
        url = f"{self.services.arxiv}/api/query?id_list={quote(id, safe='/')}&max_results=1"
        return self._asked(url, arxiv.read, arxiv_address(id), "application/atom+xml")

    def _ask_batch(self, first: str) -> None:
        """Ask for an expected id and those after it; one that the answer lacks is asked for by itself later."""
        order = list(self._expected)
        ids = order[order.index(first) :][:_BATCH]
        for id in ids:
            self._expected.pop(id)
        if len(ids) == 1:
            return
        listed = quote(",".join(ids), safe="/,")
        url = f"{self.services.arxiv}/api/query?id_list={listed}&max_results={len(ids)}"
        try:
            page = self.reader.get(url, "application/atom+xml")
            entries = arxiv.read_feed(page).entries
        except ReadError as error:
            # What the server refuses may be one id of them; what it does not answer at all is not asked for again.
            if error.network and (error.status is None or error.status == 429 or error.status >= 500):
                self._batched |= dict.fromkeys(ids, _failed(error))
            return
        except ValueError:
            return
        for entry in entries:
            if entry.title and entry.arxiv in ids:
                self._batched[entry.arxiv] = replace(entry, evidence=(arxiv_address(entry.arxiv),))

    def _dblp(self, key: str) -> Entry:
        path = quote(key, safe="/")
        return self._asked(
            f"{self.services.dblp}/rec/{path}.xml", dblp.read, f"https://dblp.org/rec/{path}", "text/xml"
        )

    def _filled(self, entry: Entry) -> Entry:
        """Fill from OpenAlex what is missing of a work that has a DOI; an abstract alone is worth the request."""
        doi = entry.doi or (f"10.48550/arxiv.{entry.arxiv}" if entry.arxiv else "")
        if entry.refused or not doi or (entry.abstract and entry.authors and entry.year):
            return entry
        mail = f"?mailto={quote(self.mail)}" if self.mail else ""
        url = f"{self.services.openalex}/works/doi:{quote(doi, safe='/()')}{mail}"
        found = self._asked(url, openalex.read, f"{self.services.openalex}/works/doi:{doi}", "application/json")
        if found.refused or not like_titles(entry.title, found.title):
            return entry
        return merged(entry, replace(found, problems=()))

    def _page(self, url: str) -> Entry:
        parts = urlsplit(url)
        if pages.is_openreview(parts.hostname or ""):
            return self._openreview(url)
        address = pages.metadata_address(url)
        if self.services.pages:
            local = urlsplit(address)
            address = f"{self.services.pages}{local.path}" + (f"?{local.query}" if local.query else "")
        found = self._asked(address, pages.read, url, "text/html,application/xhtml+xml,application/x-bibtex")
        return replace(found, url=found.url or url) if not found.refused else found

    def _openreview(self, url: str) -> Entry:
        id = pages.openreview_id(url)
        if not id:
            return refused("bad-thing", "the OpenReview address names no paper (id=…)", origin=url)
        entry = refused("not-found", "OpenReview does not know this paper", origin=url)
        for base in (self.services.openreview, self.services.openreview_old):
            address = f"{base}/notes?id={quote(id)}"
            entry = self._asked(
                address, pages.read_openreview, f"https://openreview.net/forum?id={id}", "application/json"
            )
            if not _codes(entry) & {"not-found"}:
                break
        return entry

    def _asked(self, url: str, read: Callable[[Page], Entry | None], seen: str, accept: str) -> Entry:
        """Return what an address says; `seen` is the page that a reader can open as evidence."""
        try:
            page = self.reader.get(url, accept)
        except ReadError as error:
            return _failed(error)
        try:
            found = read(page)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            kind = page.content_type.partition(";")[0] or "no content type"
            what = f"the answer cannot be read ({kind}, {len(page.body):,} bytes): {type(error).__name__}"
            return refused("look-up", f"{what} ({url}) [unreadable-answer]")
        if found is None or not found.title:
            return refused("not-found", f"the answer names no such work ({url})")
        return replace(found, evidence=(seen,))


def _same_work(entry: Entry, found: Entry) -> bool:
    families = {name.partition(",")[0].lower() for name in entry.authors}
    return like_titles(entry.title, found.title) or any(
        name.partition(",")[0].lower() in families for name in found.authors
    )


def _failed(error: ReadError) -> Entry:
    code = "look-up" if error.network else error.code
    detail = f" [{error.code}]" if error.network else ""
    return refused(code, f"{error.message} ({error.url}){detail}")


def _codes(entry: Entry) -> set[str]:
    return {problem.code for problem in entry.problems}
