"""An image of a class by gradient descent through a white-box model."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import WhiteBox, expect

# Maps images to images; the paper denoises and sharpens, or decodes the code of an autoencoder.
Process = Callable[[Tensor], Tensor]


def mi_face(
    observation: WhiteBox,
    labels: Tensor,
    *,
    steps: int = 5000,
    patience: int = 100,
    confidence: float = 0.99,
    learning_rate: float = 0.1,
    process: Process | None = None,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. MI-Face (fredrikson2015model).

    Gradient descent from zeros on 1 - the class's probability; each image stops when its cost was not below the
    worst of the last `patience` costs, or when the model names the class with `confidence`, and the image with the
    least cost is returned. `process` is applied after each step, then images are kept in the data's range. Defaults
    are those of the paper (5000, 100, .99, .1), except that its auxiliary term is left out.
    """
    observation = expect(observation, WhiteBox, "mi-face")
    if labels.ndim != 1 or len(labels) == 0 or int(labels.min()) < 0 or int(labels.max()) >= observation.classes:
        raise ValueError(f"labels must be classes from 0 to {observation.classes - 1}, of shape (items,)")
    low, high = observation.data_range
    images = torch.zeros(len(labels), *observation.input_shape).clamp_(low, high)
    best, least = images.clone(), torch.full((len(labels),), math.inf)
    recent = torch.full((patience, len(labels)), math.inf)
    running = torch.ones(len(labels), dtype=torch.bool)
    evaluations = 0
    for step in range(steps + 1):
        images.requires_grad_()
        cost = 1 - observation.log_probabilities(images).gather(1, labels[:, None]).squeeze(1).exp()
        (slope,) = torch.autograd.grad(cost.sum(), images)
        evaluations += 1
        with torch.no_grad():
            better = running & (cost < least)
            best[better], least[better] = images[better], cost[better]
            running &= (cost > 1 - confidence) & (cost < recent.max(dim=0).values)
            recent[step % patience] = cost
            if not bool(running.any()) or step == steps:
                break
            moved = (images - learning_rate * slope).clamp_(low, high)
            moved = moved if process is None else process(moved).clamp_(low, high)
            images = torch.where(running[:, None, None, None], moved, images)
        progress(step + 1, steps)
    return Reconstruction(best, labels, float(least.mean()), evaluations, 0, bool((least <= 1 - confidence).all()))
