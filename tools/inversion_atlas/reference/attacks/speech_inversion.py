"""What was said, and its features over time, from the gradient of a model that spots keywords."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.descent import Adam, stepped
from inversion_atlas.reference.attacks.gradient_matching import started, unit
from inversion_atlas.reference.attacks.labels import recovered_labels
from inversion_atlas.reference.attacks.matching import Best, Matching
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import SharedGradient, expect


def speech_inversion(
    observation: SharedGradient,
    *,
    steps: int = 1000,
    learning_rate: float = 0.1,
    smoothness: float = 0.3,
    restarts: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Search the features of recordings by the direction of their gradient (li2023speech).

    Features are of shape (1, coefficients, frames). The words are given or read off the gradient, as side information;
    then one minus the cosine of both gradients is minimized by Adam on signs. Features change slowly from frame to
    frame and not from coefficient to coefficient, so variation counts along time alone: `smoothness` weighs its slope
    against the mean size of the cosine's.

    We read the paper's abstract: a keyword spotting model, its features rebuilt from shared gradients, what was said
    inferred without them. Distance, prior and steps are Inverting Gradients', not theirs; neither sound is made of the
    features, nor the speaker named.
    """
    observation = expect(observation, SharedGradient, "speech inversion")
    if len(observation.input_shape) != 3:
        raise ValueError(f"features must be of shape (1, coefficients, frames), not {observation.input_shape}")
    if smoothness < 0:
        raise ValueError(f"smoothness must not be negative, as {smoothness} is")
    matching, words, best = Matching.of(observation), recovered_labels(observation), Best()
    for restart in range(restarts):
        features = started(observation, seed + restart)
        adam = Adam(features)
        for step in range(steps):
            matched = matching.angle(features, words)
            best.offer(matched.value, features, words)
            slope = matched.images + smoothness * float(matched.images.abs().mean()) * _along_time(features)
            adam.step(features, slope.sign_(), stepped(learning_rate, step, steps) * unit(observation))
            features.clamp_(*observation.data_range)
            progress(restart * steps + step + 1, restarts * steps)
        best.offer(matching.angle_alone(features, words), features, words)
    return best.reconstruction(restarts * (steps + 1), 0, converged=math.isfinite(best.objective))


def _along_time(features: Tensor) -> Tensor:
    """The gradient of the sum of absolute differences between frames."""
    rise = features.diff(dim=-1).sign()
    nothing = torch.zeros_like(rise[..., :1])
    return torch.cat((nothing, rise), dim=-1) - torch.cat((rise, nothing), dim=-1)
