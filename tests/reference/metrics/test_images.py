"""Image metrics agree with independent libraries where the definitions do, and refuse what would mislead."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchmetrics.functional.image as tm
from skimage import metrics as skimage_metrics
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError

Pair = Callable[..., tuple[Tensor, Tensor]]
UNIT = (0.0, 1.0)
IMAGE_METRICS = [metrics.mse, metrics.rmse, metrics.mean_absolute_pixel_error, metrics.psnr, metrics.ssim, metrics.fsim]


def by_skimage(function: Callable[..., float], pair: tuple[Tensor, Tensor], **options: object) -> Tensor:
    given, true = (tensor.permute(0, 2, 3, 1).numpy() for tensor in pair)
    return torch.tensor([function(t, g, data_range=1.0, **options) for g, t in zip(given, true, strict=True)])


@pytest.mark.parametrize("size", [(32, 32), (65, 40)])
def test_psnr_and_mse_agree_with_scikit_image_image_by_image(noisy_pair: Pair, size: tuple[int, int]) -> None:
    pair = noisy_pair(*size, 3)
    expected = by_skimage(skimage_metrics.peak_signal_noise_ratio, pair)
    torch.testing.assert_close(metrics.psnr(*pair, data_range=UNIT), expected.double(), atol=1e-5, rtol=0)
    squared = [skimage_metrics.mean_squared_error(t.numpy(), g.numpy()) for g, t in zip(*pair, strict=True)]
    np.testing.assert_allclose(metrics.mse(*pair).numpy(), squared, atol=1e-12)


def test_psnr_agrees_with_torchmetrics_image_by_image_and_not_with_its_pooled_default(noisy_pair: Pair) -> None:
    given, true = noisy_pair(32, 32, 4)
    given[1] = (given[1] + 3 * true[1]) / 4
    each = tm.peak_signal_noise_ratio(given, true, data_range=1.0, reduction="none", dim=(1, 2, 3))
    ours = metrics.psnr(given, true, data_range=UNIT)
    torch.testing.assert_close(ours, each, atol=1e-5, rtol=0)
    assert ours.mean() - tm.peak_signal_noise_ratio(given, true, data_range=1.0) > 0.5


def test_an_exact_match_is_infinite_and_does_not_hide_in_a_batch(noisy_pair: Pair) -> None:
    given, true = noisy_pair(32, 32, 2)
    given[0] = true[0]
    values = metrics.psnr(given, true, data_range=UNIT)
    assert math.isinf(values[0])
    assert math.isfinite(values[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(11, 11), (64, 64), (33, 70)])
def test_ssim_is_that_of_its_authors_as_scikit_image_computes_it(
    noisy_pair: Pair, size: tuple[int, int], dtype: torch.dtype
) -> None:
    pair = noisy_pair(*size, 2, dtype)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 2}
    expected = by_skimage(skimage_metrics.structural_similarity, (pair[0].double(), pair[1].double()), **options)
    torch.testing.assert_close(metrics.ssim(*pair, data_range=UNIT), expected.to(dtype), atol=1e-5, rtol=0)


def test_the_default_window_of_scikit_image_is_reachable(noisy_pair: Pair) -> None:
    pair = noisy_pair(40, 40, 2)
    expected = by_skimage(skimage_metrics.structural_similarity, pair, channel_axis=2)
    ours = metrics.ssim(*pair, data_range=UNIT, window="uniform", size=7, sample_variance=True)
    torch.testing.assert_close(ours, expected.double(), atol=1e-5, rtol=0)
    assert (ours - metrics.ssim(*pair, data_range=UNIT)).abs().max() > 0.005


def test_the_border_of_torchmetrics_is_reachable(noisy_pair: Pair) -> None:
    pair = noisy_pair(40, 48, 2)
    expected = tm.structural_similarity_index_measure(*pair, data_range=1.0, reduction="none")
    ours = metrics.ssim(*pair, data_range=UNIT, border="reflect")
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


def test_ssim_of_a_range_that_does_not_begin_at_zero_is_that_of_the_shifted_images(noisy_pair: Pair) -> None:
    given, true = noisy_pair(32, 32)
    shifted = metrics.ssim(given * 2 - 1, true * 2 - 1, data_range=(-1.0, 1.0))
    torch.testing.assert_close(shifted, metrics.ssim(given, true, data_range=UNIT))


def test_ssim_in_float32_keeps_five_digits_on_a_nearly_flat_bright_image() -> None:
    noise = torch.randn(2, 1, 1, 32, 32, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    given, true = (0.98 + 0.002 * noise).clamp(0, 1)
    exact = metrics.ssim(given, true, data_range=UNIT)
    torch.testing.assert_close(
        metrics.ssim(given.float(), true.float(), data_range=UNIT).double(), exact, atol=1e-5, rtol=0
    )


def test_multi_scale_ssim_agrees_with_piq(noisy_pair: Pair) -> None:
    """Value of piq 0.8.0 in float64, recorded: it needs torchvision, so it is not installed for the tests."""
    value = metrics.ms_ssim(*noisy_pair(176, 208), data_range=UNIT)
    assert value.item() == pytest.approx(0.8330591041733615, abs=1e-9)
    assert metrics.ms_ssim(*(noisy_pair(161, 163)[:1] * 2), data_range=UNIT).item() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("size", "chromatic", "recorded", "tolerance"),
    [
        ((65, 71), False, 0.8073772035544742, 1e-9),
        ((65, 71), True, 0.7816540722003754, 1e-9),
        # Where a side is even, piq turns the filters by transposing the grid of the authors.
        ((64, 64), False, 0.8046004963587768, 1e-5),
        ((300, 300), True, 0.7626980717727854, 1e-5),
    ],
)
def test_fsim_agrees_with_piq(
    noisy_pair: Pair, size: tuple[int, int], chromatic: bool, recorded: float, tolerance: float
) -> None:
    value = metrics.fsim(*noisy_pair(*size), data_range=UNIT, chromatic=chromatic)
    assert value.item() == pytest.approx(recorded, abs=tolerance)


@pytest.mark.parametrize("function", IMAGE_METRICS)
def test_a_batch_scores_each_image_as_if_it_came_alone(function: Callable[..., Tensor], noisy_pair: Pair) -> None:
    given, true = noisy_pair(33, 35, 3)
    batch = function(given, true, data_range=UNIT)
    alone = [function(given[i : i + 1], true[i : i + 1], data_range=UNIT) for i in range(3)]
    torch.testing.assert_close(batch, torch.cat(alone))
    assert batch.shape == (3,)


@pytest.mark.parametrize("function", IMAGE_METRICS)
def test_less_noise_scores_better(function: Callable[..., Tensor], noisy_pair: Pair) -> None:
    given, true = noisy_pair(48, 48)
    near, far = function((given + true) / 2, true, data_range=UNIT), function(given, true, data_range=UNIT)
    higher_is_closer = function in (metrics.psnr, metrics.ssim, metrics.fsim)
    assert (near > far).all() if higher_is_closer else (near < far).all()


def test_the_plain_distances_are_their_formulas(noisy_pair: Pair) -> None:
    given, true = noisy_pair(16, 16, 2)
    difference = (given - true).flatten(1).numpy()
    np.testing.assert_allclose(metrics.l1_distance(given, true), np.linalg.norm(difference, 1, axis=1))
    np.testing.assert_allclose(metrics.l2_distance(given, true), np.linalg.norm(difference, axis=1))
    np.testing.assert_allclose(metrics.rmse(given, true), np.sqrt((difference**2).mean(axis=1)))
    absolute = metrics.mean_absolute_pixel_error(given * 2 - 1, true * 2 - 1, data_range=(-1.0, 1.0))
    np.testing.assert_allclose(absolute, np.abs(difference).mean(axis=1) * 255)
    cosine = torch.nn.functional.cosine_similarity(given.flatten(1), true.flatten(1))
    torch.testing.assert_close(metrics.cosine_similarity(given, true), cosine)


@pytest.mark.parametrize("function", IMAGE_METRICS)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t[:, :, 1:], "shapes differ"),
        (lambda t: t.float(), "types differ"),
        (lambda t: t * 255, "outside data_range"),
        (lambda t: t - 0.5, "outside data_range"),
        (lambda t: t * float("nan"), "NaN"),
    ],
)
def test_what_would_give_a_misleading_number_is_refused(
    function: Callable[..., Tensor], spoil: Callable[[Tensor], Tensor], message: str, noisy_pair: Pair
) -> None:
    given, true = noisy_pair(33, 33)
    with pytest.raises(MetricError, match=message):
        function(spoil(given), true, data_range=UNIT)


def test_types_sizes_and_ranges_that_make_no_sense_are_refused(noisy_pair: Pair) -> None:
    given, true = noisy_pair(33, 33)
    with pytest.raises(MetricError, match="float32 or float64"):
        metrics.mse((given * 255).byte(), (true * 255).byte())
    with pytest.raises(MetricError, match="at least 11"):
        metrics.ssim(given[..., :10], true[..., :10], data_range=UNIT)
    with pytest.raises(MetricError, match="at least 161"):
        metrics.ms_ssim(given, true, data_range=UNIT)
    with pytest.raises(MetricError, match="add a dimension"):
        metrics.mse(given[0, 0, 0], true[0, 0, 0])
    with pytest.raises(MetricError, match="shape \\(batch, channels"):
        metrics.ssim(given[0], true[0], data_range=UNIT)
    with pytest.raises(MetricError, match="lower first"):
        metrics.psnr(given, true, data_range=(1.0, 0.0))
    with pytest.raises(MetricError, match="odd"):
        metrics.ssim(given, true, data_range=UNIT, size=8)
    with pytest.raises(MetricError, match="1 or 3 channels"):
        metrics.fsim(given[:, :2], true[:, :2], data_range=UNIT)
    with pytest.raises(MetricError, match="no direction"):
        metrics.cosine_similarity(torch.zeros(1, 4), torch.ones(1, 4))


def test_a_shuffled_batch_is_matched_before_it_is_scored(noisy_pair: Pair) -> None:
    given, true = noisy_pair(24, 24, 5)
    order = torch.tensor([3, 0, 4, 1, 2])
    shuffled = given[order]
    found = metrics.match(shuffled, true, data_range=UNIT)
    assert torch.equal(shuffled[found], given)
    assert metrics.psnr(shuffled, true, data_range=UNIT).mean() < metrics.psnr(given, true, data_range=UNIT).mean() - 3


def test_matching_is_optimal_where_the_nearest_alone_would_take_one_twice() -> None:
    original = torch.tensor([[0.0], [1.0]])
    reconstruction = torch.tensor([[0.9], [5.0]])
    assert metrics.match(reconstruction, original).tolist() == [0, 1]


def test_the_pooled_ratio_of_torchmetrics_and_the_ceiling_of_piq_are_reachable(noisy_pair: Pair) -> None:
    given, true = noisy_pair(32, 32, 4)
    given[0] = true[0]
    pooled = metrics.psnr(given, true, data_range=UNIT, pooled=True)
    assert pooled.item() == pytest.approx(tm.peak_signal_noise_ratio(given, true, data_range=1.0).item(), abs=1e-5)
    assert metrics.psnr(given, true, data_range=UNIT, added=1e-8)[0].item() == pytest.approx(80)
    eight_bit = metrics.psnr(given * 255, true * 255, data_range=(0.0, 255.0), added=1e-8)
    torch.testing.assert_close(eight_bit, metrics.psnr(given, true, data_range=UNIT, added=1e-8))


@pytest.mark.parametrize("size", [(176, 208), (256, 256)])
def test_the_multi_scale_form_of_torchmetrics_is_reachable(noisy_pair: Pair, size: tuple[int, int]) -> None:
    pair = noisy_pair(*size, 2)
    expected = tm.multiscale_structural_similarity_index_measure(*pair, data_range=1.0, reduction="none")
    ours = metrics.ms_ssim(*pair, data_range=UNIT, form="torchmetrics")
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)
    assert (ours - metrics.ms_ssim(*pair, data_range=UNIT)).abs().max() > 2e-5
    with pytest.raises(MetricError, match="channels or torchmetrics"):
        metrics.ms_ssim(*pair, data_range=UNIT, form="piq")  # type: ignore[arg-type]


def test_ssim_with_zeros_around_is_that_of_a_padded_convolution(noisy_pair: Pair) -> None:
    given, true = noisy_pair(24, 30, 2)
    line = torch.exp(-(torch.arange(-5.0, 6.0, dtype=torch.float64) ** 2) / (2 * 1.5**2))
    kernel = (line[:, None] * line / line.sum() ** 2).expand(3, 1, 11, 11)

    def mean(images: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(images, kernel, padding=5, groups=3)

    m, n = mean(given), mean(true)
    covariance = mean(given * true) - m * n
    spread = mean(given**2) - m**2 + mean(true**2) - n**2
    expected = (2 * m * n + 1e-4) * (2 * covariance + 9e-4) / ((m**2 + n**2 + 1e-4) * (spread + 9e-4))
    ours = metrics.ssim(given, true, data_range=UNIT, border="zero")
    torch.testing.assert_close(ours, expected.mean(dim=(1, 2, 3)))
    shifted = metrics.ssim(given * 2 - 1, true * 2 - 1, data_range=(-1.0, 1.0), border="zero")
    torch.testing.assert_close(shifted, ours)
    with pytest.raises(MetricError, match="valid, reflect or zero"):
        metrics.ssim(given, true, data_range=UNIT, border="wrap")  # type: ignore[arg-type]


def test_ssim_of_luminance_and_of_a_shrunken_image_are_those_of_the_images_made_so_first(noisy_pair: Pair) -> None:
    given, true = noisy_pair(40, 40, 2)
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    gray = [torch.einsum("c,nchw->nhw", weights, images)[:, None] for images in (given, true)]
    ours = metrics.ssim(given, true, data_range=UNIT, luminance=True)
    torch.testing.assert_close(ours, metrics.ssim(*gray, data_range=UNIT))
    with pytest.raises(MetricError, match="3 channels"):
        metrics.ssim(*gray, data_range=UNIT, luminance=True)
    assert torch.equal(
        metrics.ssim(given, true, data_range=UNIT, shrink=True), metrics.ssim(given, true, data_range=UNIT)
    )
    large = noisy_pair(450, 360)
    tall = [torch.cat((images, images), dim=-1).repeat(1, 1, 2, 1)[..., :600, :520] for images in large]
    halved = [torch.nn.functional.avg_pool2d(images, 2) for images in tall]
    ours = metrics.ssim(*tall, data_range=UNIT, shrink=True)
    torch.testing.assert_close(ours, metrics.ssim(*halved, data_range=UNIT))
    # piq 0.8.0, recorded in float64: it shrinks where the shorter side has 384 pixels or more.
    assert ours.item() == pytest.approx(0.698960643060215, abs=1e-9)
    assert metrics.ssim(*noisy_pair(64, 48), data_range=UNIT).item() == pytest.approx(0.4239308398098863, abs=1e-9)


def test_a_negative_can_count_as_equal_where_the_sign_is_not_known(noisy_pair: Pair) -> None:
    given, true = noisy_pair(16, 16, 2)
    plain = metrics.mean_absolute_pixel_error(given, true, data_range=UNIT)
    negative = metrics.mean_absolute_pixel_error(1 - given, true, data_range=UNIT, or_inverted=True)
    torch.testing.assert_close(negative, plain)
    cosine = metrics.cosine_similarity(-given, true, absolute=True)
    torch.testing.assert_close(cosine, metrics.cosine_similarity(given, true))


def test_an_inversion_network_is_scored_on_pixels_from_0_to_1(noisy_pair: Pair) -> None:
    given, true = noisy_pair(16, 16, 2)
    expected = metrics.mse(given, true)
    for function in (metrics.reconstruction_loss, metrics.inversion_error):
        torch.testing.assert_close(function(given * 255, true * 255, data_range=(0.0, 255.0)), expected)


def test_texts_are_matched_by_any_score_and_what_is_left_over_stands_beside_nothing() -> None:
    original = ["the patient was seen", "blood pressure is high"]
    found = ["nothing of this", "pressure is high", "the patient seen"]
    cost = torch.stack([-metrics.rouge(found, [text] * 3, kind="1") for text in original])
    assert metrics.assignment(cost).tolist() == [2, 1]
    with pytest.raises(MetricError, match="1 reconstructions cannot stand beside 2"):
        metrics.assignment(cost[:, :1])
    with pytest.raises(MetricError, match="NaN"):
        metrics.assignment(cost / 0)
