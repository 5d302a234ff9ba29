"""A generator stands in for what a noisy gradient no longer tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.evolution import Evolution
from inversion_atlas.reference.attacks.generative import generative_leakage
from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.targets import generators
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


def blurred(observation: SharedGradient, times: float) -> SharedGradient:
    """The gradient plus noise that is so many times as long as it, as a client may add."""
    noise = noise_like(observation, 5).gradient
    return observation.with_gradient({name: part + times * noise[name] for name, part in observation.gradient.items()})


def quality(images: Tensor, original: Tensor) -> float:
    return float(psnr(images.clamp(0, 1), original, data_range=(0.0, 1.0)))


@pytest.mark.slow
def test_under_noise_the_generator_finds_more_than_pixels_do(
    target: Targets, share: Callable[..., SharedGradient], cache: Path, best_guess: Callable[..., float]
) -> None:
    """Noise twice as long as the gradient, three images. Margins: 2 dB above Inverting Gradients; 1 dB above the
    generator without a signal. Without noise: 0.5 dB above every guess."""
    victim, generator = target("mnist-mlp"), generators.load("mnist-gan", cache).generator
    gained, over_prior, over_guess = 0.0, 0.0, 0.0
    items = (0, 7, 20)
    for item in items:
        original = victim.data.private.images[[item]]
        observation = share(victim, item)
        noisy = blurred(observation, 2)
        found = quality(generative_leakage(noisy, generator, generator.latent, steps=150).images, original)
        pixels = quality(inverting_gradients(noisy, steps=150).images, original)
        alone = generative_leakage(noise_like(observation, 3), generator, generator.latent, steps=40)
        clear = generative_leakage(observation, generator, generator.latent, steps=200)
        gained += found - pixels
        over_prior += found - quality(alone.images, original)
        over_guess += quality(clear.images, original) - best_guess(original, victim.data)
    assert gained / len(items) > 2
    assert over_prior / len(items) > 1
    assert over_guess / len(items) > 0.5


def test_the_same_seed_gives_the_same_tensor(target: Targets, share: Callable[..., SharedGradient]) -> None:
    observation = share(target("mnist-mlp"), 0)
    torch.manual_seed(0)
    drawing = torch.nn.Sequential(torch.nn.Linear(6, 256), torch.nn.Sigmoid(), torch.nn.Unflatten(1, (1, 16, 16)))
    one, two, other = (generative_leakage(observation, drawing, 6, steps=5, seed=seed).images for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_the_search_finds_the_bottom_of_a_turned_and_stretched_bowl() -> None:
    generator = torch.Generator().manual_seed(0)
    turned = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64)).Q
    stretched = turned * torch.logspace(0, 1.5, 8, dtype=torch.float64)
    bottom = torch.randn(8, generator=generator, dtype=torch.float64)
    search = Evolution(8, seed=1)
    for _ in range(350):
        candidates = search.ask()
        search.tell(((candidates - bottom) @ stretched).square().sum(dim=1))
    torch.testing.assert_close(search.mean, bottom, atol=1e-6, rtol=0)
