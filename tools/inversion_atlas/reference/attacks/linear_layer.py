"""Reading an input exactly off the gradient of a linear layer with a bias."""

from __future__ import annotations

import math

from torch import Tensor, nn

from inversion_atlas.reference.attacks.labels import only_label
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.observations import SharedGradient, expect


def analytic(observation: SharedGradient) -> Reconstruction:
    """Return the single example that a model whose first layer is linear with a bias was given.

    Inverting Gradients (geiping2020inverting); for one neuron already in Phong and others
    (phong2017privacy). The gradient of row i of the weight is that of bias i times the input, so any row whose bias has
    a gradient gives the input; all rows are used, weighted by the square of that gradient.
    """
    observation = expect(observation, SharedGradient, "analytic recovery")
    if observation.batch_size != 1:
        raise ValueError(f"one example can be read exactly, a batch of {observation.batch_size} only as a mixture")
    weight, bias = _first_layer(observation)
    energy = bias.square().sum()
    if float(energy) == 0:
        raise ValueError("no unit of the first layer was active: its gradient is zero and tells nothing")
    features = (bias[:, None] * weight).sum(dim=0) / energy
    left = (weight - bias[:, None] * features).square().sum() / weight.square().sum()
    return Reconstruction(
        images=features.reshape(1, *observation.input_shape),
        labels=observation.labels if observation.labels is not None else _label(observation),
        objective=float(left),
        evaluations=1,
        restarts=0,
        converged=float(left) < 1e-6,
    )


def _first_layer(observation: SharedGradient) -> tuple[Tensor, Tensor]:
    for name, module in observation.model.named_modules():
        if any(True for _ in module.children()) or isinstance(module, nn.Flatten | nn.Identity):
            continue
        if not isinstance(module, nn.Linear) or module.in_features != math.prod(observation.input_shape):
            raise ValueError(f"the first layer is {type(module).__name__}, not a linear one over the whole input")
        if module.bias is None:
            raise ValueError("the first layer has no bias, from whose gradient the input's scale is read")
        return observation.gradient[f"{name}.weight"], observation.gradient[f"{name}.bias"]
    raise ValueError("the model has no layer")


def _label(observation: SharedGradient) -> Tensor:
    return observation.gradient[next(iter(observation.gradient))].new_tensor([only_label(observation)]).long()
