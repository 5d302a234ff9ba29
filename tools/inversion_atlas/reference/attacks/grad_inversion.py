"""Batches from gradients, helped by what batch normalization remembers and by several starts that must agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.descent import Adam
from inversion_atlas.reference.attacks.gradient_matching import started, tv_slope, unit
from inversion_atlas.reference.attacks.labels import recovered_labels
from inversion_atlas.reference.attacks.matching import Best, Matching
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import SharedGradient, expect
from inversion_atlas.reference.observations.access import copied


def grad_inversion(
    observation: SharedGradient,
    *,
    steps: int = 2000,
    learning_rate: float = 0.1,
    statistics: float = 0.1,
    consistency: float = 0.01,
    tv: float = 1e-4,
    l2: float = 1e-6,
    starts: int = 3,
    distance: Literal["cosine", "euclidean"] = "cosine",
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Search a batch from several starts at once, with priors. GradInversion (yin2021see).

    Adam, with a rate that falls as a half cosine, on the distance of gradients plus: `statistics` times the distance of
    the batch's mean and variance, before each batch normalization, from the running ones; `consistency` times the
    squared distance of each start from the mean of all; total variation and squared length. The images of the start
    with the least distance of gradients are returned.

    The model must hold batch normalization with running statistics unless `statistics` is 0. The paper's distance is
    the squared one, "euclidean" (here over the squared length of the shared gradient); on a model that is sure of its
    training images the search then stays where it starts. The authors align the starts by registration before they
    average them and add noise to each step; both are left out. Weights are those of the toolbox breaching.
    """
    observation = expect(observation, SharedGradient, "grad inversion")
    if distance not in ("cosine", "euclidean"):
        raise ValueError(f"distance must be cosine or euclidean, not {distance!r}")
    if starts < 1 or min(statistics, consistency, tv, l2) < 0:
        raise ValueError("starts must be at least 1, and no weight negative")
    labels = recovered_labels(observation)
    matching = Matching.of(observation)
    compare = matching.angle if distance == "cosine" else matching.distance
    remembered = statistics_slope(observation) if statistics else None
    group = [started(observation, seed + 2**16 * start) for start in range(starts)]
    optimizers = [Adam(images) for images in group]
    best = Best()
    for step in range(steps):
        rate = learning_rate * unit(observation) * (1 + math.cos(math.pi * step / steps)) / 2
        mean = torch.stack(group).mean(dim=0)
        for images, adam in zip(group, optimizers, strict=True):
            matched = compare(images, labels)
            best.offer(matched.value, images, labels)
            slope = matched.images + tv * tv_slope(images) + 2 * l2 * images
            if remembered is not None:
                slope += statistics * remembered(images)
            if starts > 1:
                slope += 2 * consistency * (images - mean)
            adam.step(images, slope, rate)
            images.clamp_(*observation.data_range)
        progress(step + 1, steps)
    for images in group:
        best.offer(compare(images, labels).value, images, labels)
    return best.reconstruction((steps + 1) * starts, 0, converged=math.isfinite(best.objective))


def statistics_slope(observation: SharedGradient) -> Callable[[Tensor], Tensor]:
    """Return the slope, in a batch, of the distance of its statistics from those that batch normalization remembers.

    The distance is the sum over layers of the lengths of both differences, of means and of variances.
    """
    # In evaluation mode, so that what is remembered stays as it is.
    model = copied(observation.model, "eval").requires_grad_(False)
    layers = [
        module
        for module in model.modules()
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.running_mean is not None
    ]
    if not layers:
        raise ValueError("the model remembers no statistics of batch normalization: set statistics to 0")
    distances: list[Tensor] = []

    def compare(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module.running_mean, Tensor)
        assert isinstance(module.running_var, Tensor)
        across = [axis for axis in range(inputs[0].ndim) if axis != 1]
        mean, variance = inputs[0].mean(dim=across), inputs[0].var(dim=across, unbiased=False)
        distances.append((mean - module.running_mean).norm() + (variance - module.running_var).norm())

    for layer in layers:
        layer.register_forward_pre_hook(compare)

    def slope(images: Tensor) -> Tensor:
        distances.clear()
        images = images.detach().requires_grad_()
        with torch.enable_grad():
            model(images)
            total = torch.stack(distances).sum()
        return torch.autograd.grad(total, images)[0]

    return slope
