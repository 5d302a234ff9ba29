"""Where a defense acts on training: a loss in place of the cross entropy, or layers of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import also, defenses_of
from inversion_atlas.reference.seeding import seeded

# Model, inputs, labels -> what training minimizes.
Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def cross_entropy(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """The loss without a defense."""
    return functional.cross_entropy(model(inputs), labels)


def train(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    *,
    loss: Loss,
    defense: str,
    epochs: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    batch_size: int = 32,
    seed: int = 0,
) -> nn.Module:
    """Train the model in place by Adam under a defense, and return it in eval mode.

    Its attribute `defenses` says so in every threat model that is told of it. Parameters that need no gradient stay.
    """
    generator = torch.Generator().manual_seed(seed)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learned, learning_rate, weight_decay=weight_decay)
    model.train()
    with seeded(seed):
        for _ in range(epochs):
            for batch in torch.randperm(len(labels), generator=generator).split(batch_size):
                # One example alone has no neighbors to depend on, nor a variance.
                if len(batch) > 1:
                    optimizer.zero_grad()
                    loss(model, inputs[batch], labels[batch]).backward()
                    optimizer.step()
    return marked(model.eval(), defense) if defense else model.eval()


def marked(model: nn.Module, defense: str) -> nn.Module:
    """Return the model with the defense added to its attribute `defenses`."""
    object.__setattr__(model, "defenses", also(defenses_of(model), defense))
    return model
