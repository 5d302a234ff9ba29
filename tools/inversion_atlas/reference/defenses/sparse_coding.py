"""A layer whose outputs are the few features that explain its input, found by competition."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.defenses.training import marked
from inversion_atlas.reference.seeding import seeded


class SparseCoding(nn.Module):
    """Codes images by a dictionary of patches (dibbo2024improving), input (batch, channels, height, width).

    The locally competitive algorithm: potentials move towards how well each feature fits what the others leave
    unexplained, and what exceeds `threshold` is the code, of shape (batch, features, height, width). Features have
    length 1. The authors take 500 steps and learn the dictionary by a rule of its own; here steps are few and the
    dictionary learns by the loss, through them.
    """

    def __init__(
        self, channels: int, features: int, *, side: int = 5, threshold: float = 0.5, steps: int = 10, pace: float = 0.2
    ) -> None:
        super().__init__()
        if side % 2 == 0 or threshold < 0 or steps < 1:
            raise ValueError(f"side must be odd, threshold not negative, steps from 1: {side}, {threshold}, {steps}")
        self.dictionary = nn.Parameter(torch.randn(features, channels, side, side))
        self.threshold, self.steps, self.pace, self.padding = threshold, steps, pace, side // 2

    def forward(self, inputs: Tensor) -> Tensor:
        dictionary = self.unit_dictionary()
        potential = torch.zeros_like(functional.conv2d(inputs, dictionary, padding=self.padding))
        code = potential
        for _ in range(self.steps):
            unexplained = inputs - functional.conv_transpose2d(code, dictionary, padding=self.padding)
            drive = functional.conv2d(unexplained, dictionary, padding=self.padding)
            potential = potential + self.pace * (drive - potential + code)
            code = (potential - self.threshold).relu()
        return code

    def unit_dictionary(self) -> Tensor:
        """Return the features, each of length 1."""
        lengths = self.dictionary.flatten(1).norm(dim=1).clamp_min(1e-12)
        unit: Tensor = self.dictionary / lengths[:, None, None, None]
        return unit


def sparse_coded(model: nn.Sequential, *, threshold: float = 0.5, steps: int = 10, seed: int = 0) -> nn.Sequential:
    """Return a copy of an untrained model whose first convolution and activation are a sparse coding layer."""
    first, _, *rest = copy.deepcopy(model)
    if not isinstance(first, nn.Conv2d) or first.stride != (1, 1):
        raise ValueError(f"the first layer must be a convolution of stride 1, not {first}")
    with seeded(seed):
        layer = SparseCoding(first.in_channels, first.out_channels, threshold=threshold, steps=steps)
    coded = nn.Sequential(layer, nn.BatchNorm2d(first.out_channels), *rest)
    marked(coded, f"sparse coding with threshold {threshold:g}")
    return coded
