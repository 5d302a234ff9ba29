"""Scores of yes-or-no guesses and of inferred attributes: one value for a set of records."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a binary guess was right and wrong."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @classmethod
    def of(cls, guesses: Tensor, truth: Tensor) -> Confusion:
        """Count; both are 0 or 1 (or false and true), of shape (items,)."""
        given, true = _binary(guesses, "guesses"), _binary(truth, "truth")
        if given.shape != true.shape:
            raise arguments.MetricError(f"shapes differ: guesses {tuple(given.shape)}, truth {tuple(true.shape)}")
        return cls(
            int((given & true).sum()),
            int((given & ~true).sum()),
            int((~given & ~true).sum()),
            int((~given & true).sum()),
        )


def precision(guesses: Tensor, truth: Tensor) -> float:
    """Return the share of the records called positive which are. Metric `precision`; 0 to 1, higher is better guessing.

    NaN where nothing was called positive.
    """
    counts = Confusion.of(guesses, truth)
    return _ratio(counts.true_positive, counts.true_positive + counts.false_positive)


def recall(guesses: Tensor, truth: Tensor) -> float:
    """Return the share of the positive records that were found. Metric `recall`; 0 to 1, NaN where none is positive."""
    counts = Confusion.of(guesses, truth)
    return _ratio(counts.true_positive, counts.true_positive + counts.false_negative)


def f1_score(guesses: Tensor, truth: Tensor) -> float:
    """Return the harmonic mean of precision and recall. Metric `f1-score`; 0 to 1, NaN where no positive occurs."""
    counts = Confusion.of(guesses, truth)
    return _ratio(2 * counts.true_positive, 2 * counts.true_positive + counts.false_positive + counts.false_negative)


def mcc(guesses: Tensor, truth: Tensor) -> float:
    """Return the Matthews correlation of guess and truth. Metric `mcc`; -1 to 1, NaN where one of them is constant."""
    c = Confusion.of(guesses, truth)
    product = (
        (c.true_positive + c.false_positive)
        * (c.true_positive + c.false_negative)
        * (c.true_negative + c.false_positive)
        * (c.true_negative + c.false_negative)
    )
    return _ratio(c.true_positive * c.true_negative - c.false_positive * c.false_negative, math.sqrt(product))


def g_mean(guesses: Tensor, truth: Tensor) -> float:
    """Return the root of recall times specificity. Metric `g-mean`; 0 to 1, NaN where one class does not occur."""
    c = Confusion.of(guesses, truth)
    found = _ratio(c.true_positive, c.true_positive + c.false_negative)
    spared = _ratio(c.true_negative, c.true_negative + c.false_positive)
    return math.sqrt(found * spared)


def auroc(scores: Tensor, truth: Tensor) -> float:
    """Return the chance that a positive record scores above a negative one, ties counting half. Metric `auroc`.

    0 to 1, .5 is guessing. `scores` are floats of shape (items,), `truth` 0 or 1; both classes must occur.
    """
    true = _binary(truth, "truth")
    if scores.shape != true.shape:
        raise arguments.MetricError(f"shapes differ: scores {tuple(scores.shape)}, truth {tuple(true.shape)}")
    arguments.floating(scores, "scores")
    positives = int(true.sum())
    negatives = len(true) - positives
    if positives == 0 or negatives == 0:
        raise arguments.MetricError("the area under the curve needs records of both classes")
    # Rank sum of Wilcoxon, Mann and Whitney; equal scores share their mean rank.
    ordered = scores.sort().values
    below = torch.searchsorted(ordered, scores)
    up_to = torch.searchsorted(ordered, scores, right=True)
    rank = (below + up_to + 1).double() / 2
    return float((rank[true].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def attribute_inference_accuracy(guesses: Tensor, truth: Tensor) -> float:
    """Return the share of records whose hidden value was named. Metric `attribute-inference-accuracy`; 0 to 1."""
    arguments.classes(truth, "truth")
    arguments.classes(guesses, "guesses", items=len(truth))
    return float((guesses == truth).double().mean())


def attribute_advantage(guesses: Tensor, truth: Tensor, *, baseline: float | None = None) -> float:
    """Return how much of the room above the baseline was won. Metric `attribute-advantage`.

    At most 1, below 0 where the guess is worse: (accuracy - baseline) / (1 - baseline). Without `baseline` it is the
    accuracy of always naming the most frequent true value; better ones, such as imputation from the known attributes,
    are handed in.
    """
    accuracy = attribute_inference_accuracy(guesses, truth)
    if baseline is None:
        baseline = float(torch.bincount(truth.long()).max()) / len(truth)
    if not 0 <= baseline < 1:
        raise arguments.MetricError(f"no room is left above a baseline of {baseline:g}; it must be from 0 to below 1")
    return (accuracy - baseline) / (1 - baseline)


def _binary(given: Tensor, name: str) -> Tensor:
    if given.ndim != 1 or len(given) == 0:
        raise arguments.MetricError(f"{name} must be of shape (items,), not {tuple(given.shape)}")
    if given.is_floating_point() or not bool(((given == 0) | (given == 1)).all()):
        raise arguments.MetricError(f"{name} must be 0 and 1 as integers or booleans")
    return given.bool()


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
