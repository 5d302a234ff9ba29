"""A linear layer with a bias gives its input away exactly, and says when it cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from inversion_atlas.reference.attacks.linear_layer import analytic
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.targets.training import Target

Share = Callable[..., SharedGradient]


@pytest.mark.parametrize("name", ["mlp", "digits-mlp", "digits-softmax"])
def test_the_input_is_read_exactly_from_a_trained_model(
    name: str, target: Callable[[str], Target], share: Share, best_guess: Callable[..., float]
) -> None:
    """Margin: 40 dB above every guess."""
    victim = target(name)
    for item in (0, 100, 300):
        original = victim.data.private.images[[item]]
        found = analytic(share(victim, item))
        value = float(psnr(found.images.clamp(0, 1), original, data_range=(0.0, 1.0)))
        assert value > best_guess(original, victim.data) + 40
        assert found.converged
        assert found.labels is not None
        assert int(found.labels) == victim.data.private.labels[item]


def test_noise_in_place_of_the_gradient_gives_nothing_and_is_noticed(
    target: Callable[[str], Target], share: Share, best_guess: Callable[..., float]
) -> None:
    victim = target("mlp")
    found = analytic(noise_like(share(victim, 0), 1))
    original = victim.data.private.images[[0]]
    value = float(psnr(found.images.clamp(0, 1), original, data_range=(0.0, 1.0)))
    assert value < best_guess(original, victim.data)
    assert not found.converged


def test_models_and_batches_that_give_no_exact_input_are_refused(target: Callable[[str], Target], share: Share) -> None:
    with pytest.raises(ValueError, match="only as a mixture"):
        analytic(share(target("mlp"), 0, 1))
    with pytest.raises(ValueError, match="first layer is Conv2d"):
        analytic(share(target("lenet"), 0))
    unbiased = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False), nn.ReLU(), nn.Linear(3, 2))
    images, labels = torch.rand(1, 1, 2, 2), torch.tensor([1])
    with pytest.raises(ValueError, match="no bias"):
        analytic(SharedGradient.of_batch(unbiased, images, labels, mode="eval", labels_known=False))
    dead = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        dead[1].bias.fill_(-100)
    with pytest.raises(ValueError, match="no unit"):
        analytic(SharedGradient.of_batch(dead, images, labels, mode="eval", labels_known=False))
