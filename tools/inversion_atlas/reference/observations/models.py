"""A trained model: with its parameters, or behind an interface."""

from __future__ import annotations

from typing import NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import Model, Outputs, QueryLimitReached, copied, count_classes


class WhiteBox:
    """A trained model with its parameters: the adversary may run it and differentiate through it."""

    __slots__ = ("classes", "data_range", "input_shape", "model", "outputs")

    def __init__(
        self,
        model: nn.Module,
        *,
        outputs: Outputs,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.model = copied(model, "eval")
        self.outputs = outputs
        self.input_shape = input_shape
        self.data_range = data_range
        self.classes = count_classes(self.model, input_shape)

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits, differentiable in the inputs; logarithms of probabilities where the model returns those."""
        return self.as_logits(self.model(inputs))

    def as_logits(self, scores: Tensor) -> Tensor:
        """Return what the model returned as logits, or as logarithms of probabilities."""
        return scores if self.outputs == "logits" else scores.clamp_min(torch.finfo(scores.dtype).tiny).log()

    def log_probabilities(self, inputs: Tensor) -> Tensor:
        """Return the logarithm of each class's probability, differentiable in the inputs."""
        logits = self.logits(inputs)
        return functional.log_softmax(logits, dim=1) if self.outputs == "logits" else logits

    def describe(self) -> str:
        """Return the threat model in a line."""
        return "parameters of the trained model, no training data"


class BlackBox:
    """A trained model behind an interface that returns class probabilities and counts the inputs it answers.

    `limit` ends it after so many inputs. `noise` is the deviation of Gaussian noise added to the probabilities,
    `top_k` keeps the largest and sets the others to 0, `round_to` keeps so many decimals; they apply in this order.
    """

    __slots__ = (
        "__weakref__",
        "_queries",
        "classes",
        "data_range",
        "input_shape",
        "limit",
        "noise",
        "round_to",
        "top_k",
    )

    def __init__(
        self,
        model: Model,
        *,
        outputs: Outputs,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float] = (0.0, 1.0),
        limit: int | None = None,
        noise: float = 0.0,
        top_k: int | None = None,
        round_to: int | None = None,
        seed: int = 0,
    ) -> None:
        model = copied(model, "eval") if isinstance(model, nn.Module) else model
        self.classes = count_classes(model, input_shape)
        if top_k is not None and not 1 <= top_k <= self.classes:
            raise ValueError(f"top_k must be from 1 to {self.classes}, not {top_k}")
        if noise < 0 or (round_to is not None and round_to < 0) or (limit is not None and limit < 0):
            raise ValueError("noise, round_to and limit must not be negative")
        self.input_shape, self.data_range = input_shape, data_range
        self.limit, self.noise, self.top_k, self.round_to = limit, noise, top_k, round_to
        self._queries = 0
        _BEHIND[self] = (model, outputs, torch.Generator().manual_seed(seed))

    @property
    def queries(self) -> int:
        """How many inputs were answered."""
        return self._queries

    def query(self, inputs: Tensor) -> Tensor:
        """Return probabilities of shape (batch, classes); raises QueryLimitReached, then answers none of them."""
        if tuple(inputs.shape[1:]) != self.input_shape:
            raise ValueError(f"inputs must be of shape (batch, {', '.join(map(str, self.input_shape))})")
        if self.limit is not None and self._queries + len(inputs) > self.limit:
            raise QueryLimitReached(f"{self._queries} of {self.limit} queries are used, {len(inputs)} more were asked")
        self._queries += len(inputs)
        model, outputs, generator = _BEHIND[self]
        with torch.no_grad():
            scores = model(inputs.detach().clone())
            scores = scores.softmax(dim=1) if outputs == "logits" else scores.clone()
            if self.noise:
                scores += self.noise * torch.randn(scores.shape, generator=generator, dtype=scores.dtype)
            if self.top_k is not None:
                kept = scores.topk(self.top_k, dim=1)
                scores = torch.zeros_like(scores).scatter(1, kept.indices, kept.values)
            return scores if self.round_to is None else scores.round(decimals=self.round_to)

    def describe(self) -> str:
        """Return the threat model in a line."""
        changes = [
            f"noise {self.noise:g}" if self.noise else "",
            f"{self.top_k} largest" if self.top_k is not None else "",
            f"rounded to {self.round_to} decimals" if self.round_to is not None else "",
            f"at most {self.limit:,} queries" if self.limit is not None else "",
        ]
        return ", ".join(["class probabilities of a model behind an interface", *filter(None, changes)])

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a black box cannot be copied or pickled: its count and its model stay where they are")


# What stands behind each black box; kept off the object, so that its attributes lead nowhere.
_BEHIND: WeakKeyDictionary[BlackBox, tuple[Model, Outputs, torch.Generator]] = WeakKeyDictionary()
