"""Pairs of real images: crops of photographs, and the same with noise."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="session")
def noisy_pair() -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """Return a function that gives (reconstruction, original) of a size: crops of a photograph and noise."""
    from skimage import data

    photograph = torch.from_numpy(data.astronaut()).permute(2, 0, 1).double() / 255

    def make(height: int, width: int, number: int = 1, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
        crops = [photograph[:, 30 + 9 * i :, 150 - 7 * i :][:, :height, :width] for i in range(number)]
        original = torch.stack(crops)
        noise = torch.randn(original.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return (original + 0.1 * noise).clamp(0, 1).to(dtype), original.to(dtype)

    return make


@pytest.fixture(scope="session")
def draw() -> Callable[[torch.nn.Module, int], None]:
    """Return a function that fills a network with weights drawn the same everywhere, by the names of its parts.

    Values recorded from other packages are on such weights; activations keep about the size of the input.
    """

    def fill(module: torch.nn.Module, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for name, value in sorted(module.state_dict().items()):
            if value.is_floating_point():
                drawn = torch.randn(value.shape, generator=generator)
                if value.ndim > 1:
                    drawn *= math.sqrt(2 / value[0].numel())
                elif name.endswith(("running_var", "bn.weight")):
                    drawn = 1 + 0.1 * drawn.abs()
                else:
                    drawn *= 0.1
                value.copy_(drawn)

    return fill
