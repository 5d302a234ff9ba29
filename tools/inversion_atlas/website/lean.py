"""Scripts and styles as they travel: without the comments and the indentation that are for those who write them."""

from __future__ import annotations

import re

# Comments that have lines of their own alone, so that nothing inside a text or an expression is taken for one.
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/)[ \t]*\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]*\n|^[ \t]+", re.MULTILINE)


def lean(source: str) -> str:
    """Return a script or style sheet without whole-line comments, indentation and empty lines.

    Texts must not span lines: one in backquotes that does would lose the indentation inside it.
    """
    return _INDENT.sub("", _COMMENT.sub("", source))
