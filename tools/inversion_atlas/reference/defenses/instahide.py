"""InstaHide: a training image is a mixture of several under a random mask of signs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.observations.access import Mode


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Images from -1 to 1 to train on, and their labels as shares of each class, of shape (items, classes)."""

    images: Tensor
    labels: Tensor


def instahide(
    images: Tensor,
    labels: Tensor,
    public: Tensor,
    *,
    classes: int,
    mixed: int = 4,
    most: float = 0.65,
    signs: bool = True,
    seed: int = 0,
) -> Encoded:
    """Encode private images from 0 to 1 (huang2020instahide): each with `mixed` - 1 others, then signs at random.

    Half of what is mixed, rounded up, is private, the rest public. Weights are positive, sum to 1, and none is above
    `most`. The labels of the private ones are mixed likewise and sum to less than 1. Images are first stretched to
    -1 to 1. Signs alone hide nothing: magnitudes show the mixture (carlini2021private). `signs=False` is mixup.
    """
    if not 1 <= mixed <= 8 or (mixed > 1 and most * mixed < 1):
        raise ValueError(f"mixed must be from 1 to 8 and its weights able to sum to 1, not {mixed} and {most}")
    generator = torch.Generator().manual_seed(seed)
    weights = torch.stack([_weights(mixed, most, generator) for _ in images]).to(images.dtype)
    own = functional.one_hot(labels, classes).to(images.dtype)
    mixture, shares = torch.zeros_like(images), torch.zeros_like(own)
    for place in range(mixed):
        picked = torch.arange(len(images))
        if place > 0:
            picked = torch.randint(
                len(images) if place < (mixed + 1) // 2 else len(public), picked.shape, generator=generator
            )
        weight = weights[:, place]
        if place < (mixed + 1) // 2:
            mixture += weight[:, None, None, None] * (2 * images[picked] - 1)
            shares += weight[:, None] * own[picked]
        else:
            mixture += weight[:, None, None, None] * (2 * public[picked] - 1)
    if signs:
        mixture *= torch.randint(0, 2, mixture.shape, generator=generator).to(mixture.dtype) * 2 - 1
    return Encoded(mixture, shares)


def share_encoded(model: nn.Module, encoded: Encoded, *, mode: Mode) -> SharedGradient:
    """Return what a client shares that trains on encodings: the gradient of the cross entropy with mixed labels."""
    named = encoded.labels.argmax(dim=1)
    shared = SharedGradient.of_batch(
        model, encoded.images, named, mode=mode, labels_known=False, data_range=(-1.0, 1.0)
    )
    with torch.enable_grad():
        loss = functional.cross_entropy(shared.model(encoded.images), encoded.labels)
        parameters = dict(shared.model.named_parameters())
        found = torch.autograd.grad(loss, [parameters[name] for name in shared.gradient])
    return shared.with_gradient(dict(zip(shared.gradient, found, strict=True)), defense="InstaHide")


def _weights(number: int, most: float, generator: torch.Generator) -> Tensor:
    """Return positive weights that sum to 1, drawn until none is above `most`."""
    if number == 1:
        return torch.ones(1)
    while True:
        drawn = torch.randn(number, generator=generator).abs()
        weights = drawn / drawn.sum()
        if float(weights.max()) <= most:
            return weights
