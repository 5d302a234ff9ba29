"""Positions of points that were hidden on lines, on planes or by swapped coordinates, from who their neighbors are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import AccessError, ObfuscatedPoints, expect
from inversion_atlas.reference.observations.points import nearest
from inversion_atlas.reference.seeding import seeded

# A set nearer than this share of the spread of all counts no more than one at this distance.
_NEAR = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class RecoveredPoints:
    """Positions of shape (points, 3), in the units and the order of the map that was hidden."""

    points: Tensor
    objective: float  # the mean distance from the points to the sets of their neighbors
    evaluations: int  # how often the positions were solved for


def point_recovery(
    observation: ObfuscatedPoints, neighbors: Tensor | None = None, *, steps: int = 15, progress: Progress = silent
) -> RecoveredPoints:
    """Return where hidden points lie, from who their neighbors are (chelani2025obfuscation).

    A point lies near the lines, or planes, on which its neighbors lie. It is put where the distances to theirs and to
    its own sum to the least, by `steps` of reweighted least squares, and then moved onto its own line or plane; sums of
    squares, the first step, are misled by every neighbor that is none. `neighbors` (points, number), such as
    `similar` finds, stand in for those that were told.

    We read the paper's abstract, which names the weakness, the schemes and the learned neighborhoods, and of the rest
    what a later paper says of it; distances without squares and their minimization are ours.
    """
    observation = expect(observation, ObfuscatedPoints, "point recovery")
    neighbors = observation.neighbors if neighbors is None else neighbors
    if neighbors is None:
        raise AccessError("point recovery needs neighbors, told or estimated; none are known here")
    everyone = torch.cat((torch.arange(len(neighbors))[:, None], neighbors), dim=1)
    # One set after another, those of all neighbors in a row.
    across = observation.projections[everyone].flatten(1, 2)
    offsets = observation.offsets[everyone].flatten(1, 2)
    near = _NEAR * float(observation.offsets.std(dim=0).norm())
    weights = torch.ones(offsets.shape[:2], dtype=offsets.dtype)
    for step in range(steps):
        points = _solved(across, offsets, weights)
        distances = _apart(points, across, offsets)
        weights = 1 / distances.clamp_min(near)
        progress(step + 1, steps)
    if observation.projections.shape[1] == 1:
        own, offset = observation.projections[:, 0], observation.offsets[:, 0]
        points = points - (own @ points[:, :, None])[:, :, 0] + offset
    return RecoveredPoints(points, float(_apart(points, across, offsets).mean()), steps)


def learn_similarity(
    descriptors: Tensor, positions: Tensor, *, near: int = 20, steps: int = 400, seed: int = 0
) -> nn.Module:
    """Return a network whose outputs for descriptors are alike where the descriptors occur near each other.

    It learns from a public picture: `descriptors` (points, length) and `positions` (points, 2). Of a point and one of
    its `near` nearest, among 256 at a time, it learns which belong together. Loss, network and sizes are ours. A single
    picture teaches only places that it shows.
    """
    neighbors = nearest(positions, near)
    with seeded(seed):
        network = similarity_network(descriptors.shape[1])
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        for _ in range(steps):
            some = torch.randperm(len(descriptors))[:256]
            others = neighbors[some, torch.randint(near, (len(some),))]
            one, other = (_codes(network, _blurred(descriptors[those])) for those in (some, others))
            optimizer.zero_grad()
            functional.cross_entropy(one @ other.T / 0.2, torch.arange(len(some))).backward()
            optimizer.step()
    return network


def similarity_network(length: int, width: int = 512) -> nn.Module:
    """An untrained network for descriptors of that length."""
    return nn.Sequential(nn.Linear(length, width), nn.ReLU(), nn.Linear(width, 32))


@torch.no_grad()
def similar(network: nn.Module, descriptors: Tensor, number: int = 20) -> Tensor:
    """Return the places of so many points whose descriptors the network finds most alike, for each point."""
    codes = _codes(network, descriptors)
    found: Tensor = (codes @ codes.T).fill_diagonal_(-torch.inf).topk(number).indices
    return found


def _codes(network: nn.Module, descriptors: Tensor) -> Tensor:
    codes: Tensor = functional.normalize(network(4 * functional.normalize(descriptors, dim=1)), dim=1)
    return codes


def _blurred(descriptors: Tensor) -> Tensor:
    """Descriptors as another picture of the same place might have them."""
    blurred: Tensor = functional.normalize(descriptors, dim=1) + 0.025 * torch.randn(descriptors.shape)
    return blurred


def _solved(across: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
    """The points with the least weighted sum of squared distances to their sets."""
    # Where the sets leave a direction open, the least solution along it.
    system = (weights[:, :, None, None] * across).sum(dim=1)
    points: Tensor = torch.linalg.pinv(system, hermitian=True) @ (weights[:, :, None] * offsets).sum(dim=1)[:, :, None]
    return points[:, :, 0]


def _apart(points: Tensor, across: Tensor, offsets: Tensor) -> Tensor:
    distances: Tensor = ((across @ points[:, None, :, None])[:, :, :, 0] - offsets).norm(dim=2)
    return distances
