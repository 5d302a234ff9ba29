"""A random layer before the last one: the logits see a draw around the features, not the features. PRECODE and MID."""

from __future__ import annotations

import copy
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.defenses.training import Loss, marked
from inversion_atlas.reference.seeding import seeded


class Bottleneck(nn.Module):
    """Maps features of shape (batch, features) to a draw from a normal distribution of shape (batch, latent).

    Linear layers give its mean and its deviation: `exp` of half of a logarithm of the variance, or the softplus of
    what they give less 5. It draws in eval mode, too, from the numbers of everybody, as dropout does. In train mode
    `spread` holds the mean and deviation of the last batch, for the loss.
    """

    def __init__(self, features: int, latent: int, form: Literal["exp", "softplus"]) -> None:
        super().__init__()
        self.mean, self.scale, self.form = nn.Linear(features, latent), nn.Linear(features, latent), form
        self.spread: tuple[Tensor, Tensor] | None = None

    def forward(self, features: Tensor) -> Tensor:
        mean, scale = self.mean(features), self.scale(features)
        deviation = (scale / 2).exp() if self.form == "exp" else functional.softplus(scale - 5)
        self.spread = (mean, deviation) if self.training else None
        drawn: Tensor = mean + deviation * torch.randn_like(deviation)
        return drawn

    def train(self, mode: bool = True) -> Bottleneck:
        """Switch the mode and forget the last batch, which was private."""
        self.spread = None
        return super().train(mode)


def precode(model: nn.Sequential, *, latent: int = 256, seed: int = 0) -> nn.Sequential:
    """Return a copy of the model with a variational bottleneck before its last layer. PRECODE (scheliga2022precode).

    Its gradients vary with what was drawn. An attack gets past it that leaves those out (scheliga2022combining), and
    reading the input off a first linear layer is not hindered at all (balunovic2022bayesian).
    """
    return _with_bottleneck(model, latent, "exp", "PRECODE", seed)


def mid(model: nn.Sequential, *, latent: int, seed: int = 0) -> nn.Sequential:
    """Return a copy of the model with the bottleneck of MID before its last layer (wang2021improving).

    Train it with `bottleneck_loss`, whose weight bounds what the outputs tell of the inputs.
    """
    return _with_bottleneck(model, latent, "softplus", "MID", seed)


def bottleneck_loss(weight: float = 3e-3) -> Loss:
    """Return the cross entropy plus `weight` times the divergence of the bottleneck from a standard normal."""

    def loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
        logits = model(inputs)
        spreads = [layer.spread for layer in model.modules() if isinstance(layer, Bottleneck)]
        (spread,) = spreads
        if spread is None:
            raise ValueError("the bottleneck tells its spread in train mode alone")
        mean, deviation = spread
        divergence = mean.square() + deviation.square() - 2 * deviation.clamp_min(1e-7).log() - 1
        return functional.cross_entropy(logits, labels) + weight * divergence.sum(dim=1).mean() / 2

    return loss


def bottleneck_layer(model: nn.Sequential) -> str:
    """Return the name of the model's bottleneck."""
    names: list[str] = [name for name, layer in model.named_modules() if isinstance(layer, Bottleneck)]
    return names[0]


def _with_bottleneck(
    model: nn.Sequential, latent: int, form: Literal["exp", "softplus"], defense: str, seed: int
) -> nn.Sequential:
    *body, last = copy.deepcopy(model)
    if not isinstance(last, nn.Linear):
        raise ValueError(f"the last layer must be linear, not {type(last).__name__}")
    with seeded(seed):
        head = nn.Linear(latent, last.out_features)
        bottleneck = Bottleneck(last.in_features, latent, form)
    extended = nn.Sequential(*body, bottleneck, head)
    marked(extended, f"{defense} of {latent} numbers")
    return extended
