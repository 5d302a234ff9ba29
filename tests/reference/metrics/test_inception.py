"""The Inception network is that of pytorch-fid, and what FID and Inception Score take of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError, inception

Pair = Callable[..., tuple[Tensor, Tensor]]
UNIT = (0.0, 1.0)
# Sums of the features of two images and the first three values, recorded from pytorch-fid 0.3.0 (`InceptionV3`, with
# these weights as its own) in float32; it needs torchvision, so it is not installed for the tests.
RECORDED = {
    64: ([20.3394148821244, 20.063197147185747], [0.11116693168878555, 0.08529333025217056, 0.9563872814178467]),
    192: ([77.28082042756841, 75.3902461299731], [1.3323273658752441, 0.0, 0.0]),
    768: ([412.5285011364249, 393.5046812228138], [1.608266830444336, 1.2989342212677002, 0.003156948136165738]),
    2048: ([1363.8221482233294, 1294.5352685365833], [1.292599081993103, 0.16740144789218903, 0.020519258454442024]),
}


@pytest.fixture(scope="module")
def network(draw: Callable[[nn.Module, int], None]) -> inception.Inception:
    drawn = inception.Inception()
    draw(drawn, 2)
    return drawn


@pytest.mark.parametrize("width", [64, 192, 768, 2048])
def test_features_are_those_of_pytorch_fid(
    width: inception.Width, network: inception.Inception, noisy_pair: Pair
) -> None:
    given = noisy_pair(48, 40, 2, torch.float32)[0]
    features = inception.inception_features(given, data_range=UNIT, network=network, width=width)
    sums, first = RECORDED[width]
    assert features.shape == (2, width)
    assert features.double().sum(dim=1).tolist() == pytest.approx(sums, rel=1e-5)
    assert features[0, :3].tolist() == pytest.approx(first, abs=1e-5)


def test_the_names_of_the_parts_are_those_of_the_published_weights(
    network: inception.Inception, tmp_path: Path
) -> None:
    """A file written with these names is read back; the published one has the same, and no counts of batches."""
    weights = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    assert "Mixed_6b.branch7x7dbl_5.conv.weight" in weights
    assert weights["fc.weight"].shape == (1008, 2048)
    path = tmp_path / "inception.pth"
    torch.save(network.state_dict(), path)
    assert torch.equal(inception.load_inception(path, sha256=None).fc.bias, network.fc.bias)
    with pytest.raises(MetricError, match="another file: its SHA-256"):
        inception.load_inception(path)


def test_the_first_implementation_resizes_from_the_corner(noisy_pair: Pair) -> None:
    image = noisy_pair(12, 20)[1]
    resized = inception._resized_from_corners(image)
    assert resized.shape[-2:] == (299, 299)
    for row, column in ((0, 0), (17, 250), (298, 298), (133, 5)):
        y, x = row * 12 / 299, column * 20 / 299
        top, left = int(y), int(x)
        below, right = min(top + 1, 11), min(left + 1, 19)
        upper = image[..., top, left] * (1 - x + left) + image[..., top, right] * (x - left)
        lower = image[..., below, left] * (1 - x + left) + image[..., below, right] * (x - left)
        torch.testing.assert_close(resized[..., row, column], upper * (1 - y + top) + lower * (y - top))


def test_the_ports_differ_and_batches_do_not_matter(network: inception.Inception, noisy_pair: Pair) -> None:
    given = noisy_pair(40, 40, 3, torch.float32)[0]
    whole = inception.inception_features(given, data_range=UNIT, network=network, width=64)
    parts = inception.inception_features(given, data_range=UNIT, network=network, width=64, batch=2)
    torch.testing.assert_close(whole, parts)
    other = inception.inception_features(given, data_range=UNIT, network=network, width=64, port="tensorflow")
    assert (whole - other).abs().max() > 1e-3


def test_probabilities_leave_the_bias_out(network: inception.Inception, noisy_pair: Pair) -> None:
    given = noisy_pair(40, 40, 2, torch.float32)[0]
    found = inception.inception_probabilities(given, data_range=UNIT, network=network)
    pooled = inception.inception_features(given, data_range=UNIT, network=network, port="tensorflow")
    torch.testing.assert_close(found, (pooled @ network.fc.weight.T).softmax(dim=1))
    assert metrics.inception_score(found, splits=1).item() >= 1


def test_images_that_the_network_cannot_take_are_refused(network: inception.Inception) -> None:
    with pytest.raises(MetricError, match="repeat a gray channel"):
        inception.inception_features(torch.zeros(2, 1, 8, 8), data_range=UNIT, network=network)
    with pytest.raises(MetricError, match="outside data_range"):
        inception.inception_features(torch.full((2, 3, 8, 8), 2.0), data_range=UNIT, network=network)
    with pytest.raises(MetricError, match="64, 192, 768 or 2048"):
        inception.inception_features(torch.zeros(1, 3, 8, 8), data_range=UNIT, network=network, width=100)  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="pytorch-fid or tensorflow"):
        inception.inception_features(torch.zeros(1, 3, 8, 8), data_range=UNIT, network=network, port="keras")  # type: ignore[arg-type]


class Pooled(nn.Module):
    """Twelve means of an image's parts: torchmetrics takes any network."""

    num_features = 12

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(images.double() / 255, (2, 2)).flatten(1)


def test_the_distance_is_that_of_torchmetrics_on_the_same_network() -> None:
    generator = torch.Generator().manual_seed(9)
    shapes = ((80, 3, 16, 16), (50, 3, 16, 16))
    first, second = (torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8) for shape in shapes)
    second[:, :, :8] //= 2
    theirs = FrechetInceptionDistance(feature=Pooled(), input_img_size=(3, 16, 16)).set_dtype(torch.float64)
    theirs.update(second, real=True)
    theirs.update(first, real=False)
    found = metrics.fid(Pooled()(first), Pooled()(second))
    assert found == pytest.approx(theirs.compute().item(), abs=1e-5)
    assert not math.isclose(found, 0, abs_tol=1e-3)
