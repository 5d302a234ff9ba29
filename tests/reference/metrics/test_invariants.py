"""What holds of a metric on any input: identity, symmetry, bounds, batches, types; drawn by hypothesis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError, bundled, trunks

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TRUNK = trunks.Trunk("squeeze")


def drawn_lpips(reconstruction: Tensor, original: Tensor, *, data_range: tuple[float, float]) -> Tensor:
    trunk = TRUNK.to(original.dtype) if original.dtype in (torch.float32, torch.float64) else TRUNK
    return metrics.lpips(reconstruction, original, data_range=data_range, trunk=trunk, heads=None)


@dataclass(frozen=True)
class Law:
    """A metric of images, its value where both are equal, its bounds, and whether it is symmetric."""

    function: Callable[..., Tensor]
    equal: float
    low: float
    high: float
    symmetric: bool = True
    side: int = 17
    # A shift or a scale of pixels and data_range together does not change it.
    relative: bool = True


LAWS = {
    "mse": Law(metrics.mse, 0, 0, math.inf, relative=False),
    "rmse": Law(metrics.rmse, 0, 0, math.inf, relative=False),
    "reconstruction_loss": Law(metrics.reconstruction_loss, 0, 0, 1),
    "inversion_error": Law(metrics.inversion_error, 0, 0, 1),
    "mean_absolute_pixel_error": Law(metrics.mean_absolute_pixel_error, 0, 0, 255),
    "psnr": Law(metrics.psnr, math.inf, 0, math.inf),
    "l1_distance": Law(metrics.l1_distance, 0, 0, math.inf, relative=False),
    "l2_distance": Law(metrics.l2_distance, 0, 0, math.inf, relative=False),
    "cosine_similarity": Law(metrics.cosine_similarity, 1, -1, 1, relative=False),
    "ssim": Law(metrics.ssim, 1, -1, 1),
    "fsim": Law(metrics.fsim, 1, 0, 1),
    "avd": Law(metrics.avd, 0, 0, math.inf),
    "lpips": Law(drawn_lpips, 0, 0, math.inf),
    "atlas_distance": Law(bundled.atlas_distance, 0, 0, math.inf),
}


@st.composite
def batches(draw: st.DrawFn, side: int = 17) -> tuple[Tensor, Tensor]:
    """Two batches of color images in [0, 1], smooth or rough, of either type."""
    number, dtype = draw(st.integers(1, 3)), draw(st.sampled_from([torch.float32, torch.float64]))
    height, width = draw(st.integers(side, side + 9)), draw(st.integers(side, side + 9))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    contrast = draw(st.floats(0.05, 1.0))
    images = torch.rand(2, number, 3, height, width, generator=generator, dtype=dtype)
    if draw(st.booleans()):
        images = torch.nn.functional.avg_pool3d(images, (1, 5, 5), 1, (0, 2, 2), count_include_pad=False)
    images = (images - 0.5) * contrast + 0.5
    return images[0], images[1]


def close(first: Tensor, second: Tensor) -> None:
    """Equal to the digits of the type."""
    digits = 1e-4 if first.dtype == torch.float32 else 1e-8
    torch.testing.assert_close(first, second, atol=digits, rtol=10 * digits)


@pytest.mark.parametrize("name", LAWS)
@FEW
@given(pair=batches())
def test_laws_of_image_metrics(name: str, pair: tuple[Tensor, Tensor]) -> None:
    law, (first, second) = LAWS[name], pair

    def score(reconstruction: Tensor, original: Tensor) -> Tensor:
        return law.function(reconstruction, original, data_range=(0.0, 1.0))

    values = score(first, second)
    assert values.shape == (len(first),)
    assert values.dtype == first.dtype
    least = 1e-5 if first.dtype == torch.float32 else 1e-12
    assert (values >= law.low - least).all()
    assert (values <= law.high + least).all()
    close(score(second, second), torch.full_like(values, law.equal))
    alone = [score(first[i : i + 1], second[i : i + 1]) for i in range(len(first))]
    close(values, torch.cat(alone))
    close(values, score(first.flip(0), second.flip(0)).flip(0))
    if law.symmetric:
        close(values, score(second, first))
    if law.relative:
        wide = law.function(first * 6 - 2, second * 6 - 2, data_range=(-2.0, 4.0))
        close(values, wide)


@pytest.mark.parametrize("name", LAWS)
def test_every_image_metric_refuses_what_is_no_pair_of_images(name: str) -> None:
    function = LAWS[name].function
    images = torch.rand(2, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    for reconstruction, message in (
        (images[:1], "shapes differ"),
        (images[..., :19], "shapes differ"),
        (images.double(), "types differ"),
        (images * 2, "outside data_range"),
        (images.where(images > 0.01, math.nan), "NaN or infinity"),
        (images.where(images > 0.01, math.inf), "NaN or infinity"),
    ):
        with pytest.raises(MetricError, match=message):
            function(reconstruction, images, data_range=(0.0, 1.0))
    with pytest.raises(MetricError, match="float32 or float64"):
        function(images.half(), images.half(), data_range=(0.0, 1.0))
    with pytest.raises(MetricError, match="two finite numbers"):
        function(images, images, data_range=(0.0, math.inf))


@st.composite
def features(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Two sets of features of one width, of their own sizes."""
    width = draw(st.integers(1, 12))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    sizes = draw(st.tuples(st.integers(8, 30), st.integers(8, 30)))
    first, second = (torch.randn(size, width, generator=generator, dtype=dtype) for size in sizes)
    return first, second * draw(st.floats(0.2, 3)) + draw(st.floats(-2, 2))


@FEW
@given(pair=features())
def test_laws_of_scores_over_features(pair: tuple[Tensor, Tensor]) -> None:
    first, second = pair
    scale = 1 + float(metrics.fid(first, second))
    assert 0 <= metrics.fid(first, second) == pytest.approx(metrics.fid(second, first), abs=1e-6 * scale)
    assert metrics.fid(first, first) < 1e-8 * scale
    # Order within a set, and turning or moving both sets, change nothing.
    assert metrics.fid(first.flip(0), second) == pytest.approx(metrics.fid(first, second), abs=1e-8 * scale)
    assert metrics.fid(first.flip(1) + 1, second.flip(1) + 1) == pytest.approx(
        metrics.fid(first, second), abs=1e-4 * scale
    )
    for k in (1, 3):
        precision = metrics.generative_precision(first, second, k=k)
        assert 0 <= precision <= 1
        assert precision == metrics.generative_recall(second, first, k=k)
        assert 0 <= metrics.coverage(first, second, k=k) <= 1
        assert metrics.density(first, second, k=k) >= 0
    assert metrics.generative_precision(first, first, k=1) == metrics.generative_recall(first, first, k=1) == 1
    assert metrics.coverage(first, first, k=1) == 1


@st.composite
def labels(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    classes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40)
    first, second = zip(*draw(classes), strict=True)
    return torch.tensor(first), torch.tensor(second)


@FEW
@given(pair=labels())
def test_laws_of_guessed_classes(pair: tuple[Tensor, Tensor]) -> None:
    guesses, truth = pair
    assert metrics.accuracy(truth, truth) == metrics.accuracy(truth, truth, average="macro") == 1
    assert 0 <= metrics.accuracy(guesses, truth) == metrics.accuracy(truth, guesses) <= 1
    # What is summed over all classes is one number under three names.
    micro = metrics.precision(guesses, truth, average="micro")
    assert micro == metrics.recall(guesses, truth, average="micro") == pytest.approx(metrics.accuracy(guesses, truth))
    correlation = metrics.mcc(guesses, truth)
    assert math.isnan(correlation) or -1 - 1e-12 <= correlation <= 1 + 1e-12
    assert math.isnan(correlation) or metrics.mcc(truth, guesses) == pytest.approx(correlation)
    information = metrics.mutual_information(guesses, truth)
    assert information == pytest.approx(metrics.mutual_information(truth, guesses), abs=1e-12)
    own = metrics.mutual_information(truth, truth)
    assert 0 <= information <= own + 1e-12
    assert metrics.label_recovery_accuracy(guesses, truth) >= metrics.accuracy(guesses, truth)
    renamed = 4 - truth
    assert metrics.mutual_information(guesses, renamed) == pytest.approx(information, abs=1e-12)
    if len(truth.unique()) > 1:
        assert metrics.g_mean(truth, truth) == pytest.approx(metrics.mcc(truth, truth)) == 1


@st.composite
def distributions(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    shape = (2, draw(st.integers(1, 6)), draw(st.integers(2, 8)))
    spread = draw(st.floats(0, 5))
    rows = (spread * torch.randn(shape, generator=generator, dtype=torch.float64)).softmax(dim=2)
    return rows[0], rows[1]


@FEW
@given(pair=distributions())
def test_laws_of_distributions(pair: tuple[Tensor, Tensor]) -> None:
    first, second = pair
    assert (metrics.kl_divergence(first, second) >= -1e-12).all()
    assert metrics.kl_divergence(first, first).abs().max() < 1e-12
    score = metrics.inception_score(first, splits=1).item()
    assert 1 - 1e-12 <= score <= first.shape[1] + 1e-12
    # Half the sum of absolute differences bounds the divergence from below.
    apart = metrics.confidence_score_distortion(first, second)
    assert (apart <= 2 + 1e-12).all()
    assert (apart.square() / 2 <= metrics.kl_divergence(first, second) + 1e-12).all()


@FEW
@given(
    words=st.lists(
        st.tuples(*[st.lists(st.sampled_from("abcde"), min_size=1, max_size=12)] * 2), min_size=1, max_size=4
    )
)
def test_laws_of_texts(words: list[tuple[list[str], list[str]]]) -> None:
    given_texts, true = ([" ".join(pair[side]) for pair in words] for side in (0, 1))
    for score in (metrics.bleu, metrics.rouge, metrics.exact_match):
        values = score(given_texts, true)
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        assert values.tolist() == [score([g], [t]).item() for g, t in zip(given_texts, true, strict=True)]
    assert metrics.rouge(true, true).tolist() == pytest.approx([1] * len(true))
    assert metrics.bleu(true, true, longest=1).tolist() == pytest.approx([1] * len(true))
    assert metrics.exact_match(true, true).tolist() == [1] * len(true)
    assert (metrics.rouge(given_texts, true) == metrics.rouge(true, given_texts)).all()
    tokens = [[list(map(ord, side)) for side in pair] for pair in words]
    found, original = [pair[0] for pair in tokens], [pair[1] for pair in tokens]
    in_place = metrics.token_accuracy(found, original)
    assert (metrics.token_accuracy(found, original, count="bag") >= in_place).all()


@FEW
@given(
    baseline=st.floats(0, 1),
    epsilon=st.floats(0, 20),
    delta=st.floats(0, 1),
    order=st.floats(1.01, 100),
    multiplier=st.floats(0.05, 100),
)
def test_laws_of_bounds(baseline: float, epsilon: float, delta: float, order: float, multiplier: float) -> None:
    plain = metrics.reconstruction_robustness(baseline, epsilon=epsilon, delta=delta)
    renyi = metrics.reconstruction_robustness_renyi(baseline, epsilon=epsilon, order=order)
    gaussian = metrics.reconstruction_robustness_gaussian(baseline, noise_multiplier=multiplier)
    for bound in (plain, renyi, gaussian):
        # No guarantee promises less than what a guess reaches.
        assert baseline - 1e-12 <= bound <= 1
    assert metrics.reconstruction_robustness(baseline, epsilon=epsilon + 1, delta=delta) >= plain
    assert metrics.reconstruction_robustness_gaussian(baseline, noise_multiplier=multiplier * 2) <= gaussian + 1e-12
