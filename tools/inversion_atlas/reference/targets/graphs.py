"""Real graphs that an installed package carries, and the graph network that is trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import networkx
import torch
from networkx.algorithms.community import greedy_modularity_communities
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.data import Images, Split


@dataclass(frozen=True, slots=True, eq=False)
class Graph(Split):
    """All nodes, with features and labels, are private; the test part holds those whose label the model never saw."""

    adjacency: Tensor


@lru_cache(maxsize=1)
def miserables() -> Graph:
    """Who meets whom in Les Misérables (networkx): 77 people, 254 edges.

    Labels are the communities that greedy modularity finds, half of them known to the model. People have no features
    but who they are, as the graphs without attributes that the literature attacks.
    """
    graph = networkx.convert_node_labels_to_integers(networkx.les_miserables_graph())
    adjacency = torch.tensor(networkx.to_numpy_array(graph, weight=None), dtype=torch.float32)
    communities = greedy_modularity_communities(graph)
    labels = torch.zeros(len(adjacency), dtype=torch.long)
    for number, members in enumerate(communities):
        labels[sorted(members)] = number
    people = Images(torch.eye(len(adjacency)), labels)
    rest = unlabeled(len(adjacency))
    test = Images(people.images[rest], labels[rest])
    names = tuple(f"community {number}" for number in range(len(communities)))
    return Graph("miserables", names, people, test, people, adjacency)


def unlabeled(nodes: int) -> Tensor:
    """Return which nodes the model learns no label of: half of them."""
    return torch.randperm(nodes, generator=torch.Generator().manual_seed(0))[nodes // 2 :]


class GraphConvolution(nn.Module):
    """Two layers of graph convolution with symmetric normalization and self-loops, 16 hidden units, dropout."""

    def __init__(self, features: int, classes: int, width: int = 16) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(features, width), nn.Linear(width, classes)
        self.dropout = nn.Dropout()

    def embed(self, features: Tensor, adjacency: Tensor) -> Tensor:
        embedded: Tensor = (normalized(adjacency) @ self.hidden(features)).relu()
        return embedded

    def forward(self, features: Tensor, adjacency: Tensor) -> Tensor:
        logits: Tensor = normalized(adjacency) @ self.out(self.dropout(self.embed(features, adjacency)))
        return logits


def normalized(adjacency: Tensor) -> Tensor:
    """Return the adjacency with self-loops, each entry divided by the roots of both degrees."""
    looped = adjacency + torch.eye(len(adjacency))
    roots = looped.sum(dim=1).rsqrt()
    return roots[:, None] * looped * roots


def graph_convolution(shape: tuple[int, ...], classes: int) -> nn.Module:
    """An untrained graph network for so many features."""
    return GraphConvolution(shape[0], classes)


def fit_graph(model: nn.Module, split: Split) -> tuple[float, float]:
    """Train the network on the labels of half of the nodes; return its accuracy on all and on the other half."""
    assert isinstance(split, Graph)
    features, labels = split.private.images, split.private.labels
    rest = unlabeled(len(labels))
    known = torch.ones(len(labels), dtype=torch.bool)
    known[rest] = False
    optimizer = torch.optim.Adam(model.parameters(), 1e-2, weight_decay=5e-4)
    model.train()
    with seeded(0):
        for _ in range(200):
            optimizer.zero_grad()
            functional.cross_entropy(model(features, split.adjacency)[known], labels[known]).backward()
            optimizer.step()
    with torch.no_grad():
        right = (model.eval()(features, split.adjacency).argmax(dim=1) == labels).double()
    return float(right.mean()), float(right[rest].mean())
