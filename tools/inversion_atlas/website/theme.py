"""Running the theme: Markdown and shells to HTML, once, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from inversion_atlas.records.settings import Settings


class ThemeError(Exception):
    """The theme could not build the prose and the shells."""


def source_folder(root: Path) -> Path:
    """Return the folder with mkdocs.yml and site/: the catalogue's own, else the checkout this package runs from."""
    for folder in (root, Path(__file__).resolve().parents[3]):
        if (folder / "mkdocs.yml").is_file() and (folder / "site").is_dir():
            return folder
    raise ThemeError(
        "the website's sources (mkdocs.yml, site/) are not here; they come with a checkout of the repository, not with "
        "the installed package"
    )


def render_theme(source: Path, out: Path, settings: Settings) -> None:
    """Build the prose and the shells of `source` into `out`; raises ThemeError with what the builder printed."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
    command += ["--config-file", str(source / "mkdocs.yml"), "--site-dir", str(out)]
    address = f"{settings.site}/" if settings.site else ""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "ATLAS_SITE": address}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip() or "nothing"
        hint = " (pip install 'inversion-atlas[site]')" if "No module named mkdocs" in said else ""
        raise ThemeError(f"the theme could not be built{hint}; mkdocs said:\n{said}")
