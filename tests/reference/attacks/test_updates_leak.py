"""Label and image of the example that a model was updated with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.updates_leak import UpdateReader, updates_leak
from inversion_atlas.reference.benchmark.runs import Options
from inversion_atlas.reference.benchmark.update_cases import pair_of, reader_of
from inversion_atlas.reference.metrics import mse
from inversion_atlas.reference.observations import AccessError, BlackBox, ModelPair
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


@pytest.fixture(scope="module")
def victim(target: Targets) -> Target:
    return target("digits-mlp")


@pytest.fixture(scope="module")
def reader(victim: Target) -> UpdateReader:
    return reader_of(Options(victim, items=1))


def read(victim: Target, reader: UpdateReader, items: int) -> tuple[Tensor, Tensor]:
    fresh = victim.data.test
    found = [updates_leak(pair_of(victim, fresh.images[i], fresh.labels[i]), reader) for i in range(items)]
    labels = [one.labels for one in found if one.labels is not None]
    return torch.cat(labels), torch.cat([one.images for one in found])


def error(images: Tensor, originals: Tensor) -> float:
    return float(mse(images.contiguous(), originals, data_range=(0.0, 1.0)).mean())


def test_an_update_tells_label_and_looks_of_its_example(victim: Target, reader: UpdateReader) -> None:
    """Margins: 70 % of labels where chance names 10 %; .85 of the mean image's error; other updates' images: worse."""
    fresh = victim.data.test
    labels, images = read(victim, reader, 80)
    assert float((labels == fresh.labels[:80]).double().mean()) > 0.7
    mean = victim.data.public.images.mean(dim=0, keepdim=True).expand_as(images)
    assert error(images, fresh.images[:80]) < 0.85 * error(mean, fresh.images[:80])
    assert error(images.roll(1, dims=0), fresh.images[:80]) > error(mean, fresh.images[:80])


def test_without_an_update_nothing_is_told(victim: Target, reader: UpdateReader) -> None:
    """The same model twice, and two models whose change is noise: one answer for all, or chance."""
    pair = pair_of(victim, victim.data.test.images[0], victim.data.test.labels[0])
    same = updates_leak(ModelPair(pair.before, pair.before), reader)
    again = updates_leak(ModelPair(pair.after, pair.after), reader)
    assert torch.equal(same.images, again.images)
    noisy = [
        BlackBox(victim.model, outputs="logits", input_shape=(1, 8, 8), noise=0.05, seed=seed) for seed in range(2)
    ]
    named = [updates_leak(ModelPair(*noisy), reader).labels for _ in range(40)]
    labels = torch.cat([label for label in named if label is not None])
    hits = (labels == victim.data.test.labels[:40]).tolist()
    assert sum(hits) < 12


def test_each_probe_is_asked_once_of_each_model(victim: Target, reader: UpdateReader) -> None:
    pair = pair_of(victim, victim.data.test.images[0], victim.data.test.labels[0])
    one = updates_leak(pair, reader)
    assert pair.before.queries == pair.after.queries == len(reader.probes)  # type: ignore[union-attr]
    assert torch.equal(one.images, updates_leak(pair, reader).images)
    with pytest.raises(AccessError, match="takes a ModelPair"):
        updates_leak(pair.before, reader)  # type: ignore[arg-type]


def test_training_the_reader_is_the_same_each_time(victim: Target) -> None:
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    one, two = (reader_of(Options(victim, items=1, steps=1)) for _ in "ab")
    assert torch.equal(torch.rand(2), expected)
    pair = pair_of(victim, victim.data.test.images[0], victim.data.test.labels[0])
    assert torch.equal(updates_leak(pair, one).images, updates_leak(pair, two).images)
