"""A map of points with descriptors, whose positions were hidden before a service was given it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Scheme = Literal["lines", "planes", "swaps", "centered-lines"]


@dataclass(frozen=True, slots=True, eq=False)
class ObfuscatedPoints:
    """What is left of points in space: for each, the sets on which it may lie, and its descriptor.

    A set is a line, a plane, or what else is known of a position x, as `projections` @ x = `offsets`. Shapes are
    (points, sets, 3, 3) and (points, sets, 3); `descriptors` (points, length). `neighbors` (points, number) says which
    points are the nearest to each, where the threat model tells that; else it is None.
    """

    scheme: Scheme
    projections: Tensor
    offsets: Tensor
    descriptors: Tensor
    neighbors: Tensor | None

    @classmethod
    def of_points(
        cls, points: Tensor, descriptors: Tensor, *, scheme: Scheme, neighbors_known: int, seed: int
    ) -> ObfuscatedPoints:
        """Hide, as the owner of a map would, points of shape (points, 3).

        `lines`: through each point a line of random direction. `planes`: through each a plane that is at right angles
        to one of the three axes, drawn at random. `swaps`: pairs of points, drawn at random, swap one coordinate, and
        nobody says which. `centered-lines`: from each point a line to the center of all. `neighbors_known`, how many of
        each point's nearest are told, belongs to the threat model and is never guessed; 0 tells none.
        """
        if scheme not in _SCHEMES:
            raise ValueError(f"scheme must be one of {', '.join(_SCHEMES)}, not {scheme!r}")
        if points.ndim != 2 or points.shape[1] != 3 or len(descriptors) != len(points):
            raise ValueError("points must be of shape (points, 3), with a descriptor for each")
        if not 0 <= neighbors_known < len(points):
            raise ValueError(f"neighbors_known must be from 0 to {len(points) - 1}, not {neighbors_known}")
        projections, offsets = _SCHEMES[scheme](points.detach(), torch.Generator().manual_seed(seed))
        told = nearest(points.detach(), neighbors_known) if neighbors_known else None
        return cls(scheme, projections, offsets, descriptors.detach().clone(), told)

    def describe(self) -> str:
        """Return the threat model in a line."""
        known = "no neighbors known" if self.neighbors is None else f"{self.neighbors.shape[1]} neighbors of each known"
        return f"{len(self.offsets)} points hidden by {self.scheme}, their descriptors, {known}"


def nearest(points: Tensor, number: int) -> Tensor:
    """Return the places of so many nearest others of each point, of shape (points, number)."""
    return torch.cdist(points, points).fill_diagonal_(torch.inf).topk(number, largest=False).indices


def _on_lines(points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """The one set of each point: what is at right angles to a line's direction."""
    across = torch.eye(3, dtype=points.dtype) - directions[:, :, None] * directions[:, None]
    return across[:, None], (across @ points[:, :, None])[:, None, :, 0]


def _lines(points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    drawn = torch.randn(points.shape, generator=generator, dtype=points.dtype)
    return _on_lines(points, functional.normalize(drawn, dim=1))


def _centered_lines(points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return _on_lines(points, functional.normalize(points - points.mean(dim=0), dim=1))


def _planes(points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    axes = torch.eye(3, dtype=points.dtype)[torch.randint(3, (len(points),), generator=generator)]
    return torch.diag_embed(axes)[:, None], (axes * points)[:, None]


def _swaps(points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Three planes for each point, one of which is another point's; of an odd number one point stays as it is."""
    order = torch.randperm(len(points), generator=generator)
    half = len(points) // 2
    first, second = order[:half], order[half : 2 * half]
    axes = torch.randint(3, (half,), generator=generator)
    swapped = points.clone()
    swapped[first, axes], swapped[second, axes] = points[second, axes], points[first, axes]
    projections = torch.diag_embed(torch.eye(3, dtype=points.dtype)).expand(len(points), 3, 3, 3).clone()
    return projections, torch.diag_embed(swapped)


_SCHEMES: dict[str, Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]] = {
    "lines": _lines,
    "planes": _planes,
    "swaps": _swaps,
    "centered-lines": _centered_lines,
}
