"""Trained targets and the gradients that they share, for the tests of attacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from inversion_atlas.reference.observations import SharedGradient  # noqa: E402
from inversion_atlas.reference.targets import data, training  # noqa: E402


@pytest.fixture(scope="session")
def target(cache: Path) -> Callable[[str], training.Target]:
    """Return a function that gives a trained target by name."""
    return lambda name: training.load(name, cache)


@pytest.fixture(scope="session")
def share() -> Callable[..., SharedGradient]:
    """Return a function that gives the gradient a target's client shares on some of its private images."""

    def make(target: training.Target, *items: int, labels_known: bool = False) -> SharedGradient:
        private, picked = target.data.private, list(items)
        return SharedGradient.of_batch(
            target.model, private.images[picked], private.labels[picked], mode="eval", labels_known=labels_known
        )

    return make


@pytest.fixture(scope="session")
def best_guess() -> Callable[[torch.Tensor, data.Split], float]:
    """Return a function: the best PSNR that gray, channel means, the mean image or any public image reaches."""
    from inversion_atlas.reference.metrics import psnr

    def find(original: torch.Tensor, split: data.Split) -> float:
        public = split.public.images
        mean = public.mean(dim=0, keepdim=True)
        channels = mean.mean(dim=(2, 3), keepdim=True).expand_as(mean)
        fixed = torch.cat((torch.full_like(mean, 0.5), channels, mean))
        return float(psnr(fixed, original.expand_as(fixed).contiguous(), data_range=(0.0, 1.0)).max())

    return find
