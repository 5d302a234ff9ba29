"""What in a text of Markdown GitHub would act on, beside the few things that we write there ourselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
# What GitHub makes of text that stands free: names, numbers of issues, advisories, addresses, commits.
ACTS = re.compile(
    r"@[a-z0-9]|#[0-9]|\bgh-[0-9]|\bghsa-[a-z0-9]{4}|https?://|www\.[a-z]|\b[0-9a-f]{7,40}\b", re.IGNORECASE
)
_OURS = re.compile(
    r"<details><summary>(?:How <code>[\w.-]*</code> will look|The file)</summary>|</details>|"
    r"<!-- inversion-atlas: (?:review|form) -->(?=\n)|<sub>For commit [0-9a-f]{40}\.</sub>"
)


def acting(markdown: str) -> list[str]:
    """Return what acts: HTML, links that hide where they lead, pictures, mentions, references, closing words."""
    return list(_acting(PARSER.parse(_OURS.sub("", markdown))))


def _acting(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "html_block":
            yield token.content
        if token.type == "inline":
            yield from _acting_line(token.children or [])


def _acting_line(children: list[Token]) -> Iterator[str]:
    text, target = "", ""
    for child in children:
        if child.type == "link_open":
            target = str(child.attrs["href"])
        elif child.type == "link_close":
            target = ""
        elif child.type in ("text", "text_special") and target:
            if child.content != target or not target.startswith(("http://", "https://")):
                yield f"{child.content} leads to {target}"
        elif child.type in ("text", "text_special"):
            text += child.content
        elif child.type == "html_inline" and child.content == "<!-- -->":
            # It parts what stands beside it.
            text += "\0"
        elif child.type in ("html_inline", "image"):
            yield child.content
        else:
            text += "\0"
    yield from (found[0] for found in ACTS.finditer(text))
