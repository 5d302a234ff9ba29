"""Which group of nodes prevails in the graph that a graph network was trained on."""

from __future__ import annotations

import copy

import pytest
import torch
from tests.reference.cheating import holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.attacks.group_property import group_property
from inversion_atlas.reference.benchmark.module_cases import judged, probe_graph, probe_places, property_score
from inversion_atlas.reference.observations import AccessError, GraphScores, QueryLimitReached
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.modules import Modules, modules


@pytest.fixture(scope="module")
def graph() -> Modules:
    return modules()


@pytest.fixture(scope="module")
def wide(graph: Modules) -> tuple[list[GraphScores], ...]:
    """Shadows and targets, with 80 % tests and with 20 %."""
    return judged(graph, 0.8, 12, 6, 0)


def score(graph: Modules, networks: tuple[list[GraphScores], ...]) -> float:
    *shadows, first, second = networks
    return property_score(group_property([*first, *second], probe_graph(graph), *shadows), (first, second))


def test_scores_tell_whether_tests_prevail(graph: Modules, wide: tuple[list[GraphScores], ...]) -> None:
    """Margin: thirty points of the area under the curve over guessing."""
    assert score(graph, wide) > 0.8
    *shadows, first, _ = wide
    found = group_property(first, probe_graph(graph), *shadows)
    assert torch.equal(group_property(first, probe_graph(graph), *shadows), found)
    assert [each.queries for each in first] == [first[0].queries] * 6


def test_answers_at_random_tell_nothing(graph: Modules, wide: tuple[list[GraphScores], ...]) -> None:
    probes = graph.public.images[probe_places(graph)]

    def blind(features: Tensor, adjacency: Tensor) -> Tensor:
        return torch.randn(len(features), len(graph.classes))

    *shadows, _, _ = wide
    with seeded(0):
        judges = [GraphScores(blind, probes, outputs="logits") for _ in range(40)]
        found = group_property(judges, probe_graph(graph), *shadows)
    assert abs(property_score(found, (judges[:20], judges[20:])) - 0.5) < 0.2


@pytest.mark.slow
def test_the_further_groups_are_from_equal_the_more_is_told(graph: Modules) -> None:
    narrow, wide = (score(graph, judged(graph, share, 15, 20, 0)) for share in (0.55, 0.8))
    assert narrow + 0.1 < wide
    assert wide > 0.85


def test_an_interface_for_graphs_leads_to_no_network(graph: Modules) -> None:
    calls = []

    class Network(nn.Module):
        def forward(self, features: Tensor, adjacency: Tensor) -> Tensor:
            calls.append(adjacency)
            scores: Tensor = features @ torch.eye(3) + adjacency.sum(dim=1, keepdim=True)
            return scores

    own = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))
    seen = GraphScores(Network(), own, outputs="logits", limit=2)
    graphs = torch.zeros(2, 4, 4)
    graphs[1, 0, 1] = graphs[1, 1, 0] = 1
    answer = seen.query(graphs)
    torch.testing.assert_close(answer.sum(dim=2), torch.ones(2, 4))
    assert len(calls) == seen.queries == 2
    assert not holds(seen, graph.private.images)
    assert not [thing for thing in reachable(seen) if isinstance(thing, nn.Module)]
    with pytest.raises(QueryLimitReached, match="2 of 2 queries are used"):
        seen.query(graphs[:1])
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.deepcopy(seen)
    with pytest.raises(ValueError, match="symmetric adjacency"):
        GraphScores(Network(), own, outputs="logits").query(torch.ones(1, 4, 4))
    assert "at most 2 queries" in seen.describe()


def test_what_the_attack_cannot_compare_is_refused(graph: Modules) -> None:
    one, other = (GraphScores(lambda x, a: x, torch.full((2, 2), value), outputs="logits") for value in (0.0, 1.0))
    with pytest.raises(ValueError, match="the same nodes"):
        group_property([one], torch.zeros(2, 2), [one], [other])
    with pytest.raises(ValueError, match="with and without"):
        group_property([one], torch.zeros(2, 2), [one], [])
    with pytest.raises(AccessError, match="group-property takes a GraphScores"):
        group_property([graph], torch.zeros(2, 2), [one], [one])  # type: ignore[list-item]
