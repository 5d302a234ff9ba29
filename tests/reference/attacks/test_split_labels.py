"""Labels from gradients that a client of split learning returns for its last layers."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from inversion_atlas.reference.attacks.split_labels import unsplit_labels
from inversion_atlas.reference.benchmark.label_cases import accuracy
from inversion_atlas.reference.benchmark.split_cases import parts
from inversion_atlas.reference.benchmark.split_label_cases import bottom_and_tops
from inversion_atlas.reference.observations import AccessError, BlackBox, SplitLabels
from inversion_atlas.reference.observations.split_labels import Grants, ReturnedGradient
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
ITEMS = 100


class Blind(SplitLabels):
    """A client whose gradients are replaced by noise of their size; it learns as before."""

    __slots__ = ()

    def send(self, features: Tensor) -> ReturnedGradient:
        returned = super().send(features)
        generator = torch.Generator().manual_seed(self.rounds)
        noise = [
            None if part is None else torch.randn(part.shape, generator=generator) * part.square().mean().sqrt()
            for part in (returned.features, returned.weight)
        ]
        assert noise[0] is not None
        return ReturnedGradient(noise[0], noise[1])


@pytest.fixture(scope="module")
def digits(target: Targets) -> Target:
    return target("digits-convnet")


def private_labels(victim: Target) -> Tensor:
    return victim.data.private.labels[:ITEMS]


def majority(victim: Target) -> float:
    return float(private_labels(victim).bincount().max()) / ITEMS


def client(victim: Target, top: nn.Module, *, grants: Grants = "weight", labels: Tensor | None = None) -> SplitLabels:
    private = victim.data.private
    held = private_labels(victim) if labels is None else labels
    return SplitLabels(private.images[:ITEMS], held, top, classes=10, grants=grants, learning_rate=1e-3)


def blinded(observation: SplitLabels) -> SplitLabels:
    observation.__class__ = Blind
    return observation


def renamed_at_best(found: Tensor, labels: Tensor) -> float:
    """Share of labels found if somebody named the groups."""
    table = torch.zeros(10, 10).index_put_((found, labels), torch.tensor(1.0), accumulate=True)
    rows, columns = linear_sum_assignment(-table.numpy())
    return float(table[rows, columns].sum()) / len(labels)


def test_a_hidden_output_layer_hides_no_label_and_a_second_layer_does(digits: Target) -> None:
    """The paper's claim, from the start of training: one layer, every label; noise, and two layers matched at their
    first, come at most 10 points above the majority."""
    labels, floor = private_labels(digits), majority(digits)
    server, top, surrogate = bottom_and_tops(digits, seed=0)
    before = copy.deepcopy([server.state_dict(), top.state_dict(), surrogate.state_dict()])
    found = unsplit_labels(client(digits, top), server, surrogate)
    assert torch.equal(found, labels)
    assert torch.equal(found, unsplit_labels(client(digits, top), server, surrogate))
    for model, state in zip((server, top, surrogate), before, strict=True):
        assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    assert accuracy(unsplit_labels(blinded(client(digits, top)), server, surrogate), labels) < floor + 0.1
    server, top, surrogate = bottom_and_tops(digits, seed=0, below=-4)
    assert accuracy(unsplit_labels(client(digits, top), server, surrogate), labels) < floor + 0.1


def test_gradients_in_features_group_examples_and_cannot_name_the_groups(digits: Target) -> None:
    """Two clients, one with every class renamed, return the same gradients, so that both labels cannot be found.

    Margin of the groups, once somebody names them: 20 points above those that noise gives.
    """
    labels, order = private_labels(digits), torch.arange(10).roll(1)
    server, top, surrogate = bottom_and_tops(digits, seed=1)
    last = copy.deepcopy(top)[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.copy_(last.weight[order])
        last.bias.copy_(last.bias[order])
    found = unsplit_labels(client(digits, top, grants="features"), server, surrogate)
    renamed = order.argsort()[labels]
    again = unsplit_labels(client(digits, last, grants="features", labels=renamed), server, surrogate)
    assert accuracy(again, found) > 0.95
    blind = unsplit_labels(blinded(client(digits, top, grants="features")), server, surrogate)
    assert renamed_at_best(found, labels) > renamed_at_best(blind, labels) + 0.2
    # The same with the weight's gradient: its rows name the classes.
    assert torch.equal(unsplit_labels(client(digits, last, labels=renamed), server, surrogate), renamed)


def test_gradients_of_a_top_that_has_learned_are_too_small_to_match(digits: Target) -> None:
    """Every distance is then decided by the surrogate's own gradient; at most 10 points above the majority."""
    server, top = parts(digits.model, -1)
    _, _, surrogate = bottom_and_tops(digits, seed=0)
    found = unsplit_labels(client(digits, top), server, surrogate)
    assert accuracy(found, private_labels(digits)) < majority(digits) + 0.1


def test_another_observation_is_refused(digits: Target) -> None:
    box = BlackBox(digits.model, outputs="logits", input_shape=(1, 8, 8))
    with pytest.raises(AccessError, match="takes a SplitLabels; a BlackBox"):
        unsplit_labels(box, nn.Identity(), nn.Identity())  # type: ignore[arg-type]
