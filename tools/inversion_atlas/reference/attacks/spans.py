"""What the gradient of a linear layer tells about its inputs: the space that they span."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations import SharedTextGradient

# Sequences that pass through the model at once.
AT_ONCE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The space that the inputs of a linear layer span, read off its gradient."""

    layer: nn.Linear
    basis: Tensor  # (rank, width), orthonormal rows

    @classmethod
    def of(cls, observation: SharedTextGradient, name: str) -> Span:
        layer = dict(observation.model.named_modules()).get(name)
        gradient = observation.gradient.get(f"{name}.weight")
        if not isinstance(layer, nn.Linear) or gradient is None:
            raise ValueError(f"{name!r} is no linear layer whose gradient was shared")
        _, values, rows = torch.linalg.svd(gradient.double(), full_matrices=False)
        return cls(layer, rows[values > values[0] * torch.finfo(gradient.dtype).eps])

    @property
    def rank(self) -> int:
        return len(self.basis)

    @property
    def width(self) -> int:
        return self.basis.shape[1]

    def distances(self, observation: SharedTextGradient, tokens: Tensor) -> Tensor:
        """Distance from the span of the layer's input at each token, over the input's length; (sequences, tokens)."""
        parts = []
        for part in tokens.split(AT_ONCE):
            inputs = _inputs(observation.model, self.layer, part).double()
            inputs = inputs / inputs.norm(dim=-1, keepdim=True)
            parts.append((inputs - inputs @ self.basis.T @ self.basis).norm(dim=-1))
        return torch.cat(parts)


class _Reached(Exception):
    """The layer has its input; the rest of the model need not run."""


def _inputs(model: nn.Module, layer: nn.Linear, tokens: Tensor) -> Tensor:
    """What a layer takes in when the model reads the tokens, of shape (sequences, tokens, width)."""
    caught: list[Tensor] = []

    def catch(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        caught.append(arguments[0].detach())
        raise _Reached

    hook = layer.register_forward_pre_hook(catch)
    try:
        with torch.no_grad():
            model(tokens)
    except _Reached:
        pass
    finally:
        hook.remove()
    if not caught or caught[0].shape[:2] != tokens.shape:
        raise ValueError("the layer must take an input for each token, of shape (batch, length, width)")
    return caught[0]


def allowed_tokens(observation: SharedTextGradient, span: Span, tolerance: float) -> list[Tensor]:
    """Return the tokens that may stand at each position, nearest to the span of the first attention layer first."""
    tokens = torch.arange(observation.vocabulary)
    tokens = tokens[tokens != observation.padding]
    # The first layer's input knows no neighbors: a row of one token shows it at every position.
    distances = span.distances(observation, tokens[:, None].expand(-1, observation.length))
    nearest = distances.argsort(dim=0, stable=True).T
    return [tokens[order[distances[order, place] < tolerance]] for place, order in enumerate(nearest)]
