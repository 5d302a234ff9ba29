"""Soteria: the gradient of the layer that holds the representation is pruned where features tell most."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inversion_atlas.reference.defenses.sent import refuse_share
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.observations.access import copied

# Features whose slopes are taken at once.
_AT_ONCE = 128


def soteria(observation: SharedGradient, inputs: Tensor, *, share: float = 0.8) -> SharedGradient:
    """Prune a `share` of columns of the last linear layer's gradient. Soteria (sun2021soteria).

    The client knows its own `inputs` of shape (batch, *input_shape). The representation is what enters the last linear
    layer; as in the authors' code each feature is rated by the length of its slope in the inputs over the feature plus
    .1, summed over the batch, and the columns of the features with the least go. An attack that leaves this layer
    out, `observation.without(layer)`, is not hindered (balunovic2022bayesian).
    """
    refuse_share(share)
    name, rated = _rated(observation, inputs)
    gone = rated.argsort(stable=True)[: round(share * len(rated))]
    weight = observation.gradient[f"{name}.weight"].clone()
    weight[:, gone] = 0
    changed = {**observation.gradient, f"{name}.weight": weight}
    return observation.with_gradient(changed, defense=f"Soteria on {share:g} of the features")


def defended_layer(model: nn.Module) -> str:
    """Return the name of the last linear layer, whose gradient Soteria prunes."""
    names: list[str] = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not names:
        raise ValueError("the model has no linear layer, whose input would be the representation")
    return names[-1]


def _rated(observation: SharedGradient, inputs: Tensor) -> tuple[str, Tensor]:
    """Return the layer's name, and for each feature how strongly it depends on the inputs."""
    model = copied(observation.model, observation.mode)
    name, entering = defended_layer(model), []
    model.get_submodule(name).register_forward_pre_hook(lambda _, given: entering.append(given[0]))
    inputs = inputs.detach().clone().requires_grad_()
    model(inputs)
    features = entering[0]
    slopes = []
    for chosen in torch.eye(features.shape[1], dtype=features.dtype).split(_AT_ONCE):
        directions = chosen[:, None].expand(-1, len(features), -1)
        (slope,) = torch.autograd.grad(features, inputs, directions, retain_graph=True, is_grads_batched=True)
        slopes.append(slope.flatten(2).norm(dim=2))
    return name, (torch.cat(slopes).T / (features.detach() + 0.1)).sum(dim=0).abs()
