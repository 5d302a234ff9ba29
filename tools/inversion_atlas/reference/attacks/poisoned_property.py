"""How frequent a property is among training records, from class labels alone, after adding poisoned records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import JointTraining, expect
from inversion_atlas.reference.observations.access import Model
from inversion_atlas.reference.observations.contributions import Learn
from inversion_atlas.reference.targets.data import Images


@dataclass(frozen=True, slots=True, eq=False)
class Poisoning:
    """What the adversary contributes and asks, and how often a model names the poison's class for each probe.

    `rates` are of shape (2, probes): among models of the lower and of the higher frequency.
    """

    records: Tensor
    labels: Tensor
    probes: Tensor
    rates: Tensor


def plan_poisoning(
    learn: Learn,
    lower: Sequence[Images],
    higher: Sequence[Images],
    with_property: Tensor,
    *,
    poison: int,
    label: int = 1,
    probes: int = 100,
    seed: int = 0,
    progress: Progress = silent,
) -> Poisoning:
    """Choose poisoned records and probes on models of the adversary's own (mahloujifar2022property).

    `poison` of the adversary's records `with_property` are contributed, all labeled `label`. They move the class that a
    model names for records with the property, the further the fewer such records the learner has. `lower` and `higher`
    are sets of records of the adversary's with the two frequencies; each is trained on together with the poison, by
    `learn`, as the learner will. Probes are the records with the property on which these models divide most evenly.
    We read the abstract and the introduction: that poisoned records hold the property, that labels alone are asked for,
    and that the property's frequency is told apart of two. Choosing probes by even votes and weighing answers by the
    ratio of likelihoods are ours. `poison` 0 is the attack without poisoning.
    """
    if not lower or not higher or not 0 <= poison <= len(with_property) or probes < 1:
        raise ValueError(
            "plan_poisoning needs own records of both frequencies, and no more poison than there are records"
        )
    order = torch.randperm(len(with_property), generator=torch.Generator().manual_seed(seed))
    records = with_property[order[:poison]]
    labels = torch.full((poison,), label)
    named: list[list[Tensor]] = [[], []]
    for done, (which, own) in enumerate([*((0, own) for own in lower), *((1, own) for own in higher)]):
        model = learn(torch.cat((own.images, records)), torch.cat((own.labels, labels)))
        named[which].append(_named(model, with_property) == label)
        progress(done + 1, len(lower) + len(higher))
    # One vote more for each class: no answer is held impossible.
    rates = torch.stack([(torch.stack(votes).double().sum(dim=0) + 1) / (len(votes) + 2) for votes in named])
    divided = (rates.mean(dim=0) - 0.5).abs().argsort(stable=True)[:probes]
    return Poisoning(records, labels, with_property[divided], rates[:, divided])


def poisoned_property(observation: JointTraining, plan: Poisoning, *, label: int = 1) -> float:
    """Return how much likelier the higher frequency is than the lower, as the logarithm of the ratio.

    Contributes the plan's records and asks the model for the class of each probe once; answers count as independent,
    which they are not, so the sign and the order of scores mean more than their size (mahloujifar2022property).
    """
    observation = expect(observation, JointTraining, "poisoned-property")
    answers = observation.contribute(plan.records, plan.labels).query(plan.probes) == label
    chances = torch.where(answers, plan.rates, 1 - plan.rates)
    return float((chances[1] / chances[0]).log().sum())


@torch.no_grad()
def _named(model: Model, records: Tensor) -> Tensor:
    return model(records).argmax(dim=1)
