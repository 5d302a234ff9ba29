"""The edges of a graph from explanations that were released under noise, without the network and without queries."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import GraphExplanations, expect
from inversion_atlas.reference.seeding import seeded

_LOWEST = 0.1  # level of noise where the reverse steps end, over the root mean square of an explanation's entries
_HIGHEST = 3.0  # the largest level that is learned, over the one that was released
_NEXT = 1.05  # the smallest level that released explanations can teach, over their own
_BATCH = 128


def privx(
    observation: GraphExplanations,
    public: Tensor,
    *,
    steps: int = 600,
    reverse_steps: int = 10,
    learning_rate: float = 1e-3,
    seed: int = 0,
    progress: Progress = silent,
) -> Tensor:
    """Return how likely each pair of nodes is joined, of shape (nodes, nodes), from 0 to 1. PrivX (sahoo2026graph).

    The noise of the release is one forward step of a diffusion at a known level: a denoiser is learned for all levels
    and run backward from that one to nearly none; then the cosine of two explanations scores their edge. Only the
    paper's abstract and introduction were at hand, so what follows is ours. The denoiser is a perceptron that learns
    half from explanations of a public graph by a network of the adversary's own, `public` of shape (rows, features)
    without noise, half from the released ones: to these more noise is added, and what would undo it is known to hold
    the released noise still. Cosines are taken as they are; edges are not learned from.
    """
    observation = expect(observation, GraphExplanations, "privx")
    released, level = observation.explanations, observation.deviation
    if public.ndim != 2 or len(public) == 0 or public.shape[1] != released.shape[1]:
        raise ValueError(f"public explanations must be of shape (rows, {released.shape[1]})")
    with seeded(seed):
        denoiser = _Denoiser(released.shape[1], float(public.pow(2).mean().sqrt().clamp_min(1e-6)))
        _learn(denoiser, released, public, level, steps, learning_rate, progress)
    directions = functional.normalize(_reversed(denoiser, released, level, reverse_steps), dim=1)
    return ((directions @ directions.T + 1) / 2).clamp(0, 1).fill_diagonal_(0)


class _Denoiser(nn.Module):
    """Takes noisy rows and their levels of noise, and returns the expected rows without noise."""

    def __init__(self, features: int, size: float, width: int = 64) -> None:
        super().__init__()
        self.size = size
        self.layers = nn.Sequential(
            nn.Linear(features + 1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, features)
        )

    def forward(self, noisy: Tensor, level: Tensor) -> Tensor:
        # What a normal distribution of that size would let one expect, and what the network adds to it.
        spread = (level**2 + self.size**2).sqrt()
        shrunk = (self.size / spread) ** 2 * noisy
        added: Tensor = self.layers(torch.cat((noisy / spread, level.log() / 4), dim=1))
        return shrunk + level * self.size / spread * added


def _learn(
    denoiser: _Denoiser,
    released: Tensor,
    public: Tensor,
    level: float,
    steps: int,
    learning_rate: float,
    progress: Progress,
) -> None:
    """Train on rows of both kinds under noise of random levels, from small ones on where rows had none before."""
    half = _BATCH // 2
    before = torch.cat((torch.zeros(half), torch.full((half,), level)))[:, None]
    lowest = torch.cat((torch.full((half,), _LOWEST * denoiser.size), torch.full((half,), _NEXT * level)))[:, None]
    optimizer = torch.optim.Adam(denoiser.parameters(), learning_rate)
    for step in range(steps):
        rows = torch.cat([part[torch.randint(len(part), (half,))] for part in (public, released)])
        levels = lowest * ((_HIGHEST * level) / lowest).clamp_min(1) ** torch.rand(_BATCH, 1)
        noisy = rows + (levels**2 - before**2).sqrt() * torch.randn_like(rows)
        # Of the noise on a released row so large a share was there before, and is expected to remain.
        kept = (before / levels) ** 2
        expected = (1 - kept) * denoiser(noisy, levels) + kept * noisy
        weight = (levels**2 + denoiser.size**2) / (levels * denoiser.size) ** 2 / (1 - kept)
        optimizer.zero_grad()
        (weight * (expected - rows) ** 2).mean().backward()
        optimizer.step()
        progress(step + 1, steps)


@torch.no_grad()
def _reversed(denoiser: _Denoiser, released: Tensor, level: float, steps: int) -> Tensor:
    """Return the rows after deterministic steps from their level of noise down to the lowest."""
    rows, last = released, min(level, _LOWEST * denoiser.size)
    levels = torch.logspace(math.log10(level), math.log10(last), steps + 1)
    for now, then in pairwise(levels):
        clean = denoiser(rows, now.expand(len(rows), 1))
        rows = clean + then / now * (rows - clean)
    return rows
