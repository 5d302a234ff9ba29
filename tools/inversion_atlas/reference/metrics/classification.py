"""Scores of guessed classes: one value for a set of records. Two classes unless an average is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments

Average = Literal["binary", "micro", "macro", "weighted"]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a guess of yes or no was right and wrong."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @classmethod
    def of(cls, guesses: Tensor, truth: Tensor) -> Confusion:
        """Count; both are 0 or 1 (or false and true), of shape (items,)."""
        given, true = arguments.binary(guesses, "guesses"), arguments.binary(truth, "truth")
        if given.shape != true.shape:
            raise arguments.MetricError(f"shapes differ: guesses {tuple(given.shape)}, truth {tuple(true.shape)}")
        return cls(
            int((given & true).sum()),
            int((given & ~true).sum()),
            int((~given & ~true).sum()),
            int((~given & true).sum()),
        )

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.true_negative + other.true_negative,
            self.false_negative + other.false_negative,
        )


def precision(guesses: Tensor, truth: Tensor, *, average: Average = "binary") -> float:
    """Return the share of the records called positive which are. Metric `precision`; 0 to 1, higher is better guessing.

    Both are 0 and 1, of shape (items,); NaN where nothing was called positive. With another `average` they are classes,
    each in turn the positive one: `micro` adds the counts, `macro` averages over the classes that occur in either,
    `weighted` by how often each is true; NaN where it is NaN for a class.
    """
    return _averaged(guesses, truth, average, lambda c: _ratio(c.true_positive, c.true_positive + c.false_positive))


def recall(guesses: Tensor, truth: Tensor, *, average: Average = "binary") -> float:
    """Return the share of the positive records that were found. Metric `recall`; 0 to 1, NaN where none is positive.

    Arguments are those of `precision`.
    """
    return _averaged(guesses, truth, average, lambda c: _ratio(c.true_positive, c.true_positive + c.false_negative))


def f1_score(guesses: Tensor, truth: Tensor, *, average: Average = "binary") -> float:
    """Return the harmonic mean of precision and recall. Metric `f1-score`; 0 to 1, NaN where no positive occurs.

    Arguments are those of `precision`; macro and weighted average the harmonic means.
    """
    return _averaged(
        guesses,
        truth,
        average,
        lambda c: _ratio(2 * c.true_positive, 2 * c.true_positive + c.false_positive + c.false_negative),
    )


def mcc(guesses: Tensor, truth: Tensor) -> float:
    """Return the Matthews correlation of guess and truth. Metric `mcc`; -1 to 1, NaN where one of them is constant.

    Both are classes of shape (items,), two or more: with more it is the multiclass form, whose least value is above -1.
    """
    given, true = _whole(guesses), _whole(truth)
    arguments.classes(true, "truth")
    arguments.classes(given, "guesses", items=len(true))
    number = int(max(given.max(), true.max())) + 1
    called = [int(count) for count in torch.bincount(given, minlength=number)]
    occurring = [int(count) for count in torch.bincount(true, minlength=number)]
    items, right = len(true), int((given == true).sum())
    covariance = right * items - sum(p * t for p, t in zip(called, occurring, strict=True))
    spread = (items**2 - sum(p * p for p in called)) * (items**2 - sum(t * t for t in occurring))
    return _ratio(covariance, math.sqrt(spread))


def g_mean(guesses: Tensor, truth: Tensor) -> float:
    """Return the geometric mean of the recalls of all true classes. Metric `g-mean`; 0 to 1, higher is better guessing.

    Both are classes of shape (items,). For two it is the root of recall times specificity. NaN where only one class
    occurs.
    """
    given, true = _whole(guesses), _whole(truth)
    arguments.classes(true, "truth")
    arguments.classes(given, "guesses", items=len(true))
    labels = true.unique()
    if len(labels) == 1:
        return math.nan
    recalls = [float((given[true == label] == label).double().mean()) for label in labels]
    return float(math.prod(recalls) ** (1 / len(recalls)))


def auroc(
    scores: Tensor,
    truth: Tensor,
    *,
    several: Literal["rest", "one"] = "rest",
    average: Literal["macro", "weighted"] = "macro",
) -> float:
    """Return the chance that a positive record scores above a negative one, ties counting half. Metric `auroc`.

    0 to 1, .5 is guessing. `scores` are floats of shape (items,), `truth` 0 or 1; both classes must occur. For several
    classes `scores` are (items, classes) and all classes must occur: each is held against the `rest`, or against each
    other `one` and both ways, averaged plainly or weighted by how often classes (or their pairs) occur.
    """
    if scores.ndim == 1:
        return _area(scores, arguments.binary(truth, "truth"))
    arguments.features(scores, "scores")
    arguments.classes(truth, "truth", items=len(scores), number=scores.shape[1])
    number = scores.shape[1]
    shares = torch.bincount(truth, minlength=number).double() / len(truth)
    if several == "rest":
        areas = [_area(scores[:, label].contiguous(), truth == label) for label in range(number)]
        weights = [float(share) for share in shares]
    elif several == "one":
        areas, weights = [], []
        for first, second in combinations(range(number), 2):
            either = (truth == first) | (truth == second)
            areas.append((_against(scores, truth, either, first) + _against(scores, truth, either, second)) / 2)
            weights.append(float(shares[first] + shares[second]))
    else:
        raise arguments.MetricError(f"several must be rest or one, not {several}")
    if average == "macro":
        return math.fsum(areas) / len(areas)
    return math.fsum(area * weight for area, weight in zip(areas, weights, strict=True)) / math.fsum(weights)


def _against(scores: Tensor, truth: Tensor, either: Tensor, label: int) -> float:
    return _area(scores[either, label], truth[either] == label)


def _area(scores: Tensor, true: Tensor) -> float:
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


def _averaged(guesses: Tensor, truth: Tensor, average: Average, score: Callable[[Confusion], float]) -> float:
    if average == "binary":
        return score(Confusion.of(guesses, truth))
    arguments.classes(truth, "truth")
    arguments.classes(guesses, "guesses", items=len(truth))
    labels = torch.cat((guesses, truth)).unique()
    counts = [Confusion.of(guesses == label, truth == label) for label in labels]
    if average == "micro":
        return score(sum(counts[1:], counts[0]))
    scores = [score(count) for count in counts]
    if average == "macro":
        return math.fsum(scores) / len(scores)
    if average != "weighted":
        raise arguments.MetricError(f"average must be binary, micro, macro or weighted, not {average}")
    true = [count.true_positive + count.false_negative for count in counts]
    # A class that never occurs has no weight, whatever its score.
    return math.fsum(score * times for score, times in zip(scores, true, strict=True) if times) / len(truth)


def _whole(given: Tensor) -> Tensor:
    """Booleans as classes 0 and 1."""
    return given.long() if given.dtype in (torch.bool, torch.int32) else given


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
