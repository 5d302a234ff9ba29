"""Features of a recording, and what was said, from the gradient of a network that spots keywords."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients
from inversion_atlas.reference.attacks.speech_inversion import speech_inversion
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import AccessError, SharedGradient, WhiteBox
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
Share = Callable[..., SharedGradient]
STEPS = 200


def quality(found: Tensor, victim: Target, item: int) -> float:
    return float(psnr(found, victim.data.private.images[item : item + 1], data_range=(0.0, 1.0)))


def blind(victim: Target, item: int, best_guess: Callable[..., float]) -> float:
    """The best that gray, means or any other public recording reach."""
    return best_guess(victim.data.private.images[item : item + 1], victim.data)


@pytest.mark.parametrize("item", [100, 200])
def test_the_gradient_of_a_recording_gives_its_word_and_its_features_away(
    item: int, target: Targets, share: Share, best_guess: Callable[..., float]
) -> None:
    """Margin: ten decibels over the best guess, early in training. Noise of the same length leads nowhere near."""
    victim = target("speech-convnet-early")
    seen = share(victim, item)
    found = speech_inversion(seen, steps=STEPS)
    assert found.labels is not None
    assert int(found.labels) == int(victim.data.private.labels[item])
    assert quality(found.images, victim, item) > blind(victim, item, best_guess) + 10
    assert torch.equal(speech_inversion(seen, steps=STEPS).images, found.images)
    noise = speech_inversion(noise_like(seen, 1), steps=60)
    assert quality(noise.images, victim, item) < blind(victim, item, best_guess)


@pytest.mark.slow
def test_a_trained_model_tells_less_and_smoothness_along_time_is_worth_more_than_in_all_directions(
    target: Targets, share: Share, best_guess: Callable[..., float]
) -> None:
    """Margin: two decibels over the best guess on the mean of four recordings."""
    victim, items = target("speech-convnet"), (5, 50, 100, 333)
    seen = [share(victim, item) for item in items]
    ours = [speech_inversion(one, steps=300).images for one in seen]
    everywhere = [inverting_gradients(one, steps=300).images for one in seen]
    mean, other = (
        sum(quality(f, victim, item) for f, item in zip(found, items, strict=True)) / 4 for found in (ours, everywhere)
    )
    assert mean > sum(blind(victim, item, best_guess) for item in items) / 4 + 2
    assert mean > other + 1


def test_only_gradients_of_features_over_time_are_taken() -> None:
    flat = SharedGradient.of_batch(
        nn.Linear(4, 3), torch.rand(1, 4), torch.tensor([0]), mode="eval", labels_known=False
    )
    with pytest.raises(ValueError, match=r"\(1, coefficients, frames\)"):
        speech_inversion(flat)
    with pytest.raises(AccessError, match="speech inversion takes a SharedGradient"):
        speech_inversion(WhiteBox(nn.Flatten(), outputs="logits", input_shape=(3,)))  # type: ignore[arg-type]
