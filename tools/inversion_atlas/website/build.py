"""Building the website: the theme once, then every record stamped into its shells, then the API and the downloads."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.findings import CatalogueError
from inversion_atlas.stamp import Stamp, read_stamp
from inversion_atlas.website.api import api_files
from inversion_atlas.website.citing import CITE, atlas, cite_page
from inversion_atlas.website.downloads import DOWNLOADS, Download, checksums, downloads, downloads_page
from inversion_atlas.website.explore import explore_files, export_file
from inversion_atlas.website.feeds import changes
from inversion_atlas.website.formulas import formula_findings
from inversion_atlas.website.lean import lean
from inversion_atlas.website.new_page import new_page
from inversion_atlas.website.pages import extra_files, pages, prose, prose_addresses, renderer_for, stamped
from inversion_atlas.website.publish import staging, write_files
from inversion_atlas.website.rendering import Page, Renderer
from inversion_atlas.website.shells import Shell, read_shells
from inversion_atlas.website.theme import render_theme, source_folder

Progress = Callable[[str], None]
T = TypeVar("T")
# Of what the theme brings our pages load nothing, and a map of the site is our own.
_UNUSED = re.compile(
    r".*\.(html|map|pyc?)|sitemap\.xml(\.gz)?|search\.json|assets/(javascripts|stylesheets)/.*|assets/images/favicon\.png"
)
_EVERY = 5000


@dataclass
class Report:
    """What a build made: files and bytes, and the seconds each stage took."""

    shells: dict[str, Shell]
    files: int = 0
    size: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def build_site(catalogue: Catalogue, out: Path, *, progress: Progress, shells: Path | None = None) -> Report:
    """Build the website of a catalogue into `out`, which keeps its previous state until the new one is whole.

    `shells` names a folder where another builder has rendered the theme. Raises CatalogueError, ThemeError,
    ShellError, BusyError or NotOursError, and then `out` is as it was.
    """
    if findings := list(formula_findings(catalogue)):
        raise CatalogueError(findings)
    source, stamp, report = source_folder(catalogue.root), read_stamp(catalogue), Report({})
    with staging(out) as new:
        report.shells = _stage(report, progress, "theme", lambda: themed(source, new, catalogue, shells))
        renderer = renderer_for(catalogue, source)
        for name, files in _parts(renderer, report.shells, stamp):
            counted = _counted(files, name, progress)
            written = _stage(report, progress, name, partial(write_files, new, counted))
            report.files += len(written)
            report.size += sum(size for _, size in written)
    return report


def stamp_site(catalogue: Catalogue, shells: Path, out: Path) -> None:
    """Write pages and API into `out` from a folder where the theme has been rendered; downloads are not made."""
    renderer, stamp = renderer_for(catalogue, source_folder(catalogue.root)), read_stamp(catalogue)
    write_files(out, page_files(renderer, read_shells(shells), stamp))
    write_files(out, api_files(catalogue, stamp))


def themed(source: Path, folder: Path, catalogue: Catalogue, ready: Path | None = None) -> dict[str, Shell]:
    """Render the theme (or take it from `ready`), copy its assets to `folder`, return its pages as shells."""
    with TemporaryDirectory(prefix="atlas-theme-") as temporary:
        rendered = ready or Path(temporary) / "theme"
        if not ready:
            render_theme(source, rendered, catalogue.settings)
        shells = read_shells(rendered)
        for path in sorted(rendered.rglob("*")):
            relative = path.relative_to(rendered)
            if path.is_file() and not _UNUSED.fullmatch(relative.as_posix()):
                (folder / relative).parent.mkdir(parents=True, exist_ok=True)
                _copy(path, folder / relative)
    return shells


def _copy(path: Path, target: Path) -> None:
    if path.suffix in (".js", ".css"):
        target.write_text(lean(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        shutil.copyfile(path, target)


def site_files(
    renderer: Renderer, shells: dict[str, Shell], stamp: Stamp, first: Collection[str] = ()
) -> Iterator[tuple[str, str | bytes]]:
    """Yield every file that comes from records, the pages of those in `first` before all others."""
    for _, files in _parts(renderer, shells, stamp, first):
        yield from files


def _parts(
    renderer: Renderer, shells: dict[str, Shell], stamp: Stamp, first: Collection[str] = ()
) -> Iterator[tuple[str, Iterator[tuple[str, str | bytes]]]]:
    yield "pages", page_files(renderer, shells, stamp, first)
    yield "API", api_files(renderer.catalogue, stamp)
    yield "downloads", download_files(renderer, shells, stamp)


def page_files(
    renderer: Renderer, shells: dict[str, Shell], stamp: Stamp, first: Collection[str] = ()
) -> Iterator[tuple[str, str | bytes]]:
    """Yield every HTML page but those that follow the downloads, papers first, and what goes with them."""
    indexed, used = {DOWNLOADS, CITE}, {DOWNLOADS, CITE}
    changed = changes(renderer, stamp)

    def noted() -> Iterator[Page]:
        for page in chain(pages(renderer, first), (new_page(renderer, changed),)):
            used.add(page.shell)
            if page.indexed:
                indexed.add(page.address)
            yield page

    yield from stamped(noted(), shells, renderer, stamp)
    yield from prose(shells, used, renderer, stamp)
    indexed |= prose_addresses(shells, used)
    yield from extra_files(renderer, indexed, changed)
    yield from explore_files(renderer.catalogue)


def download_files(renderer: Renderer, shells: dict[str, Shell], stamp: Stamp) -> Iterator[tuple[str, str | bytes]]:
    """Yield the files under `downloads/`, what Explore joins exports from, the page that lists them and how to cite."""
    found: list[Download] = []
    for download, content, rendered in downloads(renderer.catalogue):
        found.append(download)
        yield f"{DOWNLOADS}{download.name}", content
        if rendered:
            yield export_file(download.format, rendered)
    yield f"{DOWNLOADS}SHA256SUMS", checksums(found)
    cited = atlas(source_folder(renderer.catalogue.root), renderer.catalogue.settings, stamp)
    yield from stamped([downloads_page(renderer, found, cited), cite_page(renderer, cited)], shells, renderer, stamp)


def _stage(report: Report, progress: Progress, name: str, run: Callable[[], T]) -> T:
    started = time.perf_counter()
    made = run()
    report.seconds[name] = time.perf_counter() - started
    progress(f"{name}: {report.seconds[name]:.1f} s")
    return made


def _counted(
    files: Iterable[tuple[str, str | bytes]], name: str, progress: Progress
) -> Iterator[tuple[str, str | bytes]]:
    for number, file in enumerate(files, 1):
        if number % _EVERY == 0:
            progress(f"{name}: {number:,} files")
        yield file
