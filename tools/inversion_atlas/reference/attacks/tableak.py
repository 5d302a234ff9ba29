"""Searching rows of a table of categories and numbers by their gradient, in an ensemble: TabLeak."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from inversion_atlas.reference.attacks.labels import recovered_labels
from inversion_atlas.reference.attacks.matching import Matching, repeated_training
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import SharedGradient, SharedUpdate, expect


@dataclass(frozen=True, slots=True, eq=False)
class RecoveredRows:
    """Encoded rows, pooled from an ensemble, and how unsure the ensemble is of each column.

    `uncertainty` (rows, columns) is, for categories, the entropy of the pooled shares over that of an even guess, from
    0 to 1; for numbers the differential entropy in nats of a normal distribution with the ensemble's deviation. Compare
    columns of one kind alone.
    """

    rows: Tensor
    uncertainty: Tensor
    labels: Tensor
    objective: float  # the least of the ensemble's
    evaluations: int
    converged: bool  # whether the objective was finite


def tableak(
    observation: SharedGradient | SharedUpdate,
    widths: Sequence[int],
    *,
    steps: int = 1500,
    learning_rate: float = 0.06,
    ensemble: int = 30,
    relaxed: bool = True,
    seed: int = 0,
    progress: Progress = silent,
) -> RecoveredRows:
    """Recover rows of categories and numbers. TabLeak (vero2023tableak).

    `widths` says how many inputs each column takes up: one for a number, as many as there are categories otherwise.
    The model takes categories as shares that sum to 1 and numbers from 0 to 1. One minus the cosine of the gradients is
    minimized by Adam on the sign of the slope, over free numbers that a softmax turns into shares and a sigmoid into
    numbers; without `relaxed` the inputs themselves are searched, as the paper's baseline does. The rows of `ensemble`
    starts are matched to those with the least objective and pooled by the median.

    Steps, rate and ensemble are the authors'. Here numbers lie in the range of the table, there they are standardized;
    starts are uniform from -1 to 1 before softmax and sigmoid, as there. A column of two categories is one of two
    shares. Their order is matched by squared distance. Labels are known or counted first.

    Of an update by federated averaging the client's local steps are repeated, and updates are compared by their
    cosine, as `inverting_updates` does; the authors' code for that setting was not seen.
    """
    if not isinstance(observation, SharedUpdate):
        observation = expect(observation, SharedGradient, "tableak")
    if observation.input_shape != (sum(widths),) or observation.data_range != (0.0, 1.0):
        raise ValueError(
            f"widths must sum to the inputs of the model, {observation.input_shape}, in a range from 0 to 1; "
            f"they sum to {sum(widths)}"
        )
    labels, matching = _labels_and_matching(observation)
    members: list[tuple[float, Tensor]] = []
    for member in range(ensemble):
        generator = torch.Generator().manual_seed(seed + member)
        free = torch.rand(len(labels), sum(widths), generator=generator) * 2 - 1
        free.requires_grad_()
        optimizer = torch.optim.Adam([free], learning_rate)
        for step in range(steps):
            rows = _relaxed(free, widths) if relaxed else free
            found = matching.angle(rows.detach(), labels)
            (slope,) = torch.autograd.grad(rows, free, found.images)
            free.grad = slope.sign()
            optimizer.step()
            progress(member * steps + step + 1, ensemble * steps)
        rows = (_relaxed(free, widths) if relaxed else free).detach()
        members.append((matching.angle_alone(rows, labels), rows))
    members.sort(key=lambda pair: pair[0])
    least, best = members[0]
    stacked = torch.stack([_matched(rows, best, labels) for _, rows in members])
    pooled = stacked.median(dim=0).values
    deviation = stacked.std(dim=0, correction=0)
    return RecoveredRows(
        pooled, _uncertainty(pooled, deviation, widths), labels, least, ensemble * (steps + 1), math.isfinite(least)
    )


def _labels_and_matching(observation: SharedGradient | SharedUpdate) -> tuple[Tensor, Matching]:
    if isinstance(observation, SharedUpdate):
        update = list(observation.update().values())
        return recovered_labels(observation.as_one_step()), Matching(repeated_training(observation), update)
    return recovered_labels(observation), Matching.of(observation)


def _relaxed(free: Tensor, widths: Sequence[int]) -> Tensor:
    """Shares for categories, numbers from 0 to 1 otherwise."""
    return torch.cat(
        [part.sigmoid() if part.shape[1] == 1 else part.softmax(dim=1) for part in free.split(list(widths), dim=1)],
        dim=1,
    )


def _matched(rows: Tensor, best: Tensor, labels: Tensor) -> Tensor:
    """The rows in the order in which they are nearest to the best member's, among those of the same class."""
    cost = torch.cdist(best.double(), rows.double()).square()
    cost += (labels[:, None] != labels) * 1e6
    return rows[torch.from_numpy(linear_sum_assignment(cost.numpy())[1])]


def _uncertainty(pooled: Tensor, deviation: Tensor, widths: Sequence[int]) -> Tensor:
    parts = []
    for shares, spread in zip(pooled.split(list(widths), dim=1), deviation.split(list(widths), dim=1), strict=True):
        if shares.shape[1] == 1:
            parts.append(0.5 + 0.5 * (2 * math.pi * spread[:, 0].clamp_min(1e-6).square()).log())
        else:
            shares = shares.clamp_min(0)
            shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(torch.finfo(shares.dtype).tiny)
            parts.append(torch.special.entr(shares).sum(dim=1) / math.log(shares.shape[1]))
    return torch.stack(parts, dim=1)
