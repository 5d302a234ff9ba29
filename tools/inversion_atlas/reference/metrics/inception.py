"""The Inception network of FID and Inception Score, its weights from a local file.

The features of Heusel and others (2017) and the classes of Salimans and others (2016) come from one TensorFlow network
of 2015, whose port to torch is published as pt_inception-2015-12-05-6726825d.pth. It differs from torchvision's in how
it pools and has 1,008 outputs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.metrics import arguments, weights

# What the SHA-256 of the published port begins with, which its name ends in.
FILE = "6726825d"
_SIDE = 299

Port = Literal["pytorch-fid", "tensorflow"]
Width = Literal[64, 192, 768, 2048]
# A chain of convolutions, of which the last may be several side by side.
_Path = tuple["str | tuple[str, ...]", ...]


def load_inception(path: Path | str, *, sha256: str | None = FILE) -> Inception:
    """Return the network with the weights of a file, checked by its hash.

    Another file needs its own `sha256`, or None, and then the numbers are neither FID nor Inception Score. Raises
    MetricError where the file is missing, another, or does not fit.
    """
    network = Inception()
    weights.fill(network, weights.read(path, sha256), path)
    return network


def inception_features(
    images: Tensor,
    *,
    data_range: tuple[float, float],
    network: Inception,
    width: Width = 2048,
    port: Port = "pytorch-fid",
    batch: int = 32,
) -> Tensor:
    """Return features (items, width) of color images (items, 3, height, width): what `fid` takes to be FID.

    2,048 is the last pooling layer; 64, 192 and 768 are the shallower ones of pytorch-fid, on other scales. Images are
    scaled from `data_range` and to 299 by 299. The ports differ: `pytorch-fid` takes pixel centers and pixels from -1
    to 1, `tensorflow` the corners, as the first implementation and torch-fidelity do, and (pixel - 128) / 128.
    """
    return torch.cat([network(part, width) for part in _prepared(images, data_range, port, batch)])


def inception_probabilities(
    images: Tensor,
    *,
    data_range: tuple[float, float],
    network: Inception,
    port: Port = "tensorflow",
    batch: int = 32,
) -> Tensor:
    """Return class probabilities (items, 1008) of color images: what `inception_score` takes to be Inception Score.

    The last layer's bias is left out, as in the authors' code. Arguments are those of `inception_features`.
    """
    scores = inception_features(images, data_range=data_range, network=network, port=port, batch=batch)
    return functional.linear(scores, network.fc.weight).softmax(dim=1)


class Inception(nn.Module):
    """Inception-v3 as FID uses it; the names of its parts are those of the published weights."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3)
        self.Mixed_5b = _BlockA(192, 32)
        self.Mixed_5c = _BlockA(256, 64)
        self.Mixed_5d = _BlockA(288, 64)
        self.Mixed_6a = _BlockB(288)
        self.Mixed_6b = _BlockC(768, 128)
        self.Mixed_6c = _BlockC(768, 160)
        self.Mixed_6d = _BlockC(768, 160)
        self.Mixed_6e = _BlockC(768, 192)
        self.Mixed_7a = _BlockD(768)
        self.Mixed_7b = _BlockE(1280, "mean")
        self.Mixed_7c = _BlockE(2048, "largest")
        self.fc = nn.Linear(2048, 1008)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor, width: Width = 2048) -> Tensor:
        """Return pooled activations (batch, width) of images of 299 by 299 pixels from -1 to 1."""
        if width not in (64, 192, 768, 2048):
            raise arguments.MetricError(f"width must be 64, 192, 768 or 2048, not {width}")
        current = functional.max_pool2d(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images))), 3, 2)
        if width > 64:
            current = functional.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(current)), 3, 2)
        if width > 192:
            for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e"):
                current = getattr(self, f"Mixed_{name}")(current)
        if width > 768:
            current = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(current)))
        return current.mean(dim=(2, 3))


def _prepared(images: Tensor, data_range: tuple[float, float], port: Port, batch: int) -> list[Tensor]:
    if images.ndim != 4 or images.shape[1] != 3 or len(images) == 0:
        raise arguments.MetricError(
            f"color images (items, 3, height, width) are needed, not {tuple(images.shape)}; repeat a gray channel"
        )
    arguments.within(images, data_range, "images")
    if port not in ("pytorch-fid", "tensorflow"):
        raise arguments.MetricError(f"port must be pytorch-fid or tensorflow, not {port}")
    low, high = data_range
    parts = []
    for part in ((images - low) / (high - low)).split(batch):
        if port == "pytorch-fid":
            parts.append(functional.interpolate(part, (_SIDE, _SIDE), mode="bilinear", align_corners=False) * 2 - 1)
        else:
            parts.append((_resized_from_corners(part * 255) - 128) / 128)
    return parts


def _resized_from_corners(images: Tensor) -> Tensor:
    """Bilinear resizing as TensorFlow 1 did it: place 0 falls on place 0, and steps are the ratio of the sides."""
    for axis in (2, 3):
        length = images.shape[axis]
        places = torch.arange(_SIDE, dtype=images.dtype, device=images.device) * (length / _SIDE)
        below = places.floor().long().clamp_max(length - 1)
        share = (places - below).view(-1, 1) if axis == 2 else places - below
        above = (below + 1).clamp_max(length - 1)
        images = torch.lerp(images.index_select(axis, below), images.index_select(axis, above), share)
    return images


class _Convolution(nn.Module):
    """Convolution without bias, batch normalization, ReLU."""

    def __init__(
        self,
        channels: int,
        width: int,
        size: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, size, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, images: Tensor) -> Tensor:
        normalized: Tensor = self.bn(self.conv(images))
        return normalized.relu_()


class _Block(nn.Module):
    """Paths side by side, joined along channels; a path is a chain of convolutions by name."""

    paths: tuple[_Path, ...]
    branch_pool: _Convolution
    pooling: Literal["mean", "largest", "halving"] = "mean"

    def forward(self, images: Tensor) -> Tensor:
        """Return the paths' outputs, then those of the pooling path."""
        return torch.cat([*(self._along(path, images) for path in self.paths), self._pooled(images)], dim=1)

    def _along(self, path: _Path, current: Tensor) -> Tensor:
        for step in path:
            if isinstance(step, tuple):
                current = torch.cat([getattr(self, name)(current) for name in step], dim=1)
            else:
                current = getattr(self, step)(current)
        return current

    def _pooled(self, images: Tensor) -> Tensor:
        """The mean leaves out what lies outside the image; halving has no convolution after it."""
        if self.pooling == "halving":
            return functional.max_pool2d(images, 3, 2)
        if self.pooling == "mean":
            pooled = functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        else:
            pooled = functional.max_pool2d(images, 3, 1, 1)
        after: Tensor = self.branch_pool(pooled)
        return after


class _BlockA(_Block):
    paths = (("branch1x1",), ("branch5x5_1", "branch5x5_2"), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))

    def __init__(self, channels: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(channels, 64, 1)
        self.branch5x5_1 = _Convolution(channels, 48, 1)
        self.branch5x5_2 = _Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Convolution(channels, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, padding=1)
        self.branch_pool = _Convolution(channels, pooled, 1)


class _BlockB(_Block):
    paths = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))
    pooling = "halving"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = _Convolution(channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Convolution(channels, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, stride=2)


class _BlockC(_Block):
    paths = (
        ("branch1x1",),
        ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
        ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
    )

    def __init__(self, channels: int, narrow: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(channels, 192, 1)
        self.branch7x7_1 = _Convolution(channels, narrow, 1)
        self.branch7x7_2 = _wide(narrow, narrow, 7)
        self.branch7x7_3 = _tall(narrow, 192, 7)
        self.branch7x7dbl_1 = _Convolution(channels, narrow, 1)
        self.branch7x7dbl_2 = _tall(narrow, narrow, 7)
        self.branch7x7dbl_3 = _wide(narrow, narrow, 7)
        self.branch7x7dbl_4 = _tall(narrow, narrow, 7)
        self.branch7x7dbl_5 = _wide(narrow, 192, 7)
        self.branch_pool = _Convolution(channels, 192, 1)


class _BlockD(_Block):
    paths = (
        ("branch3x3_1", "branch3x3_2"),
        ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"),
    )
    pooling = "halving"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Convolution(channels, 192, 1)
        self.branch3x3_2 = _Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Convolution(channels, 192, 1)
        self.branch7x7x3_2 = _wide(192, 192, 7)
        self.branch7x7x3_3 = _tall(192, 192, 7)
        self.branch7x7x3_4 = _Convolution(192, 192, 3, stride=2)


class _BlockE(_Block):
    paths = (
        ("branch1x1",),
        ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
        ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")),
    )

    def __init__(self, channels: int, pooling: Literal["mean", "largest"]) -> None:
        super().__init__()
        self.pooling = pooling
        self.branch1x1 = _Convolution(channels, 320, 1)
        self.branch3x3_1 = _Convolution(channels, 384, 1)
        self.branch3x3_2a = _wide(384, 384, 3)
        self.branch3x3_2b = _tall(384, 384, 3)
        self.branch3x3dbl_1 = _Convolution(channels, 448, 1)
        self.branch3x3dbl_2 = _Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _wide(384, 384, 3)
        self.branch3x3dbl_3b = _tall(384, 384, 3)
        self.branch_pool = _Convolution(channels, 192, 1)


def _wide(channels: int, width: int, size: int) -> _Convolution:
    return _Convolution(channels, width, (1, size), padding=(0, size // 2))


def _tall(channels: int, width: int, size: int) -> _Convolution:
    return _Convolution(channels, width, (size, 1), padding=(size // 2, 0))
