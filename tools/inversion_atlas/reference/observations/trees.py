"""A decision tree that publishes its paths with the confidence of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier


@dataclass(frozen=True, slots=True)
class TreePath:
    """One leaf: a record is in it where `lower < value <= upper` for each feature."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    confidences: tuple[float, ...]  # one per class, summing to 1
    count: int | None  # how many training records ended here; None where that is not told


@dataclass(frozen=True, slots=True)
class TreeConfidences:
    """The paths of a decision tree with their confidences, as services that sell models publish them.

    Of the training records nothing is told but, where the threat model says so, how many took each path.
    """

    features: tuple[str, ...]
    classes: int
    paths: tuple[TreePath, ...]

    def __post_init__(self) -> None:
        for path in self.paths:
            if not len(path.lower) == len(path.upper) == len(self.features) or len(path.confidences) != self.classes:
                raise ValueError("each path needs two bounds per feature and one confidence per class")
        if len({path.count is None for path in self.paths}) != 1:
            raise ValueError("a tree needs paths, and counts are told for all of them or for none")

    @classmethod
    def of_tree(cls, tree: DecisionTreeClassifier, features: tuple[str, ...], *, counts_known: bool) -> TreeConfidences:
        """Read the paths of a fitted tree of scikit-learn; whether counts are known belongs to the threat model."""
        if tree.n_features_in_ != len(features):
            raise ValueError(f"the tree has {tree.n_features_in_} features, {len(features)} were named")
        paths: list[TreePath] = []
        everywhere = ((-math.inf,) * len(features), (math.inf,) * len(features))
        waiting = [(0, *everywhere)]
        nodes = tree.tree_
        while waiting:
            node, lower, upper = waiting.pop()
            if nodes.children_left[node] < 0:
                shares = nodes.value[node][0] / nodes.value[node][0].sum()
                count = int(nodes.n_node_samples[node]) if counts_known else None
                paths.append(TreePath(lower, upper, tuple(map(float, shares)), count))
                continue
            feature, threshold = int(nodes.feature[node]), float(nodes.threshold[node])
            below = min(upper[feature], threshold)
            above = max(lower[feature], threshold)
            waiting.append((int(nodes.children_right[node]), _with(lower, feature, above), upper))
            waiting.append((int(nodes.children_left[node]), lower, _with(upper, feature, below)))
        return cls(features, len(tree.classes_), tuple(paths))

    @property
    def counts_known(self) -> bool:
        """Whether the paths tell how many training records took them."""
        return self.paths[0].count is not None

    def path_of(self, records: Tensor) -> Tensor:
        """Return the path of each record, an index of shape (records,); `records` is of shape (records, features)."""
        if records.ndim != 2 or records.shape[1] != len(self.features):
            raise ValueError(f"records must be of shape (records, {len(self.features)}), not {tuple(records.shape)}")
        lower = torch.tensor([path.lower for path in self.paths], dtype=torch.float64)
        upper = torch.tensor([path.upper for path in self.paths], dtype=torch.float64)
        values = records.double()[:, None]
        return ((values > lower) & (values <= upper)).all(dim=2).long().argmax(dim=1)

    def confidences(self, records: Tensor) -> Tensor:
        """Return the confidence of each class for each record, shape (records, classes)."""
        table = torch.tensor([path.confidences for path in self.paths], dtype=torch.float64)
        return table[self.path_of(records)]

    def describe(self) -> str:
        """Return the threat model in a line."""
        told = ", with how many training records took each" if self.counts_known else ""
        return f"{len(self.paths)} paths of a decision tree with their confidences{told}"


def _with(bounds: tuple[float, ...], feature: int, value: float) -> tuple[float, ...]:
    return (*bounds[:feature], value, *bounds[feature + 1 :])
