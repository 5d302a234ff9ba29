"""Publishing: the new site takes the place of the old one at once, whatever happens meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from inversion_atlas.website import publish
from inversion_atlas.website.publish import BusyError, NotOursError, staging, update_file, write_files


def write_site(folder: Path, text: str) -> None:
    write_files(folder, [("index.html", text), ("api/v1/index.json", "{}")])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = tmp_path / "build" / "site"
    with staging(out) as new:
        write_site(new, "old")
    return out


def fail(out: Path, text: str) -> None:
    """Start a build that fails half-way."""
    with staging(out) as new:
        assert (out / "index.html").read_text() == "old"
        write_site(new, text)
        raise KeyboardInterrupt


def leftovers(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir() if path.name not in ("site", ".site.lock"))


def test_the_new_site_replaces_the_old_one(out: Path) -> None:
    (out / "gone.html").write_text("x")
    with staging(out) as new:
        write_site(new, "new")
        assert (out / "index.html").read_text() == "old"
    assert (out / "index.html").read_text() == "new"
    assert not (out / "gone.html").exists()
    assert leftovers(out) == []


def test_a_failed_build_changes_nothing(out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fail(out, "half")
    assert (out / "index.html").read_text() == "old"
    assert leftovers(out) == []


def test_where_folders_cannot_be_exchanged_they_are_renamed(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_exchange", lambda _one, _other: False)
    with staging(out) as new:
        write_site(new, "new")
    assert (out / "index.html").read_text() == "new"
    assert leftovers(out) == []


def test_what_a_killed_build_left_is_cleaned_by_the_next(out: Path) -> None:
    (out.parent / ".site.new").mkdir()
    (out.parent / ".site.new" / "half.html").write_text("x")
    with staging(out) as new:
        assert list(new.iterdir()) == []
        write_site(new, "new")
    assert leftovers(out) == []


def test_a_build_killed_between_two_renames_gives_the_old_site_back(out: Path) -> None:
    out.rename(out.parent / ".site.old")
    with pytest.raises(KeyboardInterrupt):
        fail(out, "half")
    assert (out / "index.html").read_text() == "old"


def test_two_builds_of_one_place_do_not_mix(out: Path) -> None:
    with staging(out) as new:
        with pytest.raises(BusyError, match="another build"), staging(out):
            pass
        write_site(new, "new")
    assert (out / "index.html").read_text() == "new"


def test_a_folder_that_is_no_site_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(NotOursError, match="holds no site"), staging(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_is_written_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "a" / "index.html"
    assert update_file(path, "x")
    assert not update_file(path, "x")
    assert update_file(path, "y")
