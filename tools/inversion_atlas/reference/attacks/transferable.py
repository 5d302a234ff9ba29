"""Texts from their vectors without a query: a decoder that learns from another encoder's vectors, moved to theirs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.geia import untrained_decoder
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.attacks.text_decoder import TextDecoder, descend
from inversion_atlas.reference.observations import TextEmbeddings, expect
from inversion_atlas.reference.seeding import seeded


def train_transferable(
    observation: TextEmbeddings,
    public: Tensor,
    surrogate: Callable[[Tensor], Tensor],
    *,
    epochs: int = 10,
    batch_size: int = 64,
    learning_rate: float = 4e-3,
    smoothing: float = 0.02,
    adversarial_weight: float = 1.0,
    pivot_weight: float = 1.0,
    inner: int = 96,
    layers: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> TextDecoder:
    """Train a decoder for an encoder that is never asked. Transferable embedding inversion (huang2024transferable).

    `surrogate` is an encoder of the adversary's own, of any width. A network of two layers maps its vectors to where
    the victim's lie: those of texts that leaked to the leaked vectors, by the squared distance and by that of their
    cosines to one another (`pivot_weight`), and those of `public` (texts, length) so that a discriminator takes them
    for the victim's (`adversarial_weight`). GEIA's decoder learns at the same time from leaked vectors and from mapped
    ones of public texts, as many of each. `geia(observation, decoder)` then writes.

    As the authors' code, which leaves the surrogate as it is; there the discriminator learns for an epoch and then the
    rest does, here they take turns batch by batch, and texts are not augmented.
    """
    observation = expect(observation, TextEmbeddings, "transferable inversion")
    texts, vectors = observation.granted_pairs("transferable inversion")
    with torch.no_grad():
        leaked_here, public_here = surrogate(texts), surrogate(public)
    width, other = vectors.shape[1], public_here.shape[1]
    with seeded(seed):
        decoder = untrained_decoder(observation, inner, layers)
        mapping = nn.Sequential(
            nn.Linear(other, (other + width) // 2), nn.ReLU(), nn.Linear((other + width) // 2, width)
        )
        judge = _Judge(width)

        def loss(places: Tensor) -> Tensor:
            drawn = torch.randint(len(texts), (len(places),))
            true, pivots, moved = vectors[drawn], mapping(leaked_here[drawn]), mapping(public_here[places])
            judge.learn(true, moved.detach())
            written = decoder.surprise(torch.cat((true, moved)), torch.cat((texts[drawn], public[places])), smoothing)
            return written + adversarial_weight * judge.doubt(moved) + pivot_weight * _apart(pivots, true)

        descend(
            [decoder, mapping],
            loss,
            len(public),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            progress=progress,
        )
    return decoder.eval()


class _Judge:
    """A discriminator of the victim's vectors, 0, and mapped ones, 1, with its own Adam."""

    def __init__(self, width: int) -> None:
        self.network = nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 1))
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3)

    def learn(self, true: Tensor, moved: Tensor) -> None:
        self.optimizer.zero_grad()
        says = self.network(torch.cat((true, moved)))
        right = torch.cat((torch.zeros(len(true), 1), torch.ones(len(moved), 1)))
        functional.binary_cross_entropy_with_logits(says, right).backward()
        self.optimizer.step()

    def doubt(self, moved: Tensor) -> Tensor:
        says = self.network(moved)
        return functional.binary_cross_entropy_with_logits(says, torch.zeros_like(says))


def _apart(pivots: Tensor, true: Tensor) -> Tensor:
    """How far mapped vectors of leaked texts are from the leaked ones, and their cosines from those of the leaked."""
    here, there = (functional.normalize(each, dim=1) for each in (pivots, true))
    return functional.mse_loss(pivots, true) + functional.mse_loss(here @ here.T, there @ there.T)
