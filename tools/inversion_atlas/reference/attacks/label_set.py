"""Which classes stand in a batch, from the gradient of the last layer's weight alone."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linprog
from torch import Tensor

from inversion_atlas.reference.attacks.labels import last_layer
from inversion_atlas.reference.observations import SharedGradient, expect

# Singular values below this share of the largest are rounding.
_ROUNDING = 1e-5


def label_set(observation: SharedGradient) -> Tensor:
    """Return the classes that stand in the batch, ascending. Revealing Labels from Gradients (dang2021revealing).

    Under cross entropy the last weight's gradient is a product of p - y, which is negative at an example's own class
    alone, and the features that enter the layer, of any sign. Its singular vectors make each class a point of a space
    with as many dimensions as the batch has examples. A class is in the batch where a plane through the origin has its
    point alone on one side, which a linear program decides. The batch must be smaller than the number of classes; the
    nearer it comes to it, the more classes are separable that are not in it.

    As the authors' code for images, less its first pass by a perceptron, which saves time where classes are many, and
    less the hundredth by which it lets other classes lie beyond the plane.
    """
    observation = expect(observation, SharedGradient, "the set of labels")
    if observation.batch_size >= observation.classes:
        raise ValueError(
            f"a batch of {observation.batch_size} is not smaller than the {observation.classes} classes: "
            "each of them could be separated, whatever the batch holds"
        )
    weight, _ = last_layer(observation)
    points, values, _ = torch.linalg.svd(weight.detach().double(), full_matrices=False)
    rank = min(observation.batch_size, int((values > _ROUNDING * values[0]).sum()))
    placed = points[:, :rank].numpy()
    return torch.tensor([label for label in range(len(placed)) if _separable(placed, label)], dtype=torch.long)


def _separable(points: np.ndarray, label: int) -> bool:
    """Whether a direction has -1 as its product with one point, and a negative one with no other."""
    others = np.delete(points, label, axis=0)
    own = points[label : label + 1]
    free = np.zeros(points.shape[1])
    found = linprog(free, A_ub=-others, b_ub=np.zeros(len(others)), A_eq=own, b_eq=[-1.0], bounds=(None, None))
    return bool(found.status == 0)
