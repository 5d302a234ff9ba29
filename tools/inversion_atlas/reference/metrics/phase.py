"""Feature similarity: phase congruency and gradients compared at each pixel."""

from __future__ import annotations

import math
from functools import lru_cache, partial

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.metrics import arguments
from inversion_atlas.reference.metrics.parts import in_parts

# The filter bank of the authors: four scales, four orientations, wavelengths from 6 pixels doubling, the bandwidth of
# the log Gabor filters, the angular spread, and how many deviations above the noise's mean its threshold lies.
_SCALES, _ORIENTATIONS, _SHORTEST, _BANDWIDTH, _SPREAD, _DEVIATIONS = 4, 4, 6.0, 0.55, 1.2, 2.0
# The constants of the four similarities (phase congruency, gradient, two chrominances) and the chrominance exponent.
_T1, _T2, _T3, _T4, _CHROMA = 0.85, 160.0, 200.0, 200.0, 0.03
_YIQ = (
    (0.299, 0.587, 0.114),
    (0.5959, -0.2746, -0.3213),
    (0.2115, -0.5227, 0.3112),
)


def fsim(
    reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float], chromatic: bool = False
) -> Tensor:
    """Return the feature similarity of each image. Metric `fsim`; 0 to 1, higher is closer.

    Zhang and others (2011) on luminance; `chromatic` gives FSIMc for three channels. Images
    of shape (batch, 1 or 3, height, width) are brought to 0..255, for which the constants hold, and shrunk by a whole
    factor so that the shorter side has about 256 pixels.
    """
    arguments.images(reconstruction, original, data_range, smallest=8)
    channels = original.shape[1]
    if channels not in (1, 3):
        raise arguments.MetricError(f"images must have 1 or 3 channels, not {channels}")
    if chromatic and channels != 3:
        raise arguments.MetricError("FSIMc compares chrominance and needs 3 channels")
    return in_parts(partial(_similarities, data_range, chromatic), reconstruction, original)


def _similarities(data_range: tuple[float, float], chromatic: bool, given: Tensor, true: Tensor) -> Tensor:
    given, true = _channels(given, data_range), _channels(true, data_range)
    phase_given, phase_true = _phase_congruency(given[:, 0]), _phase_congruency(true[:, 0])
    weight = torch.maximum(phase_given, phase_true)
    similarity = _similarity(phase_given, phase_true, _T1)
    similarity = similarity * _similarity(_gradient(given[:, :1]), _gradient(true[:, :1]), _T2)
    if chromatic:
        chroma = _similarity(given[:, 1], true[:, 1], _T3) * _similarity(given[:, 2], true[:, 2], _T4)
        similarity = similarity * chroma.abs() ** _CHROMA
    return (similarity * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2))


def _channels(images: Tensor, data_range: tuple[float, float]) -> Tensor:
    """Luminance, then chrominance where there is color, in 0..255 and at the authors' size."""
    low, high = data_range
    images = (images - low) * (255 / (high - low))
    images = functional.avg_pool2d(images, max(1, round(min(images.shape[-2:]) / 256)))
    if images.shape[1] == 1:
        return images
    return torch.einsum("yc,nchw->nyhw", torch.tensor(_YIQ, dtype=images.dtype, device=images.device), images)


def _similarity(first: Tensor, second: Tensor, constant: float) -> Tensor:
    return (2 * first * second + constant) / (first.square() + second.square() + constant)


def _gradient(luminance: Tensor) -> Tensor:
    """Gradient magnitude by Scharr's operator; outside the image lie zeros."""
    across = torch.tensor([[-3.0, 0.0, 3.0], [-10.0, 0.0, 10.0], [-3.0, 0.0, 3.0]], dtype=luminance.dtype) / 16
    kernels = torch.stack((across, across.T))[:, None].to(luminance.device)
    gradients: Tensor = functional.conv2d(luminance, kernels, padding=1)
    return gradients.square().sum(dim=1).sqrt()


def _phase_congruency(luminance: Tensor) -> Tensor:
    """Kovesi's measure: energy above the noise over the sum of amplitudes, over scales, then over orientations."""
    least = torch.finfo(luminance.dtype).eps
    height, width = luminance.shape[-2:]
    filters, noise_gain, filter_energy = _filters(height, width, luminance.dtype, luminance.device)
    spectrum = torch.fft.fft2(luminance)
    energy = torch.zeros_like(luminance)
    amplitudes = torch.zeros_like(luminance)
    for orientation in range(_ORIENTATIONS):
        # Real part: response of the even filter; imaginary part: of the odd one. One entry per scale.
        responses = torch.fft.ifft2(spectrum[:, None] * filters[orientation])
        size = responses.abs()
        total = responses.sum(dim=1, keepdim=True)
        direction = total / (total.abs() + least)
        turned = responses * direction.conj()
        local = (turned.real - turned.imag.abs()).sum(dim=1)
        median = size[:, 0].square().flatten(1).median(dim=1).values
        noise_power = median / math.log(2) / filter_energy[orientation]
        rayleigh = (noise_power * noise_gain[orientation]).sqrt()
        threshold = rayleigh * (math.sqrt(math.pi / 2) + _DEVIATIONS * math.sqrt(2 - math.pi / 2)) / 1.7
        energy = energy + (local - threshold[:, None, None]).clamp_min(0)
        amplitudes = amplitudes + size.sum(dim=1)
    return (energy + least) / (amplitudes + least)


@lru_cache(maxsize=4)
def _filters(height: int, width: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the filters (orientation, scale, height, width) and what the noise estimate needs of them."""
    row, column = torch.meshgrid(_frequencies(height), _frequencies(width), indexing="ij")
    radius = (row.square() + column.square()).sqrt()
    angle = torch.atan2(-row, column)
    radius[0, 0] = 1
    low_pass = 1 / (1 + (radius / 0.45) ** 30)
    radial = []
    for scale in range(_SCALES):
        center = 1 / (_SHORTEST * 2**scale)
        band = torch.exp(-((radius / center).log() ** 2) / (2 * math.log(_BANDWIDTH) ** 2)) * low_pass
        band[0, 0] = 0
        radial.append(band)
    angular = []
    deviation = math.pi / (_ORIENTATIONS * _SPREAD)
    for orientation in range(_ORIENTATIONS):
        turn = angle - orientation * math.pi / _ORIENTATIONS
        apart = torch.atan2(turn.sin(), turn.cos())
        angular.append(torch.exp(-(apart**2) / (2 * deviation**2)))
    filters = torch.stack(angular)[:, None] * torch.stack(radial)[None]
    kernels = torch.fft.ifft2(filters).real * math.sqrt(height * width)
    # Expected squared energy of unit noise over the scales: the square of the sum of the kernels, summed over pixels.
    gain = kernels.sum(dim=1).square().sum(dim=(-2, -1))
    energy = filters[:, 0].square().sum(dim=(-2, -1))
    return filters.to(device, dtype), gain.to(device, dtype), energy.to(device, dtype)


def _frequencies(length: int) -> Tensor:
    """Frequencies of the transform in cycles a pixel; the authors' grid runs from -1/2 to 1/2 where odd."""
    positions: Tensor = torch.fft.fftfreq(length, dtype=torch.float64)
    return positions * (length / (length - 1)) if length % 2 else positions
