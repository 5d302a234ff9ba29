"""A model behind an interface that explains its answers with a map over the input."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import Outputs, copied
from inversion_atlas.reference.observations.models import BlackBox

# Given a model and inputs, returns a map for each input; the map may have another shape than the input.
Explainer = Callable[[nn.Module, Tensor], Tensor]


class Explanation(BlackBox):
    """A black box that tells, with the class probabilities of an input, why it names the class it names.

    `explain` makes the maps: `gradient`, `gradient_times_input`, `grad_cam(layer)`, or any function of a model and
    inputs.
    """

    __slots__ = ("explainer",)

    def __init__(
        self,
        model: nn.Module,
        explain: Explainer,
        *,
        outputs: Outputs,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float] = (0.0, 1.0),
        limit: int | None = None,
        noise: float = 0.0,
        top_k: int | None = None,
        round_to: int | None = None,
        seed: int = 0,
    ) -> None:
        hidden = copied(model, "eval")
        super().__init__(
            hidden,
            outputs=outputs,
            input_shape=input_shape,
            data_range=data_range,
            limit=limit,
            noise=noise,
            top_k=top_k,
            round_to=round_to,
            seed=seed,
        )
        self.explainer = getattr(explain, "__name__", "a function").replace("_", " ")
        _EXPLAINS[self] = lambda inputs: explain(hidden, inputs)

    def explain(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities of shape (batch, classes) and a map for each input; counts as one query for each."""
        scores = self.query(inputs)
        with torch.enable_grad():
            maps = _EXPLAINS[self](inputs.detach().clone())
        return scores, maps.detach()

    def describe(self) -> str:
        """Return the threat model in a line."""
        return ", ".join([f"class probabilities and explanations ({self.explainer}) of a model", *self._changes()])


def gradient(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return the gradient of the named class's score in the input; same shape as the inputs."""
    inputs = inputs.detach().requires_grad_()
    scores: Tensor = model(inputs)
    (slope,) = torch.autograd.grad(scores.max(dim=1).values.sum(), inputs)
    return slope


def gradient_times_input(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return the gradient of the named class's score, each value times that of the input."""
    return gradient(model, inputs) * inputs.detach()


def grad_cam(layer: int) -> Explainer:
    """Return an explainer of a sequence of layers: Grad-CAM at that layer's output, (batch, channels, height, width).

    Channels are weighed by the mean gradient of the named class's score, summed, kept where positive, and enlarged to
    the sides of the input; maps are of shape (batch, 1, height, width).
    """

    def grad_cam(model: nn.Module, inputs: Tensor) -> Tensor:
        if not isinstance(model, nn.Sequential):
            raise ValueError("grad_cam explains models that are an nn.Sequential")
        activations: Tensor = model[: layer + 1](inputs).detach().requires_grad_()
        scores: Tensor = model[layer + 1 :](activations)
        (slope,) = torch.autograd.grad(scores.max(dim=1).values.sum(), activations)
        weighed = (slope.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1, keepdim=True).relu()
        return functional.interpolate(weighed, size=inputs.shape[2:], mode="bilinear", align_corners=False)

    return grad_cam


_EXPLAINS: WeakKeyDictionary[Explanation, Callable[[Tensor], Tensor]] = WeakKeyDictionary()
