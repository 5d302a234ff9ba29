"""Images of a class from scores alone: styles bred by a genetic search, kept where styles of real draws lie."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import refuse_labels
from inversion_atlas.reference.attacks.mirror import style_bounds
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import StyleGenerator
from inversion_atlas.reference.observations import BlackBox, QueryLimitReached, expect

_PART = 500


@torch.no_grad()
def mirror_genetic(
    observation: BlackBox,
    generator: StyleGenerator,
    labels: Tensor,
    *,
    steps: int = 100,
    population: int = 1000,
    draws: int = 100_000,
    truncation: float = 0.7,
    bound: float = 1.0,
    mutation: float = 0.1,
    mutation_size: float = 0.1,
    enough: float = 0.95,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. MIRROR, its attack through a black box (an2022mirror).

    Of so many `draws` the styles that the target is surest of are each item's first population. In each of `steps`
    generations the fittest survives and the others are children of two, drawn by their probability; an entry mutates
    with probability `mutation`, by up to `mutation_size` deviations, and is kept within `bound` deviations, both
    before the mapping's last activation. An item ends where the target is `enough` sure. Defaults are those of the
    authors' code, with two departures: an entry comes from the surer parent more often, where that code divides
    negative logarithms and does the contrary; and each child has mutations of its own.

    Where the query limit is reached on the way, the fittest so far are returned and `converged` is False; raises
    QueryLimitReached where it does not hold the draws.
    """
    observation = expect(observation, BlackBox, "mirror-genetic")
    refuse_labels(observation, labels)
    random = torch.Generator().manual_seed(seed)
    low, high = style_bounds(generator, bound, min(draws, 10_000), random)
    deviation = (_before(generator, high) - _before(generator, low)) / (2 * bound)
    herd = _first(observation, generator, labels, population, draws, truncation, random)
    done = 0
    for step in range(steps):
        breeding = (herd.fitness.max(dim=1).values < enough).nonzero().squeeze(1)
        if len(breeding) == 0:
            break
        styles, fitness = herd.styles[breeding], herd.fitness[breeding]
        children = _crossed(styles, fitness, random)
        mutated = torch.rand(children.shape, generator=random) < mutation
        noise = (2 * torch.rand(children.shape, generator=random) - 1) * mutation_size * deviation
        moved = functional.leaky_relu(_before(generator, children) + mutated * noise, generator.SLOPE)
        children = moved.clamp(low, high)
        try:
            raised = _fitness(observation, generator, children, labels[breeding])
        except QueryLimitReached:
            break
        best = fitness.argmax(dim=1, keepdim=True)
        elite = styles.gather(1, best[:, :, None].expand(-1, -1, styles.shape[2]))
        herd.styles[breeding] = torch.cat((elite, children), dim=1)
        herd.fitness[breeding] = torch.cat((fitness.gather(1, best), raised), dim=1)
        done = step + 1
        progress(done, steps)
    fittest = herd.fitness.max(dim=1)
    found = generator.synthesis(herd.styles[torch.arange(len(labels)), fittest.indices])
    objective = -float(fittest.values.clamp_min(torch.finfo(torch.float32).tiny).log().mean())
    return Reconstruction(found, labels, objective, done + 1, 0, bool((fittest.values >= enough).all()))


@dataclass(frozen=True, slots=True, eq=False)
class _Herd:
    """A population for each item, styles (items, population, styles), and the probability of its class for each."""

    styles: Tensor
    fitness: Tensor


def _first(
    observation: BlackBox,
    generator: StyleGenerator,
    labels: Tensor,
    population: int,
    draws: int,
    truncation: float,
    random: torch.Generator,
) -> _Herd:
    """Items of one class share out its surest styles in turn, so that they differ."""
    styles = generator.mapping(torch.randn(draws, generator.latent, generator=random))
    styles = styles.mean(dim=0) + truncation * (styles - styles.mean(dim=0))
    scores = torch.cat([observation.query(generator.synthesis(part)) for part in styles.split(_PART)])
    picked = torch.empty(len(labels), population, dtype=torch.long)
    for label in labels.unique():
        own = (labels == label).nonzero().squeeze(1)
        if len(own) * population > draws:
            raise ValueError(f"{draws:,} draws do not fill {len(own)} populations of {population}")
        picked[own] = scores[:, label].topk(len(own) * population).indices.reshape(population, len(own)).T
    return _Herd(styles[picked], scores[picked, labels[:, None]])


def _crossed(styles: Tensor, fitness: Tensor, random: torch.Generator) -> Tensor:
    """Return one child less than there are parents, each entry from one of two parents."""
    items, population, entries = styles.shape
    weights = fitness.clamp_min(1e-12)
    drawn = torch.multinomial(weights, 2 * (population - 1), replacement=True, generator=random)
    first, second = drawn.chunk(2, dim=1)
    surety, other = weights.gather(1, first), weights.gather(1, second)
    taken = torch.rand(items, population - 1, entries, generator=random) < (surety / (surety + other))[:, :, None]
    row = torch.arange(items)[:, None]
    return torch.where(taken, styles[row, first], styles[row, second])


def _fitness(observation: BlackBox, generator: StyleGenerator, styles: Tensor, labels: Tensor) -> Tensor:
    scores = observation.query(generator.synthesis(styles.flatten(0, 1))).unflatten(0, styles.shape[:2])
    own: Tensor = scores.gather(2, labels[:, None, None].expand(-1, styles.shape[1], 1))
    return own.squeeze(2)


def _before(generator: StyleGenerator, styles: Tensor) -> Tensor:
    """Return what the mapping's last activation was given."""
    return functional.leaky_relu(styles, 1 / generator.SLOPE)
