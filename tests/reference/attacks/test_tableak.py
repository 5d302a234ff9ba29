"""TabLeak recovers rows of a survey; relaxation and ensemble help, and its entropy tells what to trust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.tableak import RecoveredRows, tableak
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.mixed_table_cases import noisy, row_accuracy
from inversion_atlas.reference.metrics import match
from inversion_atlas.reference.observations import SharedGradient, SharedUpdate
from inversion_atlas.reference.targets.mixed_tables import MixedTable, answers, decoded, encoded
from inversion_atlas.reference.targets.tables import affairs
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
WIDTHS = [column.width for column in answers().columns]


def shared(victim: Target, size: int, *, labels_known: bool = True) -> tuple[SharedGradient, Tensor]:
    private = victim.data.private
    rows = private.images[:size]
    return SharedGradient.of_batch(
        victim.model, rows, private.labels[:size], mode="eval", labels_known=labels_known
    ), rows


def accuracy(found: RecoveredRows | Tensor, originals: Tensor) -> float:
    rows = found if isinstance(found, Tensor) else found.rows
    return float(row_accuracy(rows, originals, answers()).mean())


def attacked(observation: SharedGradient, **arguments: Any) -> RecoveredRows:
    return tableak(observation, WIDTHS, **{"steps": 400, "ensemble": 1, **arguments})


def test_a_table_is_encoded_and_decoded_without_loss() -> None:
    table, survey = answers(), affairs()
    rows = survey.private.images[:50]
    inputs = encoded(rows, table.columns)
    assert inputs.shape[1:] == table.shape == (sum(WIDTHS),)
    assert torch.equal(inputs, table.private.images[:50])
    torch.testing.assert_close(decoded(inputs, table.columns), rows)


@pytest.mark.parametrize("name", ["affairs-network", "affairs-network-untrained"])
def test_whole_rows_of_a_small_batch_are_recovered(name: str, target: Targets) -> None:
    """Margin: half of all columns above the mean row and random public rows; noise gives no more than they do."""
    victim = target(name)
    observation, originals = shared(victim, 4)
    public = victim.data.public.images
    guess = max(accuracy(public.mean(dim=0).expand(4, -1).contiguous(), originals), accuracy(public[:4], originals))
    assert accuracy(attacked(observation), originals) > guess + 0.5
    assert accuracy(attacked(noise_like(observation, 1)), originals) < guess + 0.2


def test_relaxation_and_ensemble_recover_more_than_a_search_of_the_inputs(target: Targets) -> None:
    """The comparison of the paper, on a batch of 16. Margins: a tenth of all columns, and no loss by pooling.

    Labels that have to be counted on a trained model cost a tenth, too.
    """
    observation, originals = shared(target("affairs-network"), 16)
    counting, _ = shared(target("affairs-network"), 16, labels_known=False)
    plain = accuracy(attacked(observation, relaxed=False), originals)
    relaxed = accuracy(attacked(observation), originals)
    pooled = accuracy(attacked(observation, ensemble=6), originals)
    assert relaxed > plain + 0.1
    assert relaxed > accuracy(attacked(counting), originals) + 0.1
    assert pooled >= relaxed - 0.02


def test_categories_with_low_entropy_are_right_more_often(target: Targets) -> None:
    victim = target("affairs-network")
    assert isinstance(victim.data, MixedTable)
    observation, originals = shared(victim, 32)
    found = attacked(observation, ensemble=6)
    order = match(found.rows, originals)
    categorical = torch.tensor([bool(column.categories) for column in victim.data.columns])
    right = victim.data.decode(found.rows[order]) == victim.data.decode(originals)
    right, unsure = right[:, categorical], found.uncertainty[order][:, categorical]
    half = unsure <= unsure.median()
    assert float(right[half].double().mean()) > float(right[~half].double().mean()) + 0.1
    assert 0 <= float(unsure.min()) < float(unsure.max()) <= 1.0001


@pytest.mark.slow
def test_an_update_tells_more_where_local_steps_are_repeated(target: Targets) -> None:
    """Federated averaging, four passes in batches of four. Margins: a third of all columns above the guesses, a tenth
    above an update that is taken for one gradient, a twentieth above a client that shuffles; noise gives no more than
    the guesses do."""
    victim = target("affairs-network")
    private, public = victim.data.private, victim.data.public.images
    originals, labels = private.images[:8], private.labels[:8]

    def updated(shuffle_seed: int | None) -> SharedUpdate:
        return SharedUpdate.of_client(
            victim.model,
            originals,
            labels,
            learning_rate=0.1,
            epochs=4,
            local_batch_size=4,
            shuffle_seed=shuffle_seed,
            mode="eval",
            labels_known=True,
        )

    def reached(observation: SharedGradient | SharedUpdate) -> float:
        return accuracy(tableak(observation, WIDTHS, steps=150, ensemble=1), originals)

    guess = max(accuracy(public.mean(dim=0).expand(8, -1).contiguous(), originals), accuracy(public[:8], originals))
    repeated = reached(updated(None))
    assert repeated > guess + 0.33
    assert repeated > reached(updated(None).as_one_step()) + 0.1
    assert repeated > reached(updated(3)) + 0.05
    assert reached(noisy(updated(None), 1)) < guess + 0.1


def test_the_same_seed_gives_the_same_rows_and_labels_can_be_counted(target: Targets) -> None:
    observation, _ = shared(target("affairs-network"), 1, labels_known=False)
    first, again = (attacked(observation, steps=20, seed=4) for _ in range(2))
    assert torch.equal(first.rows, again.rows)
    assert first.labels.tolist() == target("affairs-network").data.private.labels[:1].tolist()


def test_widths_that_do_not_fit_the_model_are_refused(target: Targets) -> None:
    observation, _ = shared(target("affairs-network"), 1)
    with pytest.raises(ValueError, match="widths must sum"):
        tableak(observation, [2, 3])
