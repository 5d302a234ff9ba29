"""Labels of real data sets from the log-loss of predictions on them: by primes, by powers, in float64 and exactly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_wine
from torch import Tensor

from inversion_atlas.reference.attacks.log_loss import labels_from_exact_score, labels_from_scores
from inversion_atlas.reference.observations import AccessError, LossScore, QueryLimitReached, SplitFeatures
from inversion_atlas.reference.targets.tables import affairs


def drawn(labels: list[int]) -> Tensor:
    """The labels in a random order: scikit-learn keeps some data sets sorted."""
    return torch.tensor(labels)[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]


TUMORS, WINES = drawn(load_breast_cancer().target), drawn(load_wine().target)


def right(found: Tensor, labels: Tensor) -> float:
    return float((found == labels).double().mean())


def scored(labels: Tensor, **given: Any) -> LossScore:
    return LossScore(labels, classes=int(labels.max()) + 1, **given)


@pytest.mark.parametrize("code", ["powers", "primes"])
@pytest.mark.parametrize("labels", [TUMORS, WINES, affairs().private.labels[:600]], ids=["tumors", "wines", "ratings"])
def test_every_label_of_a_data_set_is_read_and_noise_in_the_scores_place_tells_none(labels: Tensor, code: Any) -> None:
    """Margin: all labels, where naming the most frequent class gets two thirds at most; with noise that the attack
    is not told of it gets no more than that and a twentieth, and says that scores spelled nothing."""
    majority = float(labels.bincount().max()) / len(labels)
    assert majority < 0.67
    found = labels_from_scores(scored(labels), code=code)
    assert torch.equal(found.labels, labels)
    assert found.converged
    blind = labels_from_scores(scored(labels, noise=1.0), code=code, error=0.0)
    assert right(blind.labels, labels) < majority + 0.05
    assert not blind.converged


def test_one_query_in_float64_tells_46_labels_by_powers_and_13_by_primes() -> None:
    """Of forty data sets of that size each is read whole, one of ones alone among them; of larger ones few are."""
    generator = torch.Generator().manual_seed(0)
    for code, number, too_many in (("powers", 46, 52), ("primes", 13, 40)):
        whole = 0
        for draw in range(40):
            labels = torch.randint(2, (too_many,), generator=generator) if draw else torch.ones(too_many).long()
            found = labels_from_scores(LossScore(labels[:number], classes=2), code=code, per_query=number)  # type: ignore[arg-type]
            assert torch.equal(found.labels, labels[:number])
            assert found.queries == 1
            beyond = labels_from_scores(LossScore(labels, classes=2), code=code, per_query=too_many)  # type: ignore[arg-type]
            whole += torch.equal(beyond.labels, labels)
        assert whole < 8


def test_one_score_to_enough_digits_tells_a_whole_data_set() -> None:
    """The paper's claim for arbitrary precision. A score to half as many digits is refused before it is asked for."""
    for labels, digits in ((TUMORS, 2100), (WINES, 700)):
        observation = scored(labels, digits=digits, limit=1)
        found = labels_from_exact_score(observation)
        assert torch.equal(found.labels, labels)
        assert found.converged
        assert observation.queries == found.queries == 1
        few = scored(labels, digits=digits // 2)
        with pytest.raises(ValueError, match="need scores of"):
            labels_from_exact_score(few)
        assert few.queries == 0


def test_powers_withstand_rounding_and_noise_that_hide_primes() -> None:
    """The paper's comparison: a code that is spaced by the noise reads all labels, primes asked as boldly do not.

    To five decimals, as leaderboards round, powers need a quarter of the queries that careful primes need.
    """
    careful = labels_from_scores(scored(TUMORS, round_to=5), code="primes")
    for given in ({"round_to": 5}, {"noise": 5e-6}):
        observation = scored(TUMORS, **given)
        powers = labels_from_scores(observation)
        assert torch.equal(powers.labels, TUMORS)
        assert powers.converged
        assert observation.queries == powers.queries < careful.queries / 3
        bold = labels_from_scores(scored(TUMORS, **given), code="primes", per_query=11)
        assert right(bold.labels, TUMORS) < 0.65
    assert torch.equal(careful.labels, TUMORS)


def test_the_less_a_score_tells_the_more_queries_are_needed() -> None:
    needed = [labels_from_scores(scored(TUMORS, round_to=decimals)).queries for decimals in (12, 8, 5, 3)]
    assert needed == sorted(needed)
    assert needed[-1] > 5 * needed[0]
    with pytest.raises(ValueError, match="hide all"):
        labels_from_scores(scored(TUMORS, round_to=1))


def test_queries_are_counted_and_end_at_the_limit() -> None:
    observation = scored(TUMORS, limit=5)
    with pytest.raises(QueryLimitReached, match="5 of 5"):
        labels_from_scores(observation)
    assert observation.queries == 5


def test_the_same_seed_gives_the_same_labels_and_other_observations_are_refused() -> None:
    first, again = (labels_from_scores(scored(TUMORS, noise=0.1, seed=3), error=0.0).labels for _ in range(2))
    assert torch.equal(first, again)
    features = SplitFeatures.of_inputs(
        torch.nn.Flatten(), torch.nn.Linear(4, 2), torch.zeros(1, 1, 2, 2), grants="nothing"
    )
    with pytest.raises(AccessError, match="takes a LossScore; a SplitFeatures"):
        labels_from_scores(features)  # type: ignore[arg-type]
