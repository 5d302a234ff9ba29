"""R-GAP is exact where its rank analysis promises it, and says so where it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.recursive import rank_deficits, rgap
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


def quality(images: Tensor, original: Tensor) -> float:
    return float(psnr(images.clamp(0, 1), original, data_range=(0.0, 1.0)))


def test_a_trained_network_of_full_rank_gives_its_input_and_label_away(
    target: Targets, share: Callable[..., SharedGradient], best_guess: Callable[..., float]
) -> None:
    """Margin: 40 dB above every guess."""
    victim = target("digits-leaky")
    assert rank_deficits(victim.model, victim.data.shape) == [0, 0, 0]
    for item in (0, 1, 2):
        original = victim.data.private.images[[item]]
        found = rgap(share(victim, item))
        assert quality(found.images, original) > best_guess(original, victim.data) + 40
        assert found.converged
        assert found.labels is not None
        assert found.labels.tolist() == victim.data.private.labels[[item]].tolist()


def test_noise_gives_nothing_and_is_noticed(
    target: Targets, share: Callable[..., SharedGradient], best_guess: Callable[..., float]
) -> None:
    victim = target("digits-leaky")
    found = rgap(noise_like(share(victim, 0), 1))
    original = victim.data.private.images[[0]]
    assert not found.converged
    assert quality(found.images, original) < best_guess(original, victim.data)


@pytest.mark.parametrize(("channels", "deficit"), [(2, True), (4, False)])
def test_the_rank_analysis_tells_beforehand_which_network_is_at_risk(
    channels: int, deficit: bool, target: Targets
) -> None:
    """Two channels at stride 2 give 32 outputs and 18 weights for 64 pixels: 18 at least stay open."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, channels, 3, 2, 1, bias=False), nn.Tanh(), nn.Flatten(), nn.Linear(16 * channels, 10, bias=False)
    )
    private = target("digits-leaky").data.private
    shared = SharedGradient.of_batch(model, private.images[:1], private.labels[:1], mode="eval", labels_known=False)
    found = rgap(shared)
    assert (rank_deficits(model, (1, 8, 8))[0] >= 14) == deficit
    assert found.converged != deficit
    assert (quality(found.images, private.images[:1]) > 60) != deficit


@pytest.mark.parametrize("activation", [nn.Sigmoid(), nn.LeakyReLU(0.1), nn.Identity()])
def test_biases_and_linear_layers_take_part(activation: nn.Module, target: Targets) -> None:
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), activation, nn.Flatten(), nn.Linear(384, 70), activation, nn.Linear(70, 10)
    )
    private = target("digits-leaky").data.private
    shared = SharedGradient.of_batch(model, private.images[3:4], private.labels[3:4], mode="eval", labels_known=True)
    found = rgap(shared)
    assert found.converged
    assert quality(found.images, private.images[3:4]) > 60


def test_what_cannot_be_undone_is_refused(target: Targets, share: Callable[..., SharedGradient]) -> None:
    with pytest.raises(ValueError, match="ReLU cannot be undone"):
        rgap(share(target("digits-mlp"), 1))
    with pytest.raises(ValueError, match="one example"):
        rgap(share(target("digits-leaky"), 1, 2))
    with pytest.raises(ValueError, match="last linear layer"):
        rank_deficits(nn.Sequential(nn.Conv2d(1, 2, 3)), (1, 8, 8))
