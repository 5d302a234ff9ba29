"""Scores that are drawn anew before they are given away, so that they tell of the class and little else."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.defenses.training import marked
from inversion_atlas.reference.observations.access import Outputs, copied
from inversion_atlas.reference.seeding import seeded


class Purified(nn.Module):
    """A model whose probabilities pass a variational autoencoder that is told the class named: Purifier's reformer.

    Returns probabilities. In train mode and in eval mode the code is its mean, so that answers do not vary; the class
    named stays the one that the model names.
    """

    def __init__(self, model: nn.Module, outputs: Outputs, classes: int, width: int, latent: int) -> None:
        super().__init__()
        self.model, self.outputs, self.classes = model, outputs, classes
        self.encoder = nn.Sequential(nn.Linear(2 * classes, width), nn.ReLU())
        self.mean, self.logarithm = nn.Linear(width, latent), nn.Linear(width, latent)
        self.decoder = nn.Sequential(nn.Linear(latent + classes, width), nn.ReLU(), nn.Linear(width, classes))

    def forward(self, inputs: Tensor) -> Tensor:
        scores: Tensor = self.model(inputs)
        scores = scores.softmax(dim=1) if self.outputs == "logits" else scores
        return self.reformed(scores, self.coded(scores)[0])

    def coded(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of the code."""
        hidden = self.encoder(torch.cat((scores, self._named(scores)), dim=1))
        return self.mean(hidden), self.logarithm(hidden)

    def reformed(self, scores: Tensor, code: Tensor) -> Tensor:
        """Return probabilities drawn from a code and the class that `scores` name, which stays the largest."""
        named = self._named(scores)
        drawn: Tensor = self.decoder(torch.cat((code, named), dim=1)).softmax(dim=1)
        top, first = drawn.max(dim=1, keepdim=True)
        own = (drawn * named).sum(dim=1, keepdim=True)
        # Where another class came out on top the two change places.
        return torch.where(named > 0, top, drawn.scatter(1, first, own))

    def _named(self, scores: Tensor) -> Tensor:
        return functional.one_hot(scores.argmax(dim=1), self.classes).to(scores.dtype)


def purify(
    model: nn.Module,
    reference: Tensor,
    *,
    outputs: Outputs,
    divergence: float = 1.0,
    naming: float = 1.0,
    width: int = 64,
    latent: int = 4,
    epochs: int = 60,
    learning_rate: float = 2e-3,
    batch_size: int = 64,
    seed: int = 0,
) -> Purified:
    """Return the model with its scores purified. Purifier (yang2023purifier).

    The conditional autoencoder learns to return the scores of `reference`, inputs that the model was not trained on:
    squared distance plus `divergence` times that of the code from a standard normal, plus `naming` times the cross
    entropy of the class. Its label swapper, which is against membership inference, is left out; weights and sizes
    are ours. Wrap the result with outputs="probabilities".
    """
    inner = copied(model, "eval").requires_grad_(False)
    with torch.no_grad():
        scores: Tensor = inner(reference)
        scores = scores.softmax(dim=1) if outputs == "logits" else scores
    generator = torch.Generator().manual_seed(seed)
    with seeded(seed):
        purified = Purified(inner, outputs, scores.shape[1], width, latent)
        learned = [p for p in purified.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(learned, learning_rate)
        for _ in range(epochs):
            for batch in torch.randperm(len(scores), generator=generator).split(batch_size):
                given = scores[batch]
                mean, logarithm = purified.coded(given)
                drawn = purified.reformed(given, mean + (logarithm / 2).exp() * torch.randn_like(mean))
                apart = (drawn - given).square().sum(dim=1).mean()
                spread = (mean.square() + logarithm.exp() - logarithm - 1).sum(dim=1).mean() / 2
                named = functional.nll_loss(drawn.clamp_min(1e-7).log(), given.argmax(dim=1))
                optimizer.zero_grad()
                (apart + divergence * spread + naming * named).backward()
                optimizer.step()
    marked(purified.eval(), "Purifier")
    return purified
