"""The edges of the graph that a graph network was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import GraphModel, expect


@dataclass(frozen=True, slots=True, eq=False)
class Adjacency:
    """Two symmetric tensors of shape (nodes, nodes), from 0 to 1."""

    scores: Tensor  # how likely an edge is
    weights: Tensor  # what projected gradients found, before decoding


def graphmi(
    observation: GraphModel,
    *,
    steps: int = 100,
    learning_rate: float = 0.1,
    smoothness: float = 1e-4,
    sparsity: float = 1e-3,
    progress: Progress = silent,
) -> Adjacency:
    """Return how likely each pair of nodes is joined. GraphMI (zhang2021graphmi).

    Projected gradient descent from no edges on the cross entropy of the labels, the norm of the edge weights and,
    from half of the steps on, the smoothness of features over edges; after each step weights are brought back to 0
    to 1 and to the number of edges. Then the network's own hidden layer embeds the nodes, and the cosine of two
    embeddings, where positive, scores their edge, as in the authors' code. Its final sampling, which the code leaves
    out too, is not done.
    """
    observation = expect(observation, GraphModel, "graphmi")
    nodes = len(observation.features)
    pairs = torch.tril_indices(nodes, nodes, -1)
    weights = torch.zeros(pairs.shape[1])
    for step in range(steps):
        weights.requires_grad_()
        adjacency = _symmetric(weights, pairs, nodes)
        objective = functional.cross_entropy(observation.logits(adjacency), observation.labels)
        objective = objective + sparsity * weights.norm()
        if step >= steps // 2:
            objective = objective + smoothness * _roughness(adjacency, observation.features)
        (slope,) = torch.autograd.grad(objective, weights)
        with torch.no_grad():
            weights = _projected(weights - learning_rate * slope, observation.edges)
        progress(step + 1, steps)
    found = _symmetric(weights, pairs, nodes)
    embedded = functional.normalize(observation.embed(found), dim=1)
    scores = (embedded @ embedded.T).clamp(0, 1).fill_diagonal_(0)
    return Adjacency(scores, found)


def _symmetric(weights: Tensor, pairs: Tensor, nodes: int) -> Tensor:
    half = torch.zeros(nodes, nodes).index_put((pairs[0], pairs[1]), weights)
    return half + half.T


def _roughness(adjacency: Tensor, features: Tensor) -> Tensor:
    """Return how much features differ across edges, relative to the nodes' degrees."""
    degrees = adjacency.sum(dim=1)
    roots = (degrees + 1e-3).rsqrt()
    laplacian = roots[:, None] * (torch.diag(degrees) - adjacency) * roots
    return (features * (laplacian @ features)).sum()


def _projected(weights: Tensor, edges: int) -> Tensor:
    """Return the nearest weights from 0 to 1 that sum to at most the number of edges."""
    if float(weights.clamp(0, 1).sum()) <= edges:
        return weights.clamp(0, 1)
    low, high = float(weights.min()) - 1, float(weights.max())
    for _ in range(50):
        middle = (low + high) / 2
        if float((weights - middle).clamp(0, 1).sum()) > edges:
            low = middle
        else:
            high = middle
    return (weights - high).clamp(0, 1)
