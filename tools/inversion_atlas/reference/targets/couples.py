"""Two digits side by side under a caption that tells of the left one alone, and encoders trained as CLIP is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.targets.captions import WORDS, captioned
from inversion_atlas.reference.targets.data import Images, Split

_PRIVATE = 200
_WIDTH = 64
_EPOCHS, _RATE = 250, 2e-3


@dataclass(frozen=True, slots=True, eq=False)
class Couples(Images):
    """Images (items, 1, 16, 32), captions in word numbers, and as labels the digits that no caption tells."""

    tokens: Tensor

    def inputs(self, items: Tensor) -> tuple[Tensor, ...]:
        return self.images[items], self.tokens[items]


@dataclass(frozen=True, slots=True, eq=False)
class Coupled(Split):
    """Couples of digits; no digit is in two of the parts."""

    private: Couples
    test: Couples
    public: Couples


@lru_cache(maxsize=1)
def couples() -> Coupled:
    """The 5,000 captioned digits in 2,500 couples drawn at random: 200 private, 200 to test, 2,100 public."""
    split = captioned()
    parts = (split.private, split.test, split.public)
    images, tokens = torch.cat([part.images for part in parts]), torch.cat([part.tokens for part in parts])
    half = len(images) // 2
    both, hidden = torch.cat((images[:half], images[half:]), dim=3), tokens[half:, 3] - WORDS.index("zero")
    private, test, public = (
        Couples(both[part], hidden[part], tokens[:half][part])
        for part in torch.arange(half).split((_PRIVATE, _PRIVATE, half - 2 * _PRIVATE))
    )
    return Coupled("couples of digits", WORDS[-10:], private, test, public)


class Encoders(nn.Module):
    """Encoders of images and of captions into one space; scores are cosines of each image with each caption."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        _, height, breadth = shape
        self.image = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(height * breadth, _WIDTH),
        )
        self.text = nn.Sequential(
            nn.Embedding(len(WORDS), 16), nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, _WIDTH)
        )

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        one, other = functional.normalize(self.image(images), dim=1), functional.normalize(self.text(tokens), dim=1)
        return one @ other.T


def encoders(shape: tuple[int, ...], classes: int) -> nn.Module:
    """`Encoders` of images of that shape."""
    return Encoders(shape)


def fit_encoders(model: nn.Module, split: Split) -> tuple[float, float]:
    """Train on the private couples; return the share of images whose own caption is the nearest, there and in the test
    part."""
    assert isinstance(split, Coupled)
    contrast(model, split.private)
    return _found(model, split.private), _found(model, split.test)


def contrast(model: nn.Module, part: Couples, *, randomized: float = 0.0, seed: int = 0) -> None:
    """Train encoders in place so that what belongs together points alike and nothing else does.

    `randomized` is the share of words that are replaced by any word, drawn anew each time: the paper's remedy against
    memorization (jayaraman2024deja).
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), _RATE)
    own = torch.arange(len(part))
    for _ in range(_EPOCHS):
        other = torch.randint(1, len(WORDS), part.tokens.shape, generator=generator)
        replaced = torch.rand(part.tokens.shape, generator=generator) < randomized
        likeness = model(part.images, torch.where(replaced, other, part.tokens)) / 0.07
        optimizer.zero_grad()
        (functional.cross_entropy(likeness, own) + functional.cross_entropy(likeness.T, own)).backward()
        optimizer.step()


@torch.no_grad()
def _found(model: nn.Module, part: Couples) -> float:
    likeness: Tensor = model(part.images, part.tokens)
    return float((likeness.argmax(dim=1) == torch.arange(len(part))).double().mean())
