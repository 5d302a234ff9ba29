"""Shares of right answers, of a model, of a surrogate and of an attack: one value for a set of records."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments

Share = Literal["micro", "macro"]
Norm = Literal["l1", "l2", "max"]


def accuracy(guesses: Tensor, truth: Tensor, *, average: Share = "micro") -> float:
    """Return the share of guesses that equal the true class. Metric `accuracy`; 0 to 1, higher is better guessing.

    Both are classes of shape (items,). `average="macro"` is the mean over the true classes of the share found of each
    (balanced accuracy); the two part where classes are not equally many. Where it is known what was guessed, the
    narrower metrics say so: `attack_accuracy`, `model_accuracy`, `attribute_inference_accuracy`.
    """
    _same_length(guesses, truth, "guesses", "truth")
    right = (guesses == truth).double()
    if average == "micro":
        return float(right.mean())
    if average != "macro":
        raise arguments.MetricError(f"average must be micro or macro, not {average}")
    return float(torch.stack([right[truth == label].mean() for label in truth.unique()]).mean())


def categorical_accuracy(scores: Tensor, truth: Tensor, *, average: Share = "micro") -> float:
    """Return the share of items whose highest score is that of the true class. Metric `categorical-accuracy`.

    0 to 1. Both are (items, classes); `truth` may be one-hot. Of equal scores the first counts, as in Keras, whose
    definition this is; `average="macro"` is the other reading, accuracy within each category, then their mean.
    """
    arguments.features(truth, "truth")
    arguments.features(scores, "scores", width=truth.shape[1])
    return accuracy(scores.argmax(dim=1), truth.argmax(dim=1), average=average)


def model_accuracy(scores: Tensor, labels: Tensor) -> float:
    """Return the share of held-out records that the model puts into their class. Metric `model-accuracy`; 0 to 1.

    `scores` (items, classes) are the model's logits or probabilities, `labels` the true classes. It measures the
    target: the price of a defense is the drop against the undefended model. Of equal scores the first counts.
    """
    arguments.features(scores, "scores")
    arguments.classes(labels, "labels", items=len(scores), number=scores.shape[1])
    return accuracy(scores.argmax(dim=1), labels)


def fidelity(surrogate: Tensor, target: Tensor) -> float:
    """Return how often a surrogate names the class that the target names. Metric `fidelity`; 0 to 1, higher is closer.

    Both are scores (items, classes) on the same inputs, the truth of which plays no part. On test data, noise and
    generated inputs the values differ: say which.
    """
    arguments.features(target, "target")
    arguments.features(surrogate, "surrogate", width=target.shape[1])
    return accuracy(surrogate.argmax(dim=1), target.argmax(dim=1))


def membership_inference_accuracy(guesses: Tensor, members: Tensor, *, balanced: bool = False) -> float:
    """Return the share of records rightly told to be members or not. Metric `membership-inference-accuracy`; 0 to 1.

    Both are 0 and 1 of shape (items,), 1 for members. Guessing gives .5 only where half are members; `balanced`
    averages the shares of both groups, which must then both occur.
    """
    given, true = arguments.binary(guesses, "guesses"), arguments.binary(members, "members")
    if balanced and bool((true == true[0]).all()):
        raise arguments.MetricError("balanced accuracy needs members and others")
    return accuracy(given.long(), true.long(), average="macro" if balanced else "micro")


def generalization_gap(train: float, test: float, *, of: Literal["accuracy", "loss"] = "accuracy") -> float:
    """Return how much better a model does on its training data. Metric `generalization-gap`; 0 where it does not.

    Accuracies from 0 to 1 give train - test, from -1 to 1; of losses the sign turns, so that above 0 always means
    better on the training data.
    """
    for name, value in (("train", train), ("test", test)):
        if not (value >= 0 and (of == "loss" or value <= 1)):
            raise arguments.MetricError(
                f"{name} must be {'at least 0' if of == 'loss' else 'from 0 to 1'}, not {value}"
            )
    return train - test if of == "accuracy" else test - train


def percent_correct(guesses: Tensor, truth: Tensor) -> float:
    """Return 100 times the share of guesses that equal the truth. Metric `percent-correct`; 0 to 100.

    The table that prints it does not say what it counts (hidden attributes, or people who recognize a face); say it.
    """
    return 100 * accuracy(guesses, truth)


def confidence_score_distortion(defended: Tensor, undefended: Tensor, *, norm: Norm = "l1") -> Tensor:
    """Return how far a defense moves each confidence vector. Metric `confidence-score-distortion`; lower is better.

    Both are probabilities (items, classes) on the same inputs. `norm` is the sum of absolute differences (0 to 2, as
    public code has it), their Euclidean length (0 to root 2) or the largest (0 to 1); the source defines none.
    """
    arguments.probabilities(undefended, "undefended")
    arguments.probabilities(defended, "defended", like=undefended)
    orders = {"l1": 1.0, "l2": 2.0, "max": float("inf")}
    if norm not in orders:
        raise arguments.MetricError(f"norm must be l1, l2 or max, not {norm}")
    length: Tensor = torch.linalg.vector_norm(defended - undefended, ord=orders[norm], dim=1)
    return length


def _same_length(given: Tensor, true: Tensor, name: str, true_name: str) -> None:
    arguments.classes(true, true_name)
    arguments.classes(given, name, items=len(true))
