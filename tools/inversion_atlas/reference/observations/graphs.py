"""A trained graph network, with its parameters or behind an interface, and what is known of the graph besides edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import Outputs, copied, defenses_of, under
from inversion_atlas.reference.observations.interface import Interface, limited

# Takes node features and an adjacency, returns a row of scores per node.
GraphFunction = Callable[[Tensor, Tensor], Tensor]


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
        _refuse_nodes(features, labels, edges)
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


class GraphLabels(Interface):
    """A graph network behind an interface: joined as asked, what class does it name for each node; counted, limited.

    The adversary knows the nodes' features and labels and how many edges the training graph had, as with a
    `GraphModel`. A query is a whole graph on these nodes.
    """

    __slots__ = ("defenses", "edges", "features", "labels")

    def __init__(
        self, model: GraphFunction, features: Tensor, labels: Tensor, *, edges: int, limit: int | None = None
    ) -> None:
        _refuse_nodes(features, labels, edges)
        self.features, self.labels, self.edges = features.detach().clone(), labels.detach().clone(), edges
        self.defenses = defenses_of(model)
        hidden, known = _hidden(model), self.features.clone()
        super().__init__(
            lambda graphs: _scores(hidden, known, graphs).argmax(dim=-1),
            input_shape=(len(features), len(features)),
            data_range=(0.0, 1.0),
            limit=limit,
        )

    def query(self, graphs: Tensor) -> Tensor:
        """Return the class of each node in each graph, shape (graphs, nodes), for adjacencies (graphs, nodes, nodes).

        Raises QueryLimitReached, then answers none, and ValueError for what is no graph.
        """
        return self._ask(_refuse_graphs(graphs))

    def describe(self) -> str:
        """Return the threat model in a line."""
        line = (
            f"class labels of a graph network behind an interface, features and labels of {len(self.features)} nodes, "
            f"{self.edges} edges"
        )
        return ", ".join([line, *under(self.defenses), *limited(self)])


class GraphScores(Interface):
    """A graph network behind an interface that gives the class probabilities of nodes that the adversary brings.

    A query is a whole graph on these nodes, counted and limited. Features, of shape (nodes, features), are the
    adversary's own; the graph that the network learned from is not needed for an answer.
    """

    __slots__ = ("defenses", "features")

    def __init__(self, model: GraphFunction, features: Tensor, *, outputs: Outputs, limit: int | None = None) -> None:
        if features.ndim != 2:
            raise ValueError("features must be of shape (nodes, features)")
        self.features = features.detach().clone()
        self.defenses = defenses_of(model)
        hidden, known = _hidden(model), self.features.clone()

        def answer(graphs: Tensor) -> Tensor:
            scores = _scores(hidden, known, graphs)
            return scores.softmax(dim=-1) if outputs == "logits" else scores

        nodes = len(features)
        super().__init__(answer, input_shape=(nodes, nodes), data_range=(0.0, 1.0), limit=limit)

    def query(self, graphs: Tensor) -> Tensor:
        """Return probabilities of shape (graphs, nodes, classes) for adjacencies of shape (graphs, nodes, nodes).

        Raises QueryLimitReached, then answers none, and ValueError for what is no graph.
        """
        return self._ask(_refuse_graphs(graphs))

    def describe(self) -> str:
        """Return the threat model in a line."""
        line = f"class probabilities of a graph network behind an interface, for {len(self.features)} own nodes"
        return ", ".join([line, *under(self.defenses), *limited(self)])


def _refuse_nodes(features: Tensor, labels: Tensor, edges: int) -> None:
    nodes = len(features)
    if features.ndim != 2 or labels.shape != (nodes,):
        raise ValueError("features must be of shape (nodes, features), labels of shape (nodes,)")
    if not 0 < edges <= nodes * (nodes - 1) // 2:
        raise ValueError(f"edges must be from 1 to {nodes * (nodes - 1) // 2}, not {edges}")


def _refuse_graphs(graphs: Tensor) -> Tensor:
    """Return the graphs; raises ValueError unless their edges are 0 or 1 and run both ways, none to its own node."""
    binary = bool(((graphs == 0) | (graphs == 1)).all())
    if not binary or not torch.equal(graphs, graphs.mT) or bool(graphs.diagonal(dim1=-2, dim2=-1).any()):
        raise ValueError("a graph is a symmetric adjacency of 0 and 1 with an empty diagonal")
    return graphs


def _hidden(model: GraphFunction) -> GraphFunction:
    return cast(GraphFunction, copied(model, "eval")) if isinstance(model, nn.Module) else model


def _scores(model: GraphFunction, features: Tensor, graphs: Tensor) -> Tensor:
    """Return scores of shape (graphs, nodes, classes); each graph is given to the network on its own."""
    return torch.stack([model(features.clone(), graph) for graph in graphs])
