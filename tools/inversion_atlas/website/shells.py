"""Pages the theme has built once, split at their slots (`@@atlas-body@@`), into which records are stamped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inversion_atlas.website.policy import policy_tag

_SLOT = re.compile(r"@@atlas-([a-z]+)@@")
# Every page has these; a record's shell also needs the ones that tell records apart.
EVERY = frozenset(("policy", "head", "stamp"))
RECORD = frozenset(("title", "description", "body"))
_FOLDER = "shell"


class ShellError(Exception):
    """A page the theme built lacks a slot, or has one that nothing fills."""


@dataclass(frozen=True, slots=True)
class Shell:
    """One built page: text and slots in turn. A template is stamped for many records and not published itself."""

    address: str
    texts: tuple[str, ...]
    slots: tuple[str, ...]
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(self.slots))

    @property
    def is_template(self) -> bool:
        """Whether this stands for a type of page rather than for itself."""
        return _FOLDER in self.address.split("/")

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the page with its slots filled; raises ShellError unless slots and values are the same."""
        if values.keys() != self.names:
            raise ShellError(_mismatch(self.address, set(self.slots), set(values)))
        parts = [self.texts[0]]
        for slot, text in zip(self.slots, self.texts[1:], strict=True):
            parts.append(values[slot])
            parts.append(text)
        return "".join(parts)


def read_shells(folder: Path) -> dict[str, Shell]:
    """Return every page under `folder` by its address (`papers/`, `404.html`), its policy filled in."""
    shells = {}
    for path in sorted(folder.rglob("*.html")):
        address = path.relative_to(folder).as_posix().removesuffix("index.html")
        shells[address] = parse(address, path.read_text(encoding="utf-8"))
    if "" not in shells:
        raise ShellError(f"{folder} holds no index.html; was the theme built there?")
    return shells


def parse(address: str, html: str) -> Shell:
    """Return the shell that a built page is; raises ShellError where a slot it must have is missing."""
    if "<pre" not in html:
        html = re.sub(r"\s*\n\s*", "\n", html).strip() + "\n"
    html = html.replace("@@atlas-policy@@", policy_tag(html))
    pieces = _SLOT.split(html)
    shell = Shell(address, tuple(pieces[::2]), tuple(pieces[1::2]))
    needed = EVERY - {"policy"} | (RECORD if shell.is_template else frozenset())
    if missing := needed - set(shell.slots):
        raise ShellError(_mismatch(address, set(shell.slots), set(missing | set(shell.slots))))
    if "content-security-policy" not in html:
        raise ShellError(f"the shell {address} has no slot @@atlas-policy@@; see site/theme/main.html")
    return shell


def _mismatch(address: str, slots: set[str], values: set[str]) -> str:
    shown = address or "index.html"
    if missing := sorted(values - slots):
        return f"the shell {shown} has no slot @@atlas-{missing[0]}@@; its Markdown or site/theme/ must write it once"
    return f"the shell {shown} has the slot @@atlas-{sorted(slots - values)[0]}@@, which nothing fills"
