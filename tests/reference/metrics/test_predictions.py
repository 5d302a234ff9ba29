"""Shares of right answers agree with scikit-learn, and say what they count."""

from __future__ import annotations

import math
from typing import Literal

import pytest
import sklearn.metrics as sk
import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError

Average = Literal["micro", "macro", "weighted"]


@pytest.fixture(scope="module")
def several() -> tuple[Tensor, Tensor]:
    """Guesses and truth of four classes, one of them rare."""
    generator = torch.Generator().manual_seed(11)
    truth = torch.multinomial(torch.tensor([0.5, 0.3, 0.15, 0.05]), 300, True, generator=generator)
    other = torch.randint(0, 4, (300,), generator=generator)
    return torch.where(torch.rand(300, generator=generator) < 0.6, truth, other), truth


def test_accuracy_is_that_of_scikit_learn_over_all_and_over_classes(several: tuple[Tensor, Tensor]) -> None:
    guesses, truth = several
    assert metrics.accuracy(guesses, truth) == pytest.approx(sk.accuracy_score(truth, guesses), abs=1e-12)
    balanced = metrics.accuracy(guesses, truth, average="macro")
    assert balanced == pytest.approx(sk.balanced_accuracy_score(truth, guesses), abs=1e-12)
    assert metrics.percent_correct(guesses, truth) == pytest.approx(100 * sk.accuracy_score(truth, guesses))


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_scores_of_several_classes_agree_with_scikit_learn(average: Average, several: tuple[Tensor, Tensor]) -> None:
    guesses, truth = several
    pairs = (
        (metrics.precision, sk.precision_score),
        (metrics.recall, sk.recall_score),
        (metrics.f1_score, sk.f1_score),
    )
    for ours, theirs in pairs:
        expected = theirs(truth, guesses, average=average)
        assert ours(guesses, truth, average=average) == pytest.approx(expected, abs=1e-12)


def test_correlation_and_mean_of_recalls_hold_for_several_classes(several: tuple[Tensor, Tensor]) -> None:
    guesses, truth = several
    assert metrics.mcc(guesses, truth) == pytest.approx(sk.matthews_corrcoef(truth, guesses), abs=1e-12)
    recalls = sk.recall_score(truth, guesses, average=None)
    assert metrics.g_mean(guesses, truth) == pytest.approx(math.prod(recalls) ** 0.25, abs=1e-12)
    assert math.isnan(metrics.g_mean(guesses, torch.zeros_like(truth)))


@pytest.mark.parametrize(("several_as", "theirs"), [("rest", "ovr"), ("one", "ovo")])
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_the_area_under_the_curve_of_several_classes_is_scikit_learn_s(
    several_as: Literal["rest", "one"],
    theirs: str,
    average: Literal["macro", "weighted"],
    several: tuple[Tensor, Tensor],
) -> None:
    truth = several[1]
    logits = torch.randn(300, 4, generator=torch.Generator().manual_seed(12), dtype=torch.float64)
    scores = (logits + 1.5 * torch.nn.functional.one_hot(truth, 4)).softmax(dim=1)
    expected = sk.roc_auc_score(truth, scores, multi_class=theirs, average=average)
    assert metrics.auroc(scores, truth, several=several_as, average=average) == pytest.approx(expected, abs=1e-12)


def test_an_average_with_a_class_that_is_undefined_is_nan(several: tuple[Tensor, Tensor]) -> None:
    guesses, truth = several
    never_three = torch.where(guesses == 3, 0, guesses)
    assert math.isnan(metrics.precision(never_three, truth, average="macro"))
    assert metrics.recall(never_three, truth, average="macro") == pytest.approx(
        sk.recall_score(truth, never_three, average="macro")
    )


def test_scores_are_read_as_the_class_with_the_highest() -> None:
    scores = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.6, 0.4]])
    labels = torch.tensor([1, 0, 1])
    assert metrics.model_accuracy(scores, labels) == pytest.approx(2 / 3)
    one_hot = torch.nn.functional.one_hot(labels, 2).float()
    assert metrics.categorical_accuracy(scores, one_hot) == pytest.approx(2 / 3)
    assert metrics.categorical_accuracy(scores, one_hot, average="macro") == pytest.approx(0.75)
    assert metrics.fidelity(scores, -scores) == 0
    assert metrics.fidelity(scores, scores * 3) == 1
    with pytest.raises(MetricError, match="classes from 0 to 1"):
        metrics.model_accuracy(scores, torch.tensor([2, 0, 1]))


def test_membership_is_balanced_where_members_are_many() -> None:
    members = torch.tensor([1] * 9 + [0])
    always = torch.ones(10, dtype=torch.long)
    assert metrics.membership_inference_accuracy(always, members) == 0.9
    assert metrics.membership_inference_accuracy(always, members, balanced=True) == 0.5
    with pytest.raises(MetricError, match="members and others"):
        metrics.membership_inference_accuracy(always, always, balanced=True)


def test_a_gap_is_above_zero_where_the_training_data_are_done_better() -> None:
    assert metrics.generalization_gap(0.9, 0.7) == pytest.approx(0.2)
    assert metrics.generalization_gap(0.5, 2.0, of="loss") == pytest.approx(1.5)
    with pytest.raises(MetricError, match="from 0 to 1"):
        metrics.generalization_gap(90, 70)


def test_a_distortion_is_measured_in_the_norm_asked_for() -> None:
    undefended, defended = torch.tensor([[0.7, 0.2, 0.1]]), torch.tensor([[0.4, 0.4, 0.2]])
    assert metrics.confidence_score_distortion(defended, undefended).item() == pytest.approx(0.6)
    euclidean = metrics.confidence_score_distortion(defended, undefended, norm="l2").item()
    assert euclidean == pytest.approx(math.sqrt(0.14))
    assert metrics.confidence_score_distortion(defended, undefended, norm="max").item() == pytest.approx(0.3)
    with pytest.raises(MetricError, match="sum to 1"):
        metrics.confidence_score_distortion(torch.tensor([[3.0, 1.0, 0.0]]), undefended)
    with pytest.raises(MetricError, match="the others are 1 of"):
        metrics.confidence_score_distortion(defended, undefended.double())


def test_words_that_name_no_variant_are_refused(several: tuple[Tensor, Tensor]) -> None:
    guesses, truth = several
    with pytest.raises(MetricError, match="micro or macro"):
        metrics.accuracy(guesses, truth, average="mean")  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="binary, micro, macro or weighted"):
        metrics.precision(guesses, truth, average="mean")  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="l1, l2 or max"):
        metrics.confidence_score_distortion(torch.eye(2), torch.eye(2), norm="l3")  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="rest or one"):
        metrics.auroc(torch.rand(300, 4), truth, several="all")  # type: ignore[arg-type]
