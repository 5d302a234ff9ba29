"""Compiled templates, kept as Python keeps its own modules: compiling them takes a tenth of a small build."""

from __future__ import annotations

import contextlib
import os
from io import BytesIO
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from inversion_atlas.atomic import write_atomic


class CompiledTemplates(BytecodeCache):
    """Keeps templates compiled, in memory and in a folder; Jinja compiles anew what is of another text or Python.

    Without the folder, or where it cannot be written, templates are compiled once per process.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give Jinja what is known of a template; what is not of this very text is refused by its checksum."""
        found = self.known.get(bucket.key)
        if found is None and self.folder:
            with contextlib.suppress(OSError):
                found = (self.folder / bucket.key).read_bytes()
        if found is None:
            return
        try:
            bucket.load_bytecode(BytesIO(found))
        except (EOFError, ValueError, TypeError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was just compiled."""
        self.known[bucket.key] = made = bucket.bytecode_to_string()
        if self.folder:
            with contextlib.suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                write_atomic(self.folder / bucket.key, made)


def cache_folder() -> Path | None:
    """Return the folder for compiled templates among the user's caches; none for a user without a home."""
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(caches) / "inversion-atlas" / "templates"


compiled_templates = CompiledTemplates(cache_folder())
