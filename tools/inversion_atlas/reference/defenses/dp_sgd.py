"""DP-SGD: the gradient of each example is clipped, and noise in proportion to the bound is added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from inversion_atlas.reference.defenses.accountant import epsilon
from inversion_atlas.reference.defenses.training import marked
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.observations.access import copied


@dataclass(frozen=True, slots=True, eq=False)
class PrivatelyTrained:
    """A model trained by DP-SGD and what it is guaranteed: (epsilon, delta)-differential privacy."""

    model: nn.Module
    epsilon: float
    delta: float


def dp_gradient(
    observation: SharedGradient,
    inputs: Tensor,
    labels: Tensor,
    *,
    bound: float,
    noise_multiplier: float,
    seed: int = 0,
) -> SharedGradient:
    """Share the gradient as DP-SGD does (abadi2016deep): mean of clipped examples plus noise.

    The client knows its own `inputs` and `labels`. Each example's gradient is shortened to length `bound`; to their
    sum comes normal noise of deviation `noise_multiplier * bound`, and all is divided by the batch size.
    """
    model = copied(observation.model, observation.mode)
    clipped = clipped_sum(model, list(observation.gradient), inputs, labels, bound=bound)
    noisy = _noisy(clipped, noise_multiplier * bound, torch.Generator().manual_seed(seed))
    shared = {name: part / len(inputs) for name, part in noisy.items()}
    return observation.with_gradient(
        shared, defense=f"DP-SGD of bound {bound:g}, noise multiplier {noise_multiplier:g}"
    )


def train_dp(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    *,
    bound: float,
    noise_multiplier: float,
    epochs: int,
    learning_rate: float,
    batch_size: int = 64,
    delta: float = 1e-5,
    seed: int = 0,
) -> PrivatelyTrained:
    """Train a copy of the model by DP-SGD (abadi2016deep), without momentum, on batches sampled by Poisson.

    Each example enters a batch by itself with probability `batch_size / len(inputs)`; what is divided by is the
    expected size. `epsilon` is that of `accountant.epsilon`.
    """
    trained, rate = copied(model, "eval"), batch_size / len(inputs)
    named = {name: p for name, p in trained.named_parameters() if p.requires_grad}
    generator = torch.Generator().manual_seed(seed)
    steps = epochs * max(1, round(1 / rate))
    for _ in range(steps):
        picked = torch.rand(len(inputs), generator=generator) < rate
        clipped = {name: torch.zeros_like(p) for name, p in named.items()}
        if bool(picked.any()):
            clipped = clipped_sum(trained, list(named), inputs[picked], labels[picked], bound=bound)
        with torch.no_grad():
            for name, part in _noisy(clipped, noise_multiplier * bound, generator).items():
                named[name].sub_(part, alpha=learning_rate / batch_size)
    spent = epsilon(noise_multiplier=noise_multiplier, sample_rate=rate, steps=steps, delta=delta)
    marked(trained, f"training by DP-SGD with epsilon {spent:.3g} at delta {delta:g}")
    return PrivatelyTrained(trained, spent, delta)


def clipped_sum(
    model: nn.Module, names: list[str], inputs: Tensor, labels: Tensor, *, bound: float
) -> dict[str, Tensor]:
    """Return the sum over examples of their gradients, each of them shortened to length `bound`."""
    if not bound > 0:
        raise ValueError(f"bound must be positive, not {bound}")
    each = per_sample_gradients(model, names, inputs, labels)
    squared = torch.stack([part.flatten(1).square().sum(dim=1) for part in each.values()])
    factors = (bound / squared.sum(dim=0).sqrt().clamp_min(torch.finfo(squared.dtype).tiny)).clamp(max=1)
    return {name: torch.einsum("i,i...->...", factors, part) for name, part in each.items()}


def per_sample_gradients(model: nn.Module, names: list[str], inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the gradient of each example's cross entropy, parts of shape (batch, *parameter)."""
    if model.training and any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules()):
        raise ValueError("batch normalization in train mode mixes examples: no example has a gradient of its own")
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    chosen = {name: parameters.pop(name) for name in names}

    def loss(searched: Mapping[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits = functional_call(model, {**parameters, **searched}, (image[None],))
        return functional.cross_entropy(logits, label[None])

    found: dict[str, Tensor] = vmap(grad(loss), in_dims=(None, 0, 0))(chosen, inputs.detach(), labels)
    return found


def _noisy(parts: Mapping[str, Tensor], deviation: float, generator: torch.Generator) -> dict[str, Tensor]:
    if deviation < 0:
        raise ValueError("the noise multiplier must not be negative")
    return {
        name: part + deviation * torch.randn(part.shape, generator=generator, dtype=part.dtype)
        for name, part in parts.items()
    }
