"""The search that attacks with a generator share: down a loss per item, from some variables, to images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction
from inversion_atlas.reference.observations import WhiteBox


def descend(
    variables: Sequence[Tensor],
    loss: Callable[[], Tensor],
    optimizer: Callable[[list[Tensor]], torch.optim.Optimizer],
    *,
    steps: int,
    progress: Progress,
    rate: Callable[[int], float] | None = None,
    project: Callable[[], object] | None = None,
) -> None:
    """Change the variables in place so that the sum of the loss over items falls.

    Items do not act on each other: the result for one is the same whatever the others are. `rate` gives the
    learning rate of a step, `project` brings the variables back to where they may be, after each step.
    """
    parameters = [variable.requires_grad_() for variable in variables]
    chosen = optimizer(list(parameters))
    for step in range(steps):
        if rate is not None:
            for group in chosen.param_groups:
                group["lr"] = rate(step)
        slopes = torch.autograd.grad(loss().sum(), parameters)
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.grad = slope
        chosen.step()
        if project is not None:
            with torch.no_grad():
                project()
        progress(step + 1, steps)
    for parameter in parameters:
        parameter.grad = None
        parameter.requires_grad_(False)


@torch.no_grad()
def chosen_by(observation: WhiteBox, images: Tensor, labels: Tensor, tries: int) -> Tensor:
    """Return, for each label, the index of the try that the target is surest of; tries of one label lie together."""
    confidence = observation.log_probabilities(images).gather(1, labels[:, None]).reshape(-1, tries)
    return confidence.argmax(dim=1) + torch.arange(len(confidence)) * tries


@torch.no_grad()
def finished(
    observation: WhiteBox, images: Tensor, labels: Tensor, objective: Tensor, evaluations: int, restarts: int = 0
) -> Reconstruction:
    """Return the images with the mean objective; the criterion is met where the target names every class itself."""
    named = observation.log_probabilities(images).argmax(dim=1)
    return Reconstruction(
        images.detach(), labels, float(objective.mean()), evaluations, restarts, bool((named == labels).all())
    )


def shifted(images: Tensor, generator: torch.Generator, *, scale: float = 0.1) -> Tensor:
    """Return each image cropped at random: enlarged by up to `scale` and moved within, as a random resized crop is."""
    kept = 1 - scale * torch.rand(len(images), generator=generator)
    return _windows(images, kept, kept, generator)


def cropped(
    images: Tensor,
    generator: torch.Generator,
    *,
    area: tuple[float, float],
    aspect: tuple[float, float] = (1.0, 1.0),
) -> Tensor:
    """Return each image cropped to a share of its area and an aspect ratio, both drawn within bounds, and resized."""
    kept = area[0] + (area[1] - area[0]) * torch.rand(len(images), generator=generator)
    low, high = map(math.log, aspect)
    ratio = (low + (high - low) * torch.rand(len(images), generator=generator)).exp()
    return _windows(images, (kept * ratio).sqrt().clamp_max(1), (kept / ratio).sqrt().clamp_max(1), generator)


def _windows(images: Tensor, widths: Tensor, heights: Tensor, generator: torch.Generator) -> Tensor:
    """Return a window of each image, with sides as shares of the image's and somewhere within, at the image's size."""
    sides = torch.stack((widths, heights), dim=1)
    matrix = torch.zeros(len(images), 2, 3)
    matrix[:, :, :2] = torch.diag_embed(sides)
    matrix[:, :, 2] = (1 - sides) * (2 * torch.rand(len(images), 2, generator=generator) - 1)
    grid = functional.affine_grid(matrix.to(images), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
