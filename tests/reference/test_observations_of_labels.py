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

from inversion_atlas.reference.observations import (
    AccessError,
    LossScore,
    QueryLimitReached,
    SplitLabels,
    VerticalTraining,
)
from inversion_atlas.reference.observations.split_labels import Grants

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


def trained(top: nn.Module | None = None) -> tuple[VerticalTraining, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    mine, theirs = torch.rand(5, 2, generator=generator), torch.rand(5, 4, generator=generator)
    training = VerticalTraining(
        mine, theirs, LABELS, nn.Linear(4, 3), top, width=3, classes=3, learning_rate=0.5, epochs=1, batch_size=3
    )
    return training, mine, theirs


def test_a_party_of_vertical_training_holds_its_own_features_alone() -> None:
    top = nn.Linear(6, 3)
    before = copy.deepcopy(top.state_dict())
    training, mine, theirs = trained(top)
    gradient = training.send(torch.zeros(len(training.receive()), 3))
    assert not gradient.requires_grad
    assert holds({"features": training.features}, mine.clone())
    assert not holds(training, theirs)
    assert not [thing for thing in reachable(training) if isinstance(thing, nn.Module)]
    assert not holds(training, LABELS[:, None])
    assert all(torch.equal(before[name], value) for name, value in top.state_dict().items())
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(training)
    assert "upper layers unknown" in training.describe()


def test_the_gradient_is_that_of_the_mean_cross_entropy_of_summed_outputs() -> None:
    training, _, _ = trained()
    places = training.receive()
    gradient = training.send(torch.zeros(3, 3))
    labels = nn.functional.one_hot(LABELS[places], 3)
    # Softmax minus one at the label, over three items: what is left is the others' probabilities.
    shares = gradient * 3 + labels
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3))
    assert float(shares.min()) > 0
    assert "summed to logits" in training.describe()


def test_batches_are_announced_once_and_end() -> None:
    training, _, _ = trained()
    with pytest.raises(ValueError, match="announced last"):
        training.send(torch.zeros(3, 3))
    places = training.receive()
    with pytest.raises(ValueError, match="3 wide"):
        training.send(torch.zeros(3, 2))
    training.send(torch.zeros(3, 3))
    last = training.receive()
    training.send(torch.zeros(2, 3))
    assert sorted([*places.tolist(), *last.tolist()]) == list(range(5))
    assert training.rounds == training.batches == 2
    with pytest.raises(QueryLimitReached, match="ended after 2 batches"):
        training.receive()


def test_parties_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="the same items"):
        VerticalTraining(
            torch.rand(4, 2),
            torch.rand(5, 2),
            LABELS,
            nn.Linear(2, 3),
            None,
            width=3,
            classes=3,
            learning_rate=0.1,
            epochs=1,
            batch_size=2,
        )
    with pytest.raises(ValueError, match="must be 3 wide"):
        VerticalTraining(
            torch.rand(5, 2),
            torch.rand(5, 2),
            LABELS,
            nn.Linear(2, 3),
            None,
            width=4,
            classes=3,
            learning_rate=0.1,
            epochs=1,
            batch_size=2,
        )


def labeled(grants: Grants, top: nn.Module | None = None) -> SplitLabels:
    inputs = torch.rand(5, 4, generator=torch.Generator().manual_seed(2))
    return SplitLabels(inputs, LABELS, top or nn.Linear(4, 3), classes=3, grants=grants, learning_rate=0.1)


def test_a_client_that_keeps_labels_and_top_gives_gradients_alone() -> None:
    top = nn.Linear(4, 3)
    before = copy.deepcopy(top.state_dict())
    observation = labeled("features", top)
    # What is overwritten on the observation grants no more.
    observation.grants = "weight"
    returned = observation.send(torch.ones(1, 4))
    assert returned.weight is None
    assert not returned.features.requires_grad
    for thing in (observation, returned):
        assert not [found for found in reachable(thing) if isinstance(found, nn.Module)]
        assert not holds(thing, LABELS[:, None])
        assert not holds(thing, before["weight"])
    assert all(torch.equal(before[name], value) for name, value in top.state_dict().items())
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(observation)
    assert "gradients of features one by one" in labeled("features").describe()
    assert "of the weight of the top's first layer" in labeled("weight").describe()


def test_the_top_s_gradient_is_that_of_the_example_s_cross_entropy_and_the_top_learns() -> None:
    top, features = nn.Linear(4, 3), torch.rand(1, 4)
    observation = labeled("weight", top)
    returned = observation.send(features)
    wanted = torch.autograd.grad(nn.functional.cross_entropy(top(features), LABELS[:1]), top.weight)[0]
    torch.testing.assert_close(returned.weight, wanted)
    kept = wanted.clone()
    second = observation.send(features)
    assert torch.equal(returned.weight, kept)  # what was returned stays as it was
    assert not torch.allclose(second.features, returned.features)


def test_examples_come_one_by_one_and_end() -> None:
    observation = labeled("weight")
    with pytest.raises(ValueError, match="one example, not of 2"):
        observation.send(torch.ones(2, 4))
    for _ in range(5):
        observation.send(torch.ones(1, 4))
    assert observation.rounds == 5
    with pytest.raises(QueryLimitReached, match="ended after 5 examples"):
        observation.send(torch.ones(1, 4))
    with pytest.raises(ValueError, match="classes from 0 to 1"):
        SplitLabels(torch.rand(5, 4), LABELS, nn.Linear(4, 2), classes=2, grants="weight", learning_rate=0.1)
    with pytest.raises(ValueError, match="'features' or 'weight'"):
        labeled("labels")  # type: ignore[arg-type]
