"""A property of a batch that its task is not about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.property_inference import property_inference
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.update_cases import batch_of
from inversion_atlas.reference.metrics import auroc
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.targets import data
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
TRUTH = torch.arange(60) % 2 == 0


def own(victim: Target, digit: int | None, generator: torch.Generator, number: int = 8) -> list[data.Images]:
    public, digits = victim.data.public, data.digits().public.labels
    return [batch_of(public, digits, digit, generator, number) for _ in range(60)]


def seen(victim: Target, digit: int, generator: torch.Generator, number: int = 8) -> list[SharedGradient]:
    private, digits = victim.data.private, data.digits().private.labels
    batches = [batch_of(private, digits, digit if holds else None, generator, number) for holds in TRUTH.tolist()]
    return [
        SharedGradient.of_batch(victim.model, batch.images, batch.labels, mode="eval", labels_known=False)
        for batch in batches
    ]


def inferred(victim: Target, observations: list[SharedGradient], generator: torch.Generator) -> Tensor:
    return property_inference(observations, own(victim, 2, generator), own(victim, None, generator))


def test_gradients_of_a_parity_task_tell_whether_there_are_twos(target: Targets) -> None:
    """Margin: an area under the curve of .85 where chance has .5; noise in the gradients' place has .35 to .65."""
    victim = target("parity-mlp")
    generator = torch.Generator().manual_seed(0)
    observations = seen(victim, 2, generator)
    found = inferred(victim, observations, generator)
    assert auroc(found, TRUTH) > 0.85
    blind = [noise_like(one, item) for item, one in enumerate(observations)]
    assert 0.35 < auroc(inferred(victim, blind, generator), TRUTH) < 0.65
    # The loss and the labels of such batches are alike: half of each is odd.
    again = torch.Generator().manual_seed(0)
    assert torch.equal(inferred(victim, seen(victim, 2, again), again), found)


def test_the_fewer_have_the_property_the_less_is_told(target: Targets) -> None:
    victim = target("parity-mlp")
    areas = []
    for number in (8, 1):
        generator = torch.Generator().manual_seed(0)
        observations = seen(victim, 2, generator, number)
        known = own(victim, 2, generator, number), own(victim, None, generator, number)
        areas.append(auroc(property_inference(observations, *known), TRUTH))
    assert areas[0] > areas[1] + 0.1


def test_it_is_the_property_and_not_the_batch_that_is_found(target: Targets) -> None:
    """Batches that differ in nothing are not told apart."""
    victim = target("parity-mlp")
    generator = torch.Generator().manual_seed(1)
    private, digits = victim.data.private, data.digits().private.labels
    alike = [batch_of(private, digits, None, generator) for _ in range(60)]
    observations = [
        SharedGradient.of_batch(victim.model, batch.images, batch.labels, mode="eval", labels_known=False)
        for batch in alike
    ]
    assert 0.3 < auroc(inferred(victim, observations, generator), TRUTH) < 0.7


def test_batches_of_both_kinds_are_needed(target: Targets) -> None:
    victim = target("parity-mlp")
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="with and without"):
        property_inference(seen(victim, 2, generator), own(victim, 2, generator), [])
