"""Searching images whose gradient equals the shared one: DLG, iDLG and Inverting Gradients."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.labels import only_label, recovered_labels
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import SharedGradient, expect

# A start is given up where the objective grows beyond this multiple of its first value.
_GROWTH = 1e3
# Below this share of the gradient's squared length float32 holds nothing more to gain.
_EXACT = 1e-12
# Of the pixels that the prior moves, the share that it decides alone before a warning.
_DECIDED = 0.9


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
    tv: float = 0.3,
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
    if tv_scale not in ("relative", "absolute") or tv < 0:
        raise ValueError(f"tv must not be negative and tv_scale relative or absolute, not {tv} and {tv_scale!r}")
    labels = recovered_labels(observation)
    matching = _Matching.of(observation)
    best = _Best()
    decided, counted = 0.0, 0
    for restart in range(restarts):
        start = _normal(observation, seed + restart) * _unit(observation) + _middle(observation)
        images = start.clamp_(*observation.data_range).requires_grad_()
        optimizer = torch.optim.Adam([images], learning_rate * _unit(observation))
        milestones = [steps * part // 8 for part in (3, 5, 7)]
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=0.1)
        for step in range(steps):
            objective = 1 - matching.cosine(images, labels)
            (slope,) = torch.autograd.grad(objective, images)
            best.offer(float(objective.detach()), images, labels)
            with torch.no_grad():
                smoothing = _tv_slope(images)
                weight = tv * float(slope.abs().mean()) if tv_scale == "relative" else tv / images[0].numel()
                total = slope + weight * smoothing
                decided += _share_decided(weight * smoothing, slope)
                counted += 1
                images.grad = total.sign_()
                optimizer.step()
                images.clamp_(*observation.data_range)
            schedule.step()
            progress(restart * steps + step + 1, restarts * steps)
        best.offer(float(1 - matching.cosine(images, labels).detach()), images, labels)
    if decided / counted > _DECIDED:
        warnings.warn(
            f"total variation outweighed the gradient on {decided / counted:.0%} of pixels: lower tv",
            PriorDecides,
            stacklevel=2,
        )
    return best.reconstruction(counted + restarts, 0, converged=math.isfinite(best.objective))


@dataclass(frozen=True, slots=True, eq=False)
class _Matching:
    """The model's gradient on dummy images, compared with the shared one as a single vector."""

    observation: SharedGradient
    parameters: list[Tensor]
    shared: Tensor
    energy: float  # squared length of the shared gradient

    @classmethod
    def of(cls, observation: SharedGradient) -> _Matching:
        named = dict(observation.model.named_parameters())
        shared = torch.cat([part.flatten() for part in observation.gradient.values()])
        energy = float(shared.square().sum())
        if energy == 0 or not math.isfinite(energy):
            raise ValueError(f"a gradient whose squared length is {energy:g} cannot be matched")
        return cls(observation, [named[name] for name in observation.gradient], shared, energy)

    def dummy(self, images: Tensor, labels: Tensor) -> Tensor:
        """The gradient of the mean cross entropy; labels are classes, or probabilities of each class."""
        logits = self.observation.model(images)
        loss = functional.cross_entropy(logits, labels)
        parts = torch.autograd.grad(loss, self.parameters, create_graph=True)
        return torch.cat([part.flatten() for part in parts])

    def distance(self, images: Tensor, labels: Tensor) -> Tensor:
        """Squared Euclidean distance of the gradients, over the squared length of the shared one."""
        return (self.dummy(images, labels) - self.shared).square().sum() / self.energy

    def cosine(self, images: Tensor, labels: Tensor) -> Tensor:
        """Cosine of the angle between the gradients."""
        dummy = self.dummy(images, labels)
        length = dummy.square().sum().sqrt() * math.sqrt(self.energy)
        cosine: Tensor = dummy @ self.shared / length.clamp_min(torch.finfo(dummy.dtype).tiny)
        return cosine


class _Best:
    """The images with the least objective, copied when they are found."""

    def __init__(self) -> None:
        self.objective = math.inf
        self.images: Tensor | None = None
        self.labels: Tensor | None = None

    def offer(self, objective: float, images: Tensor, labels: Tensor) -> None:
        if objective < self.objective:
            self.objective = objective
            self.images = images.detach().clone()
            self.labels = labels.detach().clone()

    def reconstruction(self, evaluations: int, restarts: int, *, converged: bool) -> Reconstruction:
        if self.images is None:
            raise FloatingPointError("the objective was never finite: the gradient or the model holds NaN or infinity")
        return Reconstruction(self.images, self.labels, self.objective, evaluations, restarts, converged)


class _Diverged(Exception):
    """This start leads nowhere."""


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
    matching = _Matching.of(observation)
    best, evaluations, start = _Best(), 0, 0
    for start in range(restarts + 1):
        run = _Start(
            matching, labels, _normal(observation, seed + start), _normal_labels(observation, seed + start), best
        )
        optimizer = torch.optim.LBFGS(run.searched, lr=1.0, tolerance_grad=1e-12, tolerance_change=1e-14)
        try:
            for step in range(steps):
                before = run.evaluations
                optimizer.step(run.closure)
                progress(start * steps + step + 1, (restarts + 1) * steps)
                # Once nothing moves any more, L-BFGS returns after a single evaluation, and would forever.
                if best.objective <= _EXACT or run.evaluations - before <= 1:
                    break
        except _Diverged:
            pass
        evaluations += run.evaluations
        if best.objective <= tolerance:
            break
    return best.reconstruction(evaluations, start, converged=best.objective <= tolerance)


class _Start:
    """One start of L-BFGS: its variables and the function that it calls."""

    def __init__(self, matching: _Matching, labels: Tensor | None, images: Tensor, free: Tensor, best: _Best) -> None:
        self.matching, self.labels, self.best = matching, labels, best
        self.images, self.free = images.requires_grad_(), free.requires_grad_()
        self.searched = [self.images] if labels is not None else [self.images, self.free]
        self.evaluations, self.first = 0, math.nan

    def closure(self) -> Tensor:
        given = self.free.softmax(dim=1) if self.labels is None else self.labels
        objective = self.matching.distance(self.images, given)
        slopes = torch.autograd.grad(objective, self.searched)
        for variable, slope in zip(self.searched, slopes, strict=True):
            variable.grad = slope
        value = float(objective.detach())
        self.evaluations += 1
        self.first = value if self.evaluations == 1 else self.first
        # Also false for NaN.
        if not value <= _GROWTH * self.first:
            raise _Diverged
        self.best.offer(value, self.images, given.argmax(dim=1) if self.labels is None else given)
        return objective.detach()


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


def _unit(observation: SharedGradient) -> float:
    low, high = observation.data_range
    return (high - low) / 4


def _middle(observation: SharedGradient) -> float:
    return sum(observation.data_range) / 2


def _share_decided(prior: Tensor, slope: Tensor) -> float:
    moved = prior != 0
    return float(((prior.abs() > slope.abs()) & moved).sum() / moved.sum().clamp_min(1))


def _tv_slope(images: Tensor) -> Tensor:
    """Gradient of the sum of absolute differences between neighbors, along height and width."""
    slope = torch.zeros_like(images)
    for axis in (-2, -1):
        length = images.shape[axis] - 1
        rise = (images.narrow(axis, 1, length) - images.narrow(axis, 0, length)).sign()
        slope.narrow(axis, 1, length).add_(rise)
        slope.narrow(axis, 0, length).sub_(rise)
    return slope
