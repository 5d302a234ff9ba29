"""Entries of a gradient or update set to zero: the smallest, the largest, or both."""

from __future__ import annotations

import torch
from torch import Tensor

from inversion_atlas.reference.defenses.sent import Sent, changed, part_by_part, refuse_share


def prune(observation: Sent, share: float) -> Sent:
    """Set the `share` of entries of least magnitude in each part to zero. Deep Leakage from Gradients (zhu2019deep)."""
    refuse_share(share)
    change = part_by_part(lambda part: part * kept(part, smallest=share))
    return changed(observation, change, f"the smallest {share:g} of entries pruned")


def prune_largest(observation: Sent, share: float) -> Sent:
    """Set the `share` of entries of greatest magnitude in each part to zero (zhang2023preserving)."""
    refuse_share(share)
    change = part_by_part(lambda part: part * kept(part, largest=share))
    return changed(observation, change, f"the largest {share:g} of entries pruned")


def prune_both(observation: Sent, smallest: float, largest: float) -> Sent:
    """Set the smallest and the largest entries of each part to zero. Dual gradient pruning (xue2024revisiting).

    One round of it: what is not sent is not kept for the next, as `Compressor` does.
    """
    refuse_share(smallest + largest)
    change = part_by_part(lambda part: part * kept(part, smallest=smallest, largest=largest))
    return changed(observation, change, f"the smallest {smallest:g} and largest {largest:g} of entries pruned")


def kept(part: Tensor, *, smallest: float = 0.0, largest: float = 0.0) -> Tensor:
    """Return 1 where an entry stays and 0 where it is among the shares that go; at least one entry stays."""
    order = part.abs().flatten().argsort(stable=True)
    first, last = round(smallest * len(order)), len(order) - round(largest * len(order))
    first = min(first, len(order) - 1)
    mask = torch.zeros_like(part).flatten()
    mask[order[first : max(last, first + 1)]] = 1
    return mask.view(part.shape)
