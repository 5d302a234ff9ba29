"""Vertical training: parties hold other features of the same items, one of them the labels and the upper layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import QueryLimitReached, copied


class VerticalTraining:
    """What a party without labels sees of vertical training: its own features, and a gradient for what it sends.

    `features` of shape (items, own) are its own. Each batch is announced by its places among them; the party sends an
    output for each, of shape (batch, width), and gets the gradient of the mean cross entropy in them. `top` takes the
    party's and the others' outputs, side by side; where it is None, `width` is the number of classes and outputs are
    summed to logits. The others' model and the top are trained in place on copies, by descent with `learning_rate`.
    """

    __slots__ = ("__weakref__", "batches", "classes", "features", "summed", "width")

    def __init__(
        self,
        features: Tensor,
        others_features: Tensor,
        labels: Tensor,
        others: nn.Module,
        top: nn.Module | None,
        *,
        width: int,
        classes: int,
        learning_rate: float,
        epochs: int,
        batch_size: int,
        seed: int = 0,
    ) -> None:
        if not len(features) == len(others_features) == len(labels) or labels.ndim != 1:
            raise ValueError("all parties must hold the same items, in one order, with one label each")
        if not bool(((labels >= 0) & (labels < classes)).all()):
            raise ValueError(f"labels must be classes from 0 to {classes - 1}")
        if top is None and width != classes:
            raise ValueError(f"outputs that are summed to logits must be {classes} wide, not {width}")
        self.features, self.classes, self.width = features.detach().clone(), classes, width
        self.summed = top is None
        model = copied(others, "train")
        above = None if top is None else copied(top, "train")
        parameters = [*model.parameters(), *(above.parameters() if above is not None else ())]
        generator = torch.Generator().manual_seed(seed)
        orders = [torch.randperm(len(labels), generator=generator).split(batch_size) for _ in range(epochs)]
        self.batches = sum(map(len, orders))
        _HELD[self] = _Held(
            others_features.detach().clone(),
            labels.detach().clone(),
            model,
            above,
            torch.optim.SGD(parameters, learning_rate),
            (batch for order in orders for batch in order),
        )

    @property
    def rounds(self) -> int:
        """How many batches were announced."""
        return _HELD[self].rounds

    def receive(self) -> Tensor:
        """Return the places of the next batch among the items; raises QueryLimitReached when training has ended."""
        held = _HELD[self]
        batch = next(held.orders, None)
        if batch is None:
            raise QueryLimitReached(f"training has ended after {held.rounds} batches")
        held.rounds += 1
        held.announced = batch
        return batch.clone()

    def send(self, outputs: Tensor) -> Tensor:
        """Send an output for each item of the announced batch, and return the gradient in them; the others learn."""
        held = _HELD[self]
        if held.announced is None or outputs.shape != (len(held.announced), self.width):
            raise ValueError(f"send an output {self.width} wide for each item announced last, once for each batch")
        mine = outputs.detach().clone().requires_grad_()
        theirs: Tensor = held.others(held.features[held.announced])
        logits: Tensor = mine + theirs if held.top is None else held.top(torch.cat((mine, theirs), dim=1))
        loss = functional.cross_entropy(logits, held.labels[held.announced])
        held.optimizer.zero_grad()
        loss.backward()
        held.optimizer.step()
        held.announced = None
        assert mine.grad is not None
        return mine.grad.detach().clone()

    def describe(self) -> str:
        """Return the threat model in a line."""
        joined = "outputs summed to logits" if self.summed else "upper layers unknown"
        return (
            f"a party of vertical training with {self.features.shape[1]} features of its own of "
            f"{len(self.features)} items, gradients of its outputs in {self.batches} batches, {joined}"
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("vertical training cannot be copied or pickled: the others' data stay where they are")


@dataclass(slots=True)
class _Held:
    features: Tensor
    labels: Tensor
    others: nn.Module
    top: nn.Module | None
    optimizer: torch.optim.Optimizer
    orders: Iterator[Tensor]
    announced: Tensor | None = None
    rounds: int = 0


_HELD: WeakKeyDictionary[VerticalTraining, _Held] = WeakKeyDictionary()
