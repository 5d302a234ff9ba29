"""Images from the scores of a black box, through a network trained on public images to invert it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import BlackBox, expect
from inversion_atlas.reference.seeding import seeded


class InversionNetwork(nn.Module):
    """Maps a vector of scores to an image: a linear layer, then convolutions with doubling, as the paper's decoder."""

    def __init__(self, classes: int, shape: tuple[int, ...], data_range: tuple[float, float], width: int = 64) -> None:
        super().__init__()
        channels, height, width_of_image = shape
        if height % 4 or width_of_image % 4:
            raise ValueError(f"images must have sides that are multiples of 4, not {height} by {width_of_image}")
        self.low, self.high = data_range
        self.layers = nn.Sequential(
            nn.Linear(classes, 2 * width * (height // 4) * (width_of_image // 4)),
            nn.Unflatten(1, (2 * width, height // 4, width_of_image // 4)),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, scores: Tensor) -> Tensor:
        image: Tensor = self.layers(logarithms(scores))
        return self.low + (self.high - self.low) * image


def train_inversion_network(
    observation: BlackBox,
    public: Tensor,
    *,
    epochs: int = 100,
    truncation: int | None = None,
    learning_rate: float = 2e-3,
    batch_size: int = 32,
    seed: int = 0,
    progress: Progress = silent,
) -> InversionNetwork:
    """Train the inverse of a black box on public images. Yang and others (yang2019neural).

    Each public image is queried once; the network learns to return it from its scores, of which only the
    `truncation` largest are kept where given, as those of a victim may be. Its mean squared error over images is
    minimized by Adam. Victims' images are then `network(scores)`, scores being what the black box said of them.
    """
    observation = expect(observation, BlackBox, "the inversion network")
    scores = observation.query(public)
    if truncation is not None:
        scores = truncated(scores, truncation)
    with seeded(seed):
        network = InversionNetwork(observation.classes, observation.input_shape, observation.data_range)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        # A batch of one has no variance to normalize by; what is left over waits for another epoch.
        for batch in torch.randperm(len(public), generator=generator).split(batch_size):
            if len(batch) == 1:
                continue
            optimizer.zero_grad()
            functional.mse_loss(network(scores[batch]), public[batch]).backward()
            optimizer.step()
        progress(epoch + 1, epochs)
    return network.eval()


def truncated(scores: Tensor, kept: int) -> Tensor:
    """Return the scores with all but the `kept` largest of each row set to 0."""
    largest = scores.topk(kept, dim=1)
    return torch.zeros_like(scores).scatter(1, largest.indices, largest.values)


def logarithms(scores: Tensor) -> Tensor:
    """Logarithms tell confident scores apart; one that is 0, or was cut or rounded to it, counts as the least."""
    return (scores.clamp_min(1e-7).log() + 16) / 16
