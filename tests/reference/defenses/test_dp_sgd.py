"""DP-SGD, compared with Opacus: gradients of examples, what is spent, and that it hinders the attack."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from opacus.accountants import RDPAccountant
from opacus.grad_sample import GradSampleModule
from opacus.optimizers import DPOptimizer
from torch import nn
from torch.nn import functional

from inversion_atlas.reference.defenses.accountant import epsilon, renyi
from inversion_atlas.reference.defenses.dp_sgd import dp_gradient, train_dp
from inversion_atlas.reference.observations import SharedGradient, WhiteBox
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.training import Target


@pytest.mark.parametrize(
    ("noise_multiplier", "sample_rate", "steps", "delta"),
    [(1.1, 0.01, 1000, 1e-5), (0.6, 0.08, 300, 1e-5), (4.0, 0.5, 50, 1e-6), (2.0, 1.0, 10, 1e-5), (0.5, 0.3, 5, 1e-3)],
)
def test_epsilon_is_the_one_that_opacus_names(
    noise_multiplier: float, sample_rate: float, steps: int, delta: float
) -> None:
    theirs = RDPAccountant()
    theirs.history = [(noise_multiplier, sample_rate, steps)]
    ours = epsilon(noise_multiplier=noise_multiplier, sample_rate=sample_rate, steps=steps, delta=delta)
    assert ours == pytest.approx(theirs.get_epsilon(delta=delta), abs=1e-3)


def test_a_step_without_sampling_is_the_gaussian_mechanism_and_no_noise_promises_nothing() -> None:
    assert renyi(8.0, noise_multiplier=2.0, sample_rate=1.0) == 1.0
    assert renyi(8.0, noise_multiplier=2.0, sample_rate=0.0) == 0.0
    assert epsilon(noise_multiplier=0.0, sample_rate=0.1, steps=1, delta=1e-5) == math.inf
    with pytest.raises(ValueError, match="delta must be"):
        epsilon(noise_multiplier=1.0, sample_rate=0.1, steps=1, delta=0.0)


@pytest.fixture(scope="session")
def batch(target: Callable[[str], Target]) -> tuple[nn.Module, torch.Tensor, torch.Tensor, SharedGradient]:
    victim = target("digits-mlp")
    images, labels = victim.data.private.images[:6], victim.data.private.labels[:6]
    # One example that the model is wrong on has a far longer gradient than the others.
    labels = labels.clone()
    labels[0] = (labels[0] + 1) % 10
    shared = SharedGradient.of_batch(victim.model, images, labels, mode="eval", labels_known=True)
    return victim.model, images, labels, shared


def test_clipping_is_per_example_and_equals_opacus(
    batch: tuple[nn.Module, torch.Tensor, torch.Tensor, SharedGradient],
) -> None:
    model, images, labels, shared = batch
    ours = dp_gradient(shared, images, labels, bound=0.5, noise_multiplier=0.0).gradient
    theirs = GradSampleModule(copy.deepcopy(model).train())
    optimizer = DPOptimizer(
        torch.optim.SGD(theirs.parameters(), lr=1.0), noise_multiplier=0.0, max_grad_norm=0.5, expected_batch_size=6
    )
    functional.cross_entropy(theirs(images.clone().requires_grad_()), labels).backward()  # type: ignore[no-untyped-call]
    optimizer.pre_step()
    for name, parameter in theirs._module.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, rtol=1e-4, atol=1e-7)
    # Clipping the whole batch's gradient, which some call DP, leaves the long example in the lead.
    whole = torch.cat([part.flatten() for part in shared.gradient.values()])
    private = torch.cat([part.flatten() for part in ours.values()])
    one = SharedGradient.of_batch(model, images[:1], labels[:1], mode="eval", labels_known=True)
    long = torch.cat([part.flatten() for part in one.gradient.values()])

    def toward(vector: torch.Tensor) -> float:
        return float(functional.cosine_similarity(vector, long, dim=0))

    assert toward(whole) > 0.95
    assert toward(private) < 0.9
    assert float(private.norm()) <= 0.5


def test_noise_is_the_multiplier_times_the_bound_over_the_batch(
    batch: tuple[nn.Module, torch.Tensor, torch.Tensor, SharedGradient],
) -> None:
    _, images, labels, shared = batch
    quiet = dp_gradient(shared, images, labels, bound=0.5, noise_multiplier=0.0)
    loud = dp_gradient(shared, images, labels, bound=0.5, noise_multiplier=3.0, seed=4)
    added = torch.cat([(loud.gradient[name] - part).flatten() for name, part in quiet.gradient.items()])
    assert float(added.std()) == pytest.approx(3.0 * 0.5 / 6, rel=0.05)
    again = dp_gradient(shared, images, labels, bound=0.5, noise_multiplier=3.0, seed=4)
    assert torch.equal(loud.gradient["1.weight"], again.gradient["1.weight"])
    assert loud.describe().endswith("under DP-SGD of bound 0.5, noise multiplier 3")


def test_examples_have_no_gradient_of_their_own_under_batch_normalization() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2))
    images, labels = torch.rand(3, 1, 2, 2), torch.tensor([0, 1, 0])
    shared = SharedGradient.of_batch(model, images, labels, mode="train", labels_known=True)
    with pytest.raises(ValueError, match="mixes examples"):
        dp_gradient(shared, images, labels, bound=1.0, noise_multiplier=1.0)


def test_dp_sgd_stops_inverting_gradients(
    digit: SharedGradient, target: Callable[[str], Target], reached: Callable[[SharedGradient], float]
) -> None:
    """Margin: 8 dB at a noise multiplier that spends an epsilon of hundreds in one step."""
    private = target("digits-convnet").data.private
    defended = dp_gradient(digit, private.images[:1], private.labels[:1], bound=1e-4, noise_multiplier=0.1)
    assert reached(defended) < reached(digit) - 8


def test_a_privately_trained_model_learns_and_tells_its_epsilon(target: Callable[[str], Target]) -> None:
    """Margin: 70 % of test digits, where guessing reaches 10 %."""
    split = target("digits-softmax").data
    with seeded(0):
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    trained = train_dp(
        model,
        split.private.images,
        split.private.labels,
        bound=1.0,
        noise_multiplier=1.0,
        epochs=8,
        learning_rate=2.0,
    )
    accuracy = float((trained.model(split.test.images).argmax(dim=1) == split.test.labels).float().mean())
    assert accuracy > 0.7
    theirs = RDPAccountant()
    theirs.history = [(1.0, 64 / 800, 8 * 12)]
    assert trained.epsilon == pytest.approx(theirs.get_epsilon(delta=1e-5), abs=1e-3)
    victim = WhiteBox(trained.model, outputs="logits", input_shape=(1, 8, 8))
    assert f"under training by DP-SGD with epsilon {trained.epsilon:.3g}" in victim.describe()
