"""Labels smoothed by a negative factor: what is not the class is pushed away."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.defenses.training import Loss


def label_smoothing(factor: float) -> Loss:
    """Return the cross entropy with smoothed labels (struppek2024careful).

    Labels are (1 - factor) times the class plus factor / classes everywhere. A negative `factor` is the defense; a
    positive one is the usual regularizer, which helps the attacker. The authors phase it in late in training.
    """
    if not factor < 1:
        raise ValueError(f"factor must be less than 1, not {factor}")

    def loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
        logs = functional.log_softmax(model(inputs), dim=1)
        right = logs.gather(1, labels[:, None]).squeeze(1)
        return -((1 - factor) * right + factor * logs.mean(dim=1)).mean()

    return loss
