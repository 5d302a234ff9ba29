"""Bilateral dependency optimization: hidden layers depend less on the input and more on the label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.defenses.training import Loss

# Maps rows of shape (batch, features) to how alike they are, of shape (batch, batch).
Kernel = Callable[[Tensor], Tensor]
# Width of the Gaussian kernel in the authors' code, in units of the root of the dimension.
_SIGMA = 5.0
# What the authors add to the kernels' diagonals before inverting, per example.
_RIDGE = 1e-5


def bido(measure: Literal["coco", "hsic"], *, on_input: float, on_label: float) -> Loss:
    """Return the loss of BiDO (peng2022bilateral): cross entropy and dependencies of each hidden layer.

    To the cross entropy comes, for the output of every ReLU, `on_input` times its dependency on the inputs less
    `on_label` times that on the labels, within the batch. Kernels are Gaussian, that of the labels is linear, as in
    the authors' code; its weights are (0.05, 0.5) for HSIC on faces and (1, 50) for COCO on digits.
    """
    if measure not in ("coco", "hsic"):
        raise ValueError(f"measure must be 'coco' or 'hsic', not {measure!r}")
    dependency: Callable[[Tensor, Tensor, Kernel], Tensor] = coco if measure == "coco" else hsic

    def loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
        logits, hidden = hidden_outputs(model, inputs)
        total = functional.cross_entropy(logits, labels)
        classes = functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
        for layer in hidden:
            total = total + on_input * dependency(layer, inputs.flatten(1), gaussian)
            total = total - on_label * dependency(layer, classes, linear)
        return total

    return loss


def gaussian(rows: Tensor) -> Tensor:
    """Return the Gaussian kernel of rows with each other, of shape (batch, batch)."""
    squared = rows.square().sum(dim=1)
    apart = (squared[:, None] - 2 * rows @ rows.T + squared[None]).abs()
    similar: Tensor = (-apart / (2 * _SIGMA**2 * rows.shape[1])).exp()
    return similar


def linear(rows: Tensor) -> Tensor:
    """Return the products of rows with each other, of shape (batch, batch)."""
    return rows @ rows.T


def coco(one: Tensor, other: Tensor, kernel: Kernel = gaussian) -> Tensor:
    """Return the constrained covariance of rows, both of shape (batch, features), as the authors' code computes it.

    The root of the Frobenius norm of the product of both centered kernels, over the batch size; `kernel` is that of
    the second.
    """
    center = torch.eye(len(one), dtype=one.dtype) - 1 / len(one)
    product = (center @ gaussian(one) @ center) @ (center @ kernel(other) @ center)
    # The root has no slope at zero.
    value: Tensor = product.norm().clamp_min(1e-12).sqrt() / len(one)
    return value


def hsic(one: Tensor, other: Tensor, kernel: Kernel = gaussian) -> Tensor:
    """Return the normalized Hilbert-Schmidt independence criterion of rows, as the authors' code computes it.

    `kernel` is that of the second.
    """
    center = torch.eye(len(one), dtype=one.dtype) - 1 / len(one)
    ridge = _RIDGE * len(one) * torch.eye(len(one), dtype=one.dtype)

    def normalized(similar: Tensor) -> Tensor:
        centered = similar @ center
        inverse: Tensor = torch.linalg.inv(centered + ridge)
        return centered @ inverse

    value: Tensor = (normalized(gaussian(one)) * normalized(kernel(other)).T).sum()
    return value


def hidden_outputs(model: nn.Module, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the logits and, flattened, the output of every ReLU; raises ValueError where there is none."""
    hidden: list[Tensor] = []
    layers = [layer for layer in model.modules() if isinstance(layer, nn.ReLU)]
    hooks = [layer.register_forward_hook(lambda _, __, out: hidden.append(out.flatten(1))) for layer in layers]
    try:
        logits: Tensor = model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    if not hidden:
        raise ValueError("the model has no ReLU, whose outputs would be its hidden layers")
    return logits, hidden
