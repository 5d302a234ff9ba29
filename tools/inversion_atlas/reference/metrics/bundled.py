"""A small network that comes with the package, so that features and a perceptual distance are at hand without a file.

It was trained here on crops of scikit-image's photographs (`bundled_training`); its numbers are neither LPIPS nor FID,
go by the names below, and compare with nothing but themselves.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from inversion_atlas.reference.metrics import arguments, weights
from inversion_atlas.reference.metrics.perceptual import lpips

WEIGHTS = Path(__file__).with_name("bundled.pt")
SHA256 = "d3d27526a0625344673ad8d3b683517803f619cfff6c7dcf7e9ab1fafb2b39e5"
_WIDTHS = (24, 32, 48, 64)
_SMALLEST = 16


class AtlasNetwork(nn.Module):
    """Four convolutions, each but the first with stride 2; returns all activations, for images from -1 to 1."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *_WIDTHS)
        self.layers = nn.ModuleList(
            nn.Conv2d(inputs[depth], width, 3, stride=1 if depth == 0 else 2, padding=1)
            for depth, width in enumerate(_WIDTHS)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return activations (batch, channels, height, width) of each layer."""
        if images.ndim != 4 or images.shape[1] not in (1, 3) or min(images.shape[-2:]) < _SMALLEST:
            raise arguments.MetricError(
                f"images must be (batch, 1 or 3, height, width) of {_SMALLEST} pixels or more, not {(*images.shape,)}"
            )
        activations = [images.expand(-1, 3, -1, -1)]
        for layer in self.layers:
            activations.append(layer(activations[-1]).relu())
        return activations[1:]


def atlas_distance(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    """Return the distance of each image to its original in the bundled network. Not LPIPS, whose form it has.

    0 and up, lower is closer, no unit. Images (batch, 1 or 3, height, width) of 16 pixels a side or more.
    """
    return lpips(
        reconstruction,
        original,
        data_range=data_range,
        trunk=atlas_network(original.dtype, original.device),
        heads=None,
    )


def atlas_features(images: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    """Return features (items, 64) of images by the bundled network, for `fid`, `knn_distance` and the like.

    What comes out is a Fréchet distance of atlas features, not FID. Arguments are those of `atlas_distance`.
    """
    arguments.images(images, images, data_range, smallest=_SMALLEST)
    low, high = data_range
    last: Tensor = atlas_network(images.dtype, images.device)((images - low) * (2 / (high - low)) - 1)[-1]
    return last.mean(dim=(2, 3))


@cache
def atlas_network(dtype: torch.dtype = torch.float32, device: torch.device | None = None) -> AtlasNetwork:
    """Return the bundled network with its weights, checked by their hash."""
    network = AtlasNetwork()
    weights.fill(network, weights.read(WEIGHTS, SHA256), WEIGHTS)
    return network.to(device or torch.device("cpu"), dtype)
