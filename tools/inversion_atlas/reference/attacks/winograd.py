"""Convolutions of 3 by 3 with fewer multiplications, and their derivatives, which share what is transformed.

Winograd's minimal filtering takes 36 multiplications for 4 by 4 outputs of a 3 by 3 convolution, where a plain sum
takes 144: each tile of 6 by 6 inputs, and each kernel, is a polynomial that is known by its values at 6 points along
each axis. Every derivative is the same product of values between transposed transforms. With these points float32 is
off by 1e-6 of the outputs' size over 256 channels, five times as far as a plain sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_OUT, _TILE = 4, 6
# One more point lies at infinity.
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5))


def suits(module: nn.Conv2d, image: Sequence[int]) -> bool:
    """Whether the module is a convolution that this computes, on images of this shape, and faster than others."""
    plain = (module.kernel_size, module.padding, module.stride, module.dilation, module.groups)
    whole = image[2] % _OUT == 0 and image[3] % _OUT == 0 and image[2] * image[3] >= 16 * _OUT**2
    return plain == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and whole and min(module.weight.shape[:2]) >= 48


class WinogradConvolution:
    """Channels are mixed at each of 36 points: matrices of (points, channels, tiles)."""

    def __init__(self, module: nn.Conv2d) -> None:
        weight = module.weight.detach()
        self.of_tiles, self.of_kernels, self.of_outputs = (
            transform.to(weight.dtype).to(weight.device) for transform in _transforms()
        )
        self.weight = self._kernels(weight)
        self.bias = None if module.bias is None else module.bias.detach()
        self.parameters = 1 if self.bias is None else 2

    def forward(self, inputs: Tensor) -> Tensor:
        self.shape = inputs.shape
        self.values = self._tiles(inputs)
        return self._outputs(self.weight @ self.values, self.bias)

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        self.slope = self._outputs_back(slope)
        parts = [self._kernels_back(self.slope @ self.values.transpose(1, 2))]
        if self.bias is not None:
            parts.append(slope.sum(dim=(0, 2, 3)))
        return self._tiles_back(self.weight.transpose(1, 2) @ self.slope) if onward else None, parts

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        self.turned = self._kernels(direction[0])
        outputs = self.turned @ self.values
        if moved is not None:
            outputs.baddbmm_(self.weight, self._tiles(moved))
        return self._outputs(outputs, direction[1] if len(direction) > 1 else None)

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        slopes = self.weight.transpose(1, 2) @ self._outputs_back(moved)
        return self._tiles_back(slopes.baddbmm_(self.turned.transpose(1, 2), self.slope))

    def _kernels(self, weight: Tensor) -> Tensor:
        return (self.of_kernels @ weight.reshape(-1, 9).T).view(_TILE**2, *weight.shape[:2])

    def _kernels_back(self, values: Tensor) -> Tensor:
        return (values.flatten(1).T @ self.of_kernels).view(*values.shape[1:], 3, 3)

    def _tiles(self, images: Tensor) -> Tensor:
        padded = functional.pad(images, (1, 1, 1, 1))
        tiles = padded.unfold(2, _TILE, _OUT).unfold(3, _TILE, _OUT).permute(4, 5, 1, 0, 2, 3)
        return (self.of_tiles @ tiles.reshape(_TILE**2, -1)).view(_TILE**2, images.shape[1], -1)

    def _tiles_back(self, values: Tensor) -> Tensor:
        images, channels, height, width = self.shape
        tiles = (self.of_tiles.T @ values.transpose(0, 1)).view(channels * _TILE**2, images, -1).transpose(0, 1)
        return functional.fold(tiles, (height, width), _TILE, padding=1, stride=_OUT)

    def _outputs(self, values: Tensor, bias: Tensor | None) -> Tensor:
        images, _, height, width = self.shape
        tiles = (self.of_outputs @ values.flatten(1)).view(_OUT, _OUT, -1, images, height // _OUT, width // _OUT)
        outputs = tiles.permute(3, 2, 4, 0, 5, 1).reshape(images, -1, height, width)
        return outputs if bias is None else outputs.add_(bias[:, None, None])

    def _outputs_back(self, slope: Tensor) -> Tensor:
        images, channels, height, width = slope.shape
        tiles = slope.view(images, channels, height // _OUT, _OUT, width // _OUT, _OUT).permute(3, 5, 1, 0, 2, 4)
        return (self.of_outputs.T @ tiles.reshape(_OUT**2, -1)).view(_TILE**2, channels, -1)


def _transforms() -> tuple[Tensor, Tensor, Tensor]:
    """Return what turns tiles, kernels and values (back to outputs), as matrices on flattened squares, in float64."""
    points = torch.tensor(_POINTS, dtype=torch.float64)
    apart = (points[:, None] - points + torch.eye(len(points), dtype=torch.float64)).prod(dim=1)
    scale = torch.cat((apart, apart.new_ones(1)))[:, None]
    tiles = scale * torch.linalg.inv(_powers(points, _TILE)).T
    kernels = _powers(points, 3) / scale
    return _both(tiles), _both(kernels), _both(_powers(points, _OUT).T)


def _powers(points: Tensor, count: int) -> Tensor:
    """Return each point to the powers below count; the point at infinity keeps the highest alone."""
    infinity = torch.eye(count, dtype=points.dtype)[-1:]
    return torch.cat((points[:, None] ** torch.arange(count), infinity))


def _both(transform: Tensor) -> Tensor:
    """Return a transform of each axis as one of a flattened square."""
    return torch.kron(transform, transform)
