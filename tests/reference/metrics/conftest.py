"""Pairs of real images: crops of photographs, and the same with noise."""

from __future__ import annotations

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
