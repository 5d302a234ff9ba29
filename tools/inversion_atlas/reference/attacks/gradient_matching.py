"""Searching images whose gradient equals the shared one: DLG, iDLG and Inverting Gradients."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.descent import Adam, Lbfgs, stepped
from inversion_atlas.reference.attacks.labels import only_label, recovered_labels
from inversion_atlas.reference.attacks.matching import Best, Matching, repeated_training
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import SharedGradient, SharedUpdate, expect

# A start is given up where the objective grows beyond this multiple of its first value.
_GROWTH = 1e3
# Below this share of the gradient's squared length float32 holds nothing more to gain.
_EXACT = 1e-12
# Of the pixels that the prior moves, the share that it decides alone before a warning.
_DECIDED = 0.9
# How often that is looked at: once in so many steps.
_LOOK = 10
# Iterations that the authors' code of DLG takes in one of its outer steps.
_ITERATIONS = 20
# A slope or a descent below this moves nothing any more.
_FLAT = 1e-14


class PriorDecides(UserWarning):
    """The regularizer, not the gradient, decided most steps: the image shows the prior, not the data."""


def dlg(
    observation: SharedGradient,
    *,
    steps: int = 300,
    restarts: int = 1,
    tolerance: float = 1e-6,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Search images and labels together. Deep Leakage from Gradients (zhu2019deep).

    L-BFGS with step 1 on the squared distance of gradients, images from a normal distribution, labels as softmax of
    free numbers: `steps` outer steps of at most 20 iterations each, as the authors' code runs them. A start whose
    objective becomes infinite or grows a thousandfold is given up for the next seed, and so is one that ends above
    `tolerance`; the best images of all starts are returned. The distance is divided by the squared length of the
    shared gradient, so that a confident model's small gradients do not end the search early.
    """
    observation = expect(observation, SharedGradient, "dlg")
    return _by_lbfgs(observation, None, steps, restarts, tolerance, seed, progress)


def idlg(
    observation: SharedGradient,
    *,
    steps: int = 300,
    restarts: int = 1,
    tolerance: float = 1e-6,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Read the label, then search the image. iDLG (zhao2020idlg).

    As `dlg`, for a single example whose label is read off the gradient first.
    """
    observation = expect(observation, SharedGradient, "idlg")
    label = torch.tensor([only_label(observation)])
    return _by_lbfgs(observation, label, steps, restarts, tolerance, seed, progress)


def inverting_gradients(
    observation: SharedGradient,
    *,
    steps: int = 4800,
    learning_rate: float = 0.1,
    tv: float = 0.4,
    tv_scale: Literal["relative", "absolute"] = "relative",
    restarts: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Search images by the direction of their gradient. Inverting Gradients (geiping2020inverting).

    One minus the cosine of both gradients plus total variation, minimized by Adam on the sign of the gradient with
    steps of `learning_rate` that shrink tenfold after 3/8, 5/8 and 7/8, images kept in the data's range. Labels are
    taken from the observation, else read off the gradient. Of `restarts` starts the images with the best cosine win.

    The paper weighs total variation absolutely (`tv_scale="absolute"`, their 1e-6 to 1e-1 of the mean variation); a
    model with small gradients is then smoothed and not inverted. "relative" weighs its sum against the mean size of
    the cosine's gradient at each step. Where it outweighs that on nine pixels in ten, PriorDecides is warned.
    The authors step in units of normalized images; here the unit is a quarter of the data's range.
    """
    observation = expect(observation, SharedGradient, "inverting gradients")
    prior = _Prior(tv, tv_scale)
    labels = recovered_labels(observation)
    return _by_sign(
        observation, Matching.of(observation), labels, steps, learning_rate, prior, restarts, seed, progress
    )


@dataclass(slots=True)
class _Prior:
    """Total variation, its weight, and how often it decided a step alone."""

    tv: float
    scale: Literal["relative", "absolute"]
    decided: float = 0.0
    looked: int = 0

    def __post_init__(self) -> None:
        if self.scale not in ("relative", "absolute") or self.tv < 0:
            raise ValueError(
                f"tv must not be negative and tv_scale relative or absolute, not {self.tv} and {self.scale!r}"
            )

    def added_to(self, slope: Tensor, images: Tensor, *, look: bool) -> Tensor:
        """Return the slope of objective and prior together."""
        smoothing = tv_slope(images)
        smoothing *= self.tv * float(slope.abs().mean()) if self.scale == "relative" else self.tv / images[0].numel()
        if look:
            self.decided += _share_decided(smoothing, slope)
            self.looked += 1
        return slope + smoothing

    def warn_where_it_decided(self) -> None:
        if self.looked and self.decided / self.looked > _DECIDED:
            warnings.warn(
                f"total variation outweighed the gradient on {self.decided / self.looked:.0%} of pixels: lower tv",
                PriorDecides,
                stacklevel=4,
            )


def _by_sign(
    observation: SharedGradient,
    matching: Matching,
    labels: Tensor,
    steps: int,
    learning_rate: float,
    prior: _Prior,
    restarts: int,
    seed: int,
    progress: Progress,
) -> Reconstruction:
    """Minimize the angle to a shared vector by Adam on signs, inside the data's range."""
    best = Best()
    for restart in range(restarts):
        images = started(observation, seed + restart)
        adam = Adam(images)
        for step in range(steps):
            matched = matching.angle(images, labels)
            best.offer(matched.value, images, labels)
            slope = prior.added_to(matched.images, images, look=step % _LOOK == 0)
            adam.step(images, slope.sign_(), stepped(learning_rate, step, steps) * unit(observation))
            images.clamp_(*observation.data_range)
            progress(restart * steps + step + 1, restarts * steps)
        best.offer(matching.angle(images, labels).value, images, labels)
    prior.warn_where_it_decided()
    return best.reconstruction(restarts * (steps + 1), 0, converged=math.isfinite(best.objective))


def inverting_updates(
    observation: SharedUpdate,
    *,
    steps: int = 4800,
    learning_rate: float = 0.1,
    tv: float = 0.4,
    tv_scale: Literal["relative", "absolute"] = "relative",
    restarts: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Search images that would have moved the weights as far. Inverting Gradients on FedAvg (geiping2020inverting).

    The client's training is repeated on the dummy images, every local step of it, and differentiated through; the
    updates are compared by their cosine, all else is as in `inverting_gradients`. Labels that are not known are read
    off the update as if it were one mean gradient. Where the client shuffles, the order of its first pass decides
    nothing, since images are free; later passes are repeated in that same order, which is then not the client's.
    """
    observation = expect(observation, SharedUpdate, "inverting updates")
    prior = _Prior(tv, tv_scale)
    one_step = observation.as_one_step()
    matching = Matching(repeated_training(observation), list(observation.update().values()))
    labels = recovered_labels(one_step)
    return _by_sign(one_step, matching, labels, steps, learning_rate, prior, restarts, seed, progress)


def _by_lbfgs(
    observation: SharedGradient,
    labels: Tensor | None,
    steps: int,
    restarts: int,
    tolerance: float,
    seed: int,
    progress: Progress,
) -> Reconstruction:
    """Minimize the distance of gradients over images and, unless given, labels."""
    matching = Matching.of(observation)
    best, evaluations, start = Best(), 0, 0
    for start in range(restarts + 1):
        images, free = _normal(observation, seed + start), _normal_labels(observation, seed + start)
        point = images.flatten() if labels is not None else torch.cat((images.flatten(), free.flatten()))
        point, search, first = point.double(), Lbfgs(len(point)), math.inf
        for step in range(_ITERATIONS * steps):
            value, slope = _evaluated(matching, point, images, labels, best)
            evaluations += 1
            first = value if step == 0 else first
            # Also false for NaN.
            if not value <= _GROWTH * first or best.objective <= _EXACT or float(slope.abs().max()) <= _FLAT:
                break
            moving = search.next(slope)
            if float(moving @ slope) > -_FLAT:
                break
            point += moving
            if (step + 1) % _ITERATIONS == 0:
                progress(start * steps + (step + 1) // _ITERATIONS, (restarts + 1) * steps)
        if best.objective <= tolerance:
            break
    return best.reconstruction(evaluations, start, converged=best.objective <= tolerance)


def _evaluated(
    matching: Matching, point: Tensor, images: Tensor, labels: Tensor | None, best: Best
) -> tuple[float, Tensor]:
    """Return the objective at a point and its slope there; the point holds images and, unless given, free labels."""
    numbers = point.to(images.dtype)
    images = numbers[: images.numel()].view(images.shape)
    if labels is not None:
        matched = matching.distance(images, labels)
        best.offer(matched.value, images, labels)
        return matched.value, matched.images.flatten().double()
    soft = numbers[images.numel() :].view(len(images), -1).softmax(dim=1)
    matched = matching.distance(images, soft)
    best.offer(matched.value, images, soft.argmax(dim=1))
    assert matched.labels is not None
    free = soft * (matched.labels - (soft * matched.labels).sum(dim=1, keepdim=True))
    return matched.value, torch.cat((matched.images.flatten(), free.flatten())).double()


def started(observation: SharedGradient, seed: int) -> Tensor:
    """Return images to start from: normal around the middle of the data's range, inside it."""
    start = _normal(observation, seed) * unit(observation) + sum(observation.data_range) / 2
    return start.clamp_(*observation.data_range)


def unit(observation: SharedGradient) -> float:
    """Return what steps are measured in: a quarter of the data's range, near the deviation of usual images."""
    low, high = observation.data_range
    return (high - low) / 4


def tv_slope(images: Tensor) -> Tensor:
    """Return the gradient of the sum of absolute differences between neighbors, along height and width."""
    slope = torch.zeros_like(images)
    for axis in (-2, -1):
        length = images.shape[axis] - 1
        rise = (images.narrow(axis, 1, length) - images.narrow(axis, 0, length)).sign_()
        slope.narrow(axis, 1, length).add_(rise)
        slope.narrow(axis, 0, length).sub_(rise)
    return slope


def _normal(observation: SharedGradient, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(
        (observation.batch_size, *observation.input_shape), generator=generator, dtype=_type(observation)
    )


def _normal_labels(observation: SharedGradient, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed + 2**32)
    return torch.randn((observation.batch_size, observation.classes), generator=generator, dtype=_type(observation))


def _type(observation: SharedGradient) -> torch.dtype:
    return next(iter(observation.gradient.values())).dtype


def _share_decided(prior: Tensor, slope: Tensor) -> float:
    moved = prior != 0
    return float(((prior.abs() > slope.abs()) & moved).sum() / moved.sum().clamp_min(1))
