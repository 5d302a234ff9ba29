"""What a client of federated learning shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import Mode, also, copied, defenses_of, refuse_data, under

if TYPE_CHECKING:
    from inversion_atlas.reference.observations.image_texts import SharedPairGradient
    from inversion_atlas.reference.observations.texts import SharedTextGradient

Observed = TypeVar("Observed", "SharedGradient", "SharedTextGradient", "SharedPairGradient")


@dataclass(frozen=True, slots=True, eq=False)
class SharedGradient:
    """The gradient of one step that a client shared, and the model it was computed on.

    The loss is the mean cross entropy over the batch. `mode` says how normalization and dropout layers ran.
    """

    model: nn.Module
    gradient: Mapping[str, Tensor]
    batch_size: int
    input_shape: tuple[int, ...]
    classes: int
    mode: Mode
    data_range: tuple[float, float]
    labels: Tensor | None
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of_batch(
        cls,
        model: nn.Module,
        inputs: Tensor,
        labels: Tensor,
        *,
        mode: Mode,
        labels_known: bool,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> SharedGradient:
        """Compute, as a client would, the gradient of the mean cross entropy of `model` on a batch.

        `mode` and `labels_known` belong to the threat model and are never guessed. `model` is left as it was.
        """
        refuse_data(inputs, labels, data_range)
        # The copy for the server is made before the private batch passes, lest a layer remember what it saw.
        seen, client = copied(model, mode), copied(model, mode)
        logits: Tensor = client(inputs.detach())
        named = {name: p for name, p in client.named_parameters() if p.requires_grad}
        return cls(
            model=seen,
            gradient=mean_gradient(logits, labels, named),
            batch_size=len(inputs),
            input_shape=tuple(inputs.shape[1:]),
            classes=logits.shape[1],
            mode=mode,
            data_range=data_range,
            labels=labels.detach().clone() if labels_known else None,
            defenses=defenses_of(model),
        )

    def with_gradient(self, gradient: Mapping[str, Tensor], *, defense: str = "") -> SharedGradient:
        """Return the same observation with another gradient; `defense` says in words what changed it."""
        return with_gradient(self, gradient, defense)

    def without(self, *layers: str) -> SharedGradient:
        """Return the observation less the gradients of some layers, which an attack then ignores.

        `layers` are names of modules or parameters; raises ValueError for one that has no gradient here.
        """
        dropped = {layer: [n for n in self.gradient if n == layer or n.startswith(f"{layer}.")] for layer in layers}
        for layer, names in dropped.items():
            if not names:
                raise ValueError(f"no gradient of {layer!r} was shared; there are {', '.join(self.gradient)}")
        ignored = {name for names in dropped.values() for name in names}
        return replace(self, gradient={name: part for name, part in self.gradient.items() if name not in ignored})

    def describe(self) -> str:
        """Return the threat model in a line."""
        images = "1 example" if self.batch_size == 1 else f"a batch of {self.batch_size}"
        known = "labels known" if self.labels is not None else "labels unknown"
        line = f"gradient of the mean cross entropy on {images}, {self.mode} mode, one step, {known}"
        return ", ".join([line, *under(self.defenses)])


def mean_gradient(logits: Tensor, labels: Tensor, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradient of the mean cross entropy in each parameter; raises ValueError for what are no logits."""
    if logits.ndim != 2 or len(logits) != len(labels):
        raise ValueError(f"the model must return logits of shape (batch, classes), not {tuple(logits.shape)}")
    gradient = torch.autograd.grad(functional.cross_entropy(logits, labels), list(parameters.values()))
    return {name: part.detach().clone() for name, part in zip(parameters, gradient, strict=True)}


def with_gradient(observation: Observed, gradient: Mapping[str, Tensor], defense: str) -> Observed:
    """Return the observation with copies of another gradient; raises ValueError for other names or shapes."""
    if {name: part.shape for name, part in gradient.items()} != {n: p.shape for n, p in observation.gradient.items()}:
        raise ValueError("the gradient has other names or shapes than the one it replaces")
    copies = {name: part.detach().clone() for name, part in gradient.items()}
    return replace(observation, gradient=copies, defenses=also(observation.defenses, defense))
