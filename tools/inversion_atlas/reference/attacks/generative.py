"""Searching the images that a generator can draw for those whose gradient fits: GGL."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.evolution import Evolution
from inversion_atlas.reference.attacks.labels import recovered_labels
from inversion_atlas.reference.attacks.matching import Best, Matching
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import SharedGradient, expect


def generative_leakage(
    observation: SharedGradient,
    generator: Callable[[Tensor], Tensor],
    latent: int,
    *,
    steps: int = 250,
    norm: float = 1e-4,
    restarts: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Search latent vectors for images whose gradient fits. Generative Gradient Leakage (li2022auditing).

    CMA-ES, as the authors prefer, for `steps` generations over the latent vectors of the whole batch; `generator` maps
    vectors of shape (batch, latent), normally distributed, to images in the data's range. The objective is one minus
    the cosine of the gradients plus `norm` times the mean squared distance of the vectors' squared length from what is
    usual. The authors also transform the dummy gradient as an estimated defense does; here nothing is estimated.
    """
    observation = expect(observation, SharedGradient, "generative gradient leakage")
    if latent < 1 or norm < 0:
        raise ValueError(f"latent must be at least 1 and norm not negative, not {latent} and {norm}")
    labels, matching, best = recovered_labels(observation), Matching.of(observation), Best()
    kind = next(iter(observation.gradient.values())).dtype
    population = 0
    for restart in range(restarts):
        search = Evolution(observation.batch_size * latent, seed=seed + restart)
        population = search.population
        for step in range(steps):
            values = []
            vectors = search.ask().view(population, observation.batch_size, latent)
            with torch.no_grad():
                drawn = generator(vectors.flatten(0, 1).to(kind)).unflatten(0, (population, -1))
            for vector, images in zip(vectors, drawn, strict=True):
                value = matching.angle_alone(images, labels)
                best.offer(value, images, labels)
                values.append(value + norm * float((vector.square().mean(dim=1) - 1).square().mean()))
            search.tell(torch.tensor(values, dtype=torch.float64))
            progress(restart * steps + step + 1, restarts * steps)
    return best.reconstruction(restarts * steps * population, 0, converged=math.isfinite(best.objective))
