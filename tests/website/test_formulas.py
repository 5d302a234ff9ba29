"""Formulas: LaTeX to MathML at build time, and a clear finding where that fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.website.formulas import FormulaError, formula_findings, mathml

METRIC = {
    "name": "M",
    "group": "pixel",
    "description": "D.",
    "direction": {"attacker": "higher", "defender": "lower"},
    "blind_to": "Everything.",
}


def test_a_formula_becomes_mathml() -> None:
    assert mathml(r"\frac{a}{b}") == "<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>"
    assert mathml("x", block=True).startswith('<math display="block">')


@pytest.mark.parametrize("latex", [r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"\color{red}x"])
def test_no_style_attribute_is_written(latex: str) -> None:
    assert "style=" not in mathml(latex)


@pytest.mark.parametrize("latex", [r"\text{<script>alert(1)</script>}", "<img src=x onerror=alert(1)>", r"\text{\" x}"])
def test_markup_in_a_formula_stays_text(latex: str) -> None:
    assert "<script" not in mathml(latex)
    assert "<img" not in mathml(latex)


@pytest.mark.parametrize("latex", [r"\frac{a", r"\unknown{x}", r"\href{javascript:x}{y}", "a & b"])
def test_what_is_no_formula_is_refused(latex: str) -> None:
    with pytest.raises(FormulaError):
        mathml(latex)


def test_a_bad_formula_is_a_finding_with_its_line(make_catalogue: Callable[..., Catalogue]) -> None:
    broken = make_catalogue({}, metrics={"m": {**METRIC, "formula": r"\frac{a", "symbols": {r"\nope": "what"}}})
    first, second = formula_findings(broken)
    assert (first.code, first.path) == ("metric/formula", "data/metrics.yaml")
    assert first.line > 1
    assert "no LaTeX formula" in first.message
    assert "\\nope" in second.message.replace("\\\\", "\\")


def test_every_formula_of_the_catalogue_can_be_drawn(catalogue: Catalogue) -> None:
    assert list(formula_findings(catalogue)) == []
