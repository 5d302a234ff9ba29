"""A distribution over latent vectors for each class, as near to the generator's own as the class allows."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.identity import cross_entropy, refuse_labels
from inversion_atlas.reference.attacks.latent_search import finished
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import Generator, StyleGenerator
from inversion_atlas.reference.generators.training import update
from inversion_atlas.reference.observations import WhiteBox, expect
from inversion_atlas.reference.seeding import seeded

Family = Literal["normal", "flow"]


def vmi(
    observation: WhiteBox,
    generator: Generator | StyleGenerator,
    labels: Tensor,
    *,
    family: Family = "flow",
    steps: int = 300,
    learning_rate: float = 1e-2,
    divergence: float = 1e-3,
    batch_size: int = 32,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`, drawn from what was learned of its class. VMI (wang2021variational).

    For each class a distribution of latent vectors is learned by Adam: it minimizes the mean cross entropy of the
    target on images of its draws, plus `divergence` times the Kullback-Leibler divergence from the standard normal
    distribution that the generator was trained on. `family` is a normal distribution with full covariance or a flow
    of five coupling layers. The weight of the divergence is that of the authors' script for CelebA; steps, rate and
    batch are for small models.
    """
    observation = expect(observation, WhiteBox, "vmi")
    refuse_labels(observation, labels)
    images = torch.empty(len(labels), *observation.input_shape)
    objectives = torch.empty(len(labels))
    classes = labels.unique().tolist()
    with seeded(seed):
        for number, label in enumerate(classes):
            miner = _MINERS[family](generator.latent)
            optimizer = torch.optim.Adam(miner.parameters(), learning_rate)

            def loss(items: int, miner: nn.Module = miner, label: int = label) -> tuple[Tensor, Tensor]:
                latents, surplus = miner(torch.randn(items, generator.latent))
                drawn = generator(latents)
                wanted = torch.full((items,), label)
                return drawn, cross_entropy(observation.logits(drawn), wanted) + divergence * surplus

            for step in range(steps):
                update(optimizer, loss(batch_size)[1].mean())
                progress(number * steps + step + 1, len(classes) * steps)
            own = labels == label
            with torch.no_grad():
                images[own], objectives[own] = loss(int(own.sum()))
    return finished(observation, images, labels, objectives, len(classes) * steps + 1)


class NormalMiner(nn.Module):
    """A normal distribution with full covariance: maps standard normal noise to latent vectors.

    `forward` returns the latents (items, latent) and, for each, the logarithm of its density less that of the
    standard normal distribution; its mean is the divergence.
    """

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(latent))
        self.log_scale = nn.Parameter(torch.zeros(latent))
        self.below = nn.Parameter(torch.zeros(latent, latent))

    def forward(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        factor = torch.tril(self.below, -1) + torch.diag(self.log_scale.exp())
        latents = self.mean + noise @ factor.T
        return latents, _log_normal(noise) - self.log_scale.sum() - _log_normal(latents)


class FlowMiner(nn.Module):
    """A flow of additive coupling layers, each after a shuffle of the entries and before a scaling of them."""

    def __init__(self, latent: int, layers: int = 5, hidden: int = 64) -> None:
        super().__init__()
        self.kept = latent // 2
        self.orders = [torch.randperm(latent) for _ in range(layers)]
        self.couplings = nn.ModuleList(
            nn.Sequential(nn.Linear(self.kept, hidden), nn.ELU(), nn.Linear(hidden, latent - self.kept))
            for _ in range(layers)
        )
        for coupling in self.couplings:
            # It begins as the standard normal distribution.
            for parameter in list(coupling.parameters())[-2:]:
                nn.init.zeros_(parameter)
        self.log_scales = nn.Parameter(torch.zeros(layers, latent))

    def forward(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        latents = noise
        for order, coupling, log_scale in zip(self.orders, self.couplings, self.log_scales, strict=True):
            kept, moved = latents[:, order].split([self.kept, latents.shape[1] - self.kept], dim=1)
            latents = torch.cat((kept, moved + coupling(kept)), dim=1) * log_scale.exp()
        return latents, _log_normal(noise) - self.log_scales.sum() - _log_normal(latents)


_MINERS: dict[Family, type[NormalMiner] | type[FlowMiner]] = {"normal": NormalMiner, "flow": FlowMiner}


def _log_normal(latents: Tensor) -> Tensor:
    return -latents.square().sum(dim=1) / 2 - latents.shape[1] / 2 * math.log(2 * math.pi)
