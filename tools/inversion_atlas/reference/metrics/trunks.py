"""The networks of LPIPS as their published weights lay them out, and its linear heads, from local files."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from inversion_atlas.reference.metrics import weights
from inversion_atlas.reference.metrics.arguments import MetricError

Network = Literal["alex", "vgg", "squeeze"]

# What the SHA-256 of torchvision's files begins with, which their names end in: alexnet-owt-7be5be79.pth,
# vgg16-397923af.pth, squeezenet1_1-b8a52dc0.pth.
TRUNK_FILES = {"alex": "7be5be79", "vgg": "397923af", "squeeze": "b8a52dc0"}
# The SHA-256 of the heads of LPIPS 0.1, the same in the packages lpips 0.1.4 and torchmetrics 1.9.0.
HEAD_FILES = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
}
# Packages that carry the heads, and where.
_HEAD_FOLDERS = {"lpips": "weights/v0.1", "torchmetrics": "functional/image/lpips_models"}
# After which layers LPIPS reads the activations, and the smallest side that passes all of them.
_TAPS = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29), "squeeze": (1, 4, 7, 9, 10, 11, 12)}
_SMALLEST = {"alex": 31, "vgg": 16, "squeeze": 17}
# Mean and deviation of the images that the networks were trained on, for pixels from -1 to 1.
_MEAN, _DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class Trunk(nn.Module):
    """The convolutions of a network; returns its activations where LPIPS reads them, for images from -1 to 1."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        if network not in _TAPS:
            raise MetricError(f"the network must be alex, vgg or squeeze, not {network}")
        self.network = network
        self.features = {"alex": _alexnet, "vgg": _vgg16, "squeeze": _squeezenet}[network]()
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return activations (batch, channels, height, width) of each tapped layer."""
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[-2:]) < _SMALLEST[self.network]:
            raise MetricError(
                f"{self.network} takes images (batch, 3, height, width) of {_SMALLEST[self.network]} pixels or more a "
                f"side, not {tuple(images.shape)}; repeat a gray channel with expand"
            )
        dtype = next(self.parameters()).dtype
        if dtype != images.dtype:
            raise MetricError(f"the network is {dtype}, the images {images.dtype}; convert one of them")
        activations, current = [], (images - _channels(_MEAN, images)) / _channels(_DEVIATION, images)
        for number, layer in enumerate(self.features):
            current = layer(current)
            if number in _TAPS[self.network]:
                activations.append(current)
            if number == _TAPS[self.network][-1]:
                break
        return activations


def load_trunk(network: Network, path: Path | str, *, sha256: str | None = "published") -> Trunk:
    """Return a network with the weights of a file, by default the one that torchvision publishes, checked by its hash.

    Another file needs its own `sha256`, or None, and then the number is not the LPIPS of the papers. Raises MetricError
    where the file is missing, another, or does not fit.
    """
    trunk = Trunk(network)
    tensors = weights.read(path, TRUNK_FILES[network] if sha256 == "published" else sha256)
    weights.fill(trunk, {name: value for name, value in tensors.items() if not name.startswith("classifier.")}, path)
    return trunk


def load_heads(network: Network, path: Path | str | None = None) -> list[Tensor]:
    """Return the learned weights of LPIPS 0.1 for each tapped layer, (channels,), checked by their hash.

    Without `path` they are those inside the package lpips or torchmetrics, whichever is installed; neither is imported.
    Raises MetricError where there is none.
    """
    if network not in HEAD_FILES:
        raise MetricError(f"the network must be alex, vgg or squeeze, not {network}")
    found = Path(path) if path is not None else _installed_heads(network)
    tensors = weights.read(found, HEAD_FILES[network])
    return [tensors[f"lin{layer}.model.1.weight"].flatten() for layer in range(len(_TAPS[network]))]


def _installed_heads(network: Network) -> Path:
    for package, folder in _HEAD_FOLDERS.items():
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            if (path := Path(location) / folder / f"{network}.pth").is_file():
                return path
    raise MetricError(f"no heads of {network} are installed: give the path of {network}.pth of lpips or torchmetrics")


def _channels(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]


def _alexnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    )


def _vgg16() -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for number, (width, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
        if number:
            layers.append(nn.MaxPool2d(2, 2))
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    return nn.Sequential(*layers)


def _squeezenet() -> nn.Sequential:
    def halving() -> nn.Module:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    first = [nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), halving(), _Fire(64, 16, 64), _Fire(128, 16, 64), halving()]
    middle = [_Fire(128, 32, 128), _Fire(256, 32, 128), halving()]
    last = [_Fire(256, 48, 192), _Fire(384, 48, 192), _Fire(384, 64, 256), _Fire(512, 64, 256)]
    return nn.Sequential(*first, *middle, *last)


class _Fire(nn.Module):
    """A convolution of 1 by 1 that narrows, then two of 1 by 1 and 3 by 3 side by side."""

    def __init__(self, channels: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, narrow, 1)
        self.expand1x1 = nn.Conv2d(narrow, wide, 1)
        self.expand3x3 = nn.Conv2d(narrow, wide, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        narrowed = self.squeeze(images).relu()
        return torch.cat((self.expand1x1(narrowed), self.expand3x3(narrowed)), dim=1).relu()
