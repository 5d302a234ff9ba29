"""Scores of inferred attributes and of recovered table rows."""

from __future__ import annotations

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def attribute_inference_accuracy(guesses: Tensor, truth: Tensor, *, tolerance: float | None = None) -> float:
    """Return the share of records whose hidden value was named. Metric `attribute-inference-accuracy`; 0 to 1.

    Classes of shape (items,), or numbers as floats: those count as found within `tolerance`, which must then be given.
    """
    return float(_found(guesses, truth, tolerance).double().mean())


def attribute_advantage(
    guesses: Tensor, truth: Tensor, *, baseline: float | None = None, relative: bool = True
) -> float:
    """Return how much of the room above the baseline was won. Metric `attribute-advantage`.

    At most 1, below 0 where the guess is worse: (accuracy - baseline) / (1 - baseline), not cut off at 0. Without
    `baseline` it is the accuracy of always naming the most frequent true value; better ones, such as imputation from
    the known attributes, or the attack on records not trained on, are handed in. `relative=False` is the plain
    difference.
    """
    arguments.classes(truth, "truth")
    accuracy = attribute_inference_accuracy(guesses, truth)
    if baseline is None:
        baseline = float(torch.bincount(truth.long()).max()) / len(truth)
    if not 0 <= baseline <= 1 or (relative and baseline == 1):
        raise arguments.MetricError(f"no room is left above a baseline of {baseline:g}; it must be from 0 to below 1")
    return (accuracy - baseline) / (1 - baseline) if relative else accuracy - baseline


def tabular_reconstruction_accuracy(
    reconstruction: Tensor, original: Tensor, *, tolerances: Tensor, categorical: Tensor
) -> Tensor:
    """Return the share of each row's features that are recovered. Metric `tabular-reconstruction-accuracy`; 0 to 1.

    Vero and others (2023). Rows are floats (rows, features), in the order of their originals (see `match`).
    `categorical` (features,) is true where a feature is a code that must be equal, `tolerances` (features,) say how far
    another may be off and still count; the border counts. The authors' code returns 1 minus this.
    """
    arguments.pair(reconstruction, original, None)
    features = original.shape[1:]
    if original.ndim != 2 or categorical.shape != features or tolerances.shape != features:
        raise arguments.MetricError(
            f"rows must be (rows, features), categorical and tolerances (features,), not {tuple(original.shape)}, "
            f"{tuple(categorical.shape)} and {tuple(tolerances.shape)}"
        )
    if categorical.dtype != torch.bool or not bool((tolerances[~categorical] >= 0).all()):
        raise arguments.MetricError("categorical must be booleans, and tolerances of the other features at least 0")
    allowed = torch.where(categorical, 0, tolerances.to(original.dtype))
    within = (reconstruction >= original - allowed) & (reconstruction <= original + allowed)
    return within.to(original.dtype).mean(dim=1)


def _found(guesses: Tensor, truth: Tensor, tolerance: float | None) -> Tensor:
    if truth.is_floating_point() or tolerance is not None:
        if tolerance is None or not tolerance >= 0:
            raise arguments.MetricError(f"numbers count as found within a tolerance of at least 0, not {tolerance}")
        if guesses.shape != truth.shape or truth.ndim != 1 or len(truth) == 0:
            raise arguments.MetricError(f"both must be of one shape (items,), not {guesses.shape} and {truth.shape}")
        arguments.floating(truth, "truth")
        arguments.floating(guesses, "guesses")
        return (guesses - truth).abs() <= tolerance
    arguments.classes(truth, "truth")
    arguments.classes(guesses, "guesses", items=len(truth))
    return guesses == truth
