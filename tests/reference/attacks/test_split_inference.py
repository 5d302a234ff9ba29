"""Inputs from features at the split: with the client's model, with queries to it, with nothing of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.split_inference import query_free, rmle, train_inverse_network, unsplit
from inversion_atlas.reference.benchmark.split_cases import noise_like, parts, untrained
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import AccessError, SplitFeatures
from inversion_atlas.reference.observations.split import Grants
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
ITEMS = slice(0, 6)


@pytest.fixture(scope="module")
def digits(target: Targets) -> Target:
    return target("digits-convnet")


def seen(victim: Target, layers: int, grants: Grants) -> SplitFeatures:
    client, server = parts(victim.model, layers)
    return SplitFeatures.of_inputs(client, server, victim.data.private.images[ITEMS], grants=grants)


def quality(victim: Target, images: Tensor) -> float:
    return float(psnr(images.clamp(0, 1), victim.data.private.images[ITEMS], data_range=(0.0, 1.0)).mean())


def guess(victim: Target) -> float:
    """What the mean image and gray reach."""
    mean = victim.data.public.images.mean(dim=0, keepdim=True).expand(6, -1, -1, -1).contiguous()
    return max(quality(victim, mean), quality(victim, torch.full_like(mean, 0.5)))


def shadowed(victim: Target, observation: SplitFeatures) -> Tensor:
    public = victim.data.public
    shadow = untrained(victim, 2, seed=0)
    return query_free(observation, public.images, public.labels, shadow, epochs=10, steps=150).images


def test_the_less_of_the_client_is_granted_the_less_is_recovered(digits: Target) -> None:
    """The paper's comparison at one split: model, queries, nothing; margins over the mean image 20, 10 and 3 dB."""
    white = quality(digits, rmle(seen(digits, 2, "model"), steps=150).images)
    observation = seen(digits, 2, "queries")
    network = train_inverse_network(observation, digits.data.public.images, epochs=10)
    with torch.no_grad():
        black = quality(digits, network(observation.features))
    free = quality(digits, shadowed(digits, seen(digits, 2, "nothing")))
    floor = guess(digits)
    assert white > black + 3
    assert black > free + 5
    assert white > floor + 20
    assert black > floor + 10
    assert free > floor + 3


@pytest.mark.slow
def test_deeper_splits_hide_more(digits: Target) -> None:
    shallow, middle, deep = (
        quality(digits, rmle(seen(digits, layers, "model"), steps=150).images) for layers in (2, 4, 6)
    )
    assert shallow > middle + 5
    assert middle > deep + 5
    assert deep > guess(digits) + 1


def test_features_that_are_noise_give_nothing(digits: Target) -> None:
    floor = guess(digits)
    assert quality(digits, rmle(noise_like(seen(digits, 4, "model"), 0), steps=150).images) < floor
    nothing = noise_like(seen(digits, 2, "nothing"), 0)
    assert quality(digits, shadowed(digits, nothing)) < floor
    observation = seen(digits, 4, "queries")
    network = train_inverse_network(observation, digits.data.public.images, epochs=2)
    with torch.no_grad():
        assert quality(digits, network(noise_like(observation, 0).features)) < floor


def test_other_inputs_features_give_other_inputs(digits: Target) -> None:
    observation = seen(digits, 2, "model")
    swapped = observation.with_features(observation.features.roll(1, dims=0))
    own, others = (rmle(features, steps=60).images for features in (observation, swapped))
    torch.testing.assert_close(others, own.roll(1, dims=0), atol=1e-4, rtol=0)
    assert quality(digits, others) < quality(digits, own) - 10


@pytest.mark.slow
def test_inputs_are_recovered_with_the_architecture_alone(digits: Target) -> None:
    """UnSplit, margin 3 dB over the mean image; noise gives less than the mean image; the caller's clone is kept."""
    clone = untrained(digits, 2, seed=0)
    before = [parameter.clone() for parameter in clone.parameters()]
    found = unsplit(seen(digits, 2, "nothing"), clone)
    assert quality(digits, found.images) > guess(digits) + 3
    assert all(torch.equal(*pair) for pair in zip(before, clone.parameters(), strict=True))
    again = unsplit(seen(digits, 2, "nothing"), clone, rounds=2)
    assert torch.equal(again.images, unsplit(seen(digits, 2, "nothing"), clone, rounds=2).images)
    blind = unsplit(noise_like(seen(digits, 2, "nothing"), 0), clone)
    assert quality(digits, blind.images) < guess(digits)


def test_the_same_seed_gives_the_same_images_and_leaves_random_numbers_alone(digits: Target) -> None:
    public = digits.data.public.images[:96]
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    observation = seen(digits, 4, "queries")
    one, two = (train_inverse_network(observation, public, epochs=1, seed=3)(observation.features) for _ in "ab")
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(one, two)
    assert torch.equal(
        *(rmle(seen(digits, 4, "model"), steps=3).images for _ in "ab"),
    )


def test_an_attack_is_refused_what_it_was_not_granted(digits: Target) -> None:
    with pytest.raises(AccessError, match="rmle needs the client's model"):
        rmle(seen(digits, 4, "queries"))
    with pytest.raises(AccessError, match="the inverse network needs queries"):
        train_inverse_network(seen(digits, 4, "nothing"), digits.data.public.images)
    flat = SplitFeatures.of_inputs(nn.Flatten(), nn.Linear(64, 10), digits.data.private.images[:2], grants="queries")
    with pytest.raises(ValueError, match="features must be of shape"):
        train_inverse_network(flat, digits.data.public.images)


def test_the_images_returned_are_those_with_the_least_objective(digits: Target) -> None:
    found = rmle(seen(digits, 4, "model"), steps=20, learning_rate=0.5)
    first = rmle(seen(digits, 4, "model"), steps=0)
    assert found.objective <= first.objective
    assert found.evaluations == 21
