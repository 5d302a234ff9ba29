"""LOMMA: a loss that does not vanish, and distilled copies of the target, for any attack with an identity loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import Identity, negative_logit
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.features import penultimate
from inversion_atlas.reference.generators.training import endless, frozen, update
from inversion_atlas.reference.observations import WhiteBox, expect
from inversion_atlas.reference.seeding import seeded


def lomma_identity(
    observation: WhiteBox, public: Tensor, students: Sequence[nn.Module] = (), *, weight: float = 1.0
) -> Identity:
    """Return the loss of LOMMA (nguyen2023rethinking), to be handed to `gmi` or `kedmi` as `identity`.

    It is the negative logit, averaged over the target and its `students` (from `distill`; without any it is the
    logit loss alone), plus `weight` times the mean squared distance of the target's penultimate features from their
    mean on public images. The paper draws the point to which they are pulled from a normal distribution; the
    authors' code takes its mean, and so does this.
    """
    observation = expect(observation, WhiteBox, "lomma")
    with torch.no_grad():
        center = penultimate(observation.model, public)[0].mean(dim=0)

    def identity(images: Tensor, labels: Tensor) -> Tensor:
        features, scores = penultimate(observation.model, images)
        every = [observation.as_logits(scores), *(student(images) for student in students)]
        losses = torch.stack([negative_logit(logits, labels) for logits in every])
        return losses.mean(dim=0) + weight * (features - center).square().mean(dim=1)

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
    observation = expect(observation, WhiteBox, "distillation")
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
