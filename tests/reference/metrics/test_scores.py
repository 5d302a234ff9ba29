"""Scores of labels, attributes and text agree with scikit-learn and torchmetrics, and with counting by hand."""

from __future__ import annotations

import math

import pytest
import sklearn.metrics as sk
import torch
from torch import Tensor
from torchmetrics.functional.text import bleu_score, rouge_score, sacre_bleu_score

from inversion_atlas.reference import metrics
from inversion_atlas.reference.metrics import MetricError


@pytest.fixture
def guesses() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    truth = torch.randint(0, 2, (200,), generator=generator)
    return torch.where(torch.rand(200, generator=generator) < 0.7, truth, 1 - truth), truth


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (metrics.precision, sk.precision_score),
        (metrics.recall, sk.recall_score),
        (metrics.f1_score, sk.f1_score),
        (metrics.mcc, sk.matthews_corrcoef),
    ],
)
def test_binary_scores_agree_with_scikit_learn(ours, theirs, guesses: tuple[Tensor, Tensor]) -> None:  # type: ignore[no-untyped-def]
    given, truth = guesses
    assert ours(given, truth) == pytest.approx(theirs(truth, given), abs=1e-12)


def test_g_mean_is_the_root_of_both_recalls(guesses: tuple[Tensor, Tensor]) -> None:
    given, truth = guesses
    expected = math.sqrt(metrics.recall(given, truth) * metrics.recall(1 - given, 1 - truth))
    assert metrics.g_mean(given, truth) == pytest.approx(expected)


def test_a_score_without_a_denominator_is_nan_and_not_zero() -> None:
    none, some = torch.zeros(3, dtype=torch.long), torch.tensor([1, 0, 0])
    assert math.isnan(metrics.precision(none, some))
    assert math.isnan(metrics.recall(some, none))
    assert math.isnan(metrics.mcc(none, some))
    assert metrics.recall(none, some) == 0


@pytest.mark.parametrize("decimals", [1, 12])
def test_the_area_under_the_curve_agrees_with_scikit_learn_also_with_ties(
    guesses: tuple[Tensor, Tensor], decimals: int
) -> None:
    truth = guesses[1]
    scores = truth + torch.randn(200, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    scores = scores.round(decimals=decimals)
    assert metrics.auroc(scores, truth) == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-12)


def test_scores_of_one_class_have_no_area() -> None:
    with pytest.raises(MetricError, match="both classes"):
        metrics.auroc(torch.rand(4), torch.ones(4, dtype=torch.long))
    with pytest.raises(MetricError, match="0 and 1"):
        metrics.precision(torch.tensor([0, 2]), torch.tensor([0, 1]))


def test_attack_accuracy_counts_the_top_scores_and_gives_ties_nothing() -> None:
    scores = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [1 / 3, 1 / 3, 1 / 3]])
    targets = torch.tensor([0, 2, 0])
    assert metrics.attack_accuracy(scores, targets).tolist() == [1, 0, 0]
    assert metrics.attack_accuracy(scores, targets, top=2).tolist() == [1, 1, 0]
    with pytest.raises(MetricError, match="classes from 0 to 2"):
        metrics.attack_accuracy(scores, torch.tensor([0, 3, 0]))


def test_class_zero_is_a_class_and_padding_earns_nothing() -> None:
    labels = torch.tensor([0, 0, 1, 4])
    assert metrics.label_recovery_accuracy(torch.tensor([4, 0, 1, 0]), labels) == 1
    assert metrics.label_recovery_accuracy(torch.tensor([0, 2, 2, 2]), labels) == 0.25
    with pytest.raises(MetricError, match="shape"):
        metrics.label_recovery_accuracy(torch.tensor([0]), labels)


def test_an_advantage_is_measured_from_the_majority_guess_or_the_baseline_given() -> None:
    truth = torch.tensor([0] * 8 + [1] * 2)
    assert metrics.attribute_inference_accuracy(torch.zeros(10, dtype=torch.long), truth) == 0.8
    assert metrics.attribute_advantage(torch.zeros(10, dtype=torch.long), truth) == pytest.approx(0)
    assert metrics.attribute_advantage(truth, truth) == pytest.approx(1)
    assert metrics.attribute_advantage(truth, truth, baseline=0.9) == pytest.approx(1)
    assert metrics.attribute_advantage(1 - truth, truth, baseline=0.5) == pytest.approx(-1)
    with pytest.raises(MetricError, match="no room"):
        metrics.attribute_advantage(truth, torch.zeros(10, dtype=torch.long))


TEXTS = [
    ("the patient was seen on monday", "the patient was first seen on a Monday"),
    ("entirely other words", "the patient was first seen"),
    ("seen seen seen, seen", "seen once"),
    ("", "something"),
]


@pytest.mark.parametrize("kind", ["1", "2", "L"])
@pytest.mark.parametrize("part", ["f1", "precision", "recall"])
def test_rouge_agrees_with_torchmetrics(kind: str, part: str) -> None:
    for given, true in TEXTS[:3]:
        expected = rouge_score(given, true, rouge_keys=f"rouge{kind}")[f"rouge{kind}_{part.replace('f1', 'fmeasure')}"]
        ours = metrics.rouge([given], [true], kind=kind, part=part)  # type: ignore[arg-type]
        assert ours.item() == pytest.approx(expected.item(), abs=1e-6)
    assert metrics.rouge([""], ["something"]).item() == 0


def test_tokens_count_by_position_without_padding() -> None:
    given, true = [[5, 6, 7], [5]], [[5, 6, 8, 0, 0], [4, 5]]
    assert metrics.token_accuracy(given, true).tolist() == [0.4, 0.0]
    assert metrics.token_accuracy(given, true, ignored=frozenset({0})).tolist() == pytest.approx([2 / 3, 0])
    with pytest.raises(MetricError, match="no token"):
        metrics.token_accuracy([[1]], [[0]], ignored=frozenset({0}))


def test_a_match_is_exact_or_nothing() -> None:
    assert metrics.exact_match(["a b", "A b"], ["a b", "a b"]).tolist() == [1, 0]
    with pytest.raises(MetricError, match="list"):
        metrics.exact_match("ab", "ab")
    with pytest.raises(MetricError, match="as many"):
        metrics.exact_match(["ab"], ["ab", "cd"])


SENTENCES = [
    ("the patient was seen on monday by dr. smith", "the patient was first seen on monday by dr. smith, twice"),
    (
        "blood pressure of 120,5 over 80 -was measured in 1999-2000",
        "blood pressure of 120,5 over 80 was measured & noted",
    ),
    ("a b c d e", "a b c d e"),
]


@pytest.mark.parametrize("longest", [1, 2, 4])
@pytest.mark.parametrize("smooth", [False, True])
def test_bleu_agrees_with_torchmetrics_per_text_and_over_all(longest: int, smooth: bool) -> None:
    given, true = map(list, zip(*SENTENCES, strict=True))
    each = [bleu_score([g], [[t]], n_gram=longest, smooth=smooth).item() for g, t in SENTENCES]
    options = {"longest": longest, "smooth": smooth}
    assert metrics.bleu(given, true, **options).tolist() == pytest.approx(each, abs=1e-6)
    together = bleu_score(given, [[t] for t in true], n_gram=longest, smooth=smooth).item()
    assert metrics.bleu(given, true, corpus=True, **options).tolist() == pytest.approx([together], abs=1e-6)
    assert abs(together - sum(each) / 3) > 1e-3


def test_sacrebleu_is_bleu_over_all_texts_on_its_tokens() -> None:
    given, true = map(list, zip(*SENTENCES, strict=True))
    together = sacre_bleu_score(given, [[t] for t in true], tokenize="13a").item()
    ours = metrics.bleu(given, true, corpus=True, tokens="13a").item()
    assert ours == pytest.approx(together, abs=1e-6)
    assert abs(ours - metrics.bleu(given, true, corpus=True).item()) > 1e-3


def test_a_text_without_a_run_in_common_scores_nothing_and_smoothing_helps_it() -> None:
    assert metrics.bleu(["a b c x", ""], ["a b c d", "a"]).tolist() == [0, 0]
    assert 0 < metrics.bleu(["a b c x"], ["a b c d"], smooth=True).item() < 1
    assert metrics.bleu(["x y"], ["a b"], smooth=True).item() == 0
    with pytest.raises(MetricError, match="at least 1"):
        metrics.bleu(["a"], ["a"], longest=0)
    with pytest.raises(MetricError, match="spaces or 13a"):
        metrics.bleu(["a"], ["a"], tokens="intl")  # type: ignore[arg-type]


def test_a_bag_of_tokens_leaves_order_out() -> None:
    assert metrics.token_accuracy([[2, 1, 1]], [[1, 2, 3]]).tolist() == [0]
    assert metrics.token_accuracy([[2, 1, 1]], [[1, 2, 3]], count="bag").tolist() == pytest.approx([2 / 3])
    padded = metrics.token_accuracy([[2, 0]], [[0, 2, 0]], ignored=frozenset({0}), count="bag")
    assert padded.tolist() == [1]
    with pytest.raises(MetricError, match="position or bag"):
        metrics.token_accuracy([[1]], [[1]], count="set")  # type: ignore[arg-type]


def test_a_match_can_pass_over_case_punctuation_and_digits() -> None:
    given, true = ["Dr. Who, 7"], ["dr who 12"]
    assert metrics.exact_match(given, true).item() == 0
    assert metrics.exact_match(given, true, ignore_case=True, ignore_punctuation=True).item() == 0
    options = {"ignore_case": True, "ignore_punctuation": True, "ignore_digits": True}
    assert metrics.exact_match(given, true, **options).item() == 1


def test_labels_can_be_counted_as_a_set_or_by_position() -> None:
    found, labels = torch.tensor([0, 1, 1, 3]), torch.tensor([0, 1, 2, 2])
    assert metrics.label_recovery_accuracy(found, labels) == 0.5
    assert metrics.label_recovery_accuracy(found, labels, count="set") == 0.5
    assert metrics.label_recovery_accuracy(found.flip(0), labels, count="position") == 0.25
    assert metrics.label_recovery_accuracy(torch.tensor([0, 0, 1, 2]), labels, count="set") == 1
    with pytest.raises(MetricError, match="multiset, set or position"):
        metrics.label_recovery_accuracy(found, labels, count="list")  # type: ignore[arg-type]
