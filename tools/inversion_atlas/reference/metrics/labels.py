"""Whether the right class was hit: scores of labels and of reconstructions under an evaluation model."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def attack_accuracy(scores: Tensor, targets: Tensor, *, top: int = 1) -> Tensor:
    """Return, per reconstruction, 1 where the attacked class is among the `top` scores. Metric `attack-accuracy`.

    `scores` (items, classes) are those of an evaluation model on the reconstructions: a model trained on the same
    classes which is not the one attacked. 0 or 1, the mean is the accuracy, higher is worse for privacy. A class that
    ties with others counts as below them.
    """
    arguments.features(scores, "scores")
    arguments.classes(targets, "targets", items=len(scores), number=scores.shape[1])
    if not 1 <= top <= scores.shape[1]:
        raise arguments.MetricError(f"top must be from 1 to {scores.shape[1]}, not {top}")
    own = scores.gather(1, targets.long()[:, None])
    ahead = (scores >= own).sum(dim=1) - 1
    return (ahead < top).to(scores.dtype)


def label_recovery_accuracy(
    recovered: Tensor, labels: Tensor, *, count: Literal["multiset", "set", "position"] = "multiset"
) -> float:
    """Return the share of a batch's labels that were recovered. Metric `label-recovery-accuracy`.

    0 to 1, higher is worse for privacy. Both are classes of shape (items,). As a `multiset`, in any order: the shared
    counts over the batch size. As a `set`, without counts: the classes in both over the
    classes in either. By `position`, after matching. A list that is
    too short or too long is refused, since padding would award hits.
    """
    arguments.classes(labels, "labels")
    arguments.classes(recovered, "recovered", items=len(labels))
    if count == "position":
        return float((recovered == labels).double().mean())
    number = int(max(recovered.max(), labels.max())) + 1
    found, true = (torch.bincount(given.long(), minlength=number) for given in (recovered, labels))
    if count == "set":
        return float(((found > 0) & (true > 0)).sum()) / float(((found > 0) | (true > 0)).sum())
    if count != "multiset":
        raise arguments.MetricError(f"count must be multiset, set or position, not {count}")
    return float(torch.minimum(found, true).sum()) / len(labels)
