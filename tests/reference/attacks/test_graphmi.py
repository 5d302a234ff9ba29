"""The edges of the graph that a graph network was trained on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.reference.cheating import reachable
from torch import Tensor

from inversion_atlas.reference.attacks.graphmi import graphmi
from inversion_atlas.reference.benchmark.graph_cases import edge_score, observed
from inversion_atlas.reference.observations import AccessError, GraphModel, WhiteBox
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import graphs
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


@pytest.fixture(scope="module")
def victim(target: Targets) -> Target:
    return target("miserables-gcn")


def score(scores: Tensor, victim: Target) -> float:
    graph = victim.data
    assert isinstance(graph, graphs.Graph)
    return edge_score(scores, graph.adjacency, torch.arange(len(graph.adjacency)))


def test_a_graph_network_tells_who_meets_whom(victim: Target) -> None:
    """Margin: five points of the area under the curve over joining all nodes of one label; features alone are blind."""
    graph = victim.data
    labels, features = graph.private.labels, graph.private.images
    same = score((labels[:, None] == labels).float(), victim)
    found = graphmi(observed(victim))
    assert score(found.scores, victim) > same + 0.05
    assert score(features @ features.T, victim) == 0.5
    # What the edge weights add is little: the embedding tells.
    assert score(found.weights, victim) < same
    assert torch.equal(found.scores, found.scores.T)
    assert torch.equal(graphmi(observed(victim)).scores, found.scores)


def test_a_network_that_never_saw_the_graph_tells_nothing(victim: Target) -> None:
    graph = victim.data
    with seeded(1):
        untrained = graphs.graph_convolution(graph.shape, len(graph.classes))
    # Only the labels remain, and edges that fit them.
    blind = graphmi(GraphModel(untrained, graph.private.images, graph.private.labels, edges=254))
    labels = graph.private.labels
    assert score(blind.scores, victim) < score((labels[:, None] == labels).float(), victim)


def test_weights_stay_within_their_bounds_and_their_number(victim: Target) -> None:
    found = graphmi(observed(victim), steps=5, learning_rate=1000.0, sparsity=0.0)
    assert float(found.weights.min()) >= 0
    assert float(found.weights.max()) <= 1
    assert 0 < float(found.weights.sum()) / 2 <= 254 + 0.01


def test_nothing_that_hangs_on_a_graph_model_is_its_adjacency(victim: Target) -> None:
    graph = victim.data
    assert isinstance(graph, graphs.Graph)
    seen = observed(victim)
    sized = [thing for thing in reachable(seen) if isinstance(thing, Tensor) and thing.shape == graph.adjacency.shape]
    assert not [thing for thing in sized if torch.equal(thing, graph.adjacency)]
    with pytest.raises(ValueError, match="edges must be from 1"):
        GraphModel(victim.model, graph.private.images, graph.private.labels, edges=0)
    with pytest.raises(AccessError, match="graphmi takes a GraphModel"):
        graphmi(WhiteBox(torch.nn.Flatten(), outputs="logits", input_shape=(3,)))  # type: ignore[arg-type]
