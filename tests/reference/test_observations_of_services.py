"""Interfaces that name classes or explain, splits, pairs of models and trees: what they grant, and that it is all."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.tree import DecisionTreeClassifier
from tests.reference.cheating import Remembering, holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.observations import (
    AccessError,
    BlackBox,
    ClientInterface,
    Explanation,
    LabelOnly,
    ModelPair,
    ObfuscatedPoints,
    QueryLimitReached,
    Regression,
    SplitFeatures,
    SplitTraining,
    TreeConfidences,
    TreePath,
    WhiteBox,
    expect,
)
from inversion_atlas.reference.observations.explanations import grad_cam, gradient, gradient_times_input
from inversion_atlas.reference.observations.interface import Interface

SHAPE = (3, 2, 2)


class Head(nn.Module):
    """The client's part of a network; it keeps the last batch it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU())
        self.last: Tensor | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        self.last = inputs
        features: Tensor = self.layers(inputs)
        return features


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(1))


INTERFACES: dict[str, Callable[..., Interface]] = {
    "scores": lambda **given: BlackBox(Remembering(), outputs="logits", input_shape=SHAPE, **given),
    "labels": lambda **given: LabelOnly(Remembering(), input_shape=SHAPE, **given),
    "explanations": lambda **given: Explanation(Remembering(), gradient, outputs="logits", input_shape=SHAPE, **given),
    "numbers": lambda **given: Regression(nn.Sequential(nn.Flatten(), nn.Linear(12, 1)), input_shape=SHAPE, **given),
    "features": lambda **given: ClientInterface(Head(), input_shape=SHAPE, **given),
}


@pytest.mark.parametrize("kind", INTERFACES)
def test_an_interface_leads_to_no_parameter_and_cannot_be_copied(kind: str, images: Tensor) -> None:
    victim = INTERFACES[kind]()
    answer = victim.query(images.clone().requires_grad_())  # type: ignore[attr-defined]
    assert not answer.requires_grad
    assert not [thing for thing in reachable(victim) if isinstance(thing, nn.Module | Tensor)]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(victim)


@pytest.mark.parametrize("kind", INTERFACES)
def test_an_interface_counts_and_its_limit_cannot_be_lifted(kind: str, images: Tensor) -> None:
    victim = INTERFACES[kind](limit=6)
    victim.query(images)  # type: ignore[attr-defined]
    for name, value in {"limit": None, "queries": 0, "_queries": 0, "_limit": 100}.items():
        with pytest.raises(AttributeError):
            setattr(victim, name, value)
    with pytest.raises(QueryLimitReached, match="4 of 6 queries are used, 4 more were asked"):
        victim.query(images)  # type: ignore[attr-defined]
    assert victim.queries == 4
    assert "at most 6 queries" in victim.describe() if kind != "features" else True  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"shape \(batch, 3, 2, 2\)"):
        victim.query(torch.zeros(1, 12))  # type: ignore[attr-defined]


def test_what_an_interface_withholds_stays_withheld_when_its_settings_are_overwritten(images: Tensor) -> None:
    victim = BlackBox(Remembering(), outputs="logits", input_shape=SHAPE, top_k=1, round_to=1)
    before = victim.query(images)
    victim.top_k, victim.round_to, victim.noise = None, None, 0.0
    assert torch.equal(victim.query(images), before)
    assert torch.equal((before > 0).sum(dim=1), torch.ones(4))


def test_labels_are_those_of_the_largest_scores_and_tell_nothing_else(images: Tensor) -> None:
    model = Remembering().eval()
    victim = LabelOnly(model, input_shape=SHAPE)
    named = victim.query(images)
    assert torch.equal(named, model(images).argmax(dim=1))
    assert named.dtype == torch.long
    assert victim.classes == 3
    with pytest.raises(AccessError, match="does not grant"):
        expect(victim, BlackBox, "the inversion network")


def test_a_function_that_names_classes_is_wrapped_in_three_lines(images: Tensor) -> None:
    def bright(inputs: Tensor) -> Tensor:
        return (inputs.flatten(1).mean(dim=1) > 0.5).long()

    victim = LabelOnly(bright, input_shape=SHAPE, classes=2, limit=100)
    assert torch.equal(victim.query(images), bright(images))
    assert victim.classes == 2


def test_an_explanation_is_the_gradient_of_the_class_named(images: Tensor) -> None:
    model = Remembering().eval()
    victim = Explanation(model, gradient, outputs="logits", input_shape=SHAPE, limit=8)
    scores, maps = victim.explain(images)
    moved = images.clone().requires_grad_()
    logits = model(moved)
    logits.gather(1, logits.argmax(dim=1, keepdim=True)).sum().backward()
    torch.testing.assert_close(maps, moved.grad)
    torch.testing.assert_close(scores, logits.softmax(dim=1).detach())
    weighted = Explanation(model, gradient_times_input, outputs="logits", input_shape=SHAPE)
    torch.testing.assert_close(weighted.explain(images)[1], maps * images)
    assert "gradient times input" in weighted.describe()
    assert not maps.requires_grad
    victim.explain(images)
    with pytest.raises(QueryLimitReached):
        victim.explain(images)
    # Who may ask for explanations may ask for scores alone, never the other way round.
    assert expect(victim, BlackBox, "an attack on scores") is victim
    with pytest.raises(AccessError, match="takes an Explanation"):
        expect(BlackBox(model, outputs="logits", input_shape=SHAPE), Explanation, "an attack")


def test_grad_cam_weighs_channels_by_their_mean_gradient() -> None:
    """Two channels that the score adds and subtracts: only where the first is lit is there a reason."""
    convolution = nn.Conv2d(1, 2, 1, bias=False)
    linear = nn.Linear(2 * 16, 2, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([1.0, 0.0])[:, None, None, None])
        linear.weight[0] = torch.tensor([1.0, -1.0]).repeat_interleave(16)
        linear.weight[1] = -1.0
    model = nn.Sequential(convolution, nn.Flatten(), linear)
    images = torch.zeros(1, 1, 4, 4)
    images[0, 0, 1, 2] = 1.0
    box = Explanation(model, grad_cam(0), outputs="logits", input_shape=(1, 4, 4))
    _, maps = box.explain(images)
    torch.testing.assert_close(maps, images)
    with pytest.raises(ValueError, match=r"nn\.Sequential"):
        Explanation(Head(), grad_cam(0), outputs="logits", input_shape=SHAPE).explain(torch.zeros(1, *SHAPE))


@pytest.mark.parametrize("grants", ["model", "queries", "nothing"])
def test_nothing_that_hangs_on_split_features_is_the_private_input(grants: str, images: Tensor) -> None:
    head, tail = Head(), nn.Linear(5, 3)
    seen = SplitFeatures.of_inputs(head, tail, images, grants=grants)  # type: ignore[arg-type]
    assert not holds(seen, images)
    assert not seen.features.requires_grad
    torch.testing.assert_close(seen.features, head(images).detach())
    holders = [thing for thing in reachable(seen) if isinstance(thing, Head)]
    assert bool(holders) == (grants == "model")
    assert head not in holders


def test_an_attack_on_features_gets_no_more_of_the_client_than_was_granted(images: Tensor) -> None:
    seen = {
        grants: SplitFeatures.of_inputs(Head(), nn.Linear(5, 3), images, grants=grants, limit=5)  # type: ignore[arg-type]
        for grants in ("model", "queries", "nothing")
    }
    assert seen["model"].granted_model("rmle")(images).shape == (4, 5)
    assert seen["queries"].granted_queries("the inverse").query(images).shape == (4, 5)
    with pytest.raises(QueryLimitReached):
        seen["queries"].granted_queries("the inverse").query(images)
    for grants in ("queries", "nothing"):
        with pytest.raises(AccessError, match="rmle needs the client's model"):
            seen[grants].granted_model("rmle")
    for grants in ("model", "nothing"):
        with pytest.raises(AccessError, match="needs queries"):
            seen[grants].granted_queries("the inverse")
    with pytest.raises(ValueError, match="grants must be"):
        SplitFeatures.of_inputs(Head(), nn.Linear(5, 3), images, grants="all")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="data_range"):
        SplitFeatures.of_inputs(Head(), nn.Linear(5, 3), images + 1, grants="nothing")
    with pytest.raises(ValueError, match="features must be of shape"):
        seen["nothing"].with_features(torch.zeros(1, 5))


def test_a_client_in_training_shows_features_alone_and_follows_the_gradients_it_is_sent(images: Tensor) -> None:
    head = Head()
    before = copy.deepcopy(head.state_dict())
    client = SplitTraining(head, [images, images], input_shape=SHAPE, learning_rate=0.01)
    features = client.receive()
    assert not holds(client, images)
    assert not [thing for thing in reachable(client) if isinstance(thing, nn.Module | Tensor)]
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.deepcopy(client)
    client.send(torch.ones_like(features))
    with pytest.raises(ValueError, match="received last"):
        client.send(torch.ones_like(features))
    later = client.receive()
    # A gradient of ones asks for smaller features.
    assert later.sum() < features.sum()
    assert not later.requires_grad
    assert client.rounds == 2
    with pytest.raises(QueryLimitReached, match="all of its 2 batches"):
        client.receive()
    assert all(torch.equal(before[name], value) for name, value in head.state_dict().items())


def test_two_models_are_granted_alike(images: Tensor) -> None:
    one, two = Remembering().eval(), Remembering().eval()
    boxes = [BlackBox(model, outputs="logits", input_shape=SHAPE) for model in (one, two)]
    open_ones = [WhiteBox(model, outputs="logits", input_shape=SHAPE) for model in (one, two)]
    before, after = ModelPair(boxes[0], boxes[1]).scores(images)
    torch.testing.assert_close(before, one(images).softmax(dim=1).detach())
    torch.testing.assert_close(after, two(images).softmax(dim=1).detach())
    assert boxes[0].queries == 4
    for mine, theirs in zip(ModelPair(open_ones[0], open_ones[1]).scores(images), (before, after), strict=True):
        torch.testing.assert_close(mine, theirs)
    with pytest.raises(ValueError, match="granted alike"):
        ModelPair(boxes[0], open_ones[1])
    other = BlackBox(nn.Flatten(), outputs="logits", input_shape=(2, 2))
    with pytest.raises(ValueError, match="one shape"):
        ModelPair(boxes[0], other)
    assert not [thing for thing in reachable(ModelPair(boxes[0], boxes[1])) if isinstance(thing, nn.Module)]


def test_the_paths_of_a_tree_are_those_of_scikit_learn() -> None:
    records, classes = load_breast_cancer(return_X_y=True)
    records = records.astype("float32")
    tree = DecisionTreeClassifier(max_depth=5, min_samples_leaf=5, random_state=0).fit(records, classes)
    names = tuple(f"feature {number}" for number in range(30))
    told = TreeConfidences.of_tree(tree, names, counts_known=True)
    assert len(told.paths) == tree.get_n_leaves()
    torch.testing.assert_close(
        told.confidences(torch.from_numpy(records)), torch.from_numpy(tree.predict_proba(records))
    )
    counts = told.path_of(torch.from_numpy(records)).bincount(minlength=len(told.paths))
    assert counts.tolist() == [path.count for path in told.paths]
    hidden = TreeConfidences.of_tree(tree, names, counts_known=False)
    assert {path.count for path in hidden.paths} == {None}
    assert "with how many" in told.describe()
    assert "with how many" not in hidden.describe()
    # Of the tree and of the records that it was fitted to, nothing hangs on what was published.
    found = list(reachable(told))
    assert not [thing for thing in found if type(thing).__module__.startswith(("sklearn", "numpy"))]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ((), "a tree needs paths"),
        ((TreePath((0.0,), (1.0, 1.0), (0.5, 0.5), None),), "two bounds per feature"),
        ((TreePath((0.0,), (1.0,), (1.0,), None),), "one confidence per class"),
        ((TreePath((0.0,), (1.0,), (0.5, 0.5), 3), TreePath((1.0,), (2.0,), (0.5, 0.5), None)), "all of them"),
    ],
)
def test_paths_that_make_no_tree_are_refused(paths: tuple[TreePath, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TreeConfidences(("age",), 2, paths)


@pytest.mark.parametrize("scheme", ["lines", "planes", "swaps", "centered-lines"])
def test_nothing_that_hangs_on_hidden_points_is_one_of_them(scheme: str) -> None:
    generator = torch.Generator().manual_seed(1)
    points, descriptors = torch.rand(20, 3, generator=generator), torch.rand(20, 8, generator=generator)
    seen = ObfuscatedPoints.of_points(points, descriptors, scheme=scheme, neighbors_known=3, seed=0)  # type: ignore[arg-type]
    assert not holds(seen, points)
    assert seen.neighbors is not None
    assert seen.neighbors.shape == (20, 3)
    # What is told is true: each point lies in its sets, but for the coordinates that were swapped.
    apart = ((seen.projections @ points[:, None, :, None])[..., 0] - seen.offsets).norm(dim=2)
    assert int((apart > 1e-6).sum()) == (20 if scheme == "swaps" else 0)
    assert f"hidden by {scheme}, their descriptors, 3 neighbors of each known" in seen.describe()


def test_how_points_are_hidden_and_who_knows_their_neighbors_is_never_guessed() -> None:
    points, descriptors = torch.rand(5, 3), torch.rand(5, 8)
    with pytest.raises(TypeError, match="neighbors_known"):
        ObfuscatedPoints.of_points(points, descriptors, scheme="lines", seed=0)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="scheme must be one of"):
        ObfuscatedPoints.of_points(points, descriptors, scheme="spheres", neighbors_known=0, seed=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="points must be of shape"):
        ObfuscatedPoints.of_points(points[:, :2], descriptors, scheme="lines", neighbors_known=0, seed=0)
    with pytest.raises(ValueError, match="from 0 to 4"):
        ObfuscatedPoints.of_points(points, descriptors, scheme="lines", neighbors_known=5, seed=0)
