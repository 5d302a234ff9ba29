"""Distances between a reconstruction and its original, element by element: one value per item of the batch.

Every function takes two float tensors of one shape (batch, …). Where `data_range` is given, values outside it are
refused, never clamped.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.metrics import arguments


def mse(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the mean squared error of each item. Metric `mse`; 0 and up, lower is closer, unit of the data squared."""
    arguments.pair(reconstruction, original, data_range)
    return (reconstruction - original).square().flatten(1).mean(dim=1)


def rmse(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the root of each item's mean squared error. Metric `rmse`; 0 and up, lower is closer, unit of the data.

    The mean of these roots is not the root of the mean over all items; for that take the root of `mse(...).mean()`.
    """
    return mse(reconstruction, original, data_range=data_range).sqrt()


def mean_absolute_pixel_error(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    """Return the mean absolute difference in gray levels. Metric `mean-absolute-pixel-error`.

    0 to 255, lower is closer. Values are rescaled from `data_range` to 0..255, as Song and others (2017) report it.
    """
    arguments.pair(reconstruction, original, data_range)
    low, high = data_range
    return (reconstruction - original).abs().flatten(1).mean(dim=1) * (255 / (high - low))


def psnr(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    """Return the peak signal-to-noise ratio of each image. Metric `psnr`; in dB, higher is closer.

    10 log10(L² / MSE), L the width of `data_range`. An exact match is infinite: count those apart before a mean.
    """
    low, high = data_range
    return 10 * ((high - low) ** 2 / mse(reconstruction, original, data_range=data_range)).log10()


def l1_distance(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the sum of absolute differences. Metric `l1-distance`; 0 and up, lower is closer, grows with the size."""
    arguments.pair(reconstruction, original, data_range)
    return (reconstruction - original).abs().flatten(1).sum(dim=1)


def l2_distance(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the length of the difference, not its square. Metric `l2-distance`; 0 and up, lower is closer."""
    arguments.pair(reconstruction, original, data_range)
    return (reconstruction - original).square().flatten(1).sum(dim=1).sqrt()


def cosine_similarity(
    reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None
) -> Tensor:
    """Return the cosine of the angle between the two. Metric `cosine-similarity`; -1 to 1, higher is closer.

    The mean is not removed. A vector of zeros has no direction and is refused.
    """
    arguments.pair(reconstruction, original, data_range)
    given, true = reconstruction.flatten(1), original.flatten(1)
    if not bool((given.norm(dim=1) > 0).all() and (true.norm(dim=1) > 0).all()):
        raise arguments.MetricError("a vector of zeros has no direction")
    return functional.cosine_similarity(given, true, dim=1, eps=0.0)
