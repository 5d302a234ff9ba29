"""A model behind an interface: what stands behind it cannot be reached, what it answers is counted and limited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from inversion_atlas.reference.observations.access import QueryLimitReached


@dataclass(slots=True)
class _Behind:
    """What an interface hides, with the count, so that neither can be reached or reset through its attributes."""

    answer: Callable[..., Tensor]
    limit: int | None
    queries: int = 0


class Interface:
    """What all interfaces share: the shape of their inputs, a count of the inputs answered, and a limit."""

    __slots__ = ("__weakref__", "data_range", "input_shape")

    def __init__(
        self,
        answer: Callable[..., Tensor],
        *,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float],
        limit: int | None,
    ) -> None:
        if limit is not None and limit < 0:
            raise ValueError("limit must not be negative")
        self.input_shape, self.data_range = input_shape, data_range
        _BEHIND[self] = _Behind(answer, limit)

    @property
    def queries(self) -> int:
        """How many inputs were answered."""
        return _BEHIND[self].queries

    @property
    def limit(self) -> int | None:
        """How many inputs are answered at most; None without a limit."""
        return _BEHIND[self].limit

    def _ask(self, inputs: Tensor, *beside: Tensor) -> Tensor:
        """Count the inputs and return the answer to them; raises QueryLimitReached, then answers none of them.

        `beside` is what a model takes besides the inputs, such as questions.
        """
        self._count(inputs)
        with torch.no_grad():
            return _BEHIND[self].answer(*(part.detach().clone() for part in (inputs, *beside)))

    def _count(self, inputs: Tensor) -> None:
        if tuple(inputs.shape[1:]) != self.input_shape:
            raise ValueError(f"inputs must be of shape (batch, {', '.join(map(str, self.input_shape))})")
        hidden = _BEHIND[self]
        if hidden.limit is not None and hidden.queries + len(inputs) > hidden.limit:
            used = f"{hidden.queries} of {hidden.limit} queries are used"
            raise QueryLimitReached(f"{used}, {len(inputs)} more were asked")
        hidden.queries += len(inputs)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an interface cannot be copied or pickled: its count and its model stay where they are")


def limited(interface: Interface) -> tuple[str, ...]:
    """Return the limit in words, for a threat model; nothing where there is none."""
    return () if interface.limit is None else (f"at most {interface.limit:,} queries",)


# What stands behind each interface; kept off the object, so that its attributes lead nowhere.
_BEHIND: WeakKeyDictionary[Interface, _Behind] = WeakKeyDictionary()
