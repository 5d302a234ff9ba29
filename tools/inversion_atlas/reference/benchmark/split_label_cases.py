"""An attack on the labels of a client that keeps the last layers of a split network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.split_labels import unsplit_labels
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, chosen
from inversion_atlas.reference.benchmark.split_cases import parts
from inversion_atlas.reference.observations import SplitLabels
from inversion_atlas.reference.targets import training


def bottom_and_tops(target: training.Target, seed: int, *, below: int = -1) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Return, untrained, the server's layers, the client's top and a surrogate of it with weights of its own.

    The top is what follows the first `below` layers; a negative number counts from the end.
    """
    recipe = training.RECIPES[target.name]
    drawn = [training.untrained(replace(recipe, seed=recipe.seed + 2 * seed + own), target.data) for own in (0, 1)]
    (server, top), (_, surrogate) = (parts(model, below) for model in drawn)
    return server, top, surrogate


def _unsplit_labels(options: Options) -> Outcome:
    """The client keeps the last layer alone; the guess without gradients is the majority."""
    split = options.target.data
    part, classes = chosen(split.private, options.items, options.seed), len(split.classes)
    server, top, surrogate = bottom_and_tops(options.target, options.seed)
    observation = SplitLabels(part.images, part.labels, top, classes=classes, grants="weight", learning_rate=1e-3)
    found = unsplit_labels(observation, server, surrogate, **accepted(unsplit_labels, options))
    reached = metrics.label_recovery_accuracy(found, part.labels, count="position")
    majority = float(part.labels.bincount().max()) / len(part)
    return Outcome(
        setting=f"{split.name}, {options.target.name} from its start; {observation.describe()}",
        scores=(Score("label-recovery-accuracy", reached, "", majority),),
        originals=None,
        images=None,
        converged=len(part),
        items=len(part),
    )


CASES: Mapping[str, Case] = {
    "unsplit-labels": Case(_unsplit_labels, ("digits-convnet", "convnet"), items=300, sees=()),
}
