"""What an attack returns, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

# Called with the steps done and the steps at most.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """Images or records as the attack left them: nothing is clamped to the data's range."""

    images: Tensor
    labels: Tensor | None  # the classes that the attack found or was given
    objective: float  # the attack's own objective at these very images
    evaluations: int  # how often the objective was computed, restarts included
    restarts: int  # how many starts were given up
    converged: bool  # whether the attack's own criterion was met


@dataclass(frozen=True, slots=True, eq=False)
class RecoveredTexts:
    """Texts as token numbers without padding, in no particular order; fewer than the batch where some are not found."""

    texts: tuple[tuple[int, ...], ...]
    objective: float  # the attack's own objective at these very texts
    evaluations: int  # how often the objective was computed
    converged: bool  # whether the attack's own criterion was met


def silent(done: int, total: int) -> None:
    """Tell nobody."""
