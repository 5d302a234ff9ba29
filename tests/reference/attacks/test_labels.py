"""Labels read off gradients: always right where the papers say so, and not where they do not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.gradient_matching import dlg
from inversion_atlas.reference.attacks.labels import label_counts, only_label, recovered_labels
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import chosen
from inversion_atlas.reference.metrics import label_recovery_accuracy
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
Share = Callable[..., SharedGradient]


@pytest.mark.parametrize("name", ["lenet", "lenet-untrained", "convnet", "mlp"])
def test_the_label_of_one_example_is_always_read(name: str, target: Targets, share: Share) -> None:
    victim = target(name)
    labels = victim.data.private.labels
    assert all(only_label(share(victim, item)) == labels[item] for item in range(0, 420, 14))


def test_leakage_that_searches_the_label_sometimes_gets_it_wrong_where_reading_it_does_not(
    target: Targets, share: Share
) -> None:
    """The comparison of the iDLG paper, in short runs on a trained network."""
    victim = target("lenet")
    searched, read, true = [], [], []
    for item in range(10, 420, 60):
        observation = share(victim, item)
        found = dlg(observation, steps=3, restarts=0).labels
        assert found is not None
        searched.append(int(found))
        read.append(only_label(observation))
        true.append(int(victim.data.private.labels[item]))
    assert read == true
    assert searched != true


def test_the_label_is_read_without_a_bias_and_with_features_of_either_sign() -> None:
    generator = torch.Generator().manual_seed(1)
    with seeded(0):
        model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 5, bias=False))
    for label in range(5):
        images = torch.rand(1, 3, 2, 2, generator=generator)
        observation = SharedGradient.of_batch(model, images, torch.tensor([label]), mode="eval", labels_known=False)
        assert only_label(observation) == label


def test_what_the_rule_does_not_cover_is_refused(target: Targets, share: Share) -> None:
    with pytest.raises(ValueError, match="not for a batch of 2"):
        only_label(share(target("lenet"), 1, 2))
    binary = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    observation = SharedGradient.of_batch(
        binary, torch.rand(1, 1, 2, 2), torch.tensor([1]), mode="eval", labels_known=False
    )
    with pytest.raises(ValueError, match="two classes"):
        only_label(observation)


def counted(victim: Target, batches: int, spoil: Callable[[SharedGradient], SharedGradient]) -> tuple[float, float]:
    """Mean share of labels counted right over batches of 16, and that of guessing each class equally often."""
    ours, guess = 0.0, 0.0
    for seed in range(batches):
        batch = chosen(victim.data.private, 16, seed)
        observation = SharedGradient.of_batch(victim.model, batch.images, batch.labels, mode="eval", labels_known=False)
        counts = label_counts(spoil(observation))
        assert int(counts.sum()) == 16
        ours += label_recovery_accuracy(torch.arange(7).repeat_interleave(counts), batch.labels) / batches
        guess += label_recovery_accuracy(torch.arange(16) % 7, batch.labels) / batches
    return ours, guess


def test_the_labels_of_a_batch_are_counted_on_a_model_at_the_start_of_training(target: Targets) -> None:
    """Margin: 15 points above guessing evenly; from noise, below it."""
    victim = target("lenet-untrained")
    ours, guess = counted(victim, 20, lambda observation: observation)
    assert ours > 0.9
    assert ours > guess + 0.15
    noise, _ = counted(victim, 20, lambda observation: noise_like(observation, 1))
    assert noise < guess


def test_training_takes_away_what_the_counts_are_read_from(target: Targets) -> None:
    """Where the method ends, by the authors' logs too: margin of 20 points between the start and trained networks."""
    at_start, _ = counted(target("lenet-untrained"), 10, lambda observation: observation)
    for name in ("lenet", "convnet"):
        trained, _ = counted(target(name), 10, lambda observation: observation)
        assert trained < at_start - 0.2


def test_labels_that_the_observation_grants_are_taken(target: Targets, share: Share) -> None:
    victim = target("lenet")
    known: Tensor = recovered_labels(share(victim, 200, 10, labels_known=True))
    assert known.tolist() == victim.data.private.labels[[200, 10]].tolist()
    assert len(recovered_labels(share(victim, 200, 10))) == 2
