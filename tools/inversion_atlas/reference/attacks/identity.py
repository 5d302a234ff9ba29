"""How far images are from a class in the eyes of the model under attack: the identity losses of the literature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.features import penultimate
from inversion_atlas.reference.generators.training import endless, frozen, seeded, update
from inversion_atlas.reference.observations import WhiteBox

# Maps images (items, channels, height, width) and labels (items,) to a loss per item.
Identity = Callable[[Tensor, Tensor], Tensor]
# Maps logits (items, classes) and labels (items,) to a loss per item.
LogitLoss = Callable[[Tensor, Tensor], Tensor]


def refuse_labels(observation: WhiteBox, labels: Tensor) -> None:
    """Raise ValueError unless labels are classes of the model, of shape (items,)."""
    if labels.ndim != 1 or len(labels) == 0 or int(labels.min()) < 0 or int(labels.max()) >= observation.classes:
        raise ValueError(f"labels must be classes from 0 to {observation.classes - 1}, of shape (items,)")


def identity_of(observation: WhiteBox, loss: LogitLoss) -> Identity:
    """Return the loss of the model's logits on images."""
    return lambda images, labels: loss(observation.logits(images), labels)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the negative logarithm of the class's probability, the loss of GMI and KEDMI; its slope vanishes."""
    return functional.cross_entropy(logits, labels, reduction="none")


def negative_logit(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the negative logit of the class (LOMMA, nguyen2023rethinking, without its regularization)."""
    return -logits.gather(1, labels[:, None]).squeeze(1)


def max_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the largest other logit less the class's (PLG-MI, yuan2023pseudo)."""
    own = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.max(dim=1).values - own


def poincare(logits: Tensor, labels: Tensor, *, xi: float = 1e-4) -> Tensor:
    """Return the hyperbolic distance of normalized logits from the class's corner (PPA, struppek2022plug).

    Logits are divided by the sum of their absolute values, so they lie in the unit ball; the corner is `xi` inside.
    """
    u = logits / logits.abs().sum(dim=1, keepdim=True)
    v = functional.one_hot(labels, logits.shape[1]).to(logits.dtype).sub(xi).clamp(0, 1)
    delta = 2 * (u - v).square().sum(dim=1) / ((1 - u.square().sum(dim=1)) * (1 - v.square().sum(dim=1)))
    return torch.acosh(1 + delta)


@dataclass(frozen=True, slots=True, eq=False)
class PenultimateMean:
    """The mean of public images' penultimate features, and how far logits may pull features away from it."""

    mean: Tensor
    weight: float

    @classmethod
    def of(cls, model: nn.Module, public: Tensor, weight: float) -> PenultimateMean:
        with torch.no_grad():
            return cls(penultimate(model, public)[0].mean(dim=0), weight)

    def loss(self, features: Tensor) -> Tensor:
        """Return the mean squared distance per item, weighted."""
        return self.weight * (features - self.mean).square().mean(dim=1)


def lomma_identity(
    observation: WhiteBox, public: Tensor, students: Sequence[nn.Module] = (), *, weight: float = 1.0
) -> Identity:
    """Return LOMMA's loss (nguyen2023rethinking): the negative logit, averaged over the target and its students.

    The target's penultimate features are drawn to their mean on public images with `weight`. The paper draws the
    point that they are drawn to from a normal distribution; the authors' code takes its mean, and so does this.
    Without students it is the logit loss alone; `students` come from `distill`.
    """
    near = PenultimateMean.of(observation.model, public, weight)

    def identity(images: Tensor, labels: Tensor) -> Tensor:
        features, outputs = penultimate(observation.model, images)
        losses = [negative_logit(outputs, labels), *(negative_logit(student(images), labels) for student in students)]
        return torch.stack(losses).mean(dim=0) + near.loss(features)

    return identity


def distill(
    observation: WhiteBox,
    public: Tensor,
    student: nn.Module,
    *,
    epochs: int = 20,
    learning_rate: float = 1e-3,
    batch_size: int = 64,
    seed: int = 0,
    progress: Progress = silent,
) -> nn.Module:
    """Train a student to agree with the target on public images: LOMMA's model augmentation (nguyen2023rethinking).

    The divergence of the student's probabilities from the target's is minimized, at temperature 1; by Adam where
    the authors' code takes momentum.
    """
    with seeded(seed):
        with torch.no_grad():
            wanted = torch.cat([observation.log_probabilities(part) for part in public.split(batch_size)])
        optimizer = torch.optim.Adam(student.train().parameters(), learning_rate)
        steps = epochs * (len(public) // batch_size)
        batches = endless(torch.arange(len(public)), batch_size)
        for step in range(steps):
            batch = next(batches)
            given = functional.log_softmax(student(public[batch]), dim=1)
            update(optimizer, functional.kl_div(given, wanted[batch], reduction="batchmean", log_target=True))
            progress(step + 1, steps)
    return frozen(student)
