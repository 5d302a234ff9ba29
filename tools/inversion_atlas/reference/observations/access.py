"""What the observations share: what they refuse, and copies of models that nobody else holds."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

Mode = Literal["eval", "train"]
Outputs = Literal["logits", "probabilities"]
Model = Callable[[Tensor], Tensor]
_Kind = TypeVar("_Kind")


class AccessError(TypeError):
    """An attack was given an observation that grants other things than it needs."""


class QueryLimitReached(RuntimeError):
    """A black box has answered as often as it was allowed to."""


def expect(observation: object, kind: type[_Kind], attack: str) -> _Kind:
    """Return the observation if it is of the kind that the attack takes; raises AccessError."""
    if not isinstance(observation, kind):
        raise AccessError(f"{attack} takes {_a(kind)}; {_a(type(observation))} does not grant it")
    return observation


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def copied(model: nn.Module, mode: Mode) -> nn.Module:
    """Return a copy in that mode without gradients; raises ValueError for another mode."""
    if mode not in ("eval", "train"):
        raise ValueError(f"mode must be 'eval' or 'train', not {mode!r}")
    copied = copy.deepcopy(model)
    for parameter in copied.parameters():
        parameter.grad = None
    return copied.train(mode == "train")


def defenses_of(model: Callable[..., Tensor]) -> tuple[str, ...]:
    """Return the defenses that a model was made under, in words; such a model has an attribute `defenses`."""
    return tuple(getattr(model, "defenses", ()))


def also(defenses: tuple[str, ...], defense: str) -> tuple[str, ...]:
    """Return the defenses with one more at the end; an empty one counts as none."""
    return (*defenses, defense) if defense else defenses


def under(defenses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the defenses as a part of a threat model; nothing where there are none."""
    return (f"under {' and '.join(defenses)}",) if defenses else ()


def count_classes(model: Model, input_shape: tuple[int, ...]) -> int:
    """Return how many scores the model gives; raises ValueError unless they are of shape (batch, classes)."""
    with torch.no_grad():
        scores = model(torch.zeros(1, *input_shape))
    if scores.ndim != 2:
        raise ValueError(f"the model must return scores of shape (batch, classes), not {tuple(scores.shape)}")
    return scores.shape[1]


def refuse_data(inputs: Tensor, labels: Tensor, data_range: tuple[float, float]) -> None:
    """Raise ValueError for labels that do not fit the inputs and for inputs outside of `data_range`."""
    if len(inputs) == 0 or labels.shape != (len(inputs),):
        raise ValueError(f"labels must be of shape ({len(inputs)},), one class per input, not {tuple(labels.shape)}")
    refuse_range(inputs, data_range)


def refuse_range(inputs: Tensor, data_range: tuple[float, float]) -> None:
    """Raise ValueError for inputs outside of `data_range`, and for a range that is none."""
    low, high = data_range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"data_range must be two finite numbers, the lower first, not {data_range}")
    if not bool(((inputs >= low) & (inputs <= high)).all()):
        raise ValueError(f"inputs must lie in data_range {data_range}; normalize inside the model")
