"""Text of strangers in Markdown for GitHub: it shows as it reads, and names, numbers and addresses act on nothing."""

from __future__ import annotations

import re

from pydantic import TypeAdapter, ValidationError

from inversion_atlas.exports.markdown import for_github
from inversion_atlas.records.fields import Url
from inversion_atlas.records.findings import printable

# Longer ones GitHub does not take.
MAX_COMMENT = 65_536
_ADDRESS: TypeAdapter[str] = TypeAdapter(Url)


def shown(text: str, longest: int = 300) -> str:
    """Return a text as Markdown that shows it on one line, cut where it is longer."""
    return for_github(printable(cut(text, longest)))


def code(text: str, longest: int = 300) -> str:
    """Return a text as a span of code on one line, in which GitHub acts on nothing."""
    line = " ".join(printable(cut(text, longest)).split()) or " "
    fence = "`" * (_longest_run(line) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def block(text: str, language: str = "") -> str:
    """Return a text of many lines as a block of code that it cannot end."""
    fence = "`" * max(3, _longest_run(text) + 1)
    lines = [printable(line) for line in text.split("\n")]
    return "\n".join([f"{fence}{language}", *lines, fence])


def address(url: str) -> str:
    """Return an address as a link that shows where it leads, or as code where it is no address of the web."""
    try:
        _ADDRESS.validate_python(url)
    except ValidationError:
        return code(url)
    return f"<{url}>" if url.isascii() and url.isprintable() and len(url) <= 300 else code(url)


def cut(text: str, longest: int) -> str:
    """Return a text, or its beginning with an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
