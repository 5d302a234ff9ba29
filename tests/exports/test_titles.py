"""Capitals in titles."""

from __future__ import annotations

import pytest

from inversion_atlas.exports.titles import protect


@pytest.mark.parametrize(
    ("title", "protected"),
    [
        ("Deep Leakage from Gradients", "Deep Leakage from Gradients"),
        ("iDLG: Improved Deep Leakage", "{iDLG}: Improved Deep Leakage"),
        ("R-GAP: Recursive Gradient Attack", "{R-GAP}: Recursive Gradient Attack"),
        ("GAN-Based Attacks on CIFAR-10", "{GAN}-Based Attacks on {CIFAR-10}"),
        ("Chest X-ray Images", "Chest {X}-ray Images"),
        ("A Survey of L2 Norms", "A Survey of {L2} Norms"),
        ("I Know What You Did", "{I} Know What You Did"),
        ("What Makes A Bayesian's Attack", "What Makes A {Bayesian's} Attack"),
        ("Can It Be? Yes, It Can", "Can It Be? {Yes}, It Can"),
        ("Soteria Is Broken", "{Soteria} Is Broken"),
        ("DEEP LEAKAGE FROM GRADIENTS", "DEEP LEAKAGE FROM GRADIENTS"),
        ("C++ and U.S. Law", "C++ and {U.S}. Law"),
        ("  spaced", "spaced"),
        ("X\u0304 Rays and G\u0331AN", "{X\u0304} Rays and {G\u0331AN}"),
        ("Of x\u0304 and A\u0331 Survey", "Of x\u0304 and A\u0331 Survey"),
    ],
)
def test_only_words_that_need_it_are_protected(title: str, protected: str) -> None:
    assert protect(title, str.strip, {"Soteria"}) == protected


def test_biblatex_keeps_the_capital_of_a_subtitle() -> None:
    assert protect("Inversion: A Survey", str, subtitle=True) == "Inversion: {A} Survey"
