"""A file, or what is pasted, -> entries; its content says which format it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inversion_atlas.intake import bibtex, csl_json, ris
from inversion_atlas.intake.decoding import MAX_BYTES as MAX_BYTES
from inversion_atlas.intake.decoding import decode
from inversion_atlas.intake.entry import Entry, refused

_BIBTEX = re.compile(r"@\s*[A-Za-z][\w-]*\s*[{(]|^\s*[A-Za-z]+\s*\{.*,\s*$", re.MULTILINE)


def read(data: bytes, origin: str = "") -> list[Entry]:
    """Return the entries of a file of BibTeX, RIS or CSL-JSON; never raises."""
    if len(data) > MAX_BYTES:
        return [refused("too-large", f"the file is larger than {MAX_BYTES:,} bytes; split it", 1, origin=origin)]
    text = decode(data)
    if not text.text.strip():
        return [refused("no-entry", "the file is empty", 1, origin=origin)]
    if re.match(r"\s*[\[{]", text.text):
        return csl_json.read(text, origin)
    return ris.read(text, origin) if ris.looks_like(text.text) else bibtex.read(text, origin)


def pasted_things(data: bytes) -> Iterator[str]:
    """Yield the identifiers and addresses of a text that is no file: one a line, or nothing where it is one."""
    text = decode(data[:MAX_BYTES]).text
    if re.match(r"\s*[\[{]", text) or ris.looks_like(text) or _BIBTEX.search(text):
        return
    yield from (line.strip() for line in text.split("\n") if line.strip())
