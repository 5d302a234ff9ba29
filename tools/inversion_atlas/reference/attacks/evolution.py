"""CMA-ES: a search that needs values alone, by a normal distribution that learns where to look."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Evolution:
    """Covariance matrix adaptation with the usual constants (Hansen's tutorial, arXiv:1604.00772)."""

    def __init__(self, size: int, *, spread: float = 1.0, population: int | None = None, seed: int = 0) -> None:
        self.size, self.spread = size, spread
        self.population = population or 4 + int(3 * math.log(size))
        self.generator = torch.Generator().manual_seed(seed)
        parents = self.population // 2
        weights = math.log((self.population + 1) / 2) - torch.arange(1, parents + 1, dtype=torch.float64).log()
        self.weights = weights / weights.sum()
        self.effective = float(1 / self.weights.square().sum())
        self.mean = torch.zeros(size, dtype=torch.float64)
        self.covariance = torch.eye(size, dtype=torch.float64)
        self.path, self.spread_path = torch.zeros_like(self.mean), torch.zeros_like(self.mean)
        self.generation = 0
        self._rates()
        self._decompose()

    def _rates(self) -> None:
        size, effective = self.size, self.effective
        self.path_rate = (4 + effective / size) / (size + 4 + 2 * effective / size)
        self.spread_rate = (effective + 2) / (size + effective + 5)
        self.one_rate = 2 / ((size + 1.3) ** 2 + effective)
        self.many_rate = min(1 - self.one_rate, 2 * (effective - 2 + 1 / effective) / ((size + 2) ** 2 + effective))
        self.damping = 1 + 2 * max(0.0, math.sqrt((effective - 1) / (size + 1)) - 1) + self.spread_rate
        self.usual = math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size**2))

    def _decompose(self) -> None:
        values, self.axes = torch.linalg.eigh(self.covariance)
        self.lengths = values.clamp_min(1e-20).sqrt()

    def ask(self) -> Tensor:
        """Return candidates of shape (population, size)."""
        drawn = torch.randn(self.population, self.size, generator=self.generator, dtype=torch.float64)
        self.steps = (drawn * self.lengths) @ self.axes.T
        candidates: Tensor = self.mean + self.spread * self.steps
        return candidates

    def tell(self, values: Tensor) -> None:
        """Learn from the candidates' values, of which less is better."""
        self.generation += 1
        best = self.steps[values.argsort(stable=True)[: len(self.weights)]]
        step = self.weights @ best
        self.mean = self.mean + self.spread * step
        whitened = self.axes @ ((self.axes.T @ step) / self.lengths)
        self.spread_path = _followed(self.spread_path, whitened, self.spread_rate, self.effective)
        length = float(self.spread_path.norm())
        settled = math.sqrt(1 - (1 - self.spread_rate) ** (2 * self.generation))
        # While the spread still grows fast, the path of the covariance waits.
        follows = length / settled < (1.4 + 2 / (self.size + 1)) * self.usual
        self.path = _followed(self.path, step if follows else torch.zeros_like(step), self.path_rate, self.effective)
        self.covariance = (
            (1 - self.one_rate - self.many_rate) * self.covariance
            + self.one_rate * torch.outer(self.path, self.path)
            + self.many_rate * (best.T * self.weights) @ best
        )
        self.spread *= math.exp(self.spread_rate / self.damping * (length / self.usual - 1))
        self._decompose()


def _followed(path: Tensor, step: Tensor, rate: float, effective: float) -> Tensor:
    return (1 - rate) * path + math.sqrt(rate * (2 - rate) * effective) * step
