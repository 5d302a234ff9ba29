"""A trained graph network with its parameters, and what is known of the graph besides its edges."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import copied


class GraphNetwork(Protocol):
    """Takes node features (nodes, features) and a symmetric adjacency (nodes, nodes) of weights from 0 to 1."""

    def __call__(self, features: Tensor, adjacency: Tensor) -> Tensor:
        """Return logits of shape (nodes, classes)."""

    def embed(self, features: Tensor, adjacency: Tensor) -> Tensor:
        """Return what the hidden layer makes of each node, of shape (nodes, width)."""


class GraphModel:
    """A trained graph network with its parameters, the nodes' features and labels, and how many edges there are.

    Which nodes the edges join is private. `edges` belongs to the threat model: the number, or an estimate of it.
    """

    __slots__ = ("edges", "features", "labels", "model")

    def __init__(self, model: nn.Module, features: Tensor, labels: Tensor, *, edges: int) -> None:
        nodes = len(features)
        if features.ndim != 2 or labels.shape != (nodes,):
            raise ValueError("features must be of shape (nodes, features), labels of shape (nodes,)")
        if not 0 < edges <= nodes * (nodes - 1) // 2:
            raise ValueError(f"edges must be from 1 to {nodes * (nodes - 1) // 2}, not {edges}")
        self.model = copied(model, "eval").requires_grad_(False)
        self.features, self.labels, self.edges = features.detach().clone(), labels.detach().clone(), edges

    def logits(self, adjacency: Tensor) -> Tensor:
        """Return logits of shape (nodes, classes), differentiable in the adjacency."""
        return cast(GraphNetwork, self.model)(self.features, adjacency)

    def embed(self, adjacency: Tensor) -> Tensor:
        """Return the embedding of each node, of shape (nodes, width)."""
        with torch.no_grad():
            return cast(GraphNetwork, self.model).embed(self.features, adjacency)

    def describe(self) -> str:
        """Return the threat model in a line."""
        return f"parameters of a graph network, features and labels of {len(self.features)} nodes, {self.edges} edges"
