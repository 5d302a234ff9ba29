"""The edges of the graph that a graph network was trained on, from the classes it names."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from tests.reference.cheating import reachable
from torch import Tensor, nn

from inversion_atlas.reference.attacks.graph_labels import graphmi_labels
from inversion_atlas.reference.attacks.graphmi import graphmi
from inversion_atlas.reference.benchmark.graph_cases import asked, edge_score, observed
from inversion_atlas.reference.observations import AccessError, GraphLabels, QueryLimitReached
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import graphs
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


@pytest.fixture(scope="module")
def victim(target: Targets) -> Target:
    return target("miserables-gcn")


@pytest.fixture(scope="module")
def found(victim: Target) -> Tensor:
    return graphmi_labels(asked(victim), queries=1000)


def score(scores: Tensor, victim: Target) -> float:
    graph = victim.data
    assert isinstance(graph, graphs.Graph)
    return edge_score(scores, graph.adjacency, torch.arange(len(graph.adjacency)))


def test_labels_alone_tell_who_meets_whom(victim: Target, found: Tensor) -> None:
    """Margin: four points of the area under the curve over joining all nodes of one label, thirty over features and
    over random edges."""
    graph = victim.data
    labels, features = graph.private.labels, graph.private.images
    same = score((labels[:, None] == labels).float(), victim)
    assert score(found, victim) > same + 0.04
    assert score(found, victim) > score(features @ features.T, victim) + 0.3
    drawn = torch.rand(77, 77, generator=torch.Generator().manual_seed(0))
    assert score(found, victim) > score(drawn, victim) + 0.3
    assert torch.equal(found, found.T)
    assert torch.equal(*(graphmi_labels(asked(victim), queries=100, seed=2) for _ in "ab"))
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


def test_more_queries_tell_more_and_parameters_the_most(victim: Target, found: Tensor) -> None:
    few, many = score(graphmi_labels(asked(victim), queries=50), victim), score(found, victim)
    assert few + 0.02 < many < score(graphmi(observed(victim)).scores, victim)


def test_answers_that_know_nothing_of_the_graph_tell_nothing(victim: Target) -> None:
    graph = victim.data
    with seeded(1):
        untrained = graphs.graph_convolution(graph.shape, len(graph.classes))
        given = (graph.private.images, graph.private.labels)
        at_random = GraphLabels(lambda features, graph: torch.rand(len(features), 5), *given, edges=254)
        assert abs(score(graphmi_labels(at_random, queries=500), victim) - 0.5) < 0.05
    assert score(graphmi_labels(GraphLabels(untrained, *given, edges=254), queries=500), victim) < 0.6


def test_the_attack_ends_at_the_limit_with_what_it_has(victim: Target) -> None:
    limited = asked(victim, limit=60)
    found = graphmi_labels(limited)
    assert limited.queries == 60
    assert score(found, victim) > 0.6
    with pytest.raises(QueryLimitReached, match="at least one query"):
        graphmi_labels(limited)


def test_the_interface_leads_neither_to_the_network_nor_to_the_edges(victim: Target) -> None:
    graph = victim.data
    assert isinstance(graph, graphs.Graph)
    seen = asked(victim)
    seen.query(torch.zeros(1, 77, 77))
    tensors = [thing for thing in reachable(seen) if isinstance(thing, Tensor)]
    assert not [thing for thing in tensors if thing.shape == (77, 77) and torch.equal(thing, graph.adjacency)]
    assert not [thing for thing in reachable(seen) if isinstance(thing, nn.Module)]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(seen)
    before = seen.query(graph.adjacency[None])
    seen.features.zero_()
    assert torch.equal(seen.query(graph.adjacency[None]), before)
    with torch.no_grad():
        expected = victim.model(graph.private.images, graph.adjacency).argmax(dim=1)
    assert torch.equal(before[0], expected)
    assert seen.queries == 3
    assert "77 nodes, 254 edges" in seen.describe()


def test_what_is_no_graph_is_refused_and_not_counted(victim: Target) -> None:
    seen = asked(victim)
    lone = torch.zeros(1, 77, 77)
    lone[0, 1, 2] = 1
    for wrong in (lone, torch.eye(77)[None], torch.full((1, 77, 77), 0.5)):
        with pytest.raises(ValueError, match="symmetric adjacency of 0 and 1"):
            seen.query(wrong)
    with pytest.raises(ValueError, match="77, 77"):
        seen.query(torch.zeros(1, 5, 5))
    assert seen.queries == 0
    with pytest.raises(AccessError, match="graphmi-labels takes a GraphLabels"):
        graphmi_labels(observed(victim))  # type: ignore[arg-type]
