"""Labels read off the gradient of the last linear layer, without optimization."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations import SharedGradient, SharedPairGradient, SharedTextGradient, expect


def only_label(observation: SharedGradient | SharedTextGradient | SharedPairGradient) -> int:
    """Return the label of a single example. iDLG (zhao2020idlg).

    Under cross entropy the gradient of the logits is p - y: negative at the label alone. A bias of the last layer has
    just that gradient. Without one, the rows of its weight's gradient are (p - y) times the same features: the label's
    row is the one that has a positive product with no other.
    """
    if not isinstance(observation, SharedTextGradient | SharedPairGradient):
        observation = expect(observation, SharedGradient, "the label rule of iDLG")
    if observation.batch_size != 1:
        raise ValueError(f"the rule holds for one example, not for a batch of {observation.batch_size}; count labels")
    weight, bias = last_layer(observation)
    if bias is not None:
        return int(bias.argmin())
    products = weight @ weight.T
    products.fill_diagonal_(0)
    against = (products > 0).sum(dim=1)
    if int((against == against.min()).sum()) > 1:
        raise ValueError(
            "two rows qualify: with two classes and no bias the sign of the features decides, unknown here"
        )
    return int(against.argmin())


def label_counts(observation: SharedGradient) -> Tensor:
    """Return how often each class stands in the batch, of shape (classes,). iLRG (ma2023instance).

    The row of a class in the last layer's gradient, over that of its bias, stands in for the mean features of that
    class; the model then gives the probabilities such an example would get. With P those of class j's example in row
    j and n the counts, the gradient of the bias is (Pᵀ n - n) / batch: a linear system, solved by the pseudo-inverse
    together with the known sum and rounded so that the counts sum to the batch. It is nearly exact on models that are
    not trained, which are the paper's main setting. On trained ones the mean features of a class are no longer what its
    row gives, and counts are worse than saying each class equally often; the logs beside the authors' code show the
    same fall (of VGG16 on CIFAR-100 all labels at the start, 28 % after 100 epochs).
    """
    observation = expect(observation, SharedGradient, "label counting")
    weight, bias = last_layer(observation)
    layer = _last_linear(observation.model)[1]
    if bias is None:
        raise ValueError("the counts are read from the bias of the last layer, which this model lacks")
    # A class whose gradient vanishes has no features to read; its example would get what its bias alone gives.
    safe = torch.where(bias.abs() > torch.finfo(bias.dtype).tiny, bias, torch.inf)
    with torch.no_grad():
        probabilities = layer(weight / safe[:, None]).double().softmax(dim=1)
    classes = observation.classes
    system = torch.cat((probabilities.T - torch.eye(classes, dtype=torch.float64), torch.ones(1, classes).double()))
    right = torch.cat((bias.double() * observation.batch_size, torch.tensor([observation.batch_size]).double()))
    return _rounded(torch.linalg.pinv(system) @ right, observation.batch_size)


def recovered_labels(observation: SharedGradient) -> Tensor:
    """Return the batch's labels in ascending order: given, by the rule for one, or by counting."""
    if observation.labels is not None:
        return observation.labels
    if observation.batch_size == 1:
        return torch.tensor([only_label(observation)])
    counts = label_counts(observation)
    return torch.arange(observation.classes).repeat_interleave(counts)


def last_layer(observation: SharedGradient | SharedTextGradient | SharedPairGradient) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of the weight and the bias of the last linear layer."""
    name, layer = _last_linear(observation.model)
    if layer.out_features != observation.classes:
        raise ValueError(f"the last linear layer {name!r} does not return the {observation.classes} logits")
    prefix = f"{name}." if name else ""
    return observation.gradient[f"{prefix}weight"], observation.gradient.get(f"{prefix}bias")


def _last_linear(model: nn.Module) -> tuple[str, nn.Linear]:
    for name, module in reversed(list(model.named_modules())):
        if isinstance(module, nn.Linear):
            return name, module
    raise ValueError("the model has no linear layer from which labels could be read")


def _rounded(counts: Tensor, total: int) -> Tensor:
    """Whole counts that sum to the total: rounded down, what is missing to the largest remainders."""
    counts = counts.clamp_min(0)
    counts = counts * (total / counts.sum()) if counts.sum() > 0 else torch.full_like(counts, total / len(counts))
    whole = counts.floor().long()
    missing = total - int(whole.sum())
    whole[(counts - whole).argsort(descending=True, stable=True)[:missing]] += 1
    return whole
