"""How often a word stands in private sentences, from class labels after poisoning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from inversion_atlas.reference.attacks.poisoned_property import Poisoning, plan_poisoning, poisoned_property
from inversion_atlas.reference.benchmark.language_cases import POISON, RECORDS, drawn_with, planned, ratios
from inversion_atlas.reference.metrics import auroc
from inversion_atlas.reference.observations import AccessError, JointTraining, QueryLimitReached
from inversion_atlas.reference.targets import bags
from inversion_atlas.reference.targets.tables import Table
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


@pytest.fixture(scope="module")
def table() -> Table:
    return bags.sentence_bags()


@pytest.fixture(scope="module")
def plan(table: Table) -> Poisoning:
    return planned(table, poison=POISON, seed=0, shadows=15)


def test_the_regression_tells_the_packages_apart(target: Targets) -> None:
    """The most frequent class alone would be right for 60 % of sentences."""
    assert target("bag-regression").test_accuracy > 0.75


def test_poisoning_tells_how_frequent_a_word_is_and_without_it_labels_hardly_do(table: Table, plan: Poisoning) -> None:
    """Margins: an area of .9 where the same attack without poison stays below .75."""
    scores, truth, _ = ratios(table, plan, 30, 5)
    assert auroc(scores, truth) > 0.9
    plain = planned(table, poison=0, seed=0, shadows=15)
    assert len(plain.records) == 0
    scores, truth, _ = ratios(table, plain, 30, 5)
    assert auroc(scores, truth) < 0.75


def test_answers_in_the_wrong_places_tell_nothing(table: Table, plan: Poisoning) -> None:
    """The probes are replaced by records of noise; all that is left is chance."""
    noise = (torch.rand(plan.probes.shape, generator=torch.Generator().manual_seed(1)) < 0.02).float()
    noise[:, table.sensitive] = 0
    scores, truth, _ = ratios(table, replace(plan, probes=noise), 30, 5)
    assert 0.2 < auroc(scores, truth) < 0.8


def test_the_poison_is_the_adversary_s_own_and_each_probe_is_asked_once(table: Table, plan: Poisoning) -> None:
    assert len(plan.records) == POISON
    assert bool((plan.records[:, table.sensitive] == 1).all())
    assert plan.labels.tolist() == [1] * POISON
    private = {tuple(row) for row in table.private.images.tolist()}
    rows = [tuple(row) for row in plan.probes.tolist()]
    assert sum(row in private for row in rows) < len(rows) / 10
    own = drawn_with(table.private, table.sensitive, 0.1, torch.Generator().manual_seed(1))
    assert len(own) == RECORDS
    assert int(own.images[:, table.sensitive].sum()) == 30
    enough, less = (
        JointTraining(bags.learn, own.images, own.labels, classes=2, most=POISON, limit=limit) for limit in (100, 99)
    )
    poisoned_property(enough, plan)
    with pytest.raises(QueryLimitReached, match="100 more were asked"):
        poisoned_property(less, plan)


def test_the_plan_and_the_scores_are_the_same_each_time(table: Table) -> None:
    one, two = (planned(table, poison=10, seed=3, shadows=3) for _ in "ab")
    assert torch.equal(one.records, two.records)
    assert torch.equal(one.rates, two.rates)
    assert torch.equal(ratios(table, one, 4, 1)[0], ratios(table, two, 4, 1)[0])


def test_plans_that_cannot_be_made_are_refused(table: Table) -> None:
    own = [drawn_with(table.public, table.sensitive, 0.1, torch.Generator().manual_seed(1))]
    with pytest.raises(ValueError, match="both frequencies"):
        plan_poisoning(bags.learn, own, [], table.public.images, poison=1)
    with pytest.raises(ValueError, match="no more poison"):
        plan_poisoning(bags.learn, own, own, table.public.images[:3], poison=4)
    with pytest.raises(AccessError, match="takes a JointTraining"):
        poisoned_property(table, None)  # type: ignore[arg-type]
