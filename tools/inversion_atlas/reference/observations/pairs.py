"""A model before and after it was updated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion_atlas.reference.observations.models import BlackBox, WhiteBox


@dataclass(frozen=True, slots=True, eq=False)
class ModelPair:
    """One model before and after an update: both with their parameters, or both behind an interface."""

    before: WhiteBox | BlackBox
    after: WhiteBox | BlackBox

    def __post_init__(self) -> None:
        one, two = self.before, self.after
        if isinstance(one, WhiteBox) != isinstance(two, WhiteBox):
            raise ValueError("the two models must be granted alike: both as white boxes or both as black boxes")
        if (one.input_shape, one.classes, one.data_range) != (two.input_shape, two.classes, two.data_range):
            raise ValueError("the two models must take inputs of one shape and range and know the same classes")

    def scores(self, probes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the class probabilities of the probes before and after the update, each of shape (probes, classes)."""
        return _scores(self.before, probes), _scores(self.after, probes)

    def describe(self) -> str:
        """Return the threat model in a line."""
        return f"{self.before.describe()}, before and after an update"


def _scores(model: WhiteBox | BlackBox, probes: Tensor) -> Tensor:
    if isinstance(model, BlackBox):
        return model.query(probes)
    with torch.no_grad():
        return model.log_probabilities(probes).exp()
