"""Images of a class from styles that are kept where styles of real draws lie."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import cross_entropy, refuse_labels
from inversion_atlas.reference.attacks.latent_search import descend, finished
from inversion_atlas.reference.attacks.ppa import first_styles
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import StyleGenerator
from inversion_atlas.reference.observations import WhiteBox, expect


def mirror(
    observation: WhiteBox,
    generator: StyleGenerator,
    labels: Tensor,
    *,
    steps: int = 20000,
    learning_rate: float = 0.25,
    bound: float | None = 1.0,
    draws: int = 10000,
    truncation: float = 0.7,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. MIRROR, its attack through a white box (an2022mirror).

    Starts from the styles that the target is surest of and goes down the cross entropy by Adam, whose rate rises and
    falls. Before the mapping's last activation, where styles are near normal, each entry is kept within `bound`
    deviations of the mean of so many `draws`; None leaves it free. Defaults are those of the authors' code, except
    that nothing is flipped.
    """
    observation = expect(observation, WhiteBox, "mirror")
    refuse_labels(observation, labels)
    random = torch.Generator().manual_seed(seed)
    styles = first_styles(observation, generator, labels, draws, truncation, random)
    low, high = style_bounds(generator, bound, draws, random)

    def cost() -> Tensor:
        return cross_entropy(observation.logits(generator.synthesis(styles)), labels)

    descend(
        [styles],
        cost,
        partial(torch.optim.Adam),
        steps=steps,
        progress=progress,
        rate=lambda step: _rate((step + 1) / steps, learning_rate),
        project=lambda: styles.copy_(styles.clamp(low, high)),
    )
    with torch.no_grad():
        images, objective = generator.synthesis(styles), cost()
    return finished(observation, images, labels, objective, steps + 1)


@torch.no_grad()
def style_bounds(
    generator: StyleGenerator, bound: float | None, draws: int, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the least and the largest allowed value of each entry of a style; infinite where `bound` is None.

    Mean and deviation are taken before the mapping's last leaky ReLU, which is undone for it (P space).
    """
    if bound is None:
        return torch.tensor(-math.inf), torch.tensor(math.inf)
    styles = generator.mapping(torch.randn(draws, generator.latent, generator=random))
    before = functional.leaky_relu(styles, 1 / generator.SLOPE)
    mean, deviation = before.mean(dim=0), before.std(dim=0, correction=0)
    low, high = (functional.leaky_relu(mean + side * bound * deviation, generator.SLOPE) for side in (-1, 1))
    return low, high


def _rate(share: float, learning_rate: float) -> float:
    """Rise over the first twentieth of the steps, fall as a cosine over the last quarter."""
    fall = 0.5 - 0.5 * math.cos(math.pi * min(1, (1 - share) / 0.25))
    return learning_rate * fall * min(1, share / 0.05)
