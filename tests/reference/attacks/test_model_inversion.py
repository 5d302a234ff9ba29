"""Attacks on trained models: an image of a class through a white box, private images through a black box."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.inversion_network import InversionNetwork, train_inversion_network, truncated
from inversion_atlas.reference.attacks.mi_face import mi_face
from inversion_atlas.reference.metrics import attack_accuracy, mse
from inversion_atlas.reference.observations import AccessError, BlackBox, QueryLimitReached, WhiteBox
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
CLASSES = torch.arange(10)


@pytest.mark.parametrize("name", ["digits-softmax", "digits-mlp"])
def test_images_of_classes_convince_a_model_of_another_architecture(name: str, target: Targets) -> None:
    """Margin: 80 % of classes under an evaluation model; mean image, random images, another model reach 30 %."""
    victim, judge = target(name), target("digits-convnet")
    found = mi_face(WhiteBox(victim.model, outputs="logits", input_shape=(1, 8, 8)), CLASSES)

    def judged(images: Tensor) -> float:
        return float(attack_accuracy(judge.model(images).detach(), CLASSES).mean())

    assert found.converged
    assert judged(found.images) >= 0.8
    public = victim.data.public.images
    assert judged(public.mean(dim=0, keepdim=True).expand(10, -1, -1, -1)) <= 0.3
    assert judged(public[:10]) <= 0.3
    with seeded(0):
        untrained = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    wrong = mi_face(WhiteBox(untrained, outputs="logits", input_shape=(1, 8, 8)), CLASSES)
    assert judged(wrong.images) <= 0.3


def test_the_descent_stops_by_confidence_and_by_patience_and_not_before(target: Targets) -> None:
    victim = WhiteBox(target("digits-softmax").model, outputs="logits", input_shape=(1, 8, 8))
    full = mi_face(victim, CLASSES)
    assert full.evaluations > 20
    assert full.objective <= 0.01
    short = mi_face(victim, CLASSES, steps=5)
    assert short.evaluations == 6
    assert not short.converged
    assert short.objective > full.objective
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with torch.no_grad():
        flat[1].weight.zero_()
    stuck = mi_face(WhiteBox(flat, outputs="logits", input_shape=(1, 8, 8)), CLASSES, patience=7)
    assert stuck.evaluations == 8
    assert not stuck.converged


def test_the_image_returned_is_the_one_with_the_least_cost(target: Targets) -> None:
    victim = WhiteBox(target("digits-mlp").model, outputs="logits", input_shape=(1, 8, 8))
    found = mi_face(victim, CLASSES, learning_rate=5.0, steps=40)
    costs = 1 - victim.log_probabilities(found.images).gather(1, CLASSES[:, None]).exp()
    assert float(costs.mean().detach()) == pytest.approx(found.objective, abs=1e-5)
    assert found.images.min() >= 0
    assert found.images.max() <= 1


def test_a_black_box_does_not_grant_what_gradient_descent_needs(target: Targets) -> None:
    victim = BlackBox(target("digits-mlp").model, outputs="logits", input_shape=(1, 8, 8))
    with pytest.raises(AccessError, match="takes a WhiteBox"):
        mi_face(victim, CLASSES)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="classes from 0 to 9"):
        mi_face(WhiteBox(target("digits-mlp").model, outputs="logits", input_shape=(1, 8, 8)), torch.tensor([10]))


def test_private_images_are_read_from_their_scores(target: Targets) -> None:
    """Margins in mean squared error: .7 of the mean image of the named class, .4 of the mean image; shuffled: worse."""
    victim = target("digits-mlp")
    private, public = victim.data.private.images[:200], victim.data.public
    box = BlackBox(victim.model, outputs="logits", input_shape=(1, 8, 8), limit=900)
    network = train_inversion_network(box, public.images, epochs=25)
    assert box.queries == 700
    scores = box.query(private)
    with torch.no_grad():
        found = network(scores)
        shuffled = network(scores.roll(1, dims=0))
    means = torch.stack([public.images[public.labels == label].mean(dim=0) for label in range(10)])
    by_class = mse(means[scores.argmax(dim=1)], private).mean()
    by_mean = mse(public.images.mean(dim=0, keepdim=True).expand_as(private).contiguous(), private).mean()
    ours = mse(found, private).mean()
    assert ours < 0.7 * by_class
    assert ours < 0.4 * by_mean
    assert mse(shuffled, private).mean() > by_mean
    # Fewer scores tell less: the paper's truncation, and why it trains for it.
    with torch.no_grad():
        assert mse(network(truncated(scores, 1)), private).mean() > ours
    with pytest.raises(QueryLimitReached):
        box.query(private)


def test_an_inverse_of_truncated_scores_has_to_be_trained_on_such(target: Targets) -> None:
    """The paper's comparison, for the three largest scores; margins in squared error: .8, and .9 of class means."""
    victim = target("digits-mlp")
    private, public = victim.data.private.images[:200], victim.data.public
    box = BlackBox(victim.model, outputs="logits", input_shape=(1, 8, 8))
    seen = BlackBox(victim.model, outputs="logits", input_shape=(1, 8, 8), top_k=3).query(private)
    assert int((seen > 0).sum(dim=1).max()) == 3
    whole, cut = (train_inversion_network(box, public.images, epochs=15, truncation=kept) for kept in (None, 3))
    with torch.no_grad():
        by_whole, by_cut = (float(mse(network(seen), private).mean()) for network in (whole, cut))
    means = torch.stack([public.images[public.labels == label].mean(dim=0) for label in range(10)])
    assert by_cut < 0.8 * by_whole
    assert by_cut < 0.9 * float(mse(means[seen.argmax(dim=1)], private).mean())


def test_training_the_inverse_is_the_same_each_time_and_leaves_random_numbers_alone(target: Targets) -> None:
    victim = target("digits-mlp")
    public = victim.data.public.images[:64]
    box = BlackBox(victim.model, outputs="logits", input_shape=(1, 8, 8))
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    one, two = (train_inversion_network(box, public, epochs=1, seed=3) for _ in "ab")
    assert torch.equal(torch.rand(2), expected)
    scores = box.query(public)
    assert torch.equal(one(scores), two(scores))


def test_truncation_keeps_the_largest_scores_alone() -> None:
    scores = torch.tensor([[0.1, 0.6, 0.3]])
    assert torch.equal(truncated(scores, 2), torch.tensor([[0.0, 0.6, 0.3]]))
    with pytest.raises(ValueError, match="multiples of 4"):
        InversionNetwork(10, (1, 25, 25), (0.0, 1.0))
