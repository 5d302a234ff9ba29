"""Real images that installed packages carry, split into what the target learned, what tests it, and what is public."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from skimage import data as skimage_data
from sklearn.datasets import load_digits
from torch import Tensor

DATA_RANGE = (0.0, 1.0)

# The color photographs that scikit-image's wheel holds; each is a class.
_PHOTOGRAPHS = ("astronaut", "cat", "coffee", "hubble_deep_field", "immunohistochemistry", "retina", "rocket")
_SIDE = 32
# Crops of each photograph: how many, and between which shares of its width they lie. The parts do not overlap.
_CROPS = {"private": (60, 0.0, 0.5), "test": (30, 0.5, 0.75), "public": (60, 0.75, 1.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images of shape (items, channels, height, width) from 0 to 1, and their classes."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, items: Tensor) -> tuple[Tensor, ...]:
        """Return what a model is given of some items: their images, and what goes with them."""
        return (self.images[items],)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One data set: what the target was trained on, what it is tested on, and what the adversary may have."""

    name: str
    classes: tuple[str, ...]
    private: Images
    test: Images
    public: Images

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.private.images.shape[1:])


@lru_cache(maxsize=1)
def photographs() -> Split:
    """Color crops of 32 by 32 pixels from seven photographs of scikit-image; the class is the photograph.

    Crops of the private, the test and the public part come from different regions of a photograph, which is first
    shrunk by a whole factor to a height of about 256 pixels.
    """
    rng = np.random.default_rng(0)
    crops: dict[str, list[Tensor]] = {part: [] for part in _CROPS}
    for name in _PHOTOGRAPHS:
        photograph = _shrunk(getattr(skimage_data, name)())
        for part, (number, left, right) in _CROPS.items():
            region = photograph[:, :, int(left * photograph.shape[2]) : int(right * photograph.shape[2])]
            crops[part].append(_crops(region, number, rng))
    return Split("photographs", _PHOTOGRAPHS, *(_labeled(crops[part]) for part in ("private", "test", "public")))


@lru_cache(maxsize=1)
def digits() -> Split:
    """Handwritten digits of 8 by 8 pixels from scikit-learn: 800 private, 297 to test, 700 public, drawn at random."""
    loaded = load_digits()
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(loaded.target)))
    images = torch.from_numpy(loaded.images).float().div(16)[:, None][order]
    labels = torch.from_numpy(loaded.target).long()[order]
    parts = (slice(0, 800), slice(800, 1097), slice(1097, None))
    return Split("digits", tuple("0123456789"), *(Images(images[part], labels[part]) for part in parts))


@lru_cache(maxsize=1)
def parity() -> Split:
    """The digits, in the same order and parts, labeled even, 0, or odd, 1; which digit each is, `digits` tells."""
    split = digits()
    parts = (Images(part.images, part.labels % 2) for part in (split.private, split.test, split.public))
    return Split("digits by parity", ("even", "odd"), *parts)


def _shrunk(photograph: np.ndarray) -> Tensor:
    image = torch.from_numpy(photograph).permute(2, 0, 1).float().div(255)
    return torch.nn.functional.avg_pool2d(image, max(1, round(min(image.shape[1:]) / 256)))


def _crops(region: Tensor, number: int, rng: np.random.Generator) -> Tensor:
    _, height, width = region.shape
    tops = rng.integers(0, height - _SIDE + 1, number)
    lefts = rng.integers(0, width - _SIDE + 1, number)
    return torch.stack([region[:, y : y + _SIDE, x : x + _SIDE] for y, x in zip(tops, lefts, strict=True)])


def _labeled(crops: list[Tensor]) -> Images:
    labels = torch.arange(len(crops)).repeat_interleave(len(crops[0]))
    return Images(torch.cat(crops), labels)
