"""A sensitive attribute of a known person, from a model that learned from that person: maximum a posteriori."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion_atlas.reference.observations import LabelOnly, Regression, TreeConfidences, expect

# Given the person's outcome and what the model says, of shape (records,) each, returns how likely the first is.
Likelihood = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """For each record the value found, and the weight of each possible value, summing to 1."""

    values: Tensor
    weights: Tensor


def regression_attribute(
    observation: Regression,
    records: Tensor,
    outcomes: Tensor,
    *,
    sensitive: int,
    priors: Mapping[float, float],
    deviation: float,
    unknown: Mapping[int, Mapping[float, float]] | None = None,
) -> Attributes:
    """Return the likeliest value of a sensitive feature through a regression (fredrikson2014privacy).

    `records` of shape (records, features) hold what is known; their sensitive column is not read, nor are those of
    `unknown` features, which are summed over by their frequencies. `outcomes` are the people's true outcomes. Each
    completion is weighed by how likely its error is, normal with `deviation`, and by the frequency of its values;
    features count as independent.
    """
    box = expect(observation, Regression, "regression-attribute")
    _refuse(records, outcomes, sensitive, priors)
    if deviation <= 0:
        raise ValueError(f"deviation must be positive, not {deviation}")
    weights = [
        math.log(share)
        + torch.logsumexp(
            torch.stack(
                [
                    chance - 0.5 * ((outcomes - box.query(completion)) / deviation).square()
                    for completion, chance in _completions(_with(records, sensitive, value), unknown or {})
                ]
            ),
            dim=0,
        )
        for value, share in priors.items()
    ]
    return _likeliest(torch.stack(weights, dim=1), priors)


def label_attribute(
    observation: LabelOnly,
    records: Tensor,
    outcomes: Tensor,
    *,
    sensitive: int,
    priors: Mapping[float, float],
    confusion: Tensor,
) -> Attributes:
    """Return the likeliest value of a sensitive feature from the classes a model names (fredrikson2015model).

    For each value the model is asked about the completed record; the value is weighed by its frequency and by how
    often, in `confusion` (true class, named class), the model names the class it names for those of the true class
    that `outcomes` tell; no confidences are needed. Two queries per record for a yes-or-no question.
    """
    box = expect(observation, LabelOnly, "label-attribute")
    _refuse(records, outcomes, sensitive, priors)
    if confusion.shape != (box.classes, box.classes):
        raise ValueError(f"confusion must be of shape ({box.classes}, {box.classes}), not {tuple(confusion.shape)}")
    given = confusion.double() / confusion.double().sum(dim=1, keepdim=True).clamp_min(1)
    weights = [
        (share * given[outcomes, box.query(_with(records, sensitive, value))]).log() for value, share in priors.items()
    ]
    return _likeliest(torch.stack(weights, dim=1), priors)


def tree_attribute(
    observation: TreeConfidences,
    records: Tensor,
    outcomes: Tensor | None,
    *,
    sensitive: int,
    priors: Mapping[float, float],
) -> Attributes:
    """Return the likeliest value of a sensitive feature from a tree's counts (fredrikson2015model).

    The white-box estimator with counts: each value is weighed by its frequency and by the share that the path of the
    completed record has of all training records on paths that admit the value. Where `outcomes` are known, a path
    counts the records of that class alone, by its confidence; a value no path of theirs admits is ruled out.
    """
    tree = expect(observation, TreeConfidences, "tree-attribute")
    if not tree.counts_known:
        raise ValueError("tree-attribute needs how many training records took each path; this tree does not tell")
    _refuse(records, outcomes, sensitive, priors)
    counts = torch.tensor([path.count for path in tree.paths], dtype=torch.float64)
    shares = torch.tensor([path.confidences for path in tree.paths], dtype=torch.float64)
    weights = []
    for value, share in priors.items():
        admitted = torch.tensor([path.lower[sensitive] < value <= path.upper[sensitive] for path in tree.paths])
        path = tree.path_of(_with(records, sensitive, value))
        taken = counts[path] if outcomes is None else counts[path] * shares[path, outcomes]
        weights.append((share * taken / counts[admitted].sum()).log())
    return _likeliest(torch.stack(weights, dim=1), priors)


def _completions(records: Tensor, unknown: Mapping[int, Mapping[float, float]]) -> list[tuple[Tensor, float]]:
    """Return the records with each combination of unknown values, and the logarithm of its frequency."""
    found = [(records, 0.0)]
    for column, frequencies in unknown.items():
        found = [
            (_with(given, column, value), chance + math.log(share))
            for given, chance in found
            for value, share in frequencies.items()
        ]
    return found


def _with(records: Tensor, column: int, value: float) -> Tensor:
    completed = records.clone()
    completed[:, column] = value
    return completed


def _likeliest(logarithms: Tensor, priors: Mapping[float, float]) -> Attributes:
    """Return the value with the largest weight; where all are impossible the priors decide."""
    fallback = torch.tensor(list(priors.values()), dtype=logarithms.dtype).log()
    impossible = torch.isneginf(logarithms).all(dim=1, keepdim=True)
    weights = torch.where(impossible, fallback, logarithms).softmax(dim=1)
    return Attributes(torch.tensor(list(priors))[weights.argmax(dim=1)], weights)


def _refuse(records: Tensor, outcomes: Tensor | None, sensitive: int, priors: Mapping[float, float]) -> None:
    if records.ndim != 2 or not 0 <= sensitive < records.shape[1]:
        raise ValueError(f"records must be of shape (records, features) with a feature {sensitive}")
    if outcomes is not None and outcomes.shape != (len(records),):
        raise ValueError(f"outcomes must be of shape ({len(records)},), not {tuple(outcomes.shape)}")
    shares: Sequence[float] = list(priors.values())
    if len(shares) < 2 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError("priors must give at least two values, each a share above 0, all summing to 1")
