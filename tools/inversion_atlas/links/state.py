"""What is remembered of links from check to check: one line of JSON per address, so that a diff says what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from inversion_atlas.atomic import write_atomic
from inversion_atlas.records.findings import CatalogueError, Finding

STATE = "data/links.json"
# A link is dead once it has failed on so many days in a row, the last of them so many days after the first.
DEAD_FAILURES = 3
DEAD_DAYS = 7


class Class(StrEnum):
    """How a link answered. `blocked` is a server that answers people and not programs."""

    OK = "ok"
    MOVED = "moved"
    BLOCKED = "blocked"
    GONE = "gone"
    SOFT_404 = "soft-404"
    CLIENT_ERROR = "client-error"
    SERVER_ERROR = "server-error"
    TIMEOUT = "timeout"
    TLS = "tls"
    DNS = "dns"
    NO_CONNECTION = "no-connection"
    BROKEN_ANSWER = "broken-answer"
    REDIRECT_LOOP = "redirect-loop"
    REFUSED_ADDRESS = "refused-address"
    BAD_ADDRESS = "bad-address"

    @property
    def good(self) -> bool:
        """Whether the page was there."""
        return self in (Class.OK, Class.MOVED)

    @property
    def failing(self) -> bool:
        """Whether the page was not there; a robot wall tells neither."""
        return not self.good and self is not Class.BLOCKED


@dataclass(frozen=True, slots=True)
class Answer:
    """How one link answered: its class, where it has moved to for good, and what was seen."""

    kind: Class
    to: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a link: `failures` counts days in a row, `failing` is the first of them."""

    kind: Class
    checked: date
    good: date | None = None
    failures: int = 0
    failing: date | None = None
    to: str = ""
    said: str = ""

    @property
    def dead(self) -> bool:
        """Whether the link has failed often and long enough to be given up."""
        days = (self.checked - self.failing).days if self.failing else 0
        return self.kind.failing and self.failures >= DEAD_FAILURES and days >= DEAD_DAYS


def remembered(known: Known | None, answer: Answer, day: date) -> Known:
    """Return what is known of a link after one more answer; two failures on one day count as one."""
    if known is not None and day < known.checked:
        return known
    good = day if answer.kind.good else known.good if known else None
    new = Known(answer.kind, day, good, 0, None, answer.to, answer.said)
    if not answer.kind.failing:
        return new
    if known is None or not known.failures:
        return replace(new, failures=1, failing=day)
    return replace(new, failures=known.failures + (day > known.checked), failing=known.failing)


class State(dict[str, Known]):
    """Address without its fragment -> what is known of it."""

    def of(self, url: str) -> Known | None:
        """Return what is known of an address as a record writes it."""
        return self.get(urldefrag(url).url) if self else None


def read_state(path: Path) -> State:
    """Return what is remembered, nothing where there is no file; raises CatalogueError with the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return State()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, 1, f"the file cannot be read: {error}") from None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, getattr(error, "lineno", 1), "this is no JSON") from None
    if not isinstance(data, dict):
        raise _unreadable(path, 1, "the file is no mapping")
    state = State()
    for url, entry in data.items():
        try:
            state[url] = _known(entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            line = next((at for at, said in enumerate(text.splitlines(), 1) if said.startswith(json.dumps(url))), 1)
            raise _unreadable(path, line, f"the entry of {url[:80]} is not understood") from None
    return state


def write_state(path: Path, state: Mapping[str, Known]) -> None:
    """Write what is remembered, in the order of addresses, in one step."""
    lines = ",\n".join(f"{json.dumps(url)}: {json.dumps(_plain(known))}" for url, known in sorted(state.items()))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, f"{{\n{lines}\n}}\n".encode() if lines else b"{}\n")


def _plain(known: Known) -> dict[str, Any]:
    plain: dict[str, Any] = {"class": known.kind.value, "checked": known.checked.isoformat()}
    # A link that is well says nothing twice.
    if known.good and not known.kind.good:
        plain["good"] = known.good.isoformat()
    if known.failing:
        plain |= {"failures": known.failures, "failing": known.failing.isoformat()}
    if known.to:
        plain["to"] = known.to
    if known.said:
        plain["said"] = known.said
    return plain


def _known(entry: dict[str, Any]) -> Known:
    kind, checked = Class(entry["class"]), date.fromisoformat(entry["checked"])
    good, failing = (date.fromisoformat(entry[key]) if entry.get(key) else None for key in ("good", "failing"))
    failures = entry.get("failures", 0)
    if not isinstance(failures, int) or bool(failures) != kind.failing or bool(failing) != kind.failing:
        raise ValueError("failures and class do not agree")
    return Known(
        kind,
        checked,
        checked if kind.good else good,
        failures,
        failing,
        str(entry.get("to", "")),
        str(entry.get("said", "")),
    )


def _unreadable(path: Path, line: int, message: str) -> CatalogueError:
    hint = "take it from the last commit, or remove it: then nothing is known of links"
    return CatalogueError([Finding("links/state", str(path), line, 1, message, hint)])
