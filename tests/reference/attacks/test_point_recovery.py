"""Points of a map that was hidden, from who their neighbors are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.point_recovery import learn_similarity, point_recovery, similar
from inversion_atlas.reference.benchmark.point_cases import guesses, hidden, strangers
from inversion_atlas.reference.metrics import l2_distance
from inversion_atlas.reference.observations import AccessError, WhiteBox
from inversion_atlas.reference.targets.points import PointCloud, motorcycle
from inversion_atlas.reference.targets.training import Target


@pytest.fixture(scope="module")
def cloud() -> PointCloud:
    return motorcycle()


def median(found: Tensor, cloud: PointCloud) -> float:
    """The distance, in meters, within which half of the points were found."""
    return float(l2_distance(found, cloud.private.images).median())


def test_the_points_are_those_of_the_picture_in_meters(cloud: PointCloud) -> None:
    points = cloud.private.images
    assert points.shape == (771, 3)
    assert cloud.descriptors.shape == (771, 128)
    assert len(cloud.positions) == len(cloud.public.images)
    # A garage of a few meters, all of it before the camera.
    assert 2 < float(points[:, 2].min()) < float(points[:, 2].max()) < 5
    assert len(points.unique(dim=0)) == len(points)


@pytest.mark.parametrize(("scheme", "reached"), [("lines", 0.05), ("planes", 0.1), ("swaps", 0.15)])
def test_known_neighbors_undo_every_scheme(scheme: str, reached: float, cloud: PointCloud) -> None:
    """Margin: a fifth of the distance of the best guess. Neighbors drawn at random leave at least half of that."""
    seen = hidden(cloud, scheme, neighbors_known=20)  # type: ignore[arg-type]
    found = point_recovery(seen)
    blind = {name: median(guess, cloud) for name, guess in guesses(seen, 1).items()}
    assert median(found.points, cloud) < reached
    assert median(found.points, cloud) < 0.2 * min(blind.values())
    assert blind["random neighbors"] > 0.5 * min(blind["nearest to all"], blind["middle"])
    assert torch.equal(point_recovery(seen).points, found.points)


def test_the_more_neighbors_are_true_the_nearer_the_points(cloud: PointCloud) -> None:
    seen = hidden(cloud, "lines", neighbors_known=20)
    assert seen.neighbors is not None
    reached = []
    for true in (20, 10, 5, 0):
        mixed = torch.cat((seen.neighbors[:, :true], strangers(seen, 20 - true, 2)), dim=1)
        reached.append(median(point_recovery(seen, mixed).points, cloud))
    assert reached == sorted(reached)
    assert reached[1] < 0.5 * reached[-1]


def test_sums_of_distances_bear_false_neighbors_and_swaps_where_sums_of_squares_do_not(cloud: PointCloud) -> None:
    seen = hidden(cloud, "swaps", neighbors_known=20)
    assert median(point_recovery(seen).points, cloud) < 0.5 * median(point_recovery(seen, steps=1).points, cloud)


def test_points_stay_on_the_lines_that_hide_them(cloud: PointCloud) -> None:
    seen = hidden(cloud, "lines", neighbors_known=5)
    found = point_recovery(seen).points
    across = (seen.projections[:, 0] @ found[:, :, None])[:, :, 0]
    torch.testing.assert_close(across, seen.offsets[:, 0], atol=1e-5, rtol=0)


def test_lines_through_one_center_tell_nothing_but_the_center(cloud: PointCloud) -> None:
    """What neighbors add is where their lines meet; a scheme that makes them meet elsewhere is not undone."""
    seen = hidden(cloud, "centered-lines", neighbors_known=20)
    found = point_recovery(seen).points
    assert float((found - cloud.private.images.mean(dim=0)).norm(dim=1).max()) < 0.01


def test_neighbors_are_needed_and_an_observation_that_hides_points(cloud: PointCloud) -> None:
    with pytest.raises(AccessError, match="needs neighbors"):
        point_recovery(hidden(cloud, "lines"))
    with pytest.raises(AccessError, match="point recovery takes an ObfuscatedPoints"):
        point_recovery(WhiteBox(torch.nn.Flatten(), outputs="logits", input_shape=(3,)))  # type: ignore[arg-type]


@pytest.mark.slow
def test_neighbors_learned_from_a_public_picture_of_the_place_are_enough(
    cloud: PointCloud, target: Callable[[str], Target]
) -> None:
    """Margin: half of the distance of the best guess; descriptors as they are do not get below three quarters."""
    network = target("motorcycle-neighbors").model
    seen = hidden(cloud, "lines")
    best = min(median(guess, cloud) for guess in guesses(seen, 1).values())
    neighbors = similar(network, seen.descriptors)
    assert median(point_recovery(seen, neighbors).points, cloud) < 0.5 * best
    plain = similar(torch.nn.Identity(), seen.descriptors)
    assert median(point_recovery(seen, plain).points, cloud) > 0.75 * best
    # What it learned is where descriptors stand: with the places shuffled, it finds nobody's neighbors.
    shuffled = cloud.positions[torch.randperm(len(cloud.positions), generator=torch.Generator().manual_seed(3))]
    blind = similar(learn_similarity(cloud.public.images, shuffled, steps=100), seen.descriptors)
    assert median(point_recovery(seen, blind).points, cloud) > 0.75 * best
    again = learn_similarity(cloud.public.images, cloud.positions)
    assert torch.equal(similar(again, seen.descriptors), neighbors)
