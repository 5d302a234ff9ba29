"""Attacks on graph networks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.graphmi import graphmi
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, places_of
from inversion_atlas.reference.observations import GraphModel
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


def _graphmi(options: Options) -> Outcome:
    """Edges among nodes drawn at random; the guess without a model joins nodes of one label."""
    graph = options.target.data
    assert isinstance(graph, Graph)
    labels, features = graph.private.labels, graph.private.images
    nodes = places_of(len(labels), options.items, options.seed)
    observation = observed(options.target)
    found = graphmi(observation, **accepted(graphmi, options))
    guesses = (torch.zeros(len(labels), len(labels)), (labels[:, None] == labels).float(), features @ features.T)
    return Outcome(
        setting=f"{len(nodes)} nodes of {graph.name}, {options.target.name}; {observation.describe()}",
        scores=(
            Score(
                "auroc",
                edge_score(found.scores, graph.adjacency, nodes),
                "",
                max(edge_score(guess, graph.adjacency, nodes) for guess in guesses),
            ),
        ),
        originals=None,
        images=None,
        converged=len(nodes),
        items=len(nodes),
    )


CASES: Mapping[str, Case] = {"graphmi": Case(_graphmi, ("miserables-gcn",), items=77, sees=())}
