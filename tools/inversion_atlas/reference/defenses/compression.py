"""Sparse gradients over rounds: what a client does not send, it keeps for later."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inversion_atlas.reference.defenses.pruning import kept
from inversion_atlas.reference.defenses.sent import Sent, changed, refuse_share


class Compressor:
    """A client's memory of what it has not sent. Deep Gradient Compression (lin2018deep).

    Each round the gradient enters a velocity (`momentum` times the old one plus the gradient), that enters a sum, and
    of the sum all but the `smallest` share of each part is sent; where it is, sum and velocity start anew. This is
    momentum correction with momentum factor masking; its gradient clipping and warm-up are left to the caller.
    With momentum 0 it is plain error feedback; `largest` then holds back the largest entries, too, as dual gradient
    pruning does (xue2024revisiting).
    """

    def __init__(self, smallest: float, *, largest: float = 0.0, momentum: float = 0.9) -> None:
        refuse_share(smallest + largest)
        refuse_share(momentum)
        self.smallest, self.largest, self.momentum = smallest, largest, momentum
        self._velocity: dict[str, Tensor] = {}
        self._sum: dict[str, Tensor] = {}

    def send(self, observation: Sent) -> Sent:
        """Return what the server sees in this round."""
        told = f"the smallest {self.smallest:g} of entries kept for later, momentum {self.momentum:g}"
        if self.largest:
            told = f"the smallest {self.smallest:g} and largest {self.largest:g} of entries kept for later"
        return changed(observation, self._round, told)

    def _round(self, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        sent = {}
        for name, part in gradient.items():
            velocity = self.momentum * self._velocity.get(name, torch.zeros_like(part)) + part
            total = self._sum.get(name, torch.zeros_like(part)) + velocity
            mask = kept(total, smallest=self.smallest, largest=self.largest)
            sent[name] = total * mask
            self._sum[name], self._velocity[name] = total * (1 - mask), velocity * (1 - mask)
        return sent
