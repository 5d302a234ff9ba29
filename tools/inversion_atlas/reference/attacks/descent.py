"""Adam and L-BFGS in few operations: on small models, the library's own cost as much as the gradient does."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Adam:
    """Adam with its usual constants; steps are those of `torch.optim.Adam`."""

    def __init__(self, like: Tensor) -> None:
        self.mean, self.square, self.taken = torch.zeros_like(like), torch.zeros_like(like), 0

    def step(self, point: Tensor, slope: Tensor, rate: float) -> None:
        """Move the point in place against the slope."""
        self.taken += 1
        self.mean.lerp_(slope, 0.1)
        self.square.mul_(0.999).addcmul_(slope, slope, value=0.001)
        width = (self.square.sqrt() / math.sqrt(1 - 0.999**self.taken)).add_(1e-8)
        point.addcdiv_(self.mean, width, value=-rate / (1 - 0.9**self.taken))


def stepped(rate: float, step: int, steps: int) -> float:
    """Return the rate of Inverting Gradients at a step: a tenth after 3/8, 5/8 and 7/8 of the steps."""
    return rate * 0.1 ** sum(step >= steps * part // 8 for part in (3, 5, 7))


class Lbfgs:
    """L-BFGS with steps of length 1 and no line search, the first one scaled, as `torch.optim.LBFGS` by default.

    The product with the inverse Hessian is taken in the compact form (Byrd, Nocedal and Schnabel 1994): two products
    with all remembered steps and changes at once, in double precision, in place of hundreds of products of vectors.
    """

    def __init__(self, size: int, history: int = 100) -> None:
        self.history, self.count = history, 0
        # Steps in the first half of the rows, changes of the slope in the second.
        self.pairs = torch.zeros(2 * history, size, dtype=torch.float64)
        self.across = torch.zeros(history, history, dtype=torch.float64)  # step i times change j
        self.changes = torch.zeros(history, history, dtype=torch.float64)  # change i times change j
        self.scale = 1.0
        self.step: Tensor | None = None
        self.slope = torch.zeros(size, dtype=torch.float64)

    def next(self, slope: Tensor) -> Tensor:
        """Return the step to take from a point with this slope; both are vectors of double precision."""
        if self.step is None:
            step = slope * (-min(1.0, 1.0 / float(slope.abs().sum())))
        else:
            self._remember(self.step, slope - self.slope)
            step = self._direction(slope)
        self.step, self.slope = step, slope
        return step

    def _remember(self, step: Tensor, change: Tensor) -> None:
        curvature = float(step @ change)
        if curvature <= 1e-10:
            return
        row = self.count % self.history
        self.count += 1
        self.pairs[row], self.pairs[self.history + row] = step, change
        products = self.pairs @ change
        self.across[:, row] = products[: self.history]
        self.changes[row] = self.changes[:, row] = products[self.history :]
        self.scale = curvature / float(self.changes[row, row])

    def _direction(self, slope: Tensor) -> Tensor:
        held = min(self.count, self.history)
        if not held:
            return -slope
        # Oldest first: the matrix of steps times later changes is then triangular.
        order = (torch.arange(held) + (self.count if self.count > self.history else 0)) % held
        products = self.pairs @ slope
        by_step, by_change = products[order], products[self.history + order]
        upper = self.across[order][:, order].triu_()
        first = _solved(upper, by_step, upper=True)
        changes = self.changes[order][:, order]
        right = upper.diagonal() * first + self.scale * (changes @ first - by_change)
        second = _solved(upper.T, right, upper=False)
        weights = torch.zeros(2 * self.history, dtype=torch.float64)
        weights[order], weights[self.history + order] = second, -self.scale * first
        return torch.addmv(slope, self.pairs.T, weights, beta=-self.scale, alpha=-1)


def _solved(matrix: Tensor, right: Tensor, *, upper: bool) -> Tensor:
    solution: Tensor = torch.linalg.solve_triangular(matrix, right[:, None], upper=upper)
    return solution[:, 0]
