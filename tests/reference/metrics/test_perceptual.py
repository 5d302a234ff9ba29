"""LPIPS agrees with torchmetrics and lpips on a shared trunk, and its weights are read from files that are checked."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.functional.image import lpips as torchmetrics_lpips

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError, trunks

Pair = Callable[..., tuple[Tensor, Tensor]]
Draw = Callable[[nn.Module, int], None]
UNIT = (0.0, 1.0)
NETWORKS: tuple[trunks.Network, ...] = ("alex", "vgg", "squeeze")


@pytest.fixture(scope="module")
def drawn(draw: Draw) -> dict[trunks.Network, trunks.Trunk]:
    """The three networks with weights drawn by chance; the real ones are no part of any package."""
    networks = {name: trunks.Trunk(name) for name in NETWORKS}
    for trunk in networks.values():
        draw(trunk, 1)
    return networks


@pytest.mark.parametrize("network", NETWORKS)
def test_the_distance_is_that_of_torchmetrics_on_the_same_trunk(
    network: trunks.Network,
    drawn: dict[trunks.Network, trunks.Trunk],
    noisy_pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own code and heads; only torchvision's layers, which it would download weights for, are replaced by ours."""
    monkeypatch.setattr(torchmetrics_lpips, "_TORCHVISION_AVAILABLE", True)
    monkeypatch.setattr(torchmetrics_lpips, "_get_tv_model_features", lambda net, pretrained: drawn[network].features)
    theirs = torchmetrics_lpips._LPIPS(net=network, pnet_rand=True)
    given, true = noisy_pair(64, 48, 2, torch.float32)
    with torch.no_grad():
        expected = theirs(given, true, normalize=True).flatten()
    ours = metrics.lpips(given, true, data_range=UNIT, trunk=drawn[network], heads=trunks.load_heads(network))
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("network", "with_heads", "without"),
    [
        ("alex", [0.028013819828629494, 0.027593446895480156], [0.45950648188591003, 0.4459887742996216]),
        ("vgg", [0.04225078597664833, 0.040226735174655914], [0.5009026527404785, 0.4826744794845581]),
        ("squeeze", [0.04251920431852341, 0.04293663054704666], [0.6012142300605774, 0.6106603145599365]),
    ],
)
def test_the_distance_is_that_of_the_authors_package(
    network: trunks.Network,
    with_heads: list[float],
    without: list[float],
    drawn: dict[trunks.Network, trunks.Trunk],
    noisy_pair: Pair,
) -> None:
    """Recorded from lpips 0.1.4, `LPIPS(net=…, pnet_rand=True)` with these weights copied into it, `normalize=True`,
    and the same with `lpips=False`; it needs torchvision, so it is not installed for the tests."""
    pair = noisy_pair(64, 48, 2, torch.float32)
    for heads, recorded in ((trunks.load_heads(network), with_heads), (None, without)):
        ours = metrics.lpips(*pair, data_range=UNIT, trunk=drawn[network], heads=heads)
        assert ours.tolist() == pytest.approx(recorded, abs=1e-6)


def test_images_are_brought_to_the_range_that_the_networks_expect(
    drawn: dict[trunks.Network, trunks.Trunk], noisy_pair: Pair
) -> None:
    given, true = noisy_pair(40, 40, 2, torch.float32)
    options = {"trunk": drawn["alex"], "heads": trunks.load_heads("alex")}
    value = metrics.lpips(given, true, data_range=UNIT, **options)
    shifted = metrics.lpips(given * 2 - 1, true * 2 - 1, data_range=(-1.0, 1.0), **options)
    torch.testing.assert_close(value, shifted)
    # What misreading the range does: far too good.
    misread = metrics.lpips(given, true, data_range=(-1.0, 1.0), **options)
    assert (misread < 0.8 * value).all()


def test_double_precision_batches_and_equal_images(drawn: dict[trunks.Network, trunks.Trunk], noisy_pair: Pair) -> None:
    given, true = noisy_pair(40, 40, 3)
    trunk, heads = trunks.Trunk("alex").double(), trunks.load_heads("alex")
    trunk.load_state_dict(drawn["alex"].state_dict())
    batch = metrics.lpips(given, true, data_range=UNIT, trunk=trunk, heads=heads)
    assert batch.dtype == torch.float64
    alone = [metrics.lpips(g[None], t[None], data_range=UNIT, trunk=trunk, heads=heads) for g, t in zip(given, true)]  # noqa: B905
    torch.testing.assert_close(batch, torch.cat(alone))
    assert metrics.lpips(true, true, data_range=UNIT, trunk=trunk, heads=heads).tolist() == [0, 0, 0]
    with pytest.raises(MetricError, match="convert one of them"):
        metrics.lpips(given, true, data_range=UNIT, trunk=drawn["alex"], heads=heads)


@pytest.mark.parametrize(("network", "smallest"), [("alex", 31), ("vgg", 16), ("squeeze", 17)])
def test_images_that_a_network_cannot_take_are_refused(network: trunks.Network, smallest: int) -> None:
    trunk = trunks.Trunk(network)
    assert trunk(torch.zeros(1, 3, smallest, smallest))[-1].shape[-1] == 1
    for shape in ((1, 3, smallest - 1, 64), (1, 1, 64, 64)):
        with pytest.raises(MetricError, match="repeat a gray channel"):
            trunk(torch.zeros(shape))
    current = torch.zeros(1, 3, smallest - 1, 64)
    with pytest.raises(RuntimeError):
        trunk.features(current)


def test_heads_of_another_network_do_not_fit(drawn: dict[trunks.Network, trunks.Trunk], noisy_pair: Pair) -> None:
    pair = noisy_pair(40, 40, 1, torch.float32)
    with pytest.raises(MetricError, match="do not fit"):
        metrics.lpips(*pair, data_range=UNIT, trunk=drawn["alex"], heads=trunks.load_heads("squeeze"))
    with pytest.raises(MetricError, match="alex, vgg or squeeze"):
        trunks.load_heads("resnet")  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="alex, vgg or squeeze"):
        trunks.Trunk("resnet")  # type: ignore[arg-type]


def test_heads_come_from_a_file_or_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = trunks._installed_heads("alex")
    assert [len(head) for head in trunks.load_heads("alex", installed)] == [64, 192, 384, 256, 256]
    assert all(bool((head >= 0).all()) for head in trunks.load_heads("vgg"))
    monkeypatch.setattr(trunks, "_HEAD_FOLDERS", {"a_package_that_is_not": "weights"})
    with pytest.raises(MetricError, match=r"give the path of alex\.pth"):
        trunks.load_heads("alex")
    with pytest.raises(MetricError, match="another file"):
        trunks.load_heads("vgg", installed)


@pytest.fixture
def saved(tmp_path: Path, drawn: dict[trunks.Network, trunks.Trunk]) -> Path:
    """A file as torchvision publishes them: with a classifier, which LPIPS does not use."""
    path = tmp_path / "squeezenet.pth"
    torch.save({**drawn["squeeze"].state_dict(), "classifier.1.weight": torch.zeros(3)}, path)
    return path


def test_a_network_is_read_from_a_file_whose_hash_is_the_one_expected(
    saved: Path, drawn: dict[trunks.Network, trunks.Trunk]
) -> None:
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    for sha256 in (digest, digest[:8], None):
        trunk = trunks.load_trunk("squeeze", saved, sha256=sha256)
        assert torch.equal(trunk.features[0].weight, drawn["squeeze"].features[0].weight)
        assert not any(parameter.requires_grad for parameter in trunk.parameters())
    with pytest.raises(MetricError, match=f"its SHA-256 is {digest}, not b8a52dc0"):
        trunks.load_trunk("squeeze", saved)


def test_files_that_hold_no_weights_are_refused_and_code_in_them_is_not_run(tmp_path: Path, saved: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    trap = tmp_path / "trap.pth"
    trap.write_bytes(pickle.dumps({"features.0.weight": Trap()}, protocol=2))
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "empty.pth").write_bytes(b"")
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    for name in ("trap.pth", "text.pth", "empty.pth", "list.pth"):
        with pytest.raises(MetricError, match="holds no"):
            trunks.load_trunk("alex", tmp_path / name, sha256=None)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(MetricError, match="cannot be read"):
        trunks.load_trunk("alex", tmp_path / "absent.pth")
    with pytest.raises(MetricError, match="does not fit the network"):
        trunks.load_trunk("alex", saved, sha256=None)
