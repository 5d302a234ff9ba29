"""Attacks on graph networks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.graph_labels import graphmi_labels
from inversion_atlas.reference.attacks.graphmi import graphmi
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, places_of
from inversion_atlas.reference.observations import GraphLabels, GraphModel
from inversion_atlas.reference.targets import training
from inversion_atlas.reference.targets.graphs import Graph


def edge_score(scores: Tensor, adjacency: Tensor, nodes: Tensor) -> float:
    """Return the area under the curve over all pairs of the nodes."""
    first, second = torch.tril_indices(len(nodes), len(nodes), -1)
    first, second = nodes[first], nodes[second]
    return metrics.auroc(scores[first, second].contiguous(), adjacency[first, second].long().contiguous())


def observed(target: training.Target) -> GraphModel:
    """Return what the adversary has of a target: everything but which nodes are joined."""
    graph = target.data
    assert isinstance(graph, Graph)
    return GraphModel(target.model, graph.private.images, graph.private.labels, edges=int(graph.adjacency.sum()) // 2)


def asked(target: training.Target, limit: int | None = None) -> GraphLabels:
    """Return the same behind an interface that names classes."""
    graph = target.data
    assert isinstance(graph, Graph)
    edges = int(graph.adjacency.sum()) // 2
    return GraphLabels(target.model, graph.private.images, graph.private.labels, edges=edges, limit=limit)


def _graphmi(options: Options) -> Outcome:
    """Edges from parameters."""
    observation = observed(options.target)
    return _edges(options, graphmi(observation, **accepted(graphmi, options)).scores, observation.describe())


def _graphmi_labels(options: Options) -> Outcome:
    """Edges from the classes named; a step is a query."""
    observation = asked(options.target)
    given = accepted(graphmi_labels, options) | ({} if options.steps is None else {"queries": options.steps})
    found = graphmi_labels(observation, **given)
    return _edges(options, found, f"{observation.describe()}, {observation.queries:,} queries")


def _edges(options: Options, scores: Tensor, threat: str) -> Outcome:
    """Edges among nodes drawn at random; the guess without a model joins nodes of one label."""
    graph = options.target.data
    assert isinstance(graph, Graph)
    labels, features = graph.private.labels, graph.private.images
    nodes = places_of(len(labels), options.items, options.seed)
    guesses = (torch.zeros(len(labels), len(labels)), (labels[:, None] == labels).float(), features @ features.T)
    return Outcome(
        setting=f"{len(nodes)} nodes of {graph.name}, {options.target.name}; {threat}",
        scores=(
            Score(
                "auroc",
                edge_score(scores, graph.adjacency, nodes),
                "",
                max(edge_score(guess, graph.adjacency, nodes) for guess in guesses),
            ),
        ),
        originals=None,
        images=None,
        converged=len(nodes),
        items=len(nodes),
    )


CASES: Mapping[str, Case] = {
    "graphmi": Case(_graphmi, ("miserables-gcn",), items=77, sees=()),
    "graphmi-labels": Case(_graphmi_labels, ("miserables-gcn",), items=77, sees=()),
}
