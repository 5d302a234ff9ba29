"""Whether another participant's batches have a property, while the adversary teaches the joint model to tell it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.property_inference import chances_of, of_own_batch
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import CollaborativeTraining, SharedGradient, expect
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.data import Images


def property_inference_active(
    training: CollaborativeTraining,
    own: Images,
    holds: Tensor,
    with_property: Sequence[Images],
    without_property: Sequence[Images],
    *,
    weight: float = 0.8,
    batch_size: int = 32,
    warm_up: int = 20,
    per_round: int = 3,
    seed: int = 0,
    progress: Progress = silent,
) -> Tensor:
    """Return for each round after the warm-up how likely the other's batch has the property (melis2019exploiting).

    The active attack. The adversary's copy of the joint model gets a second head, on what the last linear layer is
    given, that names the property; `holds` says which of its `own` images have it. Each round the adversary shares
    the gradient of the sum of both cross entropies, that of the property weighed by `weight` and that of the task by
    the rest; half of its batch has the property. After the warm-up it takes of each kind `per_round` of its batches,
    in turn, on the joint model of the round. The forest of the passive attack learns from all rounds. With `weight` 0
    the adversary takes part honestly, and the attack is the passive one.

    Departures from the authors' code: the head learns, at the joint model's rate, where theirs stays as drawn; a
    fifth of their batches has the property; biases and all of a convolution's values are used, theirs leave biases
    out and take the largest value of each kernel; they take 8 batches of each kind a round after 100 rounds of
    warm-up. The weight is ours.
    """
    expect(training, CollaborativeTraining, "property-inference-active")
    if not with_property or not without_property or not 0 < int(holds.sum()) < len(own) == len(holds):
        raise ValueError("property-inference-active needs images and batches of its own with and without the property")
    if not 0 <= weight <= 1 or not 0 <= warm_up < training.rounds:
        raise ValueError(f"weight must be from 0 to 1 and warm_up below {training.rounds}, not {weight} and {warm_up}")
    generator = torch.Generator().manual_seed(seed)
    with seeded(seed):
        head = nn.Linear(_last_linear(training.model()).in_features, 2)
    known: list[SharedGradient] = []
    kinds: list[int] = []
    seen: list[SharedGradient] = []
    for number in range(training.rounds):
        batch = _half_of_each(holds, batch_size, generator)
        model = training.model()
        slopes = _joint_gradient(model, head, own.images[batch], own.labels[batch], holds[batch], weight)
        _step(head, slopes, training.learning_rate)
        other = training.share({name: slopes[name] for name, p in model.named_parameters() if p.requires_grad})
        if number >= warm_up:
            seen.append(other)
            for kind, batches in ((1, with_property), (0, without_property)):
                for place in range(per_round):
                    known.append(of_own_batch(other, batches[(len(seen) * per_round + place) % len(batches)]))
                    kinds.append(kind)
        progress(number + 1, training.rounds)
    return chances_of(seen, known, kinds, seed)


def _last_linear(model: nn.Module) -> nn.Linear:
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise ValueError("property-inference-active needs a model with a linear layer")
    return layers[-1]


def _half_of_each(holds: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return the places of so many images, half of them with the property."""
    kinds = [torch.nonzero(kind).flatten() for kind in (holds, ~holds)]
    return torch.cat([kind[torch.randint(len(kind), (size // 2,), generator=generator)] for kind in kinds])


def _joint_gradient(
    model: nn.Module, head: nn.Linear, images: Tensor, labels: Tensor, holds: Tensor, weight: float
) -> dict[str, Tensor]:
    """Return the gradient of task and property, by the model's names and, for the head, after `head:`."""
    given: list[Tensor] = []
    hook = _last_linear(model).register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    task = functional.cross_entropy(model(images), labels)
    hook.remove()
    loss = (1 - weight) * task + weight * functional.cross_entropy(head(given[0]), holds.long())
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    named |= {f"head:{name}": p for name, p in head.named_parameters()}
    return dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))


@torch.no_grad()
def _step(head: nn.Linear, slopes: dict[str, Tensor], learning_rate: float) -> None:
    for name, parameter in head.named_parameters():
        parameter.sub_(slopes[f"head:{name}"], alpha=learning_rate)
