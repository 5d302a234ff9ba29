"""The whole catalogue in every export format, with size and checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.formats import FORMATS, Format
from inversion_atlas.exports.missing import MissingPackageError
from inversion_atlas.exports.pieces import Rendered
from inversion_atlas.query import select
from inversion_atlas.website.citation_tags import catalogue_json_ld
from inversion_atlas.website.citing import Atlas
from inversion_atlas.website.rendering import Page, Renderer

DOWNLOADS = "downloads/"
# These tell works apart by kind, so they hold the background ones too; a bibliography does not.
_COMPLETE = frozenset(("json", "csv", "sqlite", "parquet"))

_MEDIA_TYPES = {
    "bib": "application/x-bibtex",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "parquet": "application/vnd.apache.parquet",
    "ris": "application/x-research-info-systems",
    "sqlite": "application/vnd.sqlite3",
    "tex": "application/x-tex",
}


@dataclass(frozen=True, slots=True)
class Download:
    """One file: its name under `downloads/`, its format, how many works it holds, its size and checksum."""

    name: str
    format: Format
    works: int
    bytes: int
    digest: str

    @property
    def size(self) -> str:
        """The size as a reader wants it."""
        kilobytes = self.bytes / 1000
        return f"{kilobytes / 1000:.1f} MB" if kilobytes >= 1000 else f"{kilobytes:.0f} kB"


def downloads(catalogue: Catalogue) -> Iterator[tuple[Download, bytes, Rendered | None]]:
    """Yield the catalogue in every format: its content and, where it is joined from texts of single papers, those.

    A format whose package is not installed is left out.
    """
    works = select(catalogue)
    everything = select(catalogue, background=True)
    for format in FORMATS.values():
        papers = everything if format.name in _COMPLETE else works
        rendered = format.pieces(catalogue).render(everything) if format.pieces else None
        try:
            content = rendered.file([paper.id for paper in papers]) if rendered else format.write(catalogue, papers)
        except MissingPackageError:
            continue
        digest = hashlib.sha256(content).hexdigest()
        yield Download(_name(format), format, len(papers), len(content), digest), content, rendered


def downloads_page(renderer: Renderer, found: list[Download], atlas: Atlas) -> Page:
    """Return the page that lists the downloads and says how they are verified and cited."""
    files = [(f"{DOWNLOADS}{download.name}", _media_type(download.name)) for download in found]
    json_ld = catalogue_json_ld(renderer.catalogue, files, renderer.catalogue.version)
    body = renderer.render("downloads.html", DOWNLOADS, downloads=found, atlas=atlas)
    return Page(DOWNLOADS, DOWNLOADS, body + json_ld)


def _media_type(name: str) -> str:
    # The types of the platform differ, so that builds would.
    return _MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")


def checksums(found: list[Download]) -> str:
    """Return the file that `sha256sum --check` reads."""
    return "".join(f"{download.digest}  {download.name}\n" for download in found)


def _name(format: Format) -> str:
    shared = sum(other.extension == format.extension for other in FORMATS.values()) > 1
    middle = f".{format.name}" if shared and format.name != format.extension and format.name != "bibtex" else ""
    return f"inversion-atlas{middle}.{format.extension}"
