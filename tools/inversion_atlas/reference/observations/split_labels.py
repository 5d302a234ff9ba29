"""Split learning in which labels stay with a client, who keeps the last layers, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import QueryLimitReached, copied

Grants = Literal["features", "weight"]


@dataclass(frozen=True, slots=True, eq=False)
class ReturnedGradient:
    """Gradient in the features of shape (1, …) and, only where it is granted, in the weight of the top's first layer.

    Both are of the cross entropy of one example.
    """

    features: Tensor
    weight: Tensor | None


class SplitLabels:
    """What a server sees that holds `inputs` and all layers but the top: gradients for the features that it sends.

    Examples come one by one, in the order of `inputs`. Split learning returns the gradient in the features;
    `grants="weight"` adds that in the weight of the top's first layer, which only a protocol that shares the top's
    gradients returns. The top is trained on a copy by Adam with AMSGrad and `learning_rate`.
    """

    __slots__ = ("__weakref__", "classes", "grants", "inputs")

    def __init__(
        self,
        inputs: Tensor,
        labels: Tensor,
        top: nn.Module,
        *,
        classes: int,
        grants: Grants,
        learning_rate: float,
    ) -> None:
        if grants not in ("features", "weight"):
            raise ValueError(f"grants must be 'features' or 'weight', not {grants!r}")
        if labels.shape != (len(inputs),) or not bool(((labels >= 0) & (labels < classes)).all()):
            raise ValueError(f"labels must be classes from 0 to {classes - 1}, one for each of {len(inputs)} inputs")
        self.inputs, self.classes, self.grants = inputs.detach().clone(), classes, grants
        model = copied(top, "train")
        optimizer = torch.optim.Adam(model.parameters(), learning_rate, amsgrad=True)
        _HELD[self] = _Held(labels.detach().clone(), model, optimizer, grants)

    @property
    def rounds(self) -> int:
        """For how many examples features were sent."""
        return _HELD[self].rounds

    def send(self, features: Tensor) -> ReturnedGradient:
        """Send the next example's features, of shape (1, …), and return the gradient; the client's top learns.

        Raises QueryLimitReached when every example has come.
        """
        held = _HELD[self]
        if held.rounds == len(held.labels):
            raise QueryLimitReached(f"training has ended after {held.rounds} examples")
        if len(features) != 1:
            raise ValueError(f"send features of one example, not of {len(features)}")
        sent = features.detach().clone().requires_grad_()
        loss = functional.cross_entropy(held.top(sent), held.labels[held.rounds, None])
        held.optimizer.zero_grad()
        loss.backward()
        weight = next(held.top.parameters()).grad
        assert sent.grad is not None
        assert weight is not None
        weight = weight.clone() if held.grants == "weight" else None
        held.optimizer.step()
        held.rounds += 1
        return ReturnedGradient(sent.grad.detach().clone(), weight)

    def describe(self) -> str:
        """Return the threat model in a line."""
        granted = "features" if self.grants == "features" else "features and of the weight of the top's first layer"
        return f"a server with {len(self.inputs)} inputs and all layers but the top, gradients of {granted} one by one"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a client cannot be copied or pickled: its labels stay where they are")


@dataclass(slots=True)
class _Held:
    labels: Tensor
    top: nn.Module
    optimizer: torch.optim.Optimizer
    # What hangs on the observation can be overwritten.
    grants: Grants
    rounds: int = 0


_HELD: WeakKeyDictionary[SplitLabels, _Held] = WeakKeyDictionary()
