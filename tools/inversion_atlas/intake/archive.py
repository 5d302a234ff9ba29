"""The archived copy of a paper's page, from the Wayback Machine: one that exists, or one that is made when asked.

Asked are the availability API (https://archive.org/help/wayback_api.php) and, with keys, Save Page Now. An archive that
does not answer is said once and never keeps a record from being written.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from inversion_atlas.network.polite import Reader, ReadError

# A copy made lately is as good as a new one.
_FRESH = "30d"
_STAMP = re.compile(r"[0-9]{14}")
_SECONDS = 120.0
_PAUSE = 5.0


@dataclass
class Archive:
    """Asks for copies. `keys` are those of an account, `access:secret`; without them none is made.

    `tell` is told once that the archive does not answer; after that it is not asked again.
    """

    reader: Reader
    lookup: str = "https://archive.org"
    web: str = "https://web.archive.org"
    keys: str = field(default="", repr=False)
    tell: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    seconds: float = _SECONDS
    _down: bool = False

    def copy_of(self, url: str) -> str:
        """Return the address of an archived copy of `url`, or nothing; never raises for what the archive does."""
        if self._down or not url:
            return ""
        try:
            return self._known(url) or (self._made(url) if self.keys else "")
        except ReadError as error:
            said = error.message
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            said = "its answer cannot be read"
        self._down = True
        self.tell(f"archived copies are left out: the archive fails ({said}); the rest goes on")
        return ""

    def _known(self, url: str) -> str:
        page = self.reader.get(f"{self.lookup}/wayback/available?url={quote(url, safe='')}", "application/json")
        closest = _mapping(_mapping(json.loads(page.body)).get("archived_snapshots")).get("closest")
        if closest is None:
            return ""
        found = _mapping(closest)
        if found.get("available") is not True or str(found.get("status")) != "200":
            return ""
        return self._address(str(found["timestamp"]), url)

    def _made(self, url: str) -> str:
        """Ask for a copy and wait until it is made; raises ReadError."""
        headers = {"Authorization": f"LOW {self.keys}"}
        asked = self._answer(f"{self.web}/save", {"url": url, "if_not_archived_within": _FRESH}, headers)
        job = str(asked.get("job_id") or "")
        if not re.fullmatch(r"[\w-]{1,200}", job):
            self.tell(f"no copy of {url} was made: {str(asked.get('message') or 'the archive refuses')[:200]}")
            return ""
        ends = time.monotonic() + self.seconds
        while True:
            answer = self._answer(f"{self.web}/save/status/{job}", None, headers)
            if answer.get("status") == "success":
                return self._address(str(answer["timestamp"]), url)
            if answer.get("status") != "pending" or time.monotonic() > ends:
                why = str(answer.get("message") or "it takes too long")[:200]
                self.tell(f"no copy of {url} was made: {why}")
                return ""
            self.sleep(_PAUSE)

    def _answer(self, url: str, form: dict[str, str] | None, headers: dict[str, str]) -> dict[str, Any]:
        return _mapping(json.loads(self.reader.ask(url, form, headers).body))

    def _address(self, stamp: str, url: str) -> str:
        """Return a copy's address from its time and what it is of, never one that an answer spells out."""
        if not _STAMP.fullmatch(stamp):
            raise ValueError("a copy without its time")
        return f"https://web.archive.org/web/{stamp}/{url}"


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no mapping")
    return value
