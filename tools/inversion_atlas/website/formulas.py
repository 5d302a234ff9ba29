"""LaTeX formulas as MathML, at build time, so that no page loads a script for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup
from math_core import LatexError, LatexToMathML

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.findings import Finding

_converter = LatexToMathML(fancy_error=False)
_STYLE = re.compile(r'\s*style="([^"]*)"')


class FormulaError(ValueError):
    """The text is no LaTeX formula that can be drawn."""


def mathml(latex: str, *, block: bool = False) -> Markup:
    """Return a formula as MathML; raises FormulaError where it cannot be read."""
    try:
        drawn: str = _converter.convert_with_local_state(latex, displaystyle=block)
    except LatexError as error:
        raise FormulaError(str(error)) from None
    # The policy forbids style attributes; of those written here only alignment matters, and a class says it.
    return Markup(_STYLE.sub(_alignment, drawn))


def formula_findings(catalogue: Catalogue) -> Iterator[Finding]:
    """Yield a finding for every formula and symbol of the metrics that cannot be drawn."""
    for metric in catalogue.metrics.values():
        place = catalogue.place(metric)
        written = [(metric.formula, place / "formula")] if metric.formula else []
        written += [(symbol, place / "symbols" / symbol) for symbol in metric.symbols]
        for latex, where in written:
            try:
                mathml(latex)
            except FormulaError as error:
                at, _, problem = str(error).partition(": ")
                message = f"{latex!r} is no LaTeX formula: {problem or at}"
                hint = f"mend it near character {int(at) + 1}" if at.isdigit() else "write LaTeX without dollar signs"
                yield catalogue.finding("metric/formula", where, message.rstrip("."), hint)


def _alignment(found: re.Match[str]) -> str:
    for side in ("left", "right"):
        if f"text-align: {side}" in found[1]:
            return f' class="{side}"'
    return ""
