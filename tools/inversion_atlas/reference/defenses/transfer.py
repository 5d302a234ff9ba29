"""Transfer learning: layers that hold what is private are few."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from inversion_atlas.reference.defenses.training import Loss, cross_entropy, marked, train
from inversion_atlas.reference.seeding import seeded


def transfer_learned(
    model: nn.Sequential,
    public: tuple[Tensor, Tensor],
    private: tuple[Tensor, Tensor],
    *,
    frozen: int,
    epochs: int,
    learning_rate: float,
    loss: Loss = cross_entropy,
    batch_size: int = 32,
    seed: int = 0,
) -> nn.Sequential:
    """Train on public data, then only what follows the first `frozen` modules on private data. TL-DMI (ho2024model).

    `public` and `private` are inputs and labels; public classes may be others, the last linear layer is drawn anew
    between the two. Frozen layers of batch normalization keep their statistics as well.
    """
    if not 0 < frozen < len(model):
        raise ValueError(f"frozen must leave a module to train: from 1 to {len(model) - 1}, not {frozen}")
    trained, classes = copy.deepcopy(model), int(public[1].max()) + 1
    head = trained[-1]
    if not isinstance(head, nn.Linear):
        raise ValueError(f"the last layer must be linear, not {type(head).__name__}")
    with seeded(seed):
        trained[-1] = nn.Linear(head.in_features, classes)
    options = {"epochs": epochs, "learning_rate": learning_rate, "batch_size": batch_size, "seed": seed}
    train(trained, *public, loss=cross_entropy, defense="", **options)  # type: ignore[arg-type]
    trained[-1] = head
    body = trained[:frozen].requires_grad_(False).eval()
    # What is frozen is passed once; the rest is trained on what comes out of it.
    with torch.no_grad():
        features = body(private[0])
    rest = train(trained[frozen:], features, private[1], loss=loss, defense="", **options)  # type: ignore[arg-type]
    assert isinstance(rest, nn.Sequential)
    learned = nn.Sequential(*body.children(), *rest.children()).eval()
    marked(learned, f"TL-DMI with {frozen} modules from public data")
    return learned
