"""What an adversary sees: one type per kind of access, holding what its threat model grants and nothing else.

An attack names the observation it takes. The private data are in none of them. Python cannot stop code that digs
through this module's private names; it can see to it that nothing private hangs on the object that an attack is given.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

Mode = Literal["eval", "train"]
Outputs = Literal["logits", "probabilities"]
Model = Callable[[Tensor], Tensor]


class AccessError(TypeError):
    """An attack was given an observation that grants other things than it needs."""


class QueryLimitReached(RuntimeError):
    """A black box has answered as often as it was allowed to."""


@dataclass(frozen=True, slots=True, eq=False)
class SharedGradient:
    """The gradient of one step that a client shared, and the model it was computed on.

    The loss is the mean cross entropy over the batch. `mode` says how normalization and dropout layers ran.
    """

    model: nn.Module
    gradient: Mapping[str, Tensor]
    batch_size: int
    input_shape: tuple[int, ...]
    classes: int
    mode: Mode
    data_range: tuple[float, float]
    labels: Tensor | None

    @classmethod
    def of_batch(
        cls,
        model: nn.Module,
        inputs: Tensor,
        labels: Tensor,
        *,
        mode: Mode,
        labels_known: bool,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> SharedGradient:
        """Compute, as a client would, the gradient of the mean cross entropy of `model` on a batch.

        `mode` and `labels_known` belong to the threat model and are never guessed. `model` is left as it was.
        """
        _refuse_data(inputs, labels, data_range)
        # The copy for the server is made before the private batch passes, lest a layer remember what it saw.
        seen, client = _copy(model, mode), _copy(model, mode)
        logits: Tensor = client(inputs.detach())
        if logits.ndim != 2 or len(logits) != len(inputs):
            raise ValueError(f"the model must return logits of shape (batch, classes), not {tuple(logits.shape)}")
        named = {name: p for name, p in client.named_parameters() if p.requires_grad}
        gradient = torch.autograd.grad(functional.cross_entropy(logits, labels), list(named.values()))
        return cls(
            model=seen,
            gradient={name: part.detach().clone() for name, part in zip(named, gradient, strict=True)},
            batch_size=len(inputs),
            input_shape=tuple(inputs.shape[1:]),
            classes=logits.shape[1],
            mode=mode,
            data_range=data_range,
            labels=labels.detach().clone() if labels_known else None,
        )

    def with_gradient(self, gradient: Mapping[str, Tensor]) -> SharedGradient:
        """Return the same observation with another gradient, as a defense or a test of the signal makes it."""
        if {name: part.shape for name, part in gradient.items()} != {n: p.shape for n, p in self.gradient.items()}:
            raise ValueError("the gradient has other names or shapes than the one it replaces")
        return SharedGradient(
            self.model,
            {name: part.detach().clone() for name, part in gradient.items()},
            self.batch_size,
            self.input_shape,
            self.classes,
            self.mode,
            self.data_range,
            self.labels,
        )

    def describe(self) -> str:
        """Return the threat model in a line."""
        images = "1 example" if self.batch_size == 1 else f"a batch of {self.batch_size}"
        known = "labels known" if self.labels is not None else "labels unknown"
        return f"gradient of the mean cross entropy on {images}, {self.mode} mode, one step, {known}"


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
        self.model = _copy(model, "eval")
        self.outputs = outputs
        self.input_shape = input_shape
        self.data_range = data_range
        self.classes = _count_classes(self.model, input_shape)

    def log_probabilities(self, inputs: Tensor) -> Tensor:
        """Return the logarithm of each class's probability, differentiable in the inputs."""
        scores: Tensor = self.model(inputs)
        if self.outputs == "logits":
            return functional.log_softmax(scores, dim=1)
        return scores.clamp_min(torch.finfo(scores.dtype).tiny).log()

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
        model = _copy(model, "eval") if isinstance(model, nn.Module) else model
        self.classes = _count_classes(model, input_shape)
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


Observation = SharedGradient | WhiteBox | BlackBox
_Kind = TypeVar("_Kind", SharedGradient, WhiteBox, BlackBox)

# What stands behind each black box; kept off the object, so that its attributes lead nowhere.
_BEHIND: WeakKeyDictionary[BlackBox, tuple[Model, Outputs, torch.Generator]] = WeakKeyDictionary()


def expect(observation: object, kind: type[_Kind], attack: str) -> _Kind:
    """Return the observation if it is of the kind that the attack takes; raises AccessError."""
    if not isinstance(observation, kind):
        raise AccessError(f"{attack} takes a {kind.__name__}; a {type(observation).__name__} does not grant it")
    return observation


def _copy(model: nn.Module, mode: Mode) -> nn.Module:
    if mode not in ("eval", "train"):
        raise ValueError(f"mode must be 'eval' or 'train', not {mode!r}")
    copied = copy.deepcopy(model)
    for parameter in copied.parameters():
        parameter.grad = None
    return copied.train(mode == "train")


def _count_classes(model: Model, input_shape: tuple[int, ...]) -> int:
    with torch.no_grad():
        scores = model(torch.zeros(1, *input_shape))
    if scores.ndim != 2:
        raise ValueError(f"the model must return scores of shape (batch, classes), not {tuple(scores.shape)}")
    return scores.shape[1]


def _refuse_data(inputs: Tensor, labels: Tensor, data_range: tuple[float, float]) -> None:
    if len(inputs) == 0 or labels.shape != (len(inputs),):
        raise ValueError(f"labels must be of shape ({len(inputs)},), one class per input, not {tuple(labels.shape)}")
    low, high = data_range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"data_range must be two finite numbers, the lower first, not {data_range}")
    if not bool(((inputs >= low) & (inputs <= high)).all()):
        raise ValueError(f"inputs must lie in data_range {data_range}; normalize inside the model")
