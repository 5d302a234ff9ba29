"""Labels of the other party in vertical training, by a party that has features and gradients alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import AccessError, VerticalTraining, expect
from inversion_atlas.reference.observations.access import copied
from inversion_atlas.reference.seeding import seeded

# How much a malicious party enlarges a gradient, at least and at most.
_SCALES = (1.0, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class CompletedModel:
    """A party's bottom model with a head of its own: it names classes without the other parties.

    `labels` are those of the items of training; `model` takes the party's features of any item and returns logits.
    """

    labels: Tensor
    model: nn.Module


def take_part(
    observation: VerticalTraining,
    bottom: nn.Module,
    *,
    learning_rate: float,
    malicious: bool,
    gamma: float = 1.0,
    progress: Progress = silent,
) -> nn.Module:
    """Train a copy of the bottom model through all of training, and return it (fu2022label).

    It learns by plain descent. A `malicious` party scales each entry of its gradient by 1 plus `gamma` times its ratio
    to the entry's last scaled value, held between 1 and 5: what keeps its direction is sped up, so that the upper
    layers come to rely on this party more. Scaling is that of the authors' code, without momentum.
    """
    observation = expect(observation, VerticalTraining, "take_part")
    bottom, last = copied(bottom, "train"), None
    parameters = list(bottom.parameters())
    for batch in range(observation.batches):
        outputs: Tensor = bottom(observation.features[observation.receive()])
        slopes = list(torch.autograd.grad(outputs, parameters, observation.send(outputs)))
        if malicious:
            last = slopes = [slope * scale for slope, scale in zip(slopes, _scales(slopes, last, gamma), strict=True)]
        with torch.no_grad():
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter.sub_(slope, alpha=learning_rate)
        progress(batch + 1, observation.batches)
    return bottom.eval()


def completed(
    observation: VerticalTraining,
    bottom: nn.Module,
    places: Tensor,
    labels: Tensor,
    *,
    steps: int = 100,
    learning_rate: float = 0.02,
    unlabeled_weight: float = 10.0,
    temperature: float = 0.8,
    alpha: float = 0.75,
    batch_size: int = 32,
    seed: int = 0,
) -> CompletedModel:
    """Complete a bottom model with a head, from the few items whose `labels` are known: model completion (fu2022label).

    The head learns from labeled and other items of training at once: others are given the model's own guesses,
    sharpened by `temperature`; items are mixed in pairs, the share drawn from a beta distribution; labeled ones cost
    cross entropy, others the squared distance of probabilities, whose weight grows linearly. That is the authors' code
    where it completes models of tables: the bottom model stays as it was trained. Here the head is a linear layer over
    outputs that are normalized by all of the party's items, and all labeled items are in each batch; there it is
    normalized by batches, others weigh 50, weights decay and have a running mean.
    """
    observation = expect(observation, VerticalTraining, "model completion")
    known = functional.one_hot(labels, observation.classes).float()
    rest = torch.ones(len(observation.features), dtype=torch.bool).index_fill(0, places, False).nonzero().flatten()
    bottom = copied(bottom, "eval").requires_grad_(False)
    outputs: Tensor = bottom(observation.features)
    with seeded(seed):
        head = nn.Linear(outputs.shape[1], observation.classes)
        model = nn.Sequential(bottom, _Normalized(outputs), head)
        optimizer = torch.optim.Adam(head.parameters(), learning_rate)
        share = torch.distributions.Beta(alpha, alpha)
        for step in range(steps):
            other = rest[torch.randint(len(rest), (batch_size,))]
            inputs = observation.features[torch.cat((places, other))]
            with torch.no_grad():
                guessed = (model(observation.features[other]).log_softmax(dim=1) / temperature).softmax(dim=1)
            wanted, part = torch.cat((known, guessed)), float(share.sample())
            part, order = max(part, 1 - part), torch.randperm(len(inputs))
            logits = model(part * inputs + (1 - part) * inputs[order])
            wanted = part * wanted + (1 - part) * wanted[order]
            loss = functional.cross_entropy(logits[: len(places)], wanted[: len(places)])
            guesses = functional.mse_loss(logits[len(places) :].softmax(dim=1), wanted[len(places) :])
            optimizer.zero_grad()
            (loss + unlabeled_weight * step / steps * guesses).backward()
            optimizer.step()
    with torch.no_grad():
        return CompletedModel(model(observation.features).argmax(dim=1), model.eval())


def direct_labels(
    observation: VerticalTraining, bottom: nn.Module, *, learning_rate: float, progress: Progress = silent
) -> Tensor:
    """Return the label of every item of training, read off the gradients that come back: the direct attack
    (fu2022label).

    Outputs are summed to logits, so that the gradient is probabilities minus one at the label: the label's entry alone
    is negative. The party takes part honestly until each item has come once, or training ends; items that never
    came are given -1. Raises AccessError where upper layers lie between outputs and logits.
    """
    observation = expect(observation, VerticalTraining, "direct label inference")
    if not observation.summed:
        raise AccessError(f"direct label inference needs outputs that are summed; granted are {observation.describe()}")
    bottom = copied(bottom, "train")
    labels = torch.full((len(observation.features),), -1)
    for batch in range(observation.batches):
        places = observation.receive()
        outputs: Tensor = bottom(observation.features[places])
        gradient = observation.send(outputs)
        labels[places] = gradient.argmin(dim=1)
        slopes = torch.autograd.grad(outputs, list(bottom.parameters()), gradient)
        with torch.no_grad():
            for parameter, slope in zip(bottom.parameters(), slopes, strict=True):
                parameter.sub_(slope, alpha=learning_rate)
        progress(batch + 1, observation.batches)
        if bool((labels >= 0).all()):
            break
    return labels


def _scales(slopes: list[Tensor], last: list[Tensor] | None, gamma: float) -> list[Tensor]:
    """Return how much each entry is enlarged: nothing at first."""
    if last is None:
        return [torch.ones_like(slope) for slope in slopes]
    return [(1 + gamma * slope / (before + 1e-7)).clamp(*_SCALES) for slope, before in zip(slopes, last, strict=True)]


class _Normalized(nn.Module):
    """Outputs moved and scaled as those that it is given are brought to mean 0, and as a whole to deviation 1."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.mean = outputs.mean(dim=0)
        self.deviation = (outputs - self.mean).square().mean().sqrt() + 1e-6

    def forward(self, outputs: Tensor) -> Tensor:
        return (outputs - self.mean) / self.deviation
