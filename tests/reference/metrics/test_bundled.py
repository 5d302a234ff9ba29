"""The bundled network is the one its command makes, and sees what pixel errors do not."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from skimage import data as skimage_data
from skimage.io import imread
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError, bundled, bundled_training, weights

UNIT = (0.0, 1.0)


@pytest.fixture(scope="module")
def crops() -> tuple[Tensor, Tensor]:
    """Crops of a photograph that the network was not trained on, and the same three pixels further."""
    folder = next(iter(skimage_data.__path__))
    photograph = torch.from_numpy(imread(f"{folder}/motorcycle_left.png")[..., :3]).permute(2, 0, 1).float() / 255
    photograph = torch.nn.functional.avg_pool2d(photograph, 2)
    corners = torch.randint(0, 200, (100, 2), generator=torch.Generator().manual_seed(0)).tolist()
    here = torch.stack([photograph[:, y : y + 32, x : x + 32] for y, x in corners])
    there = torch.stack([photograph[:, y + 3 : y + 35, x + 3 : x + 35] for y, x in corners])
    return here, there


def test_a_crop_moved_by_three_pixels_stays_nearer_than_its_mean_color(crops: tuple[Tensor, Tensor]) -> None:
    here, there = crops
    flat = here.mean(dim=(2, 3), keepdim=True).expand_as(here).contiguous()

    def nearer(distance: Callable[[Tensor, Tensor], Tensor]) -> float:
        return float((distance(there, here) < distance(flat, here)).double().mean())

    by_network = nearer(lambda a, b: bundled.atlas_distance(a, b, data_range=UNIT))
    assert by_network > 0.9
    # Pixel errors and SSIM prefer the flat image as often as not.
    assert nearer(metrics.mse) < 0.6
    assert nearer(lambda a, b: -metrics.ssim(a, b, data_range=UNIT)) < 0.6


def test_features_tell_sets_of_images_apart(crops: tuple[Tensor, Tensor]) -> None:
    here, there = crops
    generator = torch.Generator().manual_seed(1)
    noisy = (here + 0.3 * torch.randn(here.shape, generator=generator)).clamp(0, 1)
    features = [bundled.atlas_features(images, data_range=UNIT) for images in (here, there, noisy)]
    assert features[0].shape == (100, 64)
    assert 10 * metrics.fid(features[1], features[0]) < metrics.fid(features[2], features[0])


def test_gray_and_double_images_of_any_range_are_taken(crops: tuple[Tensor, Tensor]) -> None:
    here, there = (images.mean(dim=1, keepdim=True) for images in crops)
    value = bundled.atlas_distance(there, here, data_range=UNIT)
    assert (value > 0).all()
    double = bundled.atlas_distance(there.double() * 255, here.double() * 255, data_range=(0.0, 255.0))
    torch.testing.assert_close(double.float(), value, atol=1e-5, rtol=1e-4)
    assert bundled.atlas_distance(here, here, data_range=UNIT).abs().max() == 0
    with pytest.raises(MetricError, match="16 pixels"):
        bundled.atlas_features(here[..., :12], data_range=UNIT)
    with pytest.raises(MetricError, match="1 or 3"):
        bundled.atlas_features(here.expand(-1, 2, -1, -1), data_range=UNIT)


def test_training_is_the_same_each_time_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    first, second = (bundled_training.train(steps=2).state_dict() for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_command_writes_weights_that_fit_and_prints_their_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights.pt"
    monkeypatch.setattr(sys, "argv", ["bundled_training", str(path)])
    monkeypatch.setattr(bundled_training, "train", functools.partial(bundled_training.train, steps=1))
    bundled_training.main()
    printed = capsys.readouterr()
    weights.fill(bundled.AtlasNetwork(), weights.read(path, printed.out.strip()), path)
    assert printed.err == ""
    monkeypatch.setattr(sys, "argv", ["bundled_training"])
    with pytest.raises(SystemExit, match="2"):
        bundled_training.main()


@pytest.mark.slow
def test_the_bundled_weights_are_those_that_the_command_makes(crops: tuple[Tensor, Tensor]) -> None:
    """Rounding differs between machines and grows in training, so distances are compared and not weights."""
    here, there = crops
    trained = bundled_training.train().eval()

    def distances(network: torch.nn.Module) -> Tensor:
        with torch.no_grad():
            return metrics.lpips(there, here, data_range=UNIT, trunk=network, heads=None)

    alike = torch.stack((distances(trained), distances(bundled.atlas_network())))
    assert torch.corrcoef(alike)[0, 1] > 0.9
    assert (alike[0].mean() / alike[1].mean() - 1).abs() < 0.1
