"""What a client of federated averaging shares: weights after several local steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import Mode, also, copied, defenses_of, refuse_data, under
from inversion_atlas.reference.observations.gradients import SharedGradient


@dataclass(frozen=True, slots=True, eq=False)
class SharedUpdate:
    """A model before a client trained it, its weights afterwards, and how the client trained.

    Training is plain gradient descent on the mean cross entropy of each local batch: `epochs` passes over `examples`
    examples in batches of `local_batch_size`, the last one smaller where they do not divide. Where `shuffled`, the
    client draws the order anew for each pass and keeps it to itself; known labels are then in ascending order.
    """

    model: nn.Module
    after: Mapping[str, Tensor]
    learning_rate: float
    epochs: int
    local_batch_size: int
    examples: int
    shuffled: bool
    input_shape: tuple[int, ...]
    classes: int
    mode: Mode
    data_range: tuple[float, float]
    labels: Tensor | None
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of_client(
        cls,
        model: nn.Module,
        inputs: Tensor,
        labels: Tensor,
        *,
        learning_rate: float,
        epochs: int,
        local_batch_size: int,
        shuffle_seed: int | None,
        mode: Mode,
        labels_known: bool,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> SharedUpdate:
        """Train a copy of `model` as a client would; `shuffle_seed` None keeps the order of the examples.

        Raises ValueError for data that make no sense, and FloatingPointError where training diverges.
        """
        refuse_data(inputs, labels, data_range)
        if not learning_rate > 0 or epochs < 1 or not 1 <= local_batch_size <= len(inputs):
            raise ValueError(
                "learning_rate must be positive, epochs at least 1 and local_batch_size from 1 to the "
                f"{len(inputs)} examples, not {learning_rate}, {epochs} and {local_batch_size}"
            )
        seen, client = copied(model, mode), copied(model, mode)
        named = {name: p for name, p in client.named_parameters() if p.requires_grad}
        generator = None if shuffle_seed is None else torch.Generator().manual_seed(shuffle_seed)
        for _ in range(epochs):
            order = torch.arange(len(inputs))
            if generator is not None:
                order = torch.randperm(len(inputs), generator=generator)
            for batch in order.split(local_batch_size):
                logits: Tensor = client(inputs[batch].detach())
                slopes = torch.autograd.grad(functional.cross_entropy(logits, labels[batch]), list(named.values()))
                with torch.no_grad():
                    for parameter, slope in zip(named.values(), slopes, strict=True):
                        parameter.sub_(slope, alpha=learning_rate)
        after = {name: parameter.detach().clone() for name, parameter in named.items()}
        if not all(bool(torch.isfinite(value).all()) for value in after.values()):
            raise FloatingPointError("the client's training diverged: lower its learning rate")
        return cls(
            model=seen,
            after=after,
            learning_rate=learning_rate,
            epochs=epochs,
            local_batch_size=local_batch_size,
            examples=len(inputs),
            shuffled=generator is not None,
            input_shape=tuple(inputs.shape[1:]),
            classes=logits.shape[1],
            mode=mode,
            data_range=data_range,
            labels=_granted(labels, known=labels_known, ordered=generator is None),
            defenses=defenses_of(model),
        )

    @property
    def steps(self) -> int:
        """How many local steps the client took."""
        return self.epochs * -(-self.examples // self.local_batch_size)

    def update(self) -> dict[str, Tensor]:
        """Return how far each parameter moved."""
        before = dict(self.model.named_parameters())
        return {name: after - before[name].detach() for name, after in self.after.items()}

    def with_update(self, update: Mapping[str, Tensor], *, defense: str = "") -> SharedUpdate:
        """Return the same observation with another update; `defense` says in words what changed it."""
        if {name: part.shape for name, part in update.items()} != {n: p.shape for n, p in self.after.items()}:
            raise ValueError("the update has other names or shapes than the one it replaces")
        before = dict(self.model.named_parameters())
        after = {name: before[name].detach() + part.detach() for name, part in update.items()}
        return replace(self, after=after, defenses=also(self.defenses, defense))

    def as_one_step(self) -> SharedGradient:
        """Return the mean gradient that would have moved the weights so far in as many steps from where they began."""
        return SharedGradient(
            self.model,
            {name: part / (-self.learning_rate * self.steps) for name, part in self.update().items()},
            self.examples,
            self.input_shape,
            self.classes,
            self.mode,
            self.data_range,
            self.labels,
            self.defenses,
        )

    def describe(self) -> str:
        """Return the threat model in a line."""
        known = "labels known" if self.labels is not None else "labels unknown"
        order = "shuffled" if self.shuffled else "order fixed"
        line = (
            f"weights before and after {self.steps} local steps of rate {self.learning_rate:g} on {self.examples} "
            f"examples ({self.epochs} epochs, batches of {self.local_batch_size}, {order}), {self.mode} mode, {known}"
        )
        return ", ".join([line, *under(self.defenses)])


def _granted(labels: Tensor, *, known: bool, ordered: bool) -> Tensor | None:
    if not known:
        return None
    return labels.detach().clone() if ordered else labels.detach().sort().values
