"""Structural similarity at one scale and at several: one value per image."""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.metrics import arguments
from inversion_atlas.reference.metrics.parts import in_parts

Window = Literal["gaussian", "uniform"]
Border = Literal["valid", "reflect", "zero"]

# Shares of red, green and blue in luminance.
_LUMINANCE = (0.299, 0.587, 0.114)

# The exponents of the five scales, from the paper that introduced the metric.
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim(
    reconstruction: Tensor,
    original: Tensor,
    *,
    data_range: tuple[float, float],
    window: Window = "gaussian",
    size: int = 11,
    sigma: float = 1.5,
    sample_variance: bool = False,
    border: Border = "valid",
    luminance: bool = False,
    shrink: bool = False,
) -> Tensor:
    """Return the structural similarity of each image. Metric `ssim`; -1 to 1, higher is closer.

    Wang and others (2004), as they computed it: an 11 by 11 Gaussian window of deviation 1.5, population
    variance, windows inside the image alone; the mean over channels. No image is shrunk first. Images are of shape
    (batch, channels, height, width) and at least `size` pixels wide and high.

    Others take another window: scikit-image unless told otherwise `window="uniform", size=7, sample_variance=True`;
    `border="reflect"` mirrors the image at its border and averages all pixels, as torchmetrics does; `"zero"` puts
    zeros around it, as code with padded convolutions does. `luminance` compares the gray image of three channels
    instead of each. `shrink` first averages blocks so that the shorter side has about 256 pixels, as piq does: it
    changes images of 384 pixels and more. Code that takes the range from the images at hand is had by handing that in.
    """
    arguments.images(reconstruction, original, data_range, smallest=size)
    weights = _weights(window, size, sigma)

    def similarity(given: Tensor, true: Tensor) -> Tensor:
        if luminance:
            given, true = _gray(given), _gray(true)
        if shrink:
            factor = max(1, round(min(true.shape[-2:]) / 256))
            given, true = functional.avg_pool2d(given, factor), functional.avg_pool2d(true, factor)
        means, contrast = _comparisons(given, true, data_range, weights, sample_variance, border)
        return (means * contrast).flatten(1).mean(dim=1)

    return in_parts(similarity, reconstruction, original)


def ms_ssim(
    reconstruction: Tensor,
    original: Tensor,
    *,
    data_range: tuple[float, float],
    form: Literal["channels", "torchmetrics"] = "channels",
) -> Tensor:
    """Return the structural similarity over five scales. Metric `ms-ssim`; 0 to 1, higher is closer.

    Wang and others (2003), with the window of `ssim`. Images are halved by 2 by 2 means; an odd last row or
    column is repeated. They must be at least 161 pixels wide and high. A negative mean of a scale, which has no such
    power, counts as 0. Scales are multiplied per channel, then averaged over channels, as in piq.
    `form="torchmetrics"` averages the channels of a scale first, mirrors the border of the last scale, and drops an odd
    row or column.
    """
    arguments.images(reconstruction, original, data_range, smallest=161)
    if form not in ("channels", "torchmetrics"):
        raise arguments.MetricError(f"form must be channels or torchmetrics, not {form}")
    return in_parts(partial(_over_scales, data_range, form == "torchmetrics"), reconstruction, original)


def _over_scales(data_range: tuple[float, float], theirs: bool, given: Tensor, true: Tensor) -> Tensor:
    weights, over = _weights("gaussian", 11, 1.5), (1, 2, 3) if theirs else (2, 3)
    product = torch.ones(true.shape[: 1 if theirs else 2], dtype=true.dtype, device=true.device)
    for scale, exponent in enumerate(_SCALES):
        last = scale == len(_SCALES) - 1
        border: Border = "reflect" if last and theirs else "valid"
        means, contrast = _comparisons(given, true, data_range, weights, False, border)
        product = product * (means * contrast if last else contrast).mean(dim=over).clamp_min(0) ** exponent
        if not last:
            given, true = _halved(given, not theirs), _halved(true, not theirs)
    return product if theirs else product.mean(dim=1)


def _gray(images: Tensor) -> Tensor:
    if images.shape[1] != 3:
        raise arguments.MetricError(f"luminance needs 3 channels, not {images.shape[1]}")
    return torch.einsum("c,nchw->nhw", images.new_tensor(_LUMINANCE), images)[:, None]


def _weights(window: Window, size: int, sigma: float) -> list[float]:
    """The window along one axis; both windows are products of two such."""
    if size < 1 or size % 2 == 0:
        raise arguments.MetricError(f"the window's size must be odd, not {size}")
    if window == "uniform":
        return [1 / size] * size
    raw = [math.exp(-(position**2) / (2 * sigma**2)) for position in range(-(size // 2), size // 2 + 1)]
    return [weight / math.fsum(raw) for weight in raw]


def _comparisons(
    given: Tensor,
    true: Tensor,
    data_range: tuple[float, float],
    weights: list[float],
    sample_variance: bool,
    border: Border,
) -> tuple[Tensor, Tensor]:
    """Return, per position, the comparison of means and that of contrast and structure."""
    low, high = data_range
    c1, c2 = (0.01 * (high - low)) ** 2, (0.03 * (high - low)) ** 2
    # Variances do not change with a shift, and near 0 float32 loses less of them.
    center = true.mean(dim=(-2, -1), keepdim=True)
    given, true = given - center, true - center
    if border != "valid":
        given, true = (_framed(images, len(weights) // 2, border, low - center) for images in (given, true))
    stacked = torch.stack((given, true, given * given + true * true, given * true))
    mean_given, mean_true, squares, product = _smoothed(stacked, weights)
    points = len(weights) ** 2
    unbias = points / (points - 1) if sample_variance else 1.0
    covariance = product - mean_given * mean_true
    variances = squares - mean_given.square() - mean_true.square()
    contrast = (2 * unbias * covariance + c2) / (unbias * variances + c2)
    mean_given, mean_true = mean_given + (center - low), mean_true + (center - low)
    luminance = (2 * mean_given * mean_true + c1) / (mean_given.square() + mean_true.square() + c1)
    return luminance, contrast


def _framed(images: Tensor, margin: int, border: Border, zero: Tensor) -> Tensor:
    """Mirror the image at its border, or put what stands for zero around it."""
    if border == "reflect":
        return functional.pad(images, [margin] * 4, mode="reflect")
    if border != "zero":
        raise arguments.MetricError(f"border must be valid, reflect or zero, not {border}")
    return functional.pad(images - zero, [margin] * 4) + zero


def _smoothed(maps: Tensor, weights: list[float]) -> Tensor:
    """Weighted mean in each window that fits: sums of shifted slices, ten times faster than a convolution on a CPU."""
    for axis in (-2, -1):
        length = maps.shape[axis] - len(weights) + 1
        total = maps.narrow(axis, 0, length) * weights[0]
        for shift, weight in enumerate(weights[1:], start=1):
            total.add_(maps.narrow(axis, shift, length), alpha=weight)
        maps = total
    return maps


def _halved(images: Tensor, repeat: bool) -> Tensor:
    height, width = images.shape[-2:]
    if repeat and (height % 2 or width % 2):
        images = functional.pad(images, [0, width % 2, 0, height % 2], mode="replicate")
    return functional.avg_pool2d(images, 2)
