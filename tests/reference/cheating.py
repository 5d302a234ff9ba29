"""Tools of the tests that try to get more out of an observation than it grants."""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator

from torch import Tensor, nn


class Remembering(nn.Module):
    """A user's model that keeps the last batch it saw, as layers with hooks do."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
        self.last: Tensor | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        self.last = inputs
        logits: Tensor = self.layers(inputs)
        return logits


def reachable(thing: object) -> Iterator[object]:
    """Everything that hangs on an object, without the code that all objects share."""
    seen, waiting = {id(thing)}, [thing]
    while waiting:
        current = waiting.pop()
        yield current
        for found in gc.get_referents(current):
            if id(found) not in seen and not isinstance(found, type | types.ModuleType | types.FunctionType):
                seen.add(id(found))
                waiting.append(found)


def holds(thing: object, private: Tensor) -> bool:
    """Whether a tensor that hangs on the object is the private one, a view of it, or holds one of its rows."""
    rows = private.reshape(len(private), -1)
    for found in reachable(thing):
        if isinstance(found, Tensor) and found.numel() >= rows.shape[1] and found.dtype == private.dtype:
            if found.untyped_storage().data_ptr() == private.untyped_storage().data_ptr():
                return True
            if found.numel() % rows.shape[1] == 0:
                for row in rows:
                    if (found.detach().reshape(-1, rows.shape[1]) == row).all(dim=1).any():
                        return True
    return False
