"""An observation grants what its threat model says, and these tests try to get more out of it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from tests.reference.cheating import Remembering, holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.observations import (
    AccessError,
    BlackBox,
    QueryLimitReached,
    SharedGradient,
    SharedUpdate,
    WhiteBox,
    expect,
)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(4, 3, 2, 2, generator=generator), torch.tensor([0, 2, 1, 2])


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_nothing_that_hangs_on_a_shared_gradient_is_the_private_batch(mode: str, batch: tuple[Tensor, Tensor]) -> None:
    images, labels = batch
    observation = SharedGradient.of_batch(Remembering(), images, labels, mode=mode, labels_known=False)  # type: ignore[arg-type]
    assert not holds(observation, images)
    assert observation.labels is None
    assert all(part.grad_fn is None for part in observation.gradient.values())


def test_the_search_for_private_data_finds_them_where_they_are(batch: tuple[Tensor, Tensor]) -> None:
    model = Remembering()
    model(batch[0])
    assert holds(model, batch[0])
    assert holds({"deep": [batch[0][1:2].clone()]}, batch[0])


def test_the_gradient_is_that_of_the_mean_cross_entropy(batch: tuple[Tensor, Tensor]) -> None:
    model = Remembering().eval()
    observation = SharedGradient.of_batch(model, *batch, mode="eval", labels_known=True)
    nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(observation.gradient[name], parameter.grad)


def test_sharing_a_gradient_leaves_the_client_s_model_as_it_was(batch: tuple[Tensor, Tensor]) -> None:
    model = Remembering().train()
    before = copy.deepcopy(model.state_dict())
    SharedGradient.of_batch(model, *batch, mode="train", labels_known=False)
    assert model.training
    assert model.last is None
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_mode_changes_the_gradient_and_is_printed(batch: tuple[Tensor, Tensor]) -> None:
    model = Remembering()
    shared = {m: SharedGradient.of_batch(model, *batch, mode=m, labels_known=m == "eval") for m in ("eval", "train")}  # type: ignore[arg-type]
    name = "layers.1.weight"
    assert not torch.allclose(shared["eval"].gradient[name], shared["train"].gradient[name])
    assert "train mode" in shared["train"].describe()
    assert "labels unknown" in shared["train"].describe()
    assert "labels known" in shared["eval"].describe()


def test_what_belongs_to_the_threat_model_is_never_guessed(batch: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(TypeError, match="labels_known"):
        SharedGradient.of_batch(Remembering(), *batch, mode="eval")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="mode must be"):
        SharedGradient.of_batch(Remembering(), *batch, mode="test", labels_known=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.full((2, 3, 2, 2), 2.0), torch.tensor([0, 1]), "data_range"),
        (torch.full((2, 3, 2, 2), float("nan")), torch.tensor([0, 1]), "data_range"),
        (torch.zeros(2, 3, 2, 2), torch.tensor([0]), "labels must be"),
        (torch.zeros(0, 3, 2, 2), torch.zeros(0, dtype=torch.long), "labels must be"),
    ],
)
def test_batches_that_make_no_sense_are_refused(images: Tensor, labels: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SharedGradient.of_batch(Remembering(), images, labels, mode="eval", labels_known=True)


def test_a_gradient_of_another_shape_cannot_replace_the_shared_one(batch: tuple[Tensor, Tensor]) -> None:
    observation = SharedGradient.of_batch(Remembering(), *batch, mode="eval", labels_known=True)
    with pytest.raises(ValueError, match="other names or shapes"):
        observation.with_gradient({name: torch.zeros(1) for name in observation.gradient})


def test_a_black_box_leads_to_no_parameter_and_passes_no_gradient(batch: tuple[Tensor, Tensor]) -> None:
    model = Remembering()
    victim = BlackBox(model, outputs="logits", input_shape=(3, 2, 2))
    images = batch[0].clone().requires_grad_()
    scores = victim.query(images)
    assert not scores.requires_grad
    assert not [thing for thing in reachable(victim) if isinstance(thing, nn.Module | Tensor)]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(victim)


def test_writing_into_an_answer_does_not_change_the_next_one(batch: tuple[Tensor, Tensor]) -> None:
    constant = torch.tensor([[0.5, 0.5]])
    victim = BlackBox(lambda inputs: constant.expand(len(inputs), 2), outputs="probabilities", input_shape=(3, 2, 2))
    victim.query(batch[0]).zero_()
    assert victim.query(batch[0]).sum() == len(batch[0])


def test_a_function_cannot_write_into_the_adversary_s_inputs(batch: tuple[Tensor, Tensor]) -> None:
    def spoiling(inputs: Tensor) -> Tensor:
        return inputs.zero_().flatten(1)[:, :2]

    images = batch[0].clone()
    BlackBox(spoiling, outputs="logits", input_shape=(3, 2, 2)).query(images)
    assert torch.equal(images, batch[0])


def test_every_input_is_a_query_and_the_limit_holds(batch: tuple[Tensor, Tensor]) -> None:
    victim = BlackBox(Remembering(), outputs="logits", input_shape=(3, 2, 2), limit=10)
    victim.query(batch[0])
    victim.query(batch[0])
    with pytest.raises(QueryLimitReached, match="8 of 10"):
        victim.query(batch[0])
    victim.query(batch[0][:2])
    assert victim.queries == 10
    with pytest.raises(AttributeError):
        victim.queries = 0  # type: ignore[misc]


def test_scores_are_cut_to_the_largest_rounded_and_blurred(batch: tuple[Tensor, Tensor]) -> None:
    model = Remembering()
    plain = BlackBox(model, outputs="logits", input_shape=(3, 2, 2)).query(batch[0])
    torch.testing.assert_close(plain.sum(dim=1), torch.ones(4))
    cut = BlackBox(model, outputs="logits", input_shape=(3, 2, 2), top_k=1).query(batch[0])
    assert torch.equal(cut.max(dim=1).values, plain.max(dim=1).values)
    assert torch.equal((cut > 0).sum(dim=1), torch.ones(4))
    rounded = BlackBox(model, outputs="logits", input_shape=(3, 2, 2), round_to=1).query(batch[0])
    torch.testing.assert_close(rounded * 10, (rounded * 10).round())
    noisy = [BlackBox(model, outputs="logits", input_shape=(3, 2, 2), noise=0.1, seed=5).query(batch[0]) for _ in "ab"]
    assert torch.equal(*noisy)
    assert not torch.allclose(noisy[0], plain)


def test_a_white_box_is_a_copy_in_eval_mode_that_can_be_differentiated(batch: tuple[Tensor, Tensor]) -> None:
    model = Remembering().train()
    victim = WhiteBox(model, outputs="logits", input_shape=(3, 2, 2))
    images = batch[0].clone().requires_grad_()
    victim.log_probabilities(images)[:, 0].sum().backward()
    assert images.grad is not None
    assert victim.classes == 3
    assert model.training
    with torch.no_grad():
        next(victim.model.parameters()).zero_()
    assert next(model.parameters()).abs().sum() > 0


def test_an_attack_refuses_an_observation_that_does_not_grant_what_it_needs() -> None:
    victim = BlackBox(Remembering(), outputs="logits", input_shape=(3, 2, 2))
    with pytest.raises(AccessError, match="dlg takes a SharedGradient; a BlackBox does not grant it"):
        expect(victim, SharedGradient, "dlg")


def test_wrapping_a_model_takes_three_lines() -> None:
    model = Remembering()
    victim = BlackBox(model, outputs="logits", input_shape=(3, 2, 2), limit=100)
    scores = victim.query(torch.rand(5, 3, 2, 2))
    assert scores.shape == (5, 3)


LOCAL: dict[str, Any] = {"learning_rate": 0.1, "epochs": 3, "local_batch_size": 2, "mode": "eval"}


@pytest.fixture
def client() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(5, 3, 2, 2, generator=generator), torch.tensor([0, 2, 1, 2, 0])


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("shuffle_seed", [None, 4])
def test_nothing_that_hangs_on_an_update_is_the_private_data_or_their_order(
    mode: str, shuffle_seed: int | None, client: tuple[Tensor, Tensor]
) -> None:
    given = {**LOCAL, "mode": mode, "local_batch_size": 3}
    update = SharedUpdate.of_client(Remembering(), *client, **given, shuffle_seed=shuffle_seed, labels_known=False)
    assert not holds(update, client[0])
    assert not holds(update.as_one_step(), client[0])
    assert update.labels is None
    assert all(value.grad_fn is None for value in update.after.values())


def test_labels_of_a_client_that_shuffles_come_without_their_order(client: tuple[Tensor, Tensor]) -> None:
    fixed, shuffled = (
        SharedUpdate.of_client(Remembering(), *client, **LOCAL, shuffle_seed=seed, labels_known=True)
        for seed in (None, 4)
    )
    assert fixed.labels is not None
    assert shuffled.labels is not None
    assert fixed.labels.tolist() == [0, 2, 1, 2, 0]
    assert shuffled.labels.tolist() == [0, 0, 1, 2, 2]
    assert any(not torch.equal(fixed.after[name], value) for name, value in shuffled.after.items())


def test_the_weights_afterwards_are_those_of_plain_descent(client: tuple[Tensor, Tensor]) -> None:
    model = Remembering().eval()
    update = SharedUpdate.of_client(model, *client, **LOCAL, shuffle_seed=None, labels_known=True)
    trained = copy.deepcopy(model)
    optimizer = torch.optim.SGD(trained.parameters(), 0.1)
    for _ in range(3):
        for part in torch.arange(5).split(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(trained(client[0][part]), client[1][part]).backward()
            optimizer.step()
    for name, parameter in trained.named_parameters():
        torch.testing.assert_close(update.after[name], parameter.detach())
    assert update.steps == 9
    assert "9 local steps of rate 0.1 on 5 examples" in update.describe()
    assert "labels known" in update.describe()


def test_sharing_an_update_leaves_the_client_s_model_as_it_was(client: tuple[Tensor, Tensor]) -> None:
    model = Remembering().train()
    before = copy.deepcopy(model.state_dict())
    SharedUpdate.of_client(
        model, *client, **{**LOCAL, "mode": "train", "local_batch_size": 3}, shuffle_seed=1, labels_known=False
    )
    assert model.last is None
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_an_update_is_replaced_by_another_of_the_same_shapes_alone(client: tuple[Tensor, Tensor]) -> None:
    update = SharedUpdate.of_client(Remembering(), *client, **LOCAL, shuffle_seed=None, labels_known=True)
    halved = update.with_update({name: part / 2 for name, part in update.update().items()})
    for name, part in halved.update().items():
        torch.testing.assert_close(part, update.update()[name] / 2, atol=1e-6, rtol=1e-4)
    with pytest.raises(ValueError, match="other names or shapes"):
        update.with_update({name: torch.zeros(1) for name in update.after})


def test_how_a_client_trains_is_never_guessed(client: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(TypeError, match="shuffle_seed"):
        SharedUpdate.of_client(Remembering(), *client, **LOCAL, labels_known=True)
    with pytest.raises(ValueError, match="local_batch_size"):
        SharedUpdate.of_client(
            Remembering(), *client, **{**LOCAL, "local_batch_size": 6}, shuffle_seed=None, labels_known=True
        )
    with pytest.raises(FloatingPointError, match="diverged"):
        SharedUpdate.of_client(
            Remembering(), *client, **{**LOCAL, "learning_rate": 1e38}, shuffle_seed=None, labels_known=True
        )
