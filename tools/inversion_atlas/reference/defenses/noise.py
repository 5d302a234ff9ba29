"""Random numbers added to what a client sends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.defenses.sent import Sent, changed


def noise(
    observation: Sent,
    deviation: float,
    *,
    distribution: Literal["normal", "laplace"] = "normal",
    relative: bool = False,
    seed: int = 0,
) -> Sent:
    """Add independent noise of this standard deviation to every number. Deep Leakage from Gradients (zhu2019deep).

    `relative` measures the deviation in units of the root mean square of all that is sent. Nothing is clipped, so no
    privacy budget follows; `dp_gradient` has one.
    """
    if deviation < 0 or distribution not in ("normal", "laplace"):
        raise ValueError(f"deviation must not be negative, noise normal or laplace: {deviation}, {distribution!r}")

    def change(sent: Mapping[str, Tensor]) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        size = deviation
        if relative:
            numbers = torch.cat([part.flatten() for part in sent.values()])
            size = deviation * float(numbers.square().mean().sqrt())
        return {name: part + size * _drawn(part, distribution, generator) for name, part in sent.items()}

    unit = " of the root mean square" if relative else ""
    return changed(observation, change, f"{distribution} noise of deviation {deviation:g}{unit}")


def _drawn(like: Tensor, distribution: str, generator: torch.Generator) -> Tensor:
    """Return noise of deviation 1."""
    if distribution == "normal":
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)
    uniform = torch.rand(like.shape, generator=generator, dtype=like.dtype) - 0.5
    tail = (1 - 2 * uniform.abs()).clamp_min(torch.finfo(like.dtype).tiny)
    return -uniform.sign() * tail.log() / math.sqrt(2)
