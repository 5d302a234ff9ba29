"""How far images are from a class in the eyes of the model under attack: the identity losses of the literature."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.observations import BlackBox, LabelOnly, WhiteBox

# Maps images (items, channels, height, width) and labels (items,) to a loss per item.
Identity = Callable[[Tensor, Tensor], Tensor]
# Maps logits (items, classes) and labels (items,) to a loss per item.
LogitLoss = Callable[[Tensor, Tensor], Tensor]


def refuse_labels(observation: WhiteBox | BlackBox | LabelOnly, labels: Tensor) -> None:
    """Raise ValueError unless labels are classes of the model, of shape (items,)."""
    if labels.ndim != 1 or len(labels) == 0 or int(labels.min()) < 0 or int(labels.max()) >= observation.classes:
        raise ValueError(f"labels must be classes from 0 to {observation.classes - 1}, of shape (items,)")


def identity_of(observation: WhiteBox, loss: LogitLoss) -> Identity:
    """Return the loss of the model's logits on images."""
    return lambda images, labels: loss(observation.logits(images), labels)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the negative logarithm of the class's probability, the loss of GMI and KEDMI; its slope vanishes."""
    return functional.cross_entropy(logits, labels, reduction="none")


def negative_logit(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the negative logit of the class (nguyen2023rethinking, without the regularization that LOMMA adds)."""
    return -logits.gather(1, labels[:, None]).squeeze(1)


def max_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the largest other logit less the class's (PLG-MI, yuan2023pseudo)."""
    own = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.max(dim=1).values - own


def poincare(logits: Tensor, labels: Tensor, *, xi: float = 1e-4) -> Tensor:
    """Return the hyperbolic distance of normalized logits from the class's corner (PPA, struppek2022plug).

    Logits are divided by the sum of their absolute values, so they lie in the unit ball; the corner is `xi` inside.
    """
    u = logits / logits.abs().sum(dim=1, keepdim=True)
    v = functional.one_hot(labels, logits.shape[1]).to(logits.dtype).sub(xi).clamp(0, 1)
    delta = 2 * (u - v).square().sum(dim=1) / ((1 - u.square().sum(dim=1)) * (1 - v.square().sum(dim=1)))
    return torch.acosh(1 + delta)
