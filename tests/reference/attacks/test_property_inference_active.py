"""A participant of joint training that teaches the model to tell a property of the other's batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch

from inversion_atlas.reference.attacks.property_inference_active import property_inference_active
from inversion_atlas.reference.benchmark.collaboration_cases import Unheard, every_other, inferred
from inversion_atlas.reference.metrics import auroc
from inversion_atlas.reference.observations import AccessError, CollaborativeTraining, SharedGradient, expect
from inversion_atlas.reference.targets import data, training
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
NAME = "parity-narrow-untrained"


def test_a_participant_reads_the_property_off_the_other_s_gradients(target: Targets) -> None:
    """Margin: an area under the curve of .85 where chance has .5; noise in the gradients' place has .3 to .7."""
    model = target(NAME).model
    chances, _ = inferred(model, 32, seed=0, number=8, per_round=2)
    assert auroc(chances, every_other(32)) > 0.85
    unheard, _ = inferred(model, 32, seed=0, number=8, per_round=2, kind=Unheard)
    assert 0.3 < auroc(unheard, every_other(32)) < 0.7


@pytest.mark.slow
def test_who_takes_part_actively_is_told_more_than_who_does_so_honestly() -> None:
    """Margin: .08 of the area under the curve, mean of three starts, and more at each; the task is learned too."""
    split, areas, right = data.parity(), [], []
    for seed in range(3):
        model = training.untrained(replace(training.RECIPES[NAME], seed=seed), split)
        for weight in (0.8, 0.0):
            chances, joint = inferred(model, 80, seed=seed, weight=weight, per_round=2)
            areas.append(auroc(chances, every_other(80)))
            right.append(training.accuracy(joint.model(), split.test))
    active, passive = torch.tensor(areas).reshape(3, 2).T
    assert (active > passive).all(), (active, passive)
    assert active.mean() > passive.mean() + 0.08
    assert min(right) > 0.8


def test_the_same_seed_infers_the_same(target: Targets) -> None:
    runs = [inferred(target(NAME).model, 2, seed=3, per_round=5)[0] for _ in range(2)]
    assert torch.equal(*runs)


def test_the_second_head_changes_what_the_adversary_shares(target: Targets) -> None:
    """With weight 0 it shares the gradient of the task alone, which is what an honest participant shares."""
    split, model = data.parity(), target(NAME).model
    holds = split.public.labels == 1
    shared = []

    class Listening(CollaborativeTraining):
        __slots__ = ()

        def share(self, gradient: Mapping[str, torch.Tensor]) -> SharedGradient:
            shared.append(gradient)
            return super().share(gradient)

    batch = split.private.images[:8], split.private.labels[:8]
    for weight in (0.0, 1.0):
        joint = Listening(model, [batch] * 2, learning_rate=0.1, mode="eval")
        known = [data.Images(*batch)]
        property_inference_active(joint, split.public, holds, known, known, weight=weight, warm_up=1)
    generator = torch.Generator().manual_seed(0)
    kinds = [torch.nonzero(kind).flatten() for kind in (holds, ~holds)]
    places = torch.cat([kind[torch.randint(len(kind), (16,), generator=generator)] for kind in kinds])
    honest = SharedGradient.of_batch(
        model, split.public.images[places], split.public.labels[places], mode="eval", labels_known=False
    )
    last = list(honest.gradient)[-1]
    torch.testing.assert_close(shared[0], dict(honest.gradient))
    # The property alone does not move the task's own layer.
    assert shared[2][last].abs().max() == 0
    assert any(part.abs().max() > 0 for part in shared[2].values())


def test_what_does_not_fit_is_refused(target: Targets) -> None:
    split, model = data.parity(), target(NAME).model
    batch = split.private.images[:8], split.private.labels[:8]
    joint = CollaborativeTraining(model, [batch], learning_rate=0.1, mode="eval")
    known, holds = [data.Images(*batch)], split.public.labels == 1
    with pytest.raises(ValueError, match="with and without"):
        property_inference_active(joint, split.public, torch.ones_like(holds), known, known)
    with pytest.raises(ValueError, match="warm_up below 1"):
        property_inference_active(joint, split.public, holds, known, known, warm_up=1)
    with pytest.raises(AccessError, match="a SharedGradient does not grant it"):
        expect(joint.share(_zeros(joint)), CollaborativeTraining, "property-inference-active")


def _zeros(joint: CollaborativeTraining) -> dict[str, torch.Tensor]:
    return {name: torch.zeros_like(part) for name, part in joint.model().named_parameters()}
