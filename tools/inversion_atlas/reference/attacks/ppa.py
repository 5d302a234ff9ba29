"""Images of a class from the styles of a generator that knows nothing of the target, chosen for their robustness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.identity import LogitLoss, poincare, refuse_labels
from inversion_atlas.reference.attacks.latent_search import cropped, descend, finished
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import StyleGenerator
from inversion_atlas.reference.observations import WhiteBox, expect


def ppa(
    observation: WhiteBox,
    generator: StyleGenerator,
    labels: Tensor,
    *,
    steps: int = 50,
    learning_rate: float = 5e-3,
    search_space: int = 2000,
    candidates: int = 4,
    truncation: float = 0.5,
    selection: int = 100,
    selection_area: tuple[float, float] = (0.5, 0.9),
    selection_aspect: tuple[float, float] = (0.8, 1.2),
    loss: LogitLoss = poincare,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. Plug & Play Attacks (struppek2022plug).

    Of `search_space` styles, drawn towards their average by `truncation`, each class starts from those that the
    target is surest of, `candidates` for each image wanted. They go down `loss` by Adam, through images cropped at
    random to .9 of their area and more; then those are kept whose class the target names most surely over `selection`
    crops, whose share of the area and aspect ratio are drawn. Defaults are those of the authors' code, which keeps 50
    of 200 candidates per class. Its targets were trained on crops: the choice is worth nothing where crops are
    stronger than a target has learned to bear. Nothing is flipped.
    """
    observation = expect(observation, WhiteBox, "ppa")
    refuse_labels(observation, labels)
    random = torch.Generator().manual_seed(seed)
    repeated = labels.repeat_interleave(candidates)
    styles = first_styles(observation, generator, repeated, search_space, truncation, random)

    def cost() -> Tensor:
        return loss(observation.logits(cropped(generator.synthesis(styles), random, area=(0.9, 1.0))), repeated)

    optimizer = partial(torch.optim.Adam, betas=(0.1, 0.1))
    descend(
        [styles], cost, optimizer, steps=steps, progress=progress, rate=lambda step: _rate(step, steps, learning_rate)
    )
    with torch.no_grad():
        images = generator.synthesis(styles)
    strong = partial(cropped, generator=random, area=selection_area, aspect=selection_aspect)
    best = most_robust(observation, images, repeated, labels, [strong] * selection)
    with torch.no_grad():
        objective = loss(observation.logits(images[best]), labels)
    return finished(observation, images[best], labels, objective, steps)


@torch.no_grad()
def first_styles(
    observation: WhiteBox,
    generator: StyleGenerator,
    labels: Tensor,
    search_space: int,
    truncation: float,
    random: torch.Generator,
) -> Tensor:
    """Return a style for each label: of those drawn, the surest ones of its class, each used once per class."""
    styles = generator.mapping(torch.randn(search_space, generator.latent, generator=random))
    styles = styles.mean(dim=0) + truncation * (styles - styles.mean(dim=0))
    parts = [observation.log_probabilities(generator.synthesis(part)) for part in styles.split(250)]
    order = torch.cat(parts).argsort(dim=0, descending=True)
    picked = torch.empty(len(labels), dtype=torch.long)
    for label in labels.unique():
        own = labels == label
        picked[own] = order[: int(own.sum()), label]
    return styles[picked]


@torch.no_grad()
def most_robust(
    observation: WhiteBox,
    images: Tensor,
    labels: Tensor,
    wanted: Tensor,
    views: Sequence[Callable[[Tensor], Tensor]],
) -> Tensor:
    """Return an index for each label wanted: of its class, those surest on average over random views."""
    surety = torch.zeros(len(images))
    for view in views:
        surety += observation.log_probabilities(view(images)).gather(1, labels[:, None]).squeeze(1).exp()
    chosen = torch.empty(len(wanted), dtype=torch.long)
    for label in wanted.unique():
        own, places = (labels == label).nonzero().squeeze(1), wanted == label
        chosen[places] = own[surety[own].argsort(descending=True)[: int(places.sum())]]
    return chosen


def _rate(step: int, steps: int, learning_rate: float) -> float:
    """A tenth after three fifths of the steps, a hundredth after four fifths, as the paper's 30 and 40 of 50."""
    return learning_rate * 0.1 ** ((step >= 0.6 * steps) + (step >= 0.8 * steps))
