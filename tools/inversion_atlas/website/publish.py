"""Putting a finished site in place of the previous one at once, so that an interrupted build changes nothing."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from inversion_atlas.atomic import write_atomic

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class BusyError(Exception):
    """Another build is writing to the same place."""


class NotOursError(Exception):
    """The folder to write to holds something that no build has made."""


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Give an empty folder beside `out`, and put it in the place of `out` if nothing is raised meanwhile.

    Raises BusyError while another build is at it, NotOursError where `out` is not a site. What a killed build left
    behind is removed first.
    """
    out = out.absolute()
    if out.exists() and not _is_site(out):
        raise NotOursError(f"{out} is not empty and holds no site; name another folder with --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    with _locked(out):
        recover(out)
        new = _sibling(out, "new")
        try:
            new.mkdir()
            yield new
            with _undisturbed():
                _swap(new, out)
                _clean(out)
        except BaseException:
            with _undisturbed():
                _clean(out)
            raise


def recover(out: Path) -> None:
    """Undo what a build killed at any moment can have left: a half-made site, or the previous one moved aside."""
    old = _sibling(out, "old")
    if old.exists() and not out.exists():
        os.rename(old, out)
    _clean(out)


def write_files(folder: Path, files: Iterable[tuple[str, str | bytes]]) -> list[tuple[str, int]]:
    """Write files by their paths relative to `folder`; return each path with its size.

    A file that follows one of the same content shares its place on the disk, where the file system knows hard links.
    """
    known: set[str] = set()
    written = []
    before: tuple[str | bytes, str] = (b"", "")
    for path, content in files:
        target = f"{folder}/{path}"
        parent = target.rpartition("/")[0]
        if parent not in known:
            _make_folder(parent)
            known.add(parent)
        data = content if isinstance(content, bytes) else content.encode()
        if content is not before[0] or not _linked(before[1], target):
            _write(target, data)
        before = content, target
        written.append((path, len(data)))
    return written


def _make_folder(path: str) -> None:
    """Make a folder whose parent mostly exists: one call to the system then."""
    try:
        os.mkdir(path)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)


def _write(path: str, data: bytes) -> None:
    """Write a file with the calls of the system alone: tens of thousands are written, most of them small."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _linked(source: str, target: str) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def update_file(path: Path, content: str | bytes) -> bool:
    """Write a file in one step unless it already holds `content`; tell whether it changed."""
    data = content if isinstance(content, bytes) else content.encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)
    return True


def _is_site(folder: Path) -> bool:
    return folder.is_dir() and (not any(folder.iterdir()) or (folder / "api" / "v1" / "index.json").is_file())


def _sibling(out: Path, role: str) -> Path:
    return out.with_name(f".{out.name}.{role}")


def _clean(out: Path) -> None:
    for role in ("new", "old"):
        shutil.rmtree(_sibling(out, role), ignore_errors=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C and a polite kill wait for a moment, so that they never stop a swap or a clean-up half-way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    # Blocking signals would not do: they may reach the process through a thread of another library.
    before = {
        which: signal.signal(which, lambda number, frame: came.append((number, frame)))
        for which in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
    for number, frame in came[:1]:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the build lock of `out`, which the system releases however the process ends."""
    with open(_sibling(out, "lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another build is writing {out}; wait for it or name another folder with --out") from None
        yield


def _swap(new: Path, out: Path) -> None:
    if not out.exists():
        os.rename(new, out)
    elif not _exchange(new, out):
        # Between these two steps there is no site for a moment; `recover` knows what to do if we die there.
        os.rename(out, _sibling(out, "old"))
        os.rename(new, out)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system has no such step."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(code, os.strerror(code), str(other))
