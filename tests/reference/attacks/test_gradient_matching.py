"""Gradient matching beats what needs no gradient, fails without its signal, and holds what its papers claim."""

from __future__ import annotations

import copy
import dataclasses
import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.gradient_matching import PriorDecides, dlg, idlg, inverting_gradients
from inversion_atlas.reference.attacks.matching import Matching
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import AccessError, BlackBox, SharedGradient
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
Share = Callable[..., SharedGradient]
BestGuess = Callable[..., float]


def quality(found: Reconstruction, original: Tensor) -> float:
    return float(psnr(found.images.clamp(0, 1), original, data_range=(0.0, 1.0)))


@pytest.mark.parametrize("attack", [dlg, idlg])
def test_leakage_recovers_an_image_from_a_fresh_network_and_nothing_from_another_gradient(
    attack: Callable[..., Reconstruction], target: Targets, share: Share, best_guess: BestGuess
) -> None:
    """The papers' own setting. Margin: 6 dB above every guess; with a wrong signal, below them."""
    victim = target("lenet-untrained")
    original = victim.data.private.images[[200]]
    observation = share(victim, 200)
    found = attack(observation, steps=40, restarts=0)
    guess = best_guess(original, victim.data)
    assert quality(found, original) > guess + 6
    assert found.labels is not None
    assert found.labels.tolist() == victim.data.private.labels[[200]].tolist()
    assert quality(attack(noise_like(observation, 1), steps=5, restarts=0), original) < guess
    foreign = observation.with_gradient(share(victim, 10).gradient)
    assert quality(attack(foreign, steps=20, restarts=0), original) < guess


@pytest.mark.slow
@pytest.mark.parametrize("attack", [dlg, idlg])
def test_leakage_beats_guesses_on_a_trained_network(
    attack: Callable[..., Reconstruction], target: Targets, share: Share, best_guess: BestGuess
) -> None:
    """Margin: 3 dB on the mean of two images."""
    victim = target("lenet")
    gains = []
    for item in (200, 330):
        original = victim.data.private.images[[item]]
        found = attack(share(victim, item), steps=80, restarts=0)
        gains.append(quality(found, original) - best_guess(original, victim.data))
    assert sum(gains) / len(gains) > 3


def test_the_best_image_is_a_copy_and_its_objective_is_the_one_reported(target: Targets, share: Share) -> None:
    observation = share(target("lenet-untrained"), 70)
    found = dlg(observation, steps=5, restarts=0)
    seen = idlg(observation, steps=5, restarts=0)
    assert seen.labels is not None
    assert Matching.of(observation).distance(seen.images, seen.labels).value == pytest.approx(seen.objective, rel=1e-4)
    assert math.isfinite(found.objective)
    assert found.evaluations > 50
    assert not found.converged


def test_a_start_that_blows_up_is_given_up_and_said_not_to_have_converged(target: Targets, share: Share) -> None:
    observation = noise_like(share(target("lenet"), 70), 3)
    found = dlg(observation, steps=20, restarts=2)
    assert bool(torch.isfinite(found.images).all())
    assert math.isfinite(found.objective)
    assert found.restarts == 2
    assert not found.converged


def test_a_gradient_that_holds_nan_or_nothing_is_refused(target: Targets, share: Share) -> None:
    observation = share(target("lenet"), 70)
    for value in (math.nan, 0.0):
        spoiled = observation.with_gradient({n: torch.full_like(p, value) for n, p in observation.gradient.items()})
        for attack in (dlg, inverting_gradients):
            with pytest.raises(ValueError, match="cannot be matched"):
                attack(spoiled, steps=1)


@pytest.mark.parametrize("attack", [dlg, idlg, inverting_gradients])
def test_the_same_seed_gives_the_same_tensor_and_another_seed_another(
    attack: Callable[..., Reconstruction], target: Targets, share: Share
) -> None:
    observation = share(target("lenet-untrained"), 70)
    one, two, other = (attack(observation, steps=3, restarts=1, seed=seed) for seed in (4, 4, 40))
    assert torch.equal(one.images, two.images)
    assert not torch.equal(one.images, other.images)


def test_inverting_gradients_beats_leakage_and_every_guess_on_a_trained_relu_network(
    target: Targets, share: Share, best_guess: BestGuess
) -> None:
    """Margins: 4 dB above every guess, 4 dB above DLG; noise or another image's gradient leads nowhere."""
    victim = target("convnet")
    item = int(torch.randperm(420, generator=torch.Generator().manual_seed(3))[0])
    original = victim.data.private.images[[item]]
    observation = share(victim, item)
    found = inverting_gradients(observation, steps=300)
    guess = best_guess(original, victim.data)
    assert quality(found, original) > guess + 4
    assert quality(found, original) > quality(dlg(observation, steps=10, restarts=0), original) + 4
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PriorDecides)
        assert quality(inverting_gradients(noise_like(observation, 1), steps=100), original) < guess + 1
        foreign = observation.with_gradient(share(victim, (item + 200) % 420).gradient)
        assert quality(inverting_gradients(foreign, steps=100), original) < guess + 1


def test_a_prior_that_decides_the_steps_is_told(target: Targets, share: Share) -> None:
    """In the paper's absolute weight, a small gradient is drowned by total variation: the image is smoothed noise."""
    observation = share(target("convnet"), 70)
    with pytest.warns(PriorDecides, match="lower tv"):
        inverting_gradients(observation, steps=30, tv=1000.0, tv_scale="absolute")
    with warnings.catch_warnings():
        warnings.simplefilter("error", PriorDecides)
        inverting_gradients(observation, steps=30, tv=0.0)


def test_the_weight_of_the_prior_does_not_depend_on_the_size_of_the_gradient(target: Targets, share: Share) -> None:
    observation = share(target("convnet"), 70)
    shrunk = observation.with_gradient({name: part * 2**-8 for name, part in observation.gradient.items()})
    one, other = (inverting_gradients(given, steps=5) for given in (observation, shrunk))
    torch.testing.assert_close(one.images, other.images, atol=1e-3, rtol=0)


def test_attacks_leave_the_observation_as_it_was(target: Targets, share: Share) -> None:
    observation = share(target("lenet"), 70)
    weights = copy.deepcopy(observation.model.state_dict())
    gradient = {name: part.clone() for name, part in observation.gradient.items()}
    for attack in (dlg, inverting_gradients):
        attack(observation, steps=2)
    assert all(torch.equal(weights[name], value) for name, value in observation.model.state_dict().items())
    assert all(torch.equal(gradient[name], value) for name, value in observation.gradient.items())
    assert all(parameter.grad is None for parameter in observation.model.parameters())


def test_an_attack_on_a_gradient_does_not_run_on_a_black_box(target: Targets) -> None:
    victim = BlackBox(target("lenet").model, outputs="logits", input_shape=(3, 32, 32))
    for attack in (dlg, idlg, inverting_gradients):
        with pytest.raises(AccessError, match="takes a SharedGradient"):
            attack(victim)  # type: ignore[arg-type]


def test_a_batch_is_recovered_with_known_labels(target: Targets, share: Share) -> None:
    victim = target("convnet")
    observation = share(victim, 70, 200, labels_known=True)
    found = inverting_gradients(observation, steps=20)
    assert found.images.shape == (2, 3, 32, 32)
    assert found.labels is not None
    assert found.labels.tolist() == victim.data.private.labels[[70, 200]].tolist()


def test_the_matching_loss_and_its_slope_are_those_of_the_authors_code(target: Targets, share: Share) -> None:
    """The loop of the original DLG, written out: soft labels, squared differences summed over parameters."""
    observation = share(target("lenet"), 70)
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(1, 3, 32, 32, generator=generator).requires_grad_()
    free = torch.randn(1, 7, generator=generator).requires_grad_()
    model, parameters = observation.model, list(observation.model.parameters())
    soft = torch.nn.functional.softmax(free, dim=-1)
    loss = torch.mean(torch.sum(-soft * torch.nn.functional.log_softmax(model(images), dim=-1), 1))
    dummy = torch.autograd.grad(loss, parameters, create_graph=True)
    theirs: Any = sum(((d - s) ** 2).sum() for d, s in zip(dummy, observation.gradient.values(), strict=True))
    slopes: Any = torch.autograd.grad(theirs, [images, free], retain_graph=True)
    matching = Matching.of(observation)
    ours = matching.distance(images, free.softmax(dim=1))
    assert ours.labels is not None
    (to_free,) = torch.autograd.grad(soft, free, ours.labels)
    for mine, other in zip((ours.images, to_free), slopes, strict=True):
        torch.testing.assert_close(mine * matching.energy, other, rtol=1e-4, atol=1e-5)
    assert ours.value * matching.energy == pytest.approx(theirs.item(), rel=1e-5)


def test_a_model_in_train_mode_with_batch_statistics_can_be_attacked() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    observation = SharedGradient.of_batch(model, images, torch.tensor([0, 2]), mode="train", labels_known=True)
    found = inverting_gradients(observation, steps=200)
    start = inverting_gradients(observation, steps=1)
    assert found.objective < start.objective / 5
    assert dataclasses.replace(observation, mode="train").describe().count("train mode") == 1
