"""The optimizers take the steps of the library's own."""

from __future__ import annotations

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.descent import Adam, Lbfgs, stepped


def bowl(point: Tensor) -> Tensor:
    """A curved valley in 30 dimensions."""
    weights = torch.linspace(1, 40, len(point), dtype=point.dtype)
    return (weights * point.square()).sum() / 40 + (point[1:] - point[:-1].square()).square().sum() / 10


def slope(point: Tensor) -> Tensor:
    point = point.detach().requires_grad_()
    return torch.autograd.grad(bowl(point), point)[0]


def start() -> Tensor:
    return torch.randn(30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_adam_takes_the_library_s_steps_and_its_rate_falls_as_the_library_s() -> None:
    mine, theirs = start(), start().requires_grad_()
    adam, library = Adam(mine), torch.optim.Adam([theirs], 0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(library, [30, 50, 70], gamma=0.1)
    for step in range(80):
        adam.step(mine, slope(mine), stepped(0.1, step, 80))
        theirs.grad = slope(theirs)
        library.step()
        schedule.step()
    torch.testing.assert_close(mine, theirs.detach(), rtol=1e-9, atol=1e-12)


def test_lbfgs_takes_the_library_s_steps_also_once_its_memory_is_full() -> None:
    mine, theirs = start(), start().requires_grad_()
    search = Lbfgs(30, history=5)
    library = torch.optim.LBFGS(
        [theirs], max_iter=25, max_eval=100, history_size=5, tolerance_grad=0, tolerance_change=0
    )

    def closure() -> Tensor:
        theirs.grad = slope(theirs)
        return bowl(theirs.detach())

    library.step(closure)
    for _ in range(25):
        mine += search.next(slope(mine))
    assert bowl(mine) < bowl(start()) / 1e4
    torch.testing.assert_close(mine, theirs.detach(), rtol=1e-6, atol=1e-9)
