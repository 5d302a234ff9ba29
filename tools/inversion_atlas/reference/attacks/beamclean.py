"""Texts from embeddings that were sent with noise: a search along beams, with a language model as prior."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.observations import SentEmbeddings, expect

# Logarithms of the probabilities (texts, vocabulary) of the next token, given beginnings (texts, length).
Prior = Callable[[Tensor], Tensor]
Noise = Literal["normal", "laplace"]
_LEAST = 1e-12  # the scale where nothing was added


def beamclean(
    observation: SentEmbeddings,
    prior: Prior,
    *,
    start: int,
    noise: Noise = "normal",
    beams: int = 20,
    rounds: int = 5,
    weight: float = 1.0,
    progress: Progress = silent,
) -> RecoveredTexts:
    """Decode texts and estimate the noise on their embeddings in turns. BeamClean (kale2025beamclean).

    A text is worth the logarithm of the noise's density at what separates its embeddings from those sent, plus
    `weight` times its logarithm under the prior, which is asked after the token `start`. A beam search keeps the best
    `beams` beginnings at each token. Then the scale of the noise is the likeliest given the texts kept, each counted by
    its share of their total worth, and the search begins anew, so often as `rounds` says; the first scale is that of
    the distances to the nearest embeddings. The paper estimates the noise along with the texts; how is ours: it is
    normal or Laplace, independent, with one scale for all, which has a solution in closed form. `weight` 0 is the
    nearest embedding by itself. Returned in the order in which they were sent. The objective is minus the mean worth of
    a token; `converged` says that the scale moved less than 1 %.
    """
    observation = expect(observation, SentEmbeddings, "beamclean")
    if noise not in ("normal", "laplace") or beams < 1 or rounds < 1:
        raise ValueError(f"noise must be normal or laplace, beams and rounds at least 1: {noise!r}, {beams}, {rounds}")
    tokens = torch.arange(len(observation.table))
    tokens = tokens[tokens != observation.padding]
    deviations = [
        _deviations(sent, observation.table[tokens], noise)
        for sent in observation.embeddings.split(observation.lengths.tolist())
    ]
    numbers, width = int(observation.lengths.sum()), observation.table.shape[1]
    nearest = sum(float(each.min(dim=1).values.sum()) for each in deviations)
    scale = max(nearest / (numbers * width), _LEAST)
    # A normal density's scale is its variance, half of whose logarithm counts; Laplace's is its mean deviation.
    order, moved = (2 if noise == "normal" else 1), math.inf
    texts: list[tuple[int, ...]] = []
    for done in range(rounds):
        texts, expected, worth = [], 0.0, 0.0
        for each in deviations:
            density = -(each / scale + width * math.log(scale)) / order
            found, scores, far = _search(density, each, prior, tokens, start, beams, weight)
            texts.append(tuple(found[0].tolist()))
            expected += float((scores.softmax(dim=0) * far).sum())
            worth += float(scores[0])
        before, scale = scale, max(expected / (numbers * width), _LEAST)
        moved = abs(scale - before) / scale
        progress(done + 1, rounds)
    return RecoveredTexts(tuple(texts), -worth / numbers, rounds * len(texts), converged=moved < 0.01)


def _deviations(sent: Tensor, table: Tensor, noise: Noise) -> Tensor:
    """The sum over the width of squared or absolute distances from each embedding in the table, (length, tokens)."""
    sent, table = sent.double(), table.double()
    return torch.cdist(sent, table).square() if noise == "normal" else torch.cdist(sent, table, p=1)


def _search(
    density: Tensor, deviations: Tensor, prior: Prior, tokens: Tensor, start: int, beams: int, weight: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best texts (beams, length), their worth, best first, and how far each is from what was sent."""
    texts, scores, far = torch.full((1, 1), start), density.new_zeros(1), density.new_zeros(1)
    for here, distances in zip(density, deviations, strict=True):
        following = here.expand(len(texts), -1)
        if weight:
            following = following + weight * prior(texts)[:, tokens]
        best = (scores[:, None] + following).flatten().topk(min(beams, following.numel()))
        parents, picked = best.indices // len(tokens), best.indices % len(tokens)
        texts = torch.cat((texts[parents], tokens[picked][:, None]), dim=1)
        scores, far = best.values, far[parents] + distances[picked]
    return texts[:, 1:], scores, far
