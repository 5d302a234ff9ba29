"""What a classifier computes before its last linear layer: its penultimate features."""

from __future__ import annotations

from torch import Tensor, nn


def penultimate(model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return features (items, dimensions), the input of the model's last linear layer, and the model's outputs.

    Raises ValueError for a model without a linear layer, or one that it does not run.
    """
    linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not linear:
        raise ValueError("the model has no linear layer whose input could serve as features")
    seen: list[Tensor] = []
    hook = linear[-1].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        outputs: Tensor = model(inputs)
    finally:
        hook.remove()
    if not seen:
        raise ValueError("the model does not run its last linear layer")
    return seen[-1].flatten(1), outputs
