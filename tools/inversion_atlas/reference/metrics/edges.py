"""Distance between the edges of two images."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def avd(
    reconstruction: Tensor,
    original: Tensor,
    *,
    data_range: tuple[float, float],
    form: Literal["code", "survey"] = "code",
    first: float = 1.0,
    second: float = 0.5,
    eight_bit: bool = False,
) -> Tensor:
    """Return the distance between absolute first and second differences. Metric `avd`; 0 and up, lower is closer.

    Absolute Variation Distance of Papadopoulos and others (2024), images (batch, channels, height, width), brought from
    `data_range` to 0..1 first; the unit is that of pixels. Differences along both axes are added, then taken
    absolutely. `form="code"`, as the authors compute it: the root of a weighted sum of two mean squares. A survey
    prints a sum of two norms without weights, the first of which lost its minus sign: `form="survey"` is that sum with
    the sign, of Euclidean lengths over pixels and channels. `eight_bit` cuts pixels down to 256 levels before, as the
    authors' conversion to pictures does; that they also take absolute values of the reconstruction changes nothing
    from 0 to 1.
    """
    arguments.images(reconstruction, original, data_range, smallest=3)
    pair = [_levels(images, data_range, eight_bit) for images in (reconstruction, original)]
    (slope, curve), (true_slope, true_curve) = (_variations(images) for images in pair)
    slopes, curves = (slope - true_slope).square().flatten(1), (curve - true_curve).square().flatten(1)
    if form == "survey":
        return slopes.sum(dim=1).sqrt() + curves.sum(dim=1).sqrt()
    if form != "code":
        raise arguments.MetricError(f"form must be code or survey, not {form}")
    return (first * slopes.mean(dim=1) + second * curves.mean(dim=1)).sqrt()


def _levels(images: Tensor, data_range: tuple[float, float], eight_bit: bool) -> Tensor:
    low, high = data_range
    scaled = (images - low) / (high - low)
    return (scaled * 255).floor() / 255 if eight_bit else scaled


def _variations(images: Tensor) -> tuple[Tensor, Tensor]:
    """Absolute sums over both axes of first and of second differences, where both exist."""
    down, across = images.diff(dim=-2), images.diff(dim=-1)
    first = down[..., :, 1:] + across[..., 1:, :]
    second = down.diff(dim=-2)[..., :, 2:] + across.diff(dim=-1)[..., 2:, :]
    return first.abs(), second.abs()
