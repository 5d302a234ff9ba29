"""GradInversion: what batch normalization remembers helps, and so do starts that agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.grad_inversion import grad_inversion, statistics_slope
from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import match, psnr
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


def batch(victim: Target, seed: int) -> tuple[SharedGradient, Tensor]:
    private = victim.data.private
    picked = torch.randperm(len(private), generator=torch.Generator().manual_seed(seed))[:2]
    images, labels = private.images[picked], private.labels[picked]
    return SharedGradient.of_batch(victim.model, images, labels, mode="eval", labels_known=True), images


def quality(found: Reconstruction, originals: Tensor) -> float:
    images = found.images.clamp(0, 1)
    return float(psnr(images[match(images, originals)], originals, data_range=(0.0, 1.0)).mean())


@pytest.mark.slow
def test_statistics_and_agreement_help_and_the_attack_beats_every_guess(
    target: Targets, best_guess: Callable[..., float]
) -> None:
    """Means of two batches of two. Margins: 1 dB above guesses, 3 dB above no statistics, 3 dB above geiping2020's."""
    victim = target("mnist-convnet")
    sums = dict.fromkeys(("full", "one start", "no statistics", "inverting gradients", "noise", "guess"), 0.0)
    for seed in (0, 1):
        observation, originals = batch(victim, seed)
        sums["full"] += quality(grad_inversion(observation, steps=200), originals)
        sums["one start"] += quality(grad_inversion(observation, steps=200, starts=1), originals)
        sums["no statistics"] += quality(grad_inversion(observation, steps=200, starts=1, statistics=0.0), originals)
        sums["inverting gradients"] += quality(inverting_gradients(observation, steps=200), originals)
        sums["noise"] += quality(grad_inversion(noise_like(observation, 1), steps=100, starts=1), originals)
        sums["guess"] += sum(best_guess(image[None], victim.data) for image in originals) / 2
    means = {name: value / 2 for name, value in sums.items()}
    assert means["full"] > means["guess"] + 1
    assert means["full"] > means["one start"]
    assert means["one start"] > means["no statistics"] + 3
    assert means["full"] > means["inverting gradients"] + 3
    assert means["noise"] < means["guess"]


def test_the_slope_of_the_statistics_points_away_from_what_is_remembered(target: Targets) -> None:
    """A step against it brings the batch's mean and variance nearer, layer by layer taken together."""
    observation, originals = batch(target("mnist-convnet"), 3)
    slope = statistics_slope(observation)
    images = torch.rand(originals.shape, generator=torch.Generator().manual_seed(1))
    for _ in range(30):
        towards = slope(images)
        images = (images - 0.02 * towards / towards.abs().max()).clamp(0, 1)
    model, seen = observation.model, []
    first = next(module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d))
    hook = first.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].mean(dim=(0, 2, 3))))
    with torch.no_grad():
        model(images)
        model(torch.rand(originals.shape, generator=torch.Generator().manual_seed(1)))
    hook.remove()
    assert first.running_mean is not None
    assert (seen[0] - first.running_mean).norm() < (seen[1] - first.running_mean).norm()


def test_the_same_seed_gives_the_same_tensor_and_the_model_stays_as_it_was(target: Targets) -> None:
    observation, _ = batch(target("mnist-convnet"), 0)
    before = {name: value.clone() for name, value in observation.model.state_dict().items()}
    one, two, other = (grad_inversion(observation, steps=3, starts=2, seed=seed).images for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert all(torch.equal(before[name], value) for name, value in observation.model.state_dict().items())


def test_a_model_that_remembers_nothing_is_refused(target: Targets, share: Callable[..., SharedGradient]) -> None:
    with pytest.raises(ValueError, match="remembers no statistics"):
        grad_inversion(share(target("convnet"), 1, 2), steps=1)
    with pytest.raises(ValueError, match="starts must be"):
        grad_inversion(share(target("convnet"), 1, 2), steps=1, starts=0)
