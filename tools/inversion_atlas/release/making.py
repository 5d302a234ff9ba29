"""Making a release: everything is prepared and looked at first, then written; nothing is tagged and nothing pushed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from inversion_atlas.atomic import uninterrupted, write_atomic
from inversion_atlas.catalogue import Catalogue
from inversion_atlas.changes import Change, RevisionError, changes, files_at, git, read_revision
from inversion_atlas.exports.formats import FORMATS
from inversion_atlas.generated import README, files
from inversion_atlas.release import archive, metadata, notes
from inversion_atlas.release.version import ReleaseError, Version, released
from inversion_atlas.website.downloads import downloads

# What of the repository the archive holds beside the data.
_TEXTS = ("LICENSE",)
_SHOWN = 10


@dataclass(frozen=True)
class Release:
    """A release as it is or would be. `edited` are files of the repository, `files` those of its own folder."""

    version: Version
    since: str
    changes: tuple[Change, ...]
    edited: Mapping[str, str]
    files: Mapping[str, bytes]

    @property
    def archive(self) -> str:
        """The name of the archive."""
        return f"inversion-atlas-{self.version}.zip"


def prepare(catalogue: Catalogue, version: Version, since: str | None, today: date) -> Release:
    """Return what a release of a catalogue without errors holds; nothing is written.

    `since` is a revision to compare with; None stands for the last release. Raises ReleaseError.
    """
    root = catalogue.root
    try:
        earlier = released(root)
        _refuse(root, version, earlier, today)
        since = since if since is not None else (earlier[-1].tag if earlier else "")
        found = changes(read_revision(root, since)[0], catalogue) if since else ()
        made = datetime.fromisoformat(git(root, "log", "-1", "--format=%cI").decode().strip())
        data = dict(files_at(root, "HEAD"))
    except RevisionError as error:
        raise ReleaseError(str(error)) from None
    section = notes.section(version, since, found, catalogue)
    edited = {
        notes.PATH: notes.with_section(_text(root, notes.PATH), version, section),
        metadata.CITATION: metadata.cited(_text(root, metadata.CITATION), version),
    }
    said = metadata.zenodo(edited[metadata.CITATION], version, catalogue.settings, _said(catalogue))
    inside = {**data, **_exports(catalogue), **{path: text.encode() for path, text in edited.items()}}
    inside |= {path: text.encode() for path, text in files(catalogue).items() if path != README}
    inside |= {name: (root / name).read_bytes() for name in _TEXTS if (root / name).is_file()}
    inside |= {metadata.ZENODO: said.encode(), README: _readme(version, catalogue).encode()}
    inside[archive.SUMS] = archive.sums(inside)
    name = f"inversion-atlas-{version}"
    own = {
        f"{name}.zip": archive.zipped(name, inside, made),
        metadata.ZENODO: said.encode(),
        metadata.CITATION: edited[metadata.CITATION].encode(),
        "CHANGES.md": section.encode(),
    }
    own[archive.SUMS] = archive.sums(own)
    return Release(version, since, found, edited, own)


def write(release: Release, root: Path, out: Path) -> None:
    """Write a release: its folder `out` at once or not at all, then the files of the repository that it changes.

    Raises ReleaseError where there is something at `out`.
    """
    if out.exists():
        raise ReleaseError(f"{out} exists already; remove it, or choose another version")
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    try:
        for name, data in release.files.items():
            (folder / name).write_bytes(data)
        folder.chmod(0o755)
        with uninterrupted():
            folder.rename(out)
            for path, text in release.edited.items():
                write_atomic(root / path, text.encode())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def next_steps(release: Release, out: Path) -> list[str]:
    """Return the commands and steps that are left to a person."""
    tag = release.version.tag
    return [
        f"git add {' '.join(sorted(release.edited))}",
        f'git commit -m "Data {release.version}"',
        f'git tag -a {tag} -m "Data {release.version}"',
        f"git push origin HEAD {tag}",
        f"deposit {out / release.archive} at Zenodo; {out / metadata.ZENODO} says what its form asks",
    ]


def _refuse(root: Path, version: Version, earlier: list[Version], today: date) -> None:
    changed = git(root, "status", "--porcelain", "-z").decode("utf-8", "replace").split("\0")
    if paths := [line[3:] for line in changed if line[3:]]:
        shown = ", ".join(paths[:_SHOWN]) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")
        raise ReleaseError(f"the tree is not clean ({shown}); commit or remove what is not of the release")
    if version.day > today:
        raise ReleaseError(f"{version} lies in the future; today is {today:%Y.%m.%d}")
    if version in earlier:
        raise ReleaseError(f"{version} exists already (tag {version.tag}); a second one of that day is {version}.1")
    if earlier and version < earlier[-1]:
        raise ReleaseError(f"{version} is earlier than the last release, {earlier[-1]}")


def _exports(catalogue: Catalogue) -> dict[str, bytes]:
    found = {f"exports/{each.name}": data for each, data, _ in downloads(catalogue)}
    if len(found) < len(FORMATS):
        # An archive must not depend on what the one who makes it has installed.
        raise ReleaseError("an export format is missing: pip install 'inversion-atlas[tables]'")
    return found


def _text(root: Path, path: str) -> str:
    try:
        return (root / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        if path == notes.PATH:
            return ""
        raise ReleaseError(f"{path} is missing; a release is cited by it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{path} cannot be read: {error}") from None


def _said(catalogue: Catalogue) -> str:
    return (
        f"{len(catalogue.papers):,} works, {len(catalogue.datasets):,} datasets and {len(catalogue.metrics):,} metrics "
        "as YAML records, with their taxonomy, the ledgers of the sources, and exports."
    )


def _readme(version: Version, catalogue: Catalogue) -> str:
    return f"""\
# {catalogue.settings.title}, data {version}

{_said(catalogue)}

- `data/`, `taxonomy/`: the records, one YAML file each; `schemas/` says what they may hold
- `data/CHANGELOG.md`: what changed from version to version
- `exports/`: the same as BibTeX, CSL-JSON, RIS, CSV, JSON, SQLite, Parquet and others
- `CITATION.cff`: how to cite it
- `SHA256SUMS`: checksums of these files (`sha256sum --check SHA256SUMS`)

The data are under the license in `data/LICENSE`.
"""
