"""An update of several local steps is inverted by repeating them, not by taking it for one step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients, inverting_updates
from inversion_atlas.reference.attacks.matching import repeated_training
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import match, psnr
from inversion_atlas.reference.observations import AccessError, SharedUpdate
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
ITEMS = [4, 143]


def shared_update(victim: Target, *, labels_known: bool = True, epochs: int = 3) -> SharedUpdate:
    private = victim.data.private
    return SharedUpdate.of_client(
        victim.model,
        private.images[ITEMS],
        private.labels[ITEMS],
        learning_rate=0.1,
        epochs=epochs,
        local_batch_size=1,
        shuffle_seed=None,
        mode="eval",
        labels_known=labels_known,
    )


def quality(found: Reconstruction, originals: torch.Tensor) -> float:
    images = found.images.clamp(0, 1)
    return float(psnr(images[match(images, originals)], originals, data_range=(0.0, 1.0)).mean())


def test_repeating_the_local_steps_beats_taking_them_for_one(target: Targets, best_guess: Callable[..., float]) -> None:
    """Six steps on two images, early in training. Margins: 3 dB above the same attack on one step and every guess."""
    victim = target("convnet-early")
    originals = victim.data.private.images[ITEMS]
    observation = shared_update(victim)
    found = quality(inverting_updates(observation, steps=120), originals)
    assert found > quality(inverting_gradients(observation.as_one_step(), steps=120), originals) + 3
    guess = sum(best_guess(image[None], victim.data) for image in originals) / len(originals)
    assert found > guess + 3
    noise = observation.with_update(noise_like(observation.as_one_step(), 1).gradient)
    assert quality(inverting_updates(noise, steps=20), originals) < guess


def test_training_is_repeated_as_the_client_did_it(target: Targets) -> None:
    """On the client's own images the movement is the one it shared, and its slopes are those of differences."""
    victim = target("lenet-untrained")
    private = victim.data.private
    observation = SharedUpdate.of_client(
        victim.model.double(),
        private.images[:5].double(),
        private.labels[:5],
        learning_rate=0.05,
        epochs=2,
        local_batch_size=2,
        shuffle_seed=None,
        mode="eval",
        labels_known=True,
    )
    assert observation.steps == 6
    images = private.images[:5].double()
    moved, slopes = repeated_training(observation)(images, private.labels[:5])
    for mine, theirs in zip(moved, observation.update().values(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-10)
    generator = torch.Generator().manual_seed(0)
    direction = [torch.randn(part.shape, generator=generator, dtype=torch.float64) for part in moved]
    toward = torch.randn(images.shape, generator=generator, dtype=torch.float64)

    def product(at: torch.Tensor) -> float:
        parts = repeated_training(observation)(at, private.labels[:5])[0]
        return sum(float((part * along).sum()) for part, along in zip(parts, direction, strict=True))

    difference = (product(images + 1e-5 * toward) - product(images - 1e-5 * toward)) / 2e-5
    assert float((slopes(direction)[0] * toward).sum()) == pytest.approx(difference, rel=1e-5)


def test_one_step_of_one_batch_is_the_gradient(target: Targets) -> None:
    victim = target("lenet-untrained")
    private = victim.data.private
    observation = SharedUpdate.of_client(
        victim.model,
        private.images[ITEMS],
        private.labels[ITEMS],
        learning_rate=0.5,
        epochs=1,
        local_batch_size=2,
        shuffle_seed=None,
        mode="eval",
        labels_known=False,
    )
    update, step = (
        attack(given, steps=5)  # type: ignore[operator]
        for attack, given in ((inverting_updates, observation), (inverting_gradients, observation.as_one_step()))
    )
    assert update.labels is not None
    assert step.labels is not None
    assert update.labels.tolist() == step.labels.tolist()
    torch.testing.assert_close(update.images, step.images, atol=0.05, rtol=0)


def test_the_same_seed_gives_the_same_tensor(target: Targets) -> None:
    observation = shared_update(target("lenet-untrained"), epochs=1)
    one, two, other = (inverting_updates(observation, steps=2, seed=seed).images for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_gradient_is_no_update(target: Targets) -> None:
    observation = shared_update(target("lenet-untrained"), epochs=1)
    with pytest.raises(AccessError, match="takes a SharedUpdate"):
        inverting_updates(observation.as_one_step())  # type: ignore[arg-type]
