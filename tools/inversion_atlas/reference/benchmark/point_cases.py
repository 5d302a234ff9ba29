"""Attacks on maps of points that were hidden."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.point_recovery import point_recovery, similar
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, places_of
from inversion_atlas.reference.observations import ObfuscatedPoints
from inversion_atlas.reference.observations.points import Scheme
from inversion_atlas.reference.targets.points import PointCloud

# A point is found where it lies as near as this, in meters.
FOUND = 0.1


def hidden(cloud: PointCloud, scheme: Scheme, *, neighbors_known: int = 0, seed: int = 0) -> ObfuscatedPoints:
    """Return what a service is given of the private points."""
    points, descriptors = cloud.private.images, cloud.descriptors
    return ObfuscatedPoints.of_points(points, descriptors, scheme=scheme, neighbors_known=neighbors_known, seed=seed)


def strangers(observation: ObfuscatedPoints, number: int, seed: int) -> Tensor:
    """Return neighbors drawn at random."""
    size = (len(observation.offsets), number)
    return torch.randint(len(observation.offsets), size, generator=torch.Generator().manual_seed(seed))


def guesses(observation: ObfuscatedPoints, seed: int) -> dict[str, Tensor]:
    """Return what needs no neighborhoods: the middle of all, the place of each line nearest to it, random neighbors."""
    everyone = torch.arange(len(observation.offsets)).expand(len(observation.offsets), -1)
    nearest_to_all = point_recovery(observation, everyone, steps=1).points
    return {
        "middle": nearest_to_all.mean(dim=0, keepdim=True).expand_as(nearest_to_all).contiguous(),
        "nearest to all": nearest_to_all,
        "random neighbors": point_recovery(observation, strangers(observation, 20, seed)).points,
    }


def _point_recovery(options: Options) -> Outcome:
    """Points on lines of random direction; neighbors are those that the network finds by their descriptors."""
    cloud = options.target.data
    assert isinstance(cloud, PointCloud)
    observation = hidden(cloud, "lines", seed=options.seed)
    neighbors = similar(options.target.model, observation.descriptors)
    found = point_recovery(observation, neighbors, **accepted(point_recovery, options)).points
    places = places_of(len(found), options.items, options.seed)
    original = cloud.private.images[places]
    distances = metrics.l2_distance(found[places], original)
    blind = [metrics.l2_distance(guess[places], original) for guess in guesses(observation, options.seed).values()]
    learned = (
        f"20 of each found by {options.target.name} ({options.target.test_accuracy:.0%} of them among the 30 nearest)"
    )
    return Outcome(
        setting=f"{options.items} of {cloud.name}; {observation.describe()}, {learned}",
        scores=(
            Score("l2-distance", float(distances.mean()), "m", min(float(guess.mean()) for guess in blind)),
            Score("attack-success-rate", within(distances), "", max(within(guess) for guess in blind)),
        ),
        originals=None,
        images=None,
        converged=options.items,
        items=options.items,
    )


def within(distances: Tensor) -> float:
    """Return the share of points that were found."""
    return float((distances <= FOUND).double().mean())


CASES: Mapping[str, Case] = {
    "point-recovery": Case(_point_recovery, ("motorcycle-neighbors",), items=700, sees=()),
}
