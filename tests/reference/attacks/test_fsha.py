"""The feature-space hijacking attack on a client of split learning."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.fsha import fsha
from inversion_atlas.reference.benchmark.split_cases import batches, client_in_training
from inversion_atlas.reference.metrics import mse
from inversion_atlas.reference.observations import QueryLimitReached, SplitTraining
from inversion_atlas.reference.targets.training import Target

SHAPE = (1, 8, 8)


def attacked(victim: Target, steps: int, learning_rate: float = 1e-3) -> tuple[Tensor, Tensor]:
    """Return what the attack found and the client's last batch."""
    sent = batches(victim.data.private.images, steps + 1, 64, seed=0)
    client = SplitTraining(client_in_training(SHAPE, 0), sent, input_shape=SHAPE, learning_rate=learning_rate)
    return fsha(client, victim.data.public.images, steps=steps).images, sent[-1]


def error(images: Tensor, originals: Tensor) -> float:
    return float(mse(images.contiguous(), originals, data_range=(0.0, 1.0)).mean())


@pytest.mark.slow
def test_a_steered_client_gives_its_batches_away(target: Callable[[str], Target]) -> None:
    """Margin: half the error of the mean image; a client that does not follow the gradients gives nothing."""
    victim = target("digits-softmax")
    found, originals = attacked(victim, steps=700)
    mean = victim.data.public.images.mean(dim=0, keepdim=True).expand_as(originals)
    assert error(found, originals) < 0.5 * error(mean, originals)
    assert error(found.roll(1, dims=0), originals) > error(mean, originals)
    free, _ = attacked(victim, steps=150, learning_rate=0.0)
    assert error(free, originals) > 0.9 * error(mean, originals)


def test_the_same_seed_gives_the_same_images_and_each_step_is_one_batch(target: Callable[[str], Target]) -> None:
    victim = target("digits-softmax")
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    one, two = (attacked(victim, steps=3)[0] for _ in "ab")
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(one, two)
    client = SplitTraining(
        client_in_training(SHAPE, 0), victim.data.private.images[:8].split(4), input_shape=SHAPE, learning_rate=1e-3
    )
    with pytest.raises(QueryLimitReached, match="all of its 2 batches"):
        fsha(client, victim.data.public.images, steps=5)


def test_features_of_another_kind_are_refused() -> None:
    client = SplitTraining(nn.Conv2d(1, 4, 3), [torch.zeros(2, *SHAPE)], input_shape=SHAPE, learning_rate=1e-3)
    with pytest.raises(ValueError, match="halved some times"):
        fsha(client, torch.zeros(4, *SHAPE))
