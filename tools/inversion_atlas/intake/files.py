"""A file, or what is pasted, -> entries; its content says which format it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inversion_atlas.intake import bibtex, csl_json, ris
from inversion_atlas.intake.decoding import MAX_BYTES as MAX_BYTES
from inversion_atlas.intake.decoding import decode
from inversion_atlas.intake.entry import Entry, refused

_BIBTEX = re.compile(r"@\s*[A-Za-z][\w-]*\s*[{(]|^\s*[A-Za-z]+\s*\{.*,\s*$", re.MULTILINE)
_BIBTEX_LINE = re.compile(r"^[ \t]*@[ \t]*[A-Za-z][\w-]*\s*[{(]", re.MULTILINE)


def read(data: bytes, origin: str = "") -> list[Entry]:
    """Return the entries of a file of BibTeX, RIS or CSL-JSON; never raises."""
    if len(data) > MAX_BYTES:
        return [refused("too-large", f"the file is larger than {MAX_BYTES:,} bytes; split it", 1, origin=origin)]
    text = decode(data)
    if not text.text.strip():
        return [refused("no-entry", "the file is empty", 1, origin=origin)]
    if re.match(r"\s*[\[{]", text.text):
        return csl_json.read(text, origin)
    if not ris.looks_like(text.text):
        return bibtex.read(text, origin)
    if not _BIBTEX_LINE.search(text.text):
        return ris.read(text, origin)
    # Somebody joined files of both formats: neither is lost.
    return sorted((*bibtex.read(text, origin), *ris.read(text, origin)), key=lambda entry: entry.line)


def pasted_things(data: bytes) -> Iterator[str]:
    """Yield the identifiers and addresses of a text that is no file: one a line, or nothing where it is one."""
    text = decode(data[:MAX_BYTES]).text
    if re.match(r"\s*[\[{]", text) or ris.looks_like(text) or _BIBTEX.search(text):
        return
    yield from (line.strip() for line in text.split("\n") if line.strip())
