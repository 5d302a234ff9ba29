"""How the atlas itself is cited: what CITATION.cff says of it, with the state of the data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inversion_atlas.exports import tex
from inversion_atlas.records.settings import Settings
from inversion_atlas.records.yamlfile import parse, read_text
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.rendering import Page, Renderer

CITE = "cite/"
FILE = "CITATION.cff"


@dataclass(frozen=True, slots=True)
class Atlas:
    """What a citation of the atlas says; `year` is that of the commit the data are of, or empty."""

    title: str
    authors: tuple[str, ...]
    version: str
    data_version: str
    year: str
    site: str

    @property
    def text(self) -> str:
        """The citation in the manner of the Publication Manual's data sets."""
        year = self.year or "n.d."
        state = ", ".join([*([f"Version {self.version}"] if self.version else []), f"data {self.data_version}"])
        return f"{self.by}. ({year}). {self.title} ({state}) [Data set]. {self.site}".strip()

    @property
    def by(self) -> str:
        """The authors as a list in a sentence."""
        return ", ".join(self.authors)

    @property
    def bibtex(self) -> str:
        """The BibTeX entry."""
        fields = {
            "author": " and ".join(f"{{{tex.escape(author)}}}" for author in self.authors),
            "title": f"{{{tex.escape(self.title)}}}",
            "year": self.year,
            "version": tex.escape(self.version),
            "note": f"Data version {self.data_version}",
            "url": self.site,
        }
        lines = "".join(f"  {key} = {{{value}}},\n" for key, value in fields.items() if value)
        return f"@misc{{inversionatlas,\n{lines}}}"


def atlas(folder: Path, settings: Settings, stamp: Stamp) -> Atlas:
    """Return what is cited, from CITATION.cff in `folder`; without the file the settings' title stands for it."""
    written: dict[str, object] = {}
    if (folder / FILE).is_file():
        parsed = parse(read_text(folder / FILE))
        written = dict(parsed) if isinstance(parsed, dict) else {}
    people = written.get("authors")
    names = (
        [str(person.get("name", "")) for person in people if isinstance(person, dict)]
        if isinstance(people, list)
        else []
    )
    return Atlas(
        title=str(written.get("title") or settings.title),
        authors=tuple(filter(None, names)) or (f"The {settings.title} contributors",),
        version=str(written.get("version") or ""),
        data_version=stamp.version,
        year=stamp.date[:4],
        site=settings.site or "",
    )


def cite_page(renderer: Renderer, cited: Atlas) -> Page:
    """Return the page that says how to cite the atlas."""
    return Page(CITE, CITE, renderer.render("cite.html", CITE, atlas=cited))
