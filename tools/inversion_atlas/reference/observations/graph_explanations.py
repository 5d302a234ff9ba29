"""Explanations of what a graph network says of its nodes, released with noise in place of network and graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import copied

# Given a network, features and an adjacency, returns for each node how much each feature counts: (nodes, features).
GraphExplainer = Callable[[nn.Module, Tensor, Tensor], Tensor]


def over_neighborhood(model: nn.Module, features: Tensor, adjacency: Tensor) -> Tensor:
    """Gradient times input of the class named for a node, summed over all nodes whose features it depends on."""
    return torch.stack([parts.sum(dim=0) for parts in _gradients_times_input(model, features, adjacency)])


def of_node_alone(model: nn.Module, features: Tensor, adjacency: Tensor) -> Tensor:
    """Gradient times input of the class named for a node, of that node's own features."""
    parts = enumerate(_gradients_times_input(model, features, adjacency))
    return torch.stack([part[node] for node, part in parts])


@dataclass(frozen=True, slots=True, eq=False)
class GraphExplanations:
    """Released explanations of shape (nodes, features): each cut to length 1, with Gaussian noise of a known deviation.

    Neither the network, the features nor the graph are granted.
    """

    explanations: Tensor
    deviation: float
    explainer: str  # in words

    @classmethod
    def of_graph(
        cls,
        model: nn.Module,
        features: Tensor,
        adjacency: Tensor,
        explain: GraphExplainer,
        *,
        deviation: float,
        seed: int = 0,
    ) -> GraphExplanations:
        """Explain, as the owner would, all nodes of a graph, and release that; raises ValueError without noise."""
        if not deviation > 0:
            raise ValueError(f"deviation must be above 0, not {deviation}")
        clean = explained(model, features, adjacency, explain)
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
        name = getattr(explain, "__name__", "a function").replace("_", " ")
        return cls(clean + deviation * noise, float(deviation), name)

    def with_explanations(self, explanations: Tensor) -> GraphExplanations:
        """Return the same observation with other explanations of the same shape."""
        if explanations.shape != self.explanations.shape:
            raise ValueError(f"explanations must be of shape {tuple(self.explanations.shape)}")
        return replace(self, explanations=explanations.detach().clone())

    def describe(self) -> str:
        """Return the threat model in a line."""
        return (
            f"explanations of {len(self.explanations)} nodes ({self.explainer}) of length 1 at most under noise of "
            f"deviation {self.deviation:g}, neither network nor graph"
        )


def explained(model: nn.Module, features: Tensor, adjacency: Tensor, explain: GraphExplainer) -> Tensor:
    """Return explanations without noise, each cut to length 1, as they are before they are released."""
    clean = explain(copied(model, "eval"), features.detach().clone(), adjacency.detach().clone()).detach()
    cut: Tensor = clean / clean.norm(dim=1, keepdim=True).clamp_min(1)
    return cut


def _gradients_times_input(model: nn.Module, features: Tensor, adjacency: Tensor) -> Iterator[Tensor]:
    """Yield for each node the gradient of its largest logit in all features, times these: (nodes, features)."""
    with torch.enable_grad():
        inputs = features.detach().clone().requires_grad_()
        largest = model(inputs, adjacency).max(dim=1).values
    for score in largest:
        yield torch.autograd.grad(score, inputs, retain_graph=True)[0] * features
