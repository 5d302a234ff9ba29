"""The archive of a release: the same bytes for the same commit, whoever makes it and when."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

SUMS = "SHA256SUMS"


def sums(files: Mapping[str, bytes]) -> bytes:
    """Return what `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())).encode()


def zipped(folder: str, files: Mapping[str, bytes], made: datetime) -> bytes:
    """Return a zip of `files` in one folder: sorted, with one date and one mode, whatever the machine has."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(f"{folder}/{name}", made.astimezone(UTC).timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data, compresslevel=9)
    return buffer.getvalue()
