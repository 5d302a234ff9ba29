"""Joint training grants the model and the other's gradients, and nothing of the other's batches."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from tests.reference.cheating import Remembering, holds, reachable
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations import CollaborativeTraining, QueryLimitReached

INPUTS = torch.rand(2, 4, 3, 2, 2, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([[0, 2, 1, 2], [1, 1, 0, 2]])


def joint() -> CollaborativeTraining:
    batches = list(zip(INPUTS, LABELS, strict=True))
    return CollaborativeTraining(Remembering(), batches, learning_rate=0.5, mode="eval")


def zeros(model: nn.Module) -> dict[str, Tensor]:
    return {name: torch.zeros_like(parameter) for name, parameter in model.named_parameters()}


def test_nothing_private_hangs_on_the_training_nor_on_what_it_gives() -> None:
    training = joint()
    assert not [thing for thing in reachable(training) if isinstance(thing, nn.Module | Tensor)]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(training)
    for batch in INPUTS:
        heard = training.share(zeros(training.model()))
        assert heard.labels is None
        for thing in (heard, training.model(), training):
            assert not holds(thing, batch)


def test_the_joint_model_steps_along_both_gradients() -> None:
    training = joint()
    before = training.model()
    mine = {name: torch.ones_like(parameter) for name, parameter in before.named_parameters()}
    heard = training.share(mine)
    slopes = torch.autograd.grad(functional.cross_entropy(before(INPUTS[0]), LABELS[0]), list(before.parameters()))
    for slope, (name, after) in zip(slopes, training.model().named_parameters(), strict=True):
        torch.testing.assert_close(heard.gradient[name], slope)
        torch.testing.assert_close(after, before.get_parameter(name) - 0.5 * (1 + slope))
        # The other's gradient is of the model before its step.
        assert torch.equal(heard.model.get_parameter(name), before.get_parameter(name))


def test_changing_a_copy_does_not_change_the_joint_model() -> None:
    training = joint()
    with torch.no_grad():
        for parameter in training.model().parameters():
            parameter.zero_()
    assert any(parameter.abs().max() > 0 for parameter in training.model().parameters())


def test_rounds_end_and_what_does_not_fit_is_refused() -> None:
    training = joint()
    mine = zeros(training.model())
    with pytest.raises(ValueError, match="other names or shapes"):
        training.share({})
    for _ in range(training.rounds):
        training.share(mine)
    with pytest.raises(QueryLimitReached, match="all of the 2 rounds"):
        training.share(mine)
    assert training.describe().startswith("2 rounds of joint training of rate 0.5")
    with pytest.raises(ValueError, match="positive rate"):
        CollaborativeTraining(Remembering(), [], learning_rate=0.5, mode="eval")
    diverging = CollaborativeTraining(Remembering(), [(INPUTS[0], LABELS[0])], learning_rate=1.0, mode="eval")
    with pytest.raises(FloatingPointError, match="lower its learning rate"):
        diverging.share({name: torch.full_like(part, torch.inf) for name, part in mine.items()})
