"""A picture of originals above their reconstructions."""

from __future__ import annotations

import io

import torch
from PIL import Image
from torch import Tensor

_GAP = 4
_SMALLEST = 96


def side_by_side(originals: Tensor, images: Tensor) -> bytes:
    """Return a PNG: originals in the first row, reconstructions below; values from 0 to 1, small images enlarged."""
    if originals.shape != images.shape or originals.shape[1] not in (1, 3):
        raise ValueError(f"a picture needs two batches of one shape with 1 or 3 channels, not {tuple(images.shape)}")
    factor = max(1, -(-_SMALLEST // max(originals.shape[-2:])))
    rows = [_row(part.detach(), factor) for part in (originals, images)]
    gap = torch.ones(3, _GAP, rows[0].shape[2])
    pixels = torch.cat((gap, rows[0], gap, rows[1], gap), dim=1).mul(255).round().byte()
    buffer = io.BytesIO()
    Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy()).save(buffer, "PNG")
    return buffer.getvalue()


def _row(images: Tensor, factor: int) -> Tensor:
    images = images.expand(-1, 3, -1, -1).repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
    gap = torch.ones(3, images.shape[2], _GAP)
    parts = [gap]
    for image in images:
        parts += [image, gap]
    return torch.cat(parts, dim=2)
