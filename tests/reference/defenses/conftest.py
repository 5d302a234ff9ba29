"""Trained targets, and what a client shares of its private digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from inversion_atlas.reference.observations import SharedGradient  # noqa: E402
from inversion_atlas.reference.targets import training  # noqa: E402


@pytest.fixture(scope="session")
def target(cache: Path) -> Callable[[str], training.Target]:
    """Return a function that gives a trained target by name."""
    return lambda name: training.load(name, cache)


@pytest.fixture(scope="session")
def digit(target: Callable[[str], training.Target]) -> SharedGradient:
    """The gradient that the client of the convolutional network shares of its first digit, whose label is known."""
    victim = target("digits-convnet")
    private = victim.data.private
    return SharedGradient.of_batch(victim.model, private.images[:1], private.labels[:1], mode="eval", labels_known=True)


@pytest.fixture(scope="session")
def reached(target: Callable[[str], training.Target]) -> Callable[[SharedGradient], float]:
    """Return a function: the PSNR that Inverting Gradients reaches on the client's first digit."""
    from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients
    from inversion_atlas.reference.metrics import psnr

    original = target("digits-convnet").data.private.images[:1]

    def run(shared: SharedGradient) -> float:
        found = inverting_gradients(shared, steps=200, tv=0.1).images.clamp(0, 1)
        return float(psnr(found, original, data_range=(0.0, 1.0)).mean())

    return run
