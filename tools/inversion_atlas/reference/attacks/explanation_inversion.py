"""Images from the scores and explanations of a black box, through a network trained on public images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.inversion_network import logarithms
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import Explanation, expect
from inversion_atlas.reference.seeding import seeded


class ExplanationNetwork(nn.Module):
    """Maps scores and an explanation map to an image: scores enter at a quarter of the sides, the map as in a U-Net."""

    def __init__(self, classes: int, shape: tuple[int, ...], map_channels: int, scale: float, width: int = 32) -> None:
        super().__init__()
        channels, height, across = shape
        if height % 4 or across % 4:
            raise ValueError(f"images must have sides that are multiples of 4, not {height} by {across}")
        # Maps are told apart by their form; their size follows the model's confidence.
        self.scale = scale
        self.scores = nn.Sequential(
            nn.Linear(classes, width * (height // 4) * (across // 4)),
            nn.Unflatten(1, (width, height // 4, across // 4)),
            nn.ReLU(),
        )
        self.halved = nn.Sequential(nn.Conv2d(map_channels, width, 3, stride=2, padding=1), nn.ReLU())
        self.quartered = nn.Sequential(nn.Conv2d(width, width, 3, stride=2, padding=1), nn.ReLU())
        self.up = nn.Sequential(nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), nn.ReLU())
        self.out = nn.Sequential(nn.ConvTranspose2d(2 * width, channels, 4, stride=2, padding=1), nn.Sigmoid())

    def forward(self, scores: Tensor, maps: Tensor) -> Tensor:
        half = self.halved(maps / self.scale)
        merged = torch.cat((self.scores(logarithms(scores)), self.quartered(half)), dim=1)
        image: Tensor = self.out(torch.cat((self.up(merged), half), dim=1))
        return image


def train_explanation_network(
    observation: Explanation,
    public: Tensor,
    *,
    epochs: int = 40,
    learning_rate: float = 2e-3,
    batch_size: int = 32,
    seed: int = 0,
    progress: Progress = silent,
) -> ExplanationNetwork:
    """Train the inverse of a black box that explains itself. XAI-aware model inversion (zhao2021exploiting).

    Each public image is queried once for its scores and its map, of the image's own sides; the network learns to
    return the image from both, by mean squared error and Adam. A victim's image is then `network(scores, map)`. Of
    the paper's architectures this is the one that feeds the map through a U-Net; its attention transfer, for models
    that explain nothing, is left out. Images lie in 0 to 1.
    """
    observation = expect(observation, Explanation, "the explanation network")
    if observation.data_range != (0.0, 1.0):
        raise ValueError(f"the explanation network returns images from 0 to 1, not in {observation.data_range}")
    scores, maps = observation.explain(public)
    if maps.ndim != 4 or maps.shape[2:] != public.shape[2:]:
        raise ValueError(f"maps must be of shape (batch, channels, {public.shape[2]}, {public.shape[3]})")
    scale = float(maps.abs().flatten(1).amax(dim=1).mean().clamp_min(1e-12))
    with seeded(seed):
        network = ExplanationNetwork(observation.classes, observation.input_shape, maps.shape[1], scale)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        for batch in torch.randperm(len(public), generator=generator).split(batch_size):
            optimizer.zero_grad()
            functional.mse_loss(network(scores[batch], maps[batch]), public[batch]).backward()
            optimizer.step()
        progress(epoch + 1, epochs)
    return network.eval()
