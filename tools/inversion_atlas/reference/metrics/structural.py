"""Structural similarity at one scale and at several: one value per image."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.metrics import arguments

Window = Literal["gaussian", "uniform"]
Border = Literal["valid", "reflect"]

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
) -> Tensor:
    """Return the structural similarity of each image. Metric `ssim`; -1 to 1, higher is closer.

    Wang and others (2004), as they computed it: an 11 by 11 Gaussian window of deviation 1.5, population
    variance, windows inside the image alone; the mean over channels. No image is shrunk first. Images are of shape
    (batch, channels, height, width) and at least `size` pixels wide and high.

    Others take another window: scikit-image unless told otherwise `window="uniform", size=7, sample_variance=True`;
    `border="reflect"` mirrors the image at its border and averages all pixels.
    """
    arguments.images(reconstruction, original, data_range, smallest=size)
    weights = _weights(window, size, sigma, original)
    luminance, contrast = _comparisons(reconstruction, original, data_range, weights, sample_variance, border)
    return (luminance * contrast).flatten(1).mean(dim=1)


def ms_ssim(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    """Return the structural similarity over five scales. Metric `ms-ssim`; 0 to 1, higher is closer.

    Wang and others (2003), with the window of `ssim`. Images are halved by 2 by 2 means; an odd last row or
    column is repeated. They must be at least 161 pixels wide and high. A negative mean of a scale, which has no such
    power, counts as 0. Scales are multiplied per channel, then averaged over channels.
    """
    arguments.images(reconstruction, original, data_range, smallest=161)
    weights = _weights("gaussian", 11, 1.5, original)
    product = torch.ones(original.shape[:2], dtype=original.dtype, device=original.device)
    for scale, exponent in enumerate(_SCALES):
        luminance, contrast = _comparisons(reconstruction, original, data_range, weights, False, "valid")
        last = scale == len(_SCALES) - 1
        mean = (luminance * contrast if last else contrast).mean(dim=(-2, -1))
        product = product * mean.clamp_min(0) ** exponent
        if not last:
            reconstruction, original = _halved(reconstruction), _halved(original)
    return product.mean(dim=1)


def _weights(window: Window, size: int, sigma: float, like: Tensor) -> list[float]:
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
    if border == "reflect":
        margin = [len(weights) // 2] * 4
        given, true = functional.pad(given, margin, mode="reflect"), functional.pad(true, margin, mode="reflect")
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


def _smoothed(maps: Tensor, weights: list[float]) -> Tensor:
    """Weighted mean in each window that fits: sums of shifted slices, ten times faster than a convolution on a CPU."""
    for axis in (-2, -1):
        length = maps.shape[axis] - len(weights) + 1
        total = maps.narrow(axis, 0, length) * weights[0]
        for shift, weight in enumerate(weights[1:], start=1):
            total.add_(maps.narrow(axis, shift, length), alpha=weight)
        maps = total
    return maps


def _halved(images: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    if height % 2 or width % 2:
        images = functional.pad(images, [0, width % 2, 0, height % 2], mode="replicate")
    return functional.avg_pool2d(images, 2)
