"""A trained model: with its parameters, or behind an interface."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import Model, Outputs, copied, count_classes, defenses_of, under
from inversion_atlas.reference.observations.interface import Interface, limited


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
        return ", ".join(["parameters of the trained model, no training data", *under(defenses_of(self.model))])


class BlackBox(Interface):
    """A trained model behind an interface that returns class probabilities and counts the inputs it answers.

    `limit` ends it after so many inputs. `noise` is the deviation of Gaussian noise added to the probabilities,
    `top_k` keeps the largest and sets the others to 0, `round_to` keeps so many decimals; they apply in this order.
    """

    __slots__ = ("classes", "defenses", "noise", "round_to", "top_k")

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
        if noise < 0 or (round_to is not None and round_to < 0):
            raise ValueError("noise and round_to must not be negative")
        self.noise, self.top_k, self.round_to = noise, top_k, round_to
        self.defenses = defenses_of(model)
        generator = torch.Generator().manual_seed(seed)

        def answer(inputs: Tensor) -> Tensor:
            return _published(_probabilities(model(inputs), outputs), noise, top_k, round_to, generator)

        super().__init__(answer, input_shape=input_shape, data_range=data_range, limit=limit)

    def query(self, inputs: Tensor) -> Tensor:
        """Return probabilities of shape (batch, classes); raises QueryLimitReached, then answers none of them."""
        return self._ask(inputs)

    def describe(self) -> str:
        """Return the threat model in a line."""
        return ", ".join(["class probabilities of a model behind an interface", *self._changes()])

    def _changes(self) -> list[str]:
        changes = [
            f"noise {self.noise:g}" if self.noise else "",
            f"{self.top_k} largest" if self.top_k is not None else "",
            f"rounded to {self.round_to} decimals" if self.round_to is not None else "",
            *under(self.defenses),
            *limited(self),
        ]
        return list(filter(None, changes))


class LabelOnly(Interface):
    """A trained model behind an interface that names a class for each input and nothing else, counted and limited.

    `model` returns scores of shape (batch, classes), or classes as integers of shape (batch,); then `classes` says
    how many there are.
    """

    __slots__ = ("classes", "defenses")

    def __init__(
        self,
        model: Model,
        *,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float] = (0.0, 1.0),
        limit: int | None = None,
        classes: int | None = None,
    ) -> None:
        model = copied(model, "eval") if isinstance(model, nn.Module) else model
        self.classes = count_classes(model, input_shape) if classes is None else classes
        self.defenses = defenses_of(model)
        super().__init__(
            lambda inputs: _named(model(inputs)), input_shape=input_shape, data_range=data_range, limit=limit
        )

    def query(self, inputs: Tensor) -> Tensor:
        """Return the class of each input, shape (batch,); raises QueryLimitReached, then answers none of them."""
        return self._ask(inputs)

    def describe(self) -> str:
        """Return the threat model in a line."""
        return ", ".join(["class labels of a model behind an interface", *under(self.defenses), *limited(self)])


class Regression(Interface):
    """A trained regression behind an interface that returns a number for each input, counted and limited.

    `model` returns numbers of shape (batch,) or (batch, 1).
    """

    __slots__ = ()

    def __init__(
        self,
        model: Model,
        *,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float] = (-math.inf, math.inf),
        limit: int | None = None,
    ) -> None:
        model = copied(model, "eval") if isinstance(model, nn.Module) else model
        super().__init__(
            lambda inputs: model(inputs).reshape(len(inputs)).clone(),
            input_shape=input_shape,
            data_range=data_range,
            limit=limit,
        )

    def query(self, inputs: Tensor) -> Tensor:
        """Return a number for each input, shape (batch,); raises QueryLimitReached, then answers none of them."""
        return self._ask(inputs)

    def describe(self) -> str:
        """Return the threat model in a line."""
        return ", ".join(["predictions of a regression behind an interface", *limited(self)])


def _probabilities(scores: Tensor, outputs: Outputs) -> Tensor:
    return scores.softmax(dim=1) if outputs == "logits" else scores.clone()


def _published(
    scores: Tensor, noise: float, top_k: int | None, round_to: int | None, generator: torch.Generator
) -> Tensor:
    """Return the scores as the interface gives them away."""
    if noise:
        scores = scores + noise * torch.randn(scores.shape, generator=generator, dtype=scores.dtype)
    if top_k is not None:
        kept = scores.topk(top_k, dim=1)
        scores = torch.zeros_like(scores).scatter(1, kept.indices, kept.values)
    return scores if round_to is None else scores.round(decimals=round_to)


def _named(answer: Tensor) -> Tensor:
    """Return classes, whether the model gave scores or classes."""
    return answer.argmax(dim=1) if answer.ndim == 2 else answer.long()
