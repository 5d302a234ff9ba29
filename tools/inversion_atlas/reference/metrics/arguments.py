"""What every metric refuses: shapes, types and ranges that would give a number that means something else."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_FLOATS = (torch.float32, torch.float64)


class MetricError(ValueError):
    """A metric was given what it cannot score; the message says what and what to do."""


def pair(reconstruction: Tensor, original: Tensor, data_range: tuple[float, float] | None) -> None:
    """Refuse two tensors unless they are finite, of one shape (batch, …), one float type, and in the range if given."""
    alike(reconstruction, original)
    values(reconstruction, original, data_range)


def alike(reconstruction: Tensor, original: Tensor) -> None:
    """Refuse two tensors unless they are of one shape (batch, …) and one type."""
    if reconstruction.shape != original.shape:
        raise MetricError(
            f"shapes differ: reconstruction {tuple(reconstruction.shape)}, original {tuple(original.shape)}"
        )
    if reconstruction.ndim < 2 or 0 in original.shape:
        raise MetricError(
            f"a batch of shape (batch, …) is needed, not {tuple(original.shape)}; add a dimension for one"
        )
    if reconstruction.dtype != original.dtype:
        raise MetricError(f"types differ: reconstruction {reconstruction.dtype}, original {original.dtype}")


def values(reconstruction: Tensor, original: Tensor, data_range: tuple[float, float] | None) -> None:
    """Refuse two tensors unless their numbers are floats, finite, and in the range if given."""
    for name, tensor in (("reconstruction", reconstruction), ("original", original)):
        if data_range is None:
            floating(tensor, name)
        else:
            within(tensor, data_range, name)


def images(reconstruction: Tensor, original: Tensor, data_range: tuple[float, float], *, smallest: int) -> None:
    """Refuse two batches unless they are images of shape (batch, channels, height, width), large enough."""
    pair(reconstruction, original, data_range)
    if original.ndim != 4:
        raise MetricError(f"images must be of shape (batch, channels, height, width), not {tuple(original.shape)}")
    if min(original.shape[-2:]) < smallest:
        raise MetricError(f"images must be at least {smallest} pixels high and wide, not {tuple(original.shape[-2:])}")


def floating(tensor: Tensor, name: str) -> tuple[float, float]:
    """Refuse a tensor unless it is float32 or float64 and finite; return its least and greatest value."""
    if tensor.dtype not in _FLOATS:
        raise MetricError(f"{name} must be float32 or float64, not {tensor.dtype}")
    # Both carry NaN and infinity; a look at each element for them takes ten times as long.
    least, most = map(float, tensor.aminmax())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise MetricError(f"{name} holds NaN or infinity")
    return least, most


def within(tensor: Tensor, data_range: tuple[float, float], name: str) -> None:
    """Refuse a tensor unless it is finite and inside the range; nothing is clamped silently."""
    low, high = data_range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise MetricError(f"data_range must be two finite numbers, the lower first, not {data_range}")
    least, most = floating(tensor, name)
    if least < low or most > high:
        raise MetricError(
            f"{name} holds {least:g} to {most:g}, outside data_range {data_range}; clamp it, or give its true range"
        )


def features(given: Tensor, name: str, *, width: int | None = None, least: int = 1) -> None:
    """Refuse features unless they are finite, of shape (items, dimensions), as wide as the others and enough."""
    if given.ndim != 2:
        raise MetricError(f"{name} must be of shape (items, dimensions), not {tuple(given.shape)}")
    if len(given) < least or given.shape[1] == 0:
        raise MetricError(f"{name} must hold at least {least} items of a dimension or more, not {tuple(given.shape)}")
    if width is not None and given.shape[1] != width:
        raise MetricError(f"{name} has {given.shape[1]} dimensions, the other features have {width}")
    floating(given, name)


def classes(given: Tensor, name: str, *, items: int | None = None, number: int | None = None) -> None:
    """Refuse class numbers unless they are integers of shape (items,), and below `number` where it is given."""
    if given.dtype not in (torch.int32, torch.int64):
        raise MetricError(f"{name} must be integers, not {given.dtype}")
    if given.ndim != 1 or len(given) == 0 or (items is not None and len(given) != items):
        raise MetricError(
            f"{name} must be of shape ({items if items is not None else 'items'},), not {tuple(given.shape)}"
        )
    if int(given.min()) < 0 or (number is not None and int(given.max()) >= number):
        raise MetricError(f"{name} must be classes from 0 to {'' if number is None else number - 1}")


def binary(given: Tensor, name: str) -> Tensor:
    """Return verdicts of shape (items,) as booleans; refuse what is not 0 and 1 as integers or booleans."""
    if given.ndim != 1 or len(given) == 0:
        raise MetricError(f"{name} must be of shape (items,), not {tuple(given.shape)}")
    if given.is_floating_point() or not bool(((given == 0) | (given == 1)).all()):
        raise MetricError(f"{name} must be 0 and 1 as integers or booleans")
    return given.bool()


def probabilities(given: Tensor, name: str, *, like: Tensor | None = None) -> None:
    """Refuse rows (items, classes) unless each is a distribution; of the shape and type of `like`, where given."""
    features(given, name, width=None if like is None else like.shape[1])
    if like is not None and (len(given) != len(like) or given.dtype != like.dtype):
        raise MetricError(
            f"{name} holds {len(given)} distributions of {given.dtype}, the others are {len(like)} of {like.dtype}"
        )
    if bool((given < 0).any()) or bool(((given.sum(dim=1) - 1).abs() > 1e-4).any()):
        raise MetricError(f"each row of {name} must be probabilities that sum to 1")


def directions(vectors: Tensor) -> Tensor:
    """Return rows (items, dimensions) scaled to length 1; refuse one of zeros."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    if not bool((lengths > 0).all()):
        raise MetricError("a vector of zeros has no direction")
    return vectors / lengths
