"""The edges of a graph from explanations that were released under noise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.reference.cheating import holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.attacks.privx import privx
from inversion_atlas.reference.benchmark.graph_cases import edge_score
from inversion_atlas.reference.benchmark.module_cases import cosines, public_explanations, released
from inversion_atlas.reference.observations import AccessError, GraphExplanations
from inversion_atlas.reference.observations.graph_explanations import explained, of_node_alone, over_neighborhood
from inversion_atlas.reference.targets.modules import Modules
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


@pytest.fixture(scope="module")
def victim(target: Targets) -> Target:
    return target("modules-gcn")


@pytest.fixture(scope="module")
def graph(victim: Target) -> Modules:
    assert isinstance(victim.data, Modules)
    return victim.data


@pytest.fixture(scope="module")
def public(graph: Modules) -> Tensor:
    return public_explanations(graph, over_neighborhood)


@pytest.fixture(scope="module")
def seen(victim: Target) -> GraphExplanations:
    return released(victim, over_neighborhood, 0.2)


def score(scores: Tensor, graph: Modules) -> float:
    return edge_score(scores, graph.adjacency, torch.arange(len(graph.private)))


def test_explanations_under_noise_tell_who_imports_whom(
    seen: GraphExplanations, graph: Modules, public: Tensor
) -> None:
    """Margin: four points of the area under the curve over the explanations as released, ten over features and
    over joining all modules of one part."""
    found = privx(seen, public)
    labels = graph.private.labels
    assert score(found, graph) > score(cosines(seen.explanations), graph) + 0.04
    assert score(found, graph) > score(cosines(graph.private.images), graph) + 0.1
    assert score(found, graph) > score((labels[:, None] == labels).float(), graph) + 0.1
    assert torch.equal(*(privx(seen, public, steps=50, seed=3) for _ in "ab"))
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


def test_noise_in_place_of_explanations_tells_nothing(seen: GraphExplanations, graph: Modules, public: Tensor) -> None:
    noise = 0.2 * torch.randn(seen.explanations.shape, generator=torch.Generator().manual_seed(5))
    assert abs(score(privx(seen.with_explanations(noise), public, steps=300), graph) - 0.5) < 0.05


@pytest.mark.slow
def test_explainers_that_gather_neighbors_leak_more(
    victim: Target, seen: GraphExplanations, graph: Modules, public: Tensor
) -> None:
    """At the same noise; edges join modules of one part more often than others."""
    alone = privx(released(victim, of_node_alone, 0.2), public_explanations(graph, of_node_alone))
    assert score(alone, graph) + 0.2 < score(privx(seen, public), graph)


@pytest.mark.slow
def test_the_stronger_the_noise_the_less_is_told_and_the_more_denoising_is_worth(
    victim: Target, graph: Modules, public: Tensor
) -> None:
    reached = [score(privx(released(victim, over_neighborhood, level), public), graph) for level in (0.1, 0.25, 0.5)]
    as_released = score(cosines(released(victim, over_neighborhood, 0.25).explanations), graph)
    assert reached[0] > reached[1] + 0.05 > reached[2] + 0.15
    assert reached[1] > as_released + 0.06
    # The attack must know the level.
    seen = released(victim, over_neighborhood, 0.25)
    wrong = GraphExplanations(seen.explanations, 0.05, seen.explainer)
    assert score(privx(wrong, public), graph) + 0.03 < reached[1]


def test_an_explanation_is_the_gradient_times_the_input() -> None:
    class Sum(nn.Module):
        def forward(self, features: Tensor, adjacency: Tensor) -> Tensor:
            weights = torch.tensor([[0.1, -1.0], [0.2, -1.0]])
            scores: Tensor = (adjacency + torch.eye(2)) @ features @ weights
            return scores

    features, joined = torch.tensor([[1.0, 0.0], [0.5, 2.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    gathered = explained(Sum(), features, joined, over_neighborhood)
    torch.testing.assert_close(gathered, torch.tensor([[0.15, 0.4], [0.15, 0.4]]))
    torch.testing.assert_close(
        explained(Sum(), features, joined, of_node_alone), torch.tensor([[0.1, 0.0], [0.05, 0.4]])
    )
    assert explained(Sum(), 100 * features, joined, over_neighborhood).norm(dim=1).tolist() == pytest.approx([1, 1])


def test_nothing_that_hangs_on_released_explanations_is_private(
    victim: Target, seen: GraphExplanations, graph: Modules
) -> None:
    clean = explained(victim.model, graph.private.images, graph.adjacency, over_neighborhood)
    assert not holds(seen, graph.private.images[:20])
    assert not holds(seen, graph.adjacency[:20])
    assert not holds(seen, clean[:20])
    assert not [thing for thing in reachable(seen) if isinstance(thing, nn.Module)]
    assert seen.explanations.grad_fn is None
    assert float((seen.explanations - clean).std()) == pytest.approx(0.2, rel=0.02)
    assert "over neighborhood" in seen.describe()
    assert "deviation 0.2" in seen.describe()


def test_what_makes_no_sense_is_refused(victim: Target, graph: Modules) -> None:
    with pytest.raises(ValueError, match="deviation must be above 0"):
        released(victim, of_node_alone, 0.0)
    small = GraphExplanations(torch.zeros(3, 2), 0.1, "test")
    with pytest.raises(ValueError, match="shape"):
        small.with_explanations(torch.zeros(2, 2))
    with pytest.raises(ValueError, match=r"shape \(rows, 2\)"):
        privx(small, torch.zeros(4, 3))
    with pytest.raises(AccessError, match="privx takes a GraphExplanations"):
        privx(graph, torch.zeros(4, 2))  # type: ignore[arg-type]
