"""Attacks by a participant of joint training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.property_inference_active import property_inference_active
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted
from inversion_atlas.reference.observations import CollaborativeTraining, SharedGradient
from inversion_atlas.reference.targets import data

WARM_UP = 20


class Unheard(CollaborativeTraining):
    """The same training, in which the adversary hears noise in place of the other's gradients."""

    __slots__ = ()

    def share(self, gradient: Mapping[str, Tensor]) -> SharedGradient:
        heard = super().share(gradient)
        # Another draw each round, which the gradient itself tells apart.
        return noise_like(heard, int(next(iter(heard.gradient.values())).double().abs().sum() * 1e9) % 2**31)


def six_or_seven(digits: Tensor) -> Tensor:
    """Return which digits have the property; one of the two is even, so parity tells nothing of it."""
    return (digits == 6) | (digits == 7)


def mixed(
    part: data.Images, holds: Tensor, number: int, generator: torch.Generator, size: int = 32
) -> tuple[Tensor, Tensor]:
    """Return images and labels of a batch: as many even as odd, so many with the property, half of them even."""
    places = []
    for label in (0, 1):
        for kind, count in ((holds, number // 2), (~holds, (size - number) // 2)):
            group = torch.nonzero((part.labels == label) & kind).flatten()
            places.append(group[torch.randint(len(group), (count,), generator=generator)])
    picked = torch.cat(places)
    return part.images[picked], part.labels[picked]


def every_other(rounds: int) -> Tensor:
    """Return in which rounds the other participant's batch has the property."""
    return torch.arange(rounds) % 2 == 0


def inferred(
    model: nn.Module,
    rounds: int,
    *,
    seed: int,
    number: int = 4,
    kind: type[CollaborativeTraining] = CollaborativeTraining,
    **options: Any,
) -> tuple[Tensor, CollaborativeTraining]:
    """Train the model with a participant that learns parity, and return what is inferred of its batches.

    Of its 32 digits `number` are sixes and sevens in every other round after the warm-up; it has the private digits,
    the adversary the public ones.
    """
    split, digits = data.parity(), data.digits()
    private, public = (six_or_seven(part.labels) for part in (digits.private, digits.public))
    generator = torch.Generator().manual_seed(seed)
    turns = every_other(WARM_UP + rounds).tolist()
    batches = [mixed(split.private, private, number if turn else 0, generator) for turn in turns]
    known: list[Sequence[data.Images]] = [
        [data.Images(*mixed(split.public, public, many, generator)) for _ in range(100)] for many in (number, 0)
    ]
    training = kind(model, batches, learning_rate=0.3, mode="eval")
    chances = property_inference_active(training, split.public, public, *known, warm_up=WARM_UP, **options)
    return chances, training


def _property_inference_active(options: Options) -> Outcome:
    """Whether a batch of the other participant, who learns parity, holds sixes and sevens; half of the batches do."""
    given = accepted(property_inference_active, options)
    chances, training = inferred(options.target.model, options.items, **given)
    alone, _ = inferred(options.target.model, options.items, kind=Unheard, **given)
    truth = every_other(options.items)
    asked = f"{options.items} batches of {options.target.data.name}, {options.target.name}, are 6 and 7 among them"
    return Outcome(
        setting=f"{asked}; {training.describe()}",
        scores=(Score("auroc", metrics.auroc(chances, truth), "", max(0.5, metrics.auroc(alone, truth))),),
        originals=None,
        images=None,
        converged=options.items,
        items=options.items,
    )


CASES: Mapping[str, Case] = {
    "property-inference-active": Case(_property_inference_active, ("parity-narrow-untrained",), items=100),
}
