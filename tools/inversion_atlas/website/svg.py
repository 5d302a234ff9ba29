"""A small SVG writer: marks as text, everything escaped, no style of their own, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from markupsafe import Markup, escape

_NO_DATA: Mapping[str, str] = MappingProxyType({})
# Widths of letters in the sans face, in parts of the type size: enough to keep labels apart.
_NARROW = frozenset("iljtfr.,:;'|!()[]I- ")
_WIDE = frozenset("mwMWGOQ@%—–…")


def drawing(id: str, width: float, height: float, title: str, about: str, marks: Iterable[str]) -> Markup:
    """Return a picture with its title and description, whose links a keyboard reaches one by one."""
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    named = f'<title id="{id}-title">{escape(title)}</title><desc id="{id}-about">{escape(about)}</desc>'
    opening = f'<svg {size} role="group" aria-labelledby="{id}-title" aria-describedby="{id}-about">'
    return Markup(f"{opening}{named}{''.join(marks)}</svg>")


def link(href: str, title: str, *marks: str, kind: str = "", data: Mapping[str, str] = _NO_DATA) -> str:
    """Return marks that lead somewhere; the title is their name and what the mouse shows, `data` is for scripts."""
    held = (f' class="{kind}"' if kind else "") + _data(data)
    return f'<a href="{escape(href)}"{held}><title>{escape(title)}</title>{"".join(marks)}</a>'


def rectangle(x: float, y: float, width: float, height: float, kind: str, radius: float = 0) -> str:
    """Return a rectangle; `kind` is the class that colors it."""
    corner = f' rx="{number(radius)}"' if radius else ""
    at = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {at} class="{kind}"{corner}/>'


def label(x: float, y: float, text: str, kind: str = "", turn: float = 0) -> str:
    """Return a line of text that starts, ends or is centered at a point as its class says."""
    turned = f' transform="rotate({number(turn)} {number(x)} {number(y)})"' if turn else ""
    held = f' class="{kind}"' if kind else ""
    return f'<text x="{number(x)}" y="{number(y)}"{held}{turned}>{escape(text)}</text>'


def path(steps: str, kind: str, data: Mapping[str, str] = _NO_DATA) -> str:
    """Return a line or shape drawn by path steps."""
    return f'<path d="{steps}" class="{kind}"{_data(data)}/>'


def _data(values: Mapping[str, str]) -> str:
    return "".join(f' data-{name}="{escape(value)}"' for name, value in values.items())


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    whole = int(value)
    if whole == value:
        return str(whole)
    # Adding zero turns minus zero into zero.
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


# Labels come again in every matrix of their facets.
@lru_cache(maxsize=2**14)
def text_width(text: str, size: float) -> float:
    """Return about how wide a line of text is; never too little for what is drawn here."""
    units = 0.0
    for char in text:
        if char in _NARROW:
            units += 0.31
        elif char in _WIDE:
            units += 0.84
        elif char.isupper():
            units += 0.62
        else:
            units += 0.53 if ord(char) < 0x2E80 else 1.0
    return units * size


def shorten(text: str, size: float, width: float) -> str:
    """Return a text cut with an ellipsis so that it fits a width."""
    if text_width(text, size) <= width:
        return text
    end = len(text)
    while end > 1 and text_width(text[:end].rstrip() + "…", size) > width:
        end -= 1
    return text[:end].rstrip(" -,:;") + "…"
