"""Images of a class from the features between a generator's blocks, block by block, after its style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.identity import LogitLoss, poincare, refuse_labels
from inversion_atlas.reference.attacks.latent_search import descend, finished, shifted
from inversion_atlas.reference.attacks.ppa import first_styles
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import StyleGenerator
from inversion_atlas.reference.observations import WhiteBox, expect


def if_gmi(
    observation: WhiteBox,
    generator: StyleGenerator,
    labels: Tensor,
    *,
    stages: Sequence[int] = (50, 10, 10),
    radius: Sequence[float] = (1000.0, 2000.0),
    learning_rate: float = 5e-3,
    search_space: int = 5000,
    truncation: float = 0.5,
    loss: LogitLoss = poincare,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. IF-GMI (qiu2024closer).

    First the style is searched as in PPA, then, with it, the features before each block in turn, each kept in an L1
    ball of its `radius` around where it began. `stages` has the steps for the style and for each block searched.
    Steps and rates are those of the authors' code, whose radii are for features of StyleGAN2; it also picks the best
    block by the evaluation model, which an adversary lacks: here the image after the last block searched is
    returned. Nothing is flipped.
    """
    observation = expect(observation, WhiteBox, "if-gmi")
    refuse_labels(observation, labels)
    if not 1 <= len(stages) <= len(generator.blocks) + 1 or len(radius) < len(stages) - 1:
        raise ValueError(
            f"stages must be of the style and up to {len(generator.blocks)} blocks, with a radius for each"
        )
    random = torch.Generator().manual_seed(seed)
    styles = first_styles(observation, generator, labels, search_space, truncation, random)
    features: Tensor | None = None
    block = done = 0

    def images() -> Tensor:
        return generator.synthesis(styles, start=features, first=block)

    for stage, steps in enumerate(stages):
        if stage:
            with torch.no_grad():
                features = generator.features(styles, stage - 1, start=features, first=block)
            block = stage - 1
        searched = [styles] if features is None else [styles, features]
        descend(
            searched,
            lambda: loss(observation.logits(shifted(images(), random)), labels),
            partial(torch.optim.Adam, lr=learning_rate, betas=(0.1, 0.1)),
            steps=steps,
            progress=partial(_later, progress, done, sum(stages)),
            project=_within(searched, radius[stage - 1]) if stage else None,
        )
        done += steps
    with torch.no_grad():
        found = images()
        objective = loss(observation.logits(found), labels)
    return finished(observation, found, labels, objective, done)


def _within(variables: Sequence[Tensor], radius: float) -> Callable[[], None]:
    """Return what brings the variables back into L1 balls around where they are now."""
    origins = [variable.clone() for variable in variables]

    def project() -> None:
        for variable, origin in zip(variables, origins, strict=True):
            variable.copy_(origin + l1_ball(variable - origin, radius))

    return project


def _later(progress: Progress, done: int, total: int, step: int, _: int) -> None:
    progress(done + step, total)


def l1_ball(moves: Tensor, radius: float) -> Tensor:
    """Return the nearest point of each item within an L1 ball around 0 (Duchi and others, 2008)."""
    flat = moves.flatten(1)
    sizes = flat.abs().sort(dim=1, descending=True).values
    excess = sizes.cumsum(dim=1) - radius
    ranks = torch.arange(1, flat.shape[1] + 1)
    last = ((sizes * ranks > excess) * ranks).max(dim=1, keepdim=True).values.clamp_min(1)
    threshold = (excess.gather(1, last - 1) / last).clamp_min(0)
    return (flat.sign() * (flat.abs() - threshold).clamp_min(0)).view_as(moves)
