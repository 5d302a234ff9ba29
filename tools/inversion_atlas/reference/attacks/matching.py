"""How far the gradient of dummy images is from the shared one, and the slope of that in the images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from inversion_atlas.reference.attacks.layerwise import Differentiable, Slopes, differentiable
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.observations import SharedGradient, SharedUpdate
from inversion_atlas.reference.observations.access import copied


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """A value and its slopes; `labels` is None where labels were classes."""

    value: float
    images: Tensor
    labels: Tensor | None


class Matching:
    """The model's gradient on dummy images, compared with a shared one as a single vector.

    Labels are classes, or probabilities of each class; the loss is the mean cross entropy.
    """

    def __init__(self, gradient: Differentiable, shared: list[Tensor]) -> None:
        self.gradient = gradient
        self.sizes, self.shapes = [part.numel() for part in shared], [part.shape for part in shared]
        self.shared = torch.cat([part.flatten() for part in shared])
        self.energy = float(self.shared.square().sum())  # squared length
        if self.energy == 0 or not math.isfinite(self.energy):
            raise ValueError(f"a gradient whose squared length is {self.energy:g} cannot be matched")

    @classmethod
    def of(cls, observation: SharedGradient) -> Matching:
        # A copy, since layers in train mode remember what passes.
        model = copied(observation.model, observation.mode)
        named = dict(model.named_parameters())
        parameters = [named[name] for name in observation.gradient]
        gradient = differentiable(model, parameters, observation.input_shape)
        return cls(gradient, list(observation.gradient.values()))

    def distance(self, images: Tensor, labels: Tensor) -> Matched:
        """Squared Euclidean distance of the gradients, over the squared length of the shared one."""
        parts, slopes = self.gradient(images, labels)
        apart = torch.cat([part.flatten() for part in parts]).sub_(self.shared)
        value = float(apart @ apart) / self.energy
        return Matched(value, *slopes(self._parts(apart.mul_(2 / self.energy))))

    def angle(self, images: Tensor, labels: Tensor) -> Matched:
        """One minus the cosine of the angle between the gradients."""
        parts, slopes = self.gradient(images, labels)
        dummy = torch.cat([part.flatten() for part in parts])
        squared = max(float(dummy @ dummy), torch.finfo(dummy.dtype).tiny)
        length = math.sqrt(squared * self.energy)
        cosine = float(dummy @ self.shared) / length
        direction = dummy.mul_(cosine / squared).sub_(self.shared, alpha=1 / length)
        return Matched(1 - cosine, *slopes(self._parts(direction)))

    def angle_alone(self, images: Tensor, labels: Tensor) -> float:
        """One minus the cosine, for searches that need no slope."""
        dummy = torch.cat([part.flatten() for part in self.gradient(images, labels)[0]])
        squared = max(float(dummy @ dummy), torch.finfo(dummy.dtype).tiny)
        return 1 - float(dummy @ self.shared) / math.sqrt(squared * self.energy)

    def _parts(self, vector: Tensor) -> list[Tensor]:
        return [part.view(shape) for part, shape in zip(vector.split(self.sizes), self.shapes, strict=True)]


def repeated_training(observation: SharedUpdate) -> Differentiable:
    """Return the client's training as a function of images and labels: how far it moves the weights, and slopes."""
    model = copied(observation.model, observation.mode)
    before = dict(model.named_parameters())
    trained = list(observation.after)

    def train(images: Tensor, labels: Tensor) -> list[Tensor]:
        weights: list[Tensor] = [before[name] for name in trained]
        for _ in range(observation.epochs):
            for batch in torch.arange(len(images)).split(observation.local_batch_size):
                logits = functional_call(model, dict(zip(trained, weights, strict=True)), (images[batch],))
                loss = functional.cross_entropy(logits, labels[batch])
                slopes = torch.autograd.grad(loss, weights, create_graph=True)
                weights = [
                    weight - observation.learning_rate * slope for weight, slope in zip(weights, slopes, strict=True)
                ]
        return [weight - before[name] for name, weight in zip(trained, weights, strict=True)]

    def movement(images: Tensor, labels: Tensor) -> tuple[list[Tensor], Slopes]:
        images = images.detach().requires_grad_()
        with torch.enable_grad():
            moved = train(images, labels)

        def slopes(direction: Sequence[Tensor]) -> tuple[Tensor, None]:
            return torch.autograd.grad(moved, images, direction)[0], None

        return [part.detach() for part in moved], slopes

    return movement


class Best:
    """The images with the least objective, copied when they are found."""

    def __init__(self) -> None:
        self.objective = math.inf
        self.images: Tensor | None = None
        self.labels: Tensor | None = None

    def offer(self, objective: float, images: Tensor, labels: Tensor | None) -> None:
        if objective < self.objective:
            self.objective = objective
            self.images = images.detach().clone()
            self.labels = None if labels is None else labels.detach().clone()

    def reconstruction(self, evaluations: int, restarts: int, *, converged: bool) -> Reconstruction:
        if self.images is None:
            raise FloatingPointError("the objective was never finite: the gradient or the model holds NaN or infinity")
        return Reconstruction(self.images, self.labels, self.objective, evaluations, restarts, converged)
