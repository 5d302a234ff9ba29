"""A model that the adversary and another participant train together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import Mode, QueryLimitReached, copied
from inversion_atlas.reference.observations.gradients import SharedGradient


class CollaborativeTraining:
    """Rounds of training by two participants: each shares a gradient on the joint model, which then steps along both.

    The other participant has one private batch of inputs and labels per round, and takes the mean cross entropy.
    The adversary shares what it likes; the other participant cannot tell.
    """

    __slots__ = ("__weakref__", "data_range", "learning_rate", "mode", "rounds")

    def __init__(
        self,
        model: nn.Module,
        batches: Sequence[tuple[Tensor, Tensor]],
        *,
        learning_rate: float,
        mode: Mode,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        if not batches or not learning_rate > 0:
            raise ValueError(f"training needs batches and a positive rate, not {len(batches)} and {learning_rate}")
        self.rounds, self.learning_rate = len(batches), learning_rate
        self.mode, self.data_range = mode, data_range
        _JOINT[self] = _Joint(copied(model, mode), list(batches))

    def model(self) -> nn.Module:
        """Return a copy of the joint model as it stands."""
        return copied(_JOINT[self].model, self.mode)

    def share(self, gradient: Mapping[str, Tensor]) -> SharedGradient:
        """Share a gradient for this round, and return the other participant's, both on the model before its step.

        Raises QueryLimitReached after the last round, ValueError for a gradient of other names or shapes, and
        FloatingPointError where training diverges.
        """
        joint = _JOINT[self]
        parameters = {name: p for name, p in joint.model.named_parameters() if p.requires_grad}
        if {name: part.shape for name, part in gradient.items()} != {n: p.shape for n, p in parameters.items()}:
            raise ValueError("the gradient has other names or shapes than the joint model's parameters")
        if joint.held == self.rounds:
            raise QueryLimitReached(f"all of the {self.rounds} rounds are over")
        inputs, labels = joint.batches[joint.held]
        other = SharedGradient.of_batch(
            joint.model, inputs, labels, mode=self.mode, labels_known=False, data_range=self.data_range
        )
        joint.held += 1
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.sub_(gradient[name].detach() + other.gradient[name], alpha=self.learning_rate)
        if not all(bool(torch.isfinite(parameter).all()) for parameter in parameters.values()):
            raise FloatingPointError("the joint training diverged: lower its learning rate")
        return other

    def describe(self) -> str:
        """Return the threat model in a line."""
        return (
            f"{self.rounds} rounds of joint training of rate {self.learning_rate:g}: the joint model, gradients of "
            f"one other participant's batches, {self.mode} mode, labels unknown; the adversary shares gradients too"
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a participant cannot be copied or pickled: its data stay where they are")


@dataclass(slots=True)
class _Joint:
    model: nn.Module
    batches: list[tuple[Tensor, Tensor]]
    held: int = 0


# What each training holds; kept off the object, so that its attributes lead nowhere.
_JOINT: WeakKeyDictionary[CollaborativeTraining, _Joint] = WeakKeyDictionary()
