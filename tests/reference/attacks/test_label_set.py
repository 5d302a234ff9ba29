"""The set of labels of a batch, from the gradient of the last weight."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from inversion_atlas.reference.attacks.label_set import label_set
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import chosen
from inversion_atlas.reference.benchmark.speech_cases import present
from inversion_atlas.reference.defenses.pruning import prune
from inversion_atlas.reference.defenses.quantization import quantize
from inversion_atlas.reference.metrics import f1_score
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


def named(
    victim: Target, size: int, change: Callable[[SharedGradient], SharedGradient], batches: int = 10
) -> tuple[float, float]:
    """The F1 of the classes named over batches of a size, and that of naming all."""
    classes, found, true = len(victim.data.classes), [], []
    for seed in range(batches):
        batch = chosen(victim.data.private, size, seed)
        seen = SharedGradient.of_batch(victim.model, batch.images, batch.labels, mode="eval", labels_known=False)
        found.append(present(label_set(change(seen)), classes))
        true.append(present(batch.labels, classes))
    truth = torch.cat(true)
    return f1_score(torch.cat(found), truth), f1_score(torch.ones_like(truth), truth)


@pytest.mark.parametrize(
    ("name", "reached"),
    [("speech-convnet-early", 0.95), pytest.param("speech-convnet", 0.8, marks=pytest.mark.slow)],
)
def test_the_words_of_a_batch_are_told_by_the_last_gradient(name: str, reached: float, target: Targets) -> None:
    """Margin: 0.2 of F1 over naming every word. From noise it does not even reach that."""
    score, everything = named(target(name), 5, lambda seen: seen)
    assert score > max(reached, everything + 0.2)
    blind, _ = named(target(name), 5, lambda seen: noise_like(seen, 1))
    assert blind < everything


@pytest.mark.slow
def test_sparse_and_coarse_gradients_tell_less(target: Targets) -> None:
    """What the paper found to weaken it; signs alone do not, where features are never negative."""
    victim = target("speech-convnet-early")
    whole, _ = named(victim, 5, lambda seen: seen)
    assert named(victim, 5, lambda seen: prune(seen, 0.5))[0] < whole - 0.05
    assert named(victim, 5, lambda seen: prune(seen, 0.9))[0] < whole - 0.15
    assert named(victim, 5, lambda seen: quantize(seen, 4))[0] < whole - 0.05


def test_features_of_any_sign_will_do_and_no_bias_is_needed() -> None:
    """There a negative row names no class, which is what earlier rules for batches read."""
    generator = torch.Generator().manual_seed(1)
    with seeded(0):
        model = nn.Sequential(nn.Flatten(), nn.Linear(12, 24), nn.Tanh(), nn.Linear(24, 20, bias=False))
    by_rows = 0
    for _ in range(5):
        images, labels = torch.rand(4, 3, 2, 2, generator=generator), torch.randint(20, (4,), generator=generator)
        seen = SharedGradient.of_batch(model, images, labels, mode="eval", labels_known=False)
        assert torch.equal(label_set(seen), labels.unique())
        rows = torch.nonzero(seen.gradient["3.weight"].sum(dim=1) < 0).flatten()
        by_rows += torch.equal(rows, labels.unique())
    assert by_rows < 5


def test_a_batch_as_large_as_the_classes_are_many_is_refused(target: Targets) -> None:
    with pytest.raises(ValueError, match="not smaller than the 10 classes"):
        named(target("speech-convnet"), 10, lambda seen: seen, batches=1)
