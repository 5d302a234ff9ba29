"""Images of a class that a critic of public images finds real and the target names."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.identity import Identity, cross_entropy, identity_of, refuse_labels
from inversion_atlas.reference.attacks.latent_search import chosen_by, descend, finished
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import Generator
from inversion_atlas.reference.generators.training import Gan
from inversion_atlas.reference.observations import WhiteBox, expect
from inversion_atlas.reference.seeding import seeded


def gmi(
    observation: WhiteBox,
    gan: Gan[Generator],
    labels: Tensor,
    *,
    steps: int = 1500,
    learning_rate: float = 2e-3,
    momentum: float = 0.9,
    weight: float = 100.0,
    tries: int = 5,
    identity: Identity | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. GMI (zhang2020secret).

    Latent vectors go down `weight` times the identity loss less the critic's score, by Nesterov's momentum, and are
    kept from -1 to 1 in each entry; of several `tries` the one that the target is surest of is returned. Defaults
    are those of the authors' code on MNIST: it averages the loss over a batch of 5 with rate .01, which is its sum
    with .002. `identity` replaces the cross entropy, as LOMMA does. `gan` comes from `train_gan`.
    """
    observation = expect(observation, WhiteBox, "gmi")
    refuse_labels(observation, labels)
    identity = identity or identity_of(observation, cross_entropy)
    repeated = labels.repeat_interleave(tries)
    with seeded(seed):
        latents = torch.randn(len(repeated), gan.generator.latent)

    def loss() -> Tensor:
        images = gan.generator(latents)
        doubt: Tensor = -gan.discriminator(images)
        return weight * identity(images, repeated) + doubt

    optimizer = partial(torch.optim.SGD, lr=learning_rate, momentum=momentum, nesterov=True)
    descend([latents], loss, optimizer, steps=steps, progress=progress, project=lambda: latents.clamp_(-1, 1))
    with torch.no_grad():
        images, objective = gan.generator(latents), loss()
    best = chosen_by(observation, images, repeated, tries)
    return finished(observation, images[best], labels, objective[best], steps + 1, tries - 1)
