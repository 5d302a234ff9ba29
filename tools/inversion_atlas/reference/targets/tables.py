"""Real tables that installed packages carry, with a sensitive attribute, and the models that are fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.tree import DecisionTreeClassifier
from statsmodels.datasets import anes96, fair
from torch import Tensor, nn

from inversion_atlas.reference.targets.data import Images, Split, digits

# What the tree learns from; the first one is sensitive.
_ANSWERS = ("affair", "age", "yrs_married", "children", "religious", "educ", "occupation", "occupation_husb")
# What the regression learns from; the first one is sensitive.
_TOLD = ("vote", "TVnews", "age", "educ", "income", "popul")


@dataclass(frozen=True, slots=True, eq=False)
class Records(Images):
    """Rows of a table, of shape (records, features), and what the model predicts: classes, or numbers."""

    @property
    def records(self) -> Tensor:
        return self.images


@dataclass(frozen=True, slots=True, eq=False)
class Table(Split):
    """A table split by people; the column `sensitive` is what an adversary wants to know, one of `values`."""

    private: Records
    test: Records
    public: Records
    features: tuple[str, ...]
    sensitive: int
    values: tuple[float, ...]

    def frequencies(self, column: int, part: Records) -> dict[float, float]:
        """Return the share of each value of a column among the records of a part."""
        values, counts = part.records[:, column].unique(return_counts=True)
        return {float(value): float(count) / len(part) for value, count in zip(values, counts, strict=True)}


@lru_cache(maxsize=1)
def affairs() -> Table:
    """A survey of 6,366 wives (statsmodels' `fair`): how they rate their marriage, from 0 to 4, and eight answers.

    `affair` is whether they told of any affair, which a third did. Half is private, a quarter each test and public.
    """
    survey = fair.load_pandas().data
    survey["affair"] = (survey["affairs"] > 0).astype(float)
    rows = torch.tensor(survey[list(_ANSWERS)].to_numpy(), dtype=torch.float32)
    ratings = torch.tensor(survey["rate_marriage"].to_numpy()).long() - 1
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(rows)))
    half, rest = len(rows) // 2, len(rows) // 4
    parts = (order[:half], order[half : half + rest], order[half + rest :])
    ratings_told = ("very poor", "poor", "fair", "good", "very good")
    private, test, public = (Records(rows[p], ratings[p]) for p in parts)
    return Table("affairs", ratings_told, private, test, public, _ANSWERS, 0, (0.0, 1.0))


@lru_cache(maxsize=1)
def votes() -> Table:
    """A survey of 944 voters (statsmodels' `anes96`): where they place themselves from left, 1, to right, 7.

    `vote` is sensitive, 0 for Clinton and 1 for Dole. The model learns from 600 of them.
    """
    survey = anes96.load_pandas().data
    rows = torch.tensor(survey[list(_TOLD)].to_numpy(), dtype=torch.float32)
    places = torch.tensor(survey["selfLR"].to_numpy(), dtype=torch.float32)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(rows)))
    private, test, public = (Records(rows[p], places[p]) for p in (order[:600], order[600:772], order[772:]))
    return Table("votes", ("left to right",), private, test, public, _TOLD, 0, (0.0, 1.0))


@lru_cache(maxsize=1)
def tumors() -> Split:
    """569 tumors (scikit-learn's `breast_cancer`): 30 measurements, each brought to mean 0 and deviation 1.

    The first ten are means over a tumor's cells, then come ten standard errors and ten worst values. 380 are private,
    95 test, the rest public.
    """
    loaded = load_breast_cancer()
    rows = torch.from_numpy(loaded.data).float()
    rows, labels = (rows - rows.mean(dim=0)) / rows.std(dim=0), torch.from_numpy(loaded.target).long()
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)))
    parts = (order[:380], order[380:475], order[475:])
    return Split("tumors", ("malignant", "benign"), *(Records(rows[part], labels[part]) for part in parts))


@lru_cache(maxsize=1)
def counts() -> Split:
    """The digits as the table that they are published as: 64 counts of dark points, brought to mean 0 and deviation 1.

    Each counts a square of four by four points of a scan; items and parts are those of `digits`.
    """
    split = digits()
    everything = torch.cat([part.images for part in (split.private, split.test, split.public)]).flatten(1)
    # Some squares are empty in nearly every digit.
    mean, deviation = everything.mean(dim=0), everything.std(dim=0) + 1e-3
    parts = (split.private, split.test, split.public)
    return Split(
        "counts", split.classes, *(Records((part.images.flatten(1) - mean) / deviation, part.labels) for part in parts)
    )


class DecisionTree(nn.Module):
    """scikit-learn's tree as a model that returns probabilities; leaves hold at least `smallest_leaf` records."""

    def __init__(self, smallest_leaf: int = 2) -> None:
        super().__init__()
        self.tree = DecisionTreeClassifier(min_samples_leaf=smallest_leaf, random_state=0)

    def forward(self, records: Tensor) -> Tensor:
        return torch.from_numpy(self.tree.predict_proba(records.numpy())).float()


def decision_tree(shape: tuple[int, ...], classes: int) -> nn.Module:
    """A decision tree; it learns features and classes from the records."""
    return DecisionTree()


def regression(shape: tuple[int, ...], classes: int) -> nn.Module:
    """A linear regression."""
    return nn.Linear(shape[0], 1)


def perceptron(shape: tuple[int, ...], classes: int) -> nn.Module:
    """One hidden layer of 32 ReLU units."""
    return nn.Sequential(nn.Linear(shape[0], 32), nn.ReLU(), nn.Linear(32, classes))


def fit_tree(model: nn.Module, split: Split) -> tuple[float, float]:
    """Fit a `DecisionTree` to the private records; return its accuracy on them and on the test part."""
    assert isinstance(model, DecisionTree)
    parts = [(part.images.numpy(), part.labels.numpy()) for part in (split.private, split.test)]
    model.tree.fit(*parts[0])
    return float(model.tree.score(*parts[0])), float(model.tree.score(*parts[1]))


def fit_line(model: nn.Module, split: Split) -> tuple[float, float]:
    """Fit a linear layer to the private records by least squares; return R squared on them and on the test part."""
    assert isinstance(model, nn.Linear)
    rows = split.private.images.double()
    design = torch.cat((rows, torch.ones(len(rows), 1)), dim=1)
    solution = torch.linalg.lstsq(design, split.private.labels.double()[:, None]).solution[:, 0]
    with torch.no_grad():
        model.weight.copy_(solution[None, :-1])
        model.bias.copy_(solution[-1:])
        errors = [(model(part.images)[:, 0] - part.labels).square().mean() for part in (split.private, split.test)]
    train, test = (
        1 - float(error / part.labels.var(correction=0))
        for error, part in zip(errors, (split.private, split.test), strict=True)
    )
    return train, test
