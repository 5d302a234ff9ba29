"""The edges of the graph that a graph network was trained on, from the classes it names and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import GraphLabels, QueryLimitReached, expect

_BATCH = 50  # graphs asked at once


def graphmi_labels(
    observation: GraphLabels, *, queries: int = 2000, seed: int = 0, progress: Progress = silent
) -> Tensor:
    """Return how likely each pair of nodes is joined, of shape (nodes, nodes), from 0 to 1 (zhang2023model).

    GraphMI with hard labels, by gradient estimation. Only the paper's abstract was at hand, so the estimator is ours:
    graphs with as many edges as the true one are drawn at random; how each edge goes together with each node being
    named rightly is the slope of the share of right nodes in the adjacency. An edge is credited with its own two
    nodes alone, since the rest is noise. How it goes together with all nodes' classes tells what the network makes
    of the node that it brings in, and the cosine of two nodes there stands for GraphMI's cosine of two embeddings.
    The score of an edge is the mean of its slope, over the largest, and that cosine. Departures: it asks around one
    point, because steps along the slope make labels right by edges that are not there; no reinforcement learning.

    A limit below `queries` ends it with what it has; raises QueryLimitReached where no query is left.
    """
    observation = expect(observation, GraphLabels, "graphmi-labels")
    allowed = queries if observation.limit is None else min(queries, observation.limit - observation.queries)
    if allowed < 1:
        raise QueryLimitReached("graphmi-labels needs at least one query")
    effects = _effects(observation, allowed, torch.Generator().manual_seed(seed), progress)
    nodes = torch.arange(len(observation.labels))
    own = effects[observation.labels, nodes]
    slope = own + own.T
    brought = functional.normalize(effects.mean(dim=1).T, dim=1)
    scores = (slope / slope.abs().max().clamp_min(1e-12) + brought @ brought.T) / 4 + 0.5
    return scores.clamp(0, 1).fill_diagonal_(0)


def _effects(observation: GraphLabels, queries: int, generator: torch.Generator, progress: Progress) -> Tensor:
    """Return the covariance of node i being named c with its edge to node j, of shape (classes, i, j)."""
    nodes = len(observation.labels)
    classes, pairs = int(observation.labels.max()) + 1, torch.tril_indices(nodes, nodes, -1)
    share = observation.edges / pairs.shape[1]
    together, joined = torch.zeros(classes, nodes, nodes), torch.zeros(nodes, nodes)
    named, asked = torch.zeros(classes, nodes), 0
    while asked < queries:
        number = min(_BATCH, queries - asked)
        half = torch.zeros(number, nodes, nodes)
        half[:, pairs[0], pairs[1]] = (torch.rand(number, pairs.shape[1], generator=generator) < share).float()
        graphs = half + half.mT
        # Classes that no label has go to a column that is cut off.
        answers = functional.one_hot(observation.query(graphs).clamp_max(classes), classes + 1).float()[..., :classes]
        together += torch.einsum("gic,gij->cij", answers, graphs)
        named, joined, asked = named + answers.sum(dim=0).T, joined + graphs.sum(dim=0), asked + number
        progress(asked, queries)
    return together / queries - (named / queries)[:, :, None] * (joined / queries)
