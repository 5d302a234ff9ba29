"""Observations whose private data are labels: attempts to get more out of them than they grant."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from sklearn.metrics import log_loss
from tests.reference.cheating import holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.observations import AccessError, LossScore, QueryLimitReached

LABELS = torch.tensor([0, 2, 1, 2, 0])


def predictions(seed: int = 0) -> Tensor:
    return torch.rand(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).softmax(dim=1)


def test_a_score_is_scikit_learn_s_and_leads_to_no_label() -> None:
    observation = LossScore(LABELS, classes=3, digits=30)
    given = predictions()
    assert float(observation.query(given[None])[0]) == pytest.approx(log_loss(LABELS.numpy(), given.numpy()), abs=1e-15)
    certain = torch.eye(3, dtype=torch.float64)[(LABELS + 1) % 3]
    assert float(observation.query(certain[None])[0]) == pytest.approx(-math.log(observation.clip))
    assert not [thing for thing in reachable(observation) if isinstance(thing, nn.Module | Tensor)]
    assert not holds(observation, LABELS[:, None])
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(observation)


def test_scores_are_blurred_and_rounded_and_cannot_be_cleared_up() -> None:
    exact = float(LossScore(LABELS, classes=3).query(predictions()[None])[0])
    rounded = LossScore(LABELS, classes=3, round_to=2)
    assert float(rounded.query(predictions()[None])[0]) == pytest.approx(round(exact, 2), abs=1e-12)
    rounded.round_to = None
    assert float(rounded.query(predictions()[None])[0]) == pytest.approx(round(exact, 2), abs=1e-12)
    noisy = LossScore(LABELS, classes=3, noise=0.1)
    scores = noisy.query(predictions().expand(200, 5, 3))
    assert float((scores - exact).abs().max()) <= 0.1
    assert float((scores - exact).abs().max()) > 0.09
    assert "off by up to 0.1" in noisy.describe()
    assert noisy.queries == 200


def test_an_exact_score_is_that_of_the_shares_and_is_granted_only_where_said() -> None:
    weights = torch.tensor([[1, 2, 3], [1, 5, 7], [1, 1, 1], [4, 4, 9], [2, 2, 2]])
    shares = weights.double() / weights.double().sum(dim=1, keepdim=True)
    observation = LossScore(LABELS, classes=3, digits=25, limit=2)
    score = observation.query_exactly(weights)
    assert float(score) == pytest.approx(float(observation.query(shares[None])[0]), abs=1e-14)
    assert len(score.as_tuple().digits) == 25
    with pytest.raises(QueryLimitReached):
        observation.query_exactly(weights)
    with pytest.raises(AccessError, match="float64 alone"):
        LossScore(LABELS, classes=3).query_exactly(weights)
    with pytest.raises(ValueError, match="whole numbers"):
        observation.query_exactly(weights * 0)


def test_submissions_that_are_no_predictions_are_refused() -> None:
    observation = LossScore(LABELS, classes=3)
    for wrong, message in (
        (predictions()[None].float(), "float64"),
        (2 * predictions()[None], "sum to 1"),
        (-predictions()[None], "probabilities"),
        (predictions()[None, :4], r"shape \(batch, 5, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            observation.query(wrong)
    assert observation.queries == 0
    with pytest.raises(ValueError, match="classes from 0 to 1"):
        LossScore(LABELS, classes=2)
