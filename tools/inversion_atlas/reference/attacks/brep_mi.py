"""Images of a class from class labels alone: latent vectors pushed away from the class's boundary."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import refuse_labels
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import Generator
from inversion_atlas.reference.observations import LabelOnly, QueryLimitReached, expect

# A sphere counts as inside the class from this share of its points on; the authors' code wants their sum, outside
# counting -1, above three quarters of their number.
_INSIDE = 0.875
_LONGEST_STEP = 3.0


@torch.no_grad()
def brep_mi(
    observation: LabelOnly,
    generator: Generator,
    labels: Tensor,
    *,
    steps: int = 10000,
    patience: int = 1000,
    points: int = 32,
    radius: float = 2.0,
    expansion: float = 1.3,
    bound: float = 1.5,
    tries: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. BREP-MI (kahla2022label).

    Each starts from a random latent vector that the target names so; of `points` on a sphere around it, those that
    the target names otherwise push it away. Where almost none does, the sphere grows by `expansion`. An item ends
    when its sphere has not grown for `patience` steps, all end after `steps`; the vector at the last growth is
    returned, and the objective is the mean radius, more being better. Defaults are those of the authors' code,
    except for `steps`: without them a target that names one class alone would be asked for ever. Entries are kept
    within `bound`.

    Where the query limit is reached on the way, the vectors found so far are returned and `converged` is False.
    Raises QueryLimitReached before each item has a start, and ValueError where `tries` batches of draws hold none.
    """
    observation = expect(observation, LabelOnly, "brep-mi")
    refuse_labels(observation, labels)
    random = torch.Generator().manual_seed(seed)
    search = _Search(observation, generator, labels, bound, random, torch.zeros(len(labels), generator.latent))
    search.start(tries)
    centers = search.centers
    kept, radii = centers.clone(), torch.full((len(labels),), radius)
    waited = torch.zeros(len(labels), dtype=torch.long)
    done = 0
    for step in range(steps):
        active = (waited < patience).nonzero().squeeze(1)
        if len(active) == 0:
            break
        try:
            inside = search.push(active, radii, points)
        except QueryLimitReached:
            break
        done = step + 1
        waited[active] += 1
        grown = active[inside > _INSIDE]
        kept[grown] = centers[grown]
        radii[grown] *= expansion
        waited[grown] = 0
        progress(done, steps)
    converged = bool((waited >= patience).all())
    return Reconstruction(generator(kept), labels, float(radii.mean()), done, 0, converged)


@dataclass(slots=True, eq=False)
class _Search:
    """Latent vectors that the target names as they should be, one for each label."""

    observation: LabelOnly
    generator: Generator
    labels: Tensor
    bound: float
    random: torch.Generator
    centers: Tensor

    def start(self, tries: int, batch: int = 256) -> None:
        """Draw until every label has a vector of its own."""
        waiting = list(range(len(self.labels)))
        for _ in range(tries):
            drawn = torch.randn(batch, self.generator.latent, generator=self.random).clamp(-self.bound, self.bound)
            named = self.observation.query(self.generator(drawn))
            for vector, name in zip(drawn, named.tolist(), strict=True):
                item = next((item for item in waiting if int(self.labels[item]) == name), None)
                if item is not None:
                    self.centers[item] = vector
                    waiting.remove(item)
            if not waiting:
                return
        missing = sorted({int(self.labels[item]) for item in waiting})
        raise ValueError(f"of {tries * batch:,} draws of the generator too few were named {missing}")

    def push(self, active: Tensor, radii: Tensor, points: int) -> Tensor:
        """Move the active vectors where they stay inside their class; return the share of each sphere inside it."""
        centers, wanted = self.centers[active], self.labels[active]
        size, latent = len(active), self.generator.latent
        directions = functional.normalize(torch.randn(size, points, latent, generator=self.random), dim=2)
        sphere = centers[:, None] + radii[active][:, None, None] * directions
        named = self.observation.query(self.generator(sphere.flatten(0, 1))).reshape(size, points)
        outside = named != wanted[:, None]
        away = -(outside[:, :, None] * directions).mean(dim=1)
        step = (radii[active] / 3).clamp_max(_LONGEST_STEP)
        moved = (centers + step[:, None] * away).clamp(-self.bound, self.bound)
        stays = self.observation.query(self.generator(moved)) == wanted
        self.centers[active[stays]] = moved[stays]
        # The authors' code grows a sphere only where the vector could move.
        return torch.where(stays, 1 - outside.float().mean(dim=1), 0.0)
