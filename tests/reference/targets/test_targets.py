"""Targets learn, are the same each time, and share no picture between what they learned and what is public."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inversion_atlas.reference.targets import data, training


@pytest.mark.parametrize("split", [data.photographs(), data.digits()], ids=lambda split: split.name)
def test_the_parts_of_a_data_set_share_no_image(split: data.Split) -> None:
    parts = [split.private, split.test, split.public]
    for part in parts:
        assert part.images.dtype == torch.float32
        assert 0 <= part.images.min() < part.images.max() <= 1
        assert sorted(set(part.labels.tolist())) == list(range(len(split.classes)))
    for i, one in enumerate(parts):
        for other in parts[i + 1 :]:
            assert torch.cdist(one.images.flatten(1), other.images.flatten(1)).min() > 0.01


@pytest.mark.parametrize(("name", "least"), [("lenet", 0.5), ("convnet", 0.75), ("mlp", 0.5), ("digits-mlp", 0.95)])
def test_a_target_has_learned_its_data(name: str, least: float, cache: Path) -> None:
    assert training.load(name, cache).test_accuracy > least


def test_a_target_is_the_same_trained_again_and_read_from_the_cache(tmp_path: Path) -> None:
    first = training.load("digits-softmax", tmp_path)
    (kept,) = (tmp_path / "targets").iterdir()
    again = training.load("digits-softmax", tmp_path)
    kept.unlink()
    torch.manual_seed(99)
    trained_anew = training.load("digits-softmax", tmp_path)
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])
        assert torch.equal(value, trained_anew.model.state_dict()[name])


def test_training_leaves_the_random_numbers_of_others_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    training.load("digits-softmax", tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path))
    assert training.cache_folder() == tmp_path
    monkeypatch.delenv("ATLAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    assert training.cache_folder() == tmp_path / "user" / "inversion-atlas"
