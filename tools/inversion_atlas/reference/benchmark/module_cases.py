"""Attacks on graph networks that learn from a graph with words at its nodes: groups of nodes, explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.group_property import group_property
from inversion_atlas.reference.attacks.privx import privx
from inversion_atlas.reference.benchmark.graph_cases import edge_score
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, places_of
from inversion_atlas.reference.observations import GraphExplanations, GraphScores
from inversion_atlas.reference.observations.graph_explanations import GraphExplainer, explained, over_neighborhood
from inversion_atlas.reference.observations.graphs import GraphFunction
from inversion_atlas.reference.targets import data, training
from inversion_atlas.reference.targets.modules import Modules, fitted

_NODES = 100  # of each training graph
_PROBES = 150


def drawn(groups: Tensor, share: float, number: int, generator: torch.Generator) -> Tensor:
    """Return places of so many nodes drawn at random, a share of them of group 1."""
    wanted = {1: round(number * share), 0: number - round(number * share)}
    parts = []
    for group, count in wanted.items():
        places = torch.nonzero(groups == group).flatten()
        parts.append(places[torch.randperm(len(places), generator=generator)[:count]])
    return torch.cat(parts)


def networks(
    graph: Modules, part: str, share: float, number: int, generator: torch.Generator
) -> Sequence[GraphFunction]:
    """Return networks, each trained on a graph of 100 nodes of the private or public half with that share of tests."""
    private = part == "private"
    half = graph.private if private else graph.public
    adjacency = graph.adjacency if private else graph.public_adjacency
    groups = graph.groups if private else graph.public_groups
    trained = []
    for _ in range(number):
        nodes = drawn(groups, share, _NODES, generator)
        seed = int(torch.randint(2**31, (), generator=generator))
        images = data.Images(half.images[nodes], half.labels[nodes])
        trained.append(fitted(images, adjacency[nodes][:, nodes], classes=len(graph.classes), epochs=60, seed=seed))
    return trained


def judged(graph: Modules, share: float, shadows: int, targets: int, seed: int) -> tuple[list[GraphScores], ...]:
    """Return shadows and targets, first with, then without the property: so large a share of tests, or of the rest."""
    generator = torch.Generator().manual_seed(seed)
    probes = graph.public.images[probe_places(graph)]

    def behind(part: str, given: float, number: int) -> list[GraphScores]:
        models = networks(graph, part, given, number, generator)
        return [GraphScores(model, probes, outputs="logits") for model in models]

    return (
        behind("public", share, shadows),
        behind("public", 1 - share, shadows),
        behind("private", share, targets),
        behind("private", 1 - share, targets),
    )


def probe_places(graph: Modules) -> Tensor:
    """Return the public nodes that networks are asked about: half of them tests."""
    return drawn(graph.public_groups, 0.5, _PROBES, torch.Generator().manual_seed(0))


def probe_graph(graph: Modules) -> Tensor:
    """Return how these are joined."""
    places = probe_places(graph)
    return graph.public_adjacency[places][:, places]


def property_score(found: Tensor, targets: Sequence[Sequence[GraphScores]]) -> float:
    """Return the area under the curve of telling the first targets from the second ones."""
    truth = torch.tensor([1] * len(targets[0]) + [0] * len(targets[1]))
    return metrics.auroc(found, truth)


def _group_property(options: Options) -> Outcome:
    """Whether tests are four fifths of the modules that a network learned from, or one fifth; a guess is blind."""
    graph = options.target.data
    assert isinstance(graph, Modules)
    half = max(1, options.items // 2)
    *shadows, first, second = judged(graph, 0.8, 20, half, options.seed)
    found = group_property([*first, *second], probe_graph(graph), *shadows, **accepted(group_property, options))
    return Outcome(
        setting=(
            f"{2 * half} networks trained on {_NODES} {graph.name} each, are 80 % or 20 % tests; "
            f"40 shadows on public modules; {first[0].describe()}, 1 query"
        ),
        scores=(Score("auroc", property_score(found, (first, second)), "", 0.5),),
        originals=None,
        images=None,
        converged=2 * half,
        items=2 * half,
    )


def released(target: training.Target, explain: GraphExplainer, deviation: float, seed: int = 0) -> GraphExplanations:
    """Return what the owner of the private half publishes in place of network and graph."""
    graph = target.data
    assert isinstance(graph, Modules)
    return GraphExplanations.of_graph(
        target.model, graph.private.images, graph.adjacency, explain, deviation=deviation, seed=seed
    )


def public_explanations(graph: Modules, explain: GraphExplainer) -> Tensor:
    """Return explanations of the public half by a network that the adversary trained on it."""
    own = fitted(graph.public, graph.public_adjacency, classes=len(graph.classes), epochs=60, seed=1)
    return explained(own, graph.public.images, graph.public_adjacency, explain)


def cosines(rows: Tensor) -> Tensor:
    """Return the cosine of each pair of rows."""
    directions = functional.normalize(rows, dim=1)
    return directions @ directions.T


def _privx(options: Options) -> Outcome:
    """Imports among modules drawn at random; guesses are features, parts, and the explanations as released."""
    graph = options.target.data
    assert isinstance(graph, Modules)
    labels = graph.private.labels
    nodes = places_of(len(labels), options.items, options.seed)
    observation = released(options.target, over_neighborhood, 0.2, options.seed)
    found = privx(observation, public_explanations(graph, over_neighborhood), **accepted(privx, options))
    guesses = (
        cosines(graph.private.images),
        (labels[:, None] == labels).float(),
        cosines(observation.explanations),
    )
    best = max(edge_score(guess, graph.adjacency, nodes) for guess in guesses)
    return Outcome(
        setting=f"{len(nodes)} private {graph.name}, {options.target.name}; {observation.describe()}",
        scores=(Score("auroc", edge_score(found, graph.adjacency, nodes), "", best),),
        originals=None,
        images=None,
        converged=len(nodes),
        items=len(nodes),
    )


CASES: Mapping[str, Case] = {
    "group-property": Case(_group_property, ("modules-gcn",), items=40, sees=()),
    "privx": Case(_privx, ("modules-gcn",), items=375, sees=()),
}
