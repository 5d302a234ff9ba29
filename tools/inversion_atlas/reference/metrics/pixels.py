"""Distances between a reconstruction and its original, element by element: one value per item of the batch.

Every function takes two float tensors of one shape (batch, …). Where `data_range` is given, values outside it are
refused, never clamped.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments
from inversion_atlas.reference.metrics.parts import in_parts


def mse(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the mean squared error of each item. Metric `mse`; 0 and up, lower is closer, unit of the data squared."""
    arguments.alike(reconstruction, original)

    def squared_error(given: Tensor, true: Tensor) -> Tensor:
        arguments.values(given, true, data_range)
        # One pass over the differences, without another tensor of squares.
        lengths: Tensor = torch.linalg.vector_norm((given - true).flatten(1), dim=1)
        return lengths.square() / true[0].numel()

    return in_parts(squared_error, reconstruction, original)


def rmse(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the root of each item's mean squared error. Metric `rmse`; 0 and up, lower is closer, unit of the data.

    The mean of these roots is not the root of the mean over all items; for that take the root of `mse(...).mean()`.
    """
    return mse(reconstruction, original, data_range=data_range).sqrt()


def reconstruction_loss(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    """Return each image's mean squared error on pixels from 0 to 1. Metric `reconstruction-loss`; lower is closer.

    0 to 1: the loss that Yang and others (2019) print for an inversion network, per pixel; `data_range` is scaled to
    0..1. Say which images it is over: the target's training data, its test data, or others.
    """
    low, high = data_range
    return mse(reconstruction, original, data_range=data_range) / (high - low) ** 2


def inversion_error(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    """Return each image's mean squared error on pixels from 0 to 1. Metric `inversion-error`; lower is closer.

    The same as `reconstruction_loss`, under the name that Yang and others (2020) use for it against a defense. Say
    whether the inversion network was trained against the defended model.
    """
    return reconstruction_loss(reconstruction, original, data_range=data_range)


def mean_absolute_pixel_error(
    reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float], or_inverted: bool = False
) -> Tensor:
    """Return the mean absolute difference in gray levels. Metric `mean-absolute-pixel-error`.

    0 to 255, lower is closer. Values are rescaled from `data_range` to 0..255, as Song and others (2017) report it;
    `or_inverted` also tries the negative of the reconstruction and keeps the smaller error, as their code does where
    the sign of a correlation is not known.
    """
    arguments.pair(reconstruction, original, data_range)
    low, high = data_range
    error = (reconstruction - original).abs().flatten(1).mean(dim=1)
    if or_inverted:
        error = torch.minimum(error, (low + high - reconstruction - original).abs().flatten(1).mean(dim=1))
    return error * (255 / (high - low))


def psnr(
    reconstruction: Tensor,
    original: Tensor,
    *,
    data_range: tuple[float, float],
    pooled: bool = False,
    added: float = 0.0,
) -> Tensor:
    """Return the peak signal-to-noise ratio of each image. Metric `psnr`; in dB, higher is closer.

    10 log10(L² / MSE), L the width of `data_range`. An exact match is infinite: count those apart before a mean.
    `pooled` is one value, of shape (1,), from the error of the whole batch, torchmetrics' default: lower than the mean,
    and an exact match hides in it. `added` is a constant under the line, of images from 0 to 1: piq adds 1e-8 and so
    never exceeds 80 dB.
    """
    low, high = data_range
    error, peak = mse(reconstruction, original, data_range=data_range), (high - low) ** 2
    if pooled:
        error = error.mean(dim=0, keepdim=True)
    if added:
        error = error + added * peak
    return -10 * (error / peak).log10()


def l1_distance(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the sum of absolute differences. Metric `l1-distance`; 0 and up, lower is closer, grows with the size."""
    arguments.pair(reconstruction, original, data_range)
    return (reconstruction - original).abs().flatten(1).sum(dim=1)


def l2_distance(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None) -> Tensor:
    """Return the length of the difference, not its square. Metric `l2-distance`; 0 and up, lower is closer."""
    arguments.pair(reconstruction, original, data_range)
    return (reconstruction - original).square().flatten(1).sum(dim=1).sqrt()


def cosine_similarity(
    reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float] | None = None, absolute: bool = False
) -> Tensor:
    """Return the cosine of the angle between the two. Metric `cosine-similarity`; -1 to 1, higher is closer.

    The mean is not removed. A vector of zeros has no direction and is refused. `absolute` drops the sign, so that a
    negative counts as equal.
    """
    arguments.pair(reconstruction, original, data_range)
    given, true = arguments.directions(reconstruction.flatten(1)), arguments.directions(original.flatten(1))
    cosine = (given * true).sum(dim=1)
    return cosine.abs() if absolute else cosine
