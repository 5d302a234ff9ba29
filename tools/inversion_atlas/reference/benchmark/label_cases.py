"""Attacks on the labels of a table: through scores of predictions, and by a party of vertical training."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.log_loss import labels_from_scores
from inversion_atlas.reference.attacks.vertical_labels import completed, direct_labels, take_part
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, chosen
from inversion_atlas.reference.observations import LossScore, VerticalTraining
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.data import Images

# How wide the outputs of a party are that upper layers join, and how many passes training takes.
_WIDTH, _EPOCHS, _RATE = 8, 80, 0.1
# Draws of the items whose labels the party knows, and how many of each class.
_DRAWS, _KNOWN = 5, 4


def network(features: int, outputs: int, seed: int) -> nn.Module:
    """Return a party's untrained model: one hidden layer of 32 ReLU units."""
    with seeded(seed):
        return nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, outputs))


def own_columns(features: int) -> Tensor:
    """Return the columns that the attacking party holds: every third."""
    return torch.arange(0, features, 3)


def vertical(
    part: Images, own: Tensor, classes: int, *, summed: bool, epochs: int = _EPOCHS, seed: int = 0
) -> VerticalTraining:
    """Return training in which a party holds the columns `own`, another one the rest and the labels.

    Unless outputs are summed, the top is one linear layer over their ReLUs.
    """
    rows = part.images
    others = torch.tensor([column for column in range(rows.shape[1]) if column not in own.tolist()])
    width = classes if summed else _WIDTH
    with seeded(seed + 1):
        top = None if summed else nn.Sequential(nn.ReLU(), nn.Linear(2 * width, classes))
    return VerticalTraining(
        rows[:, own],
        rows[:, others],
        part.labels,
        network(len(others), width, seed + 2),
        top,
        width=width,
        classes=classes,
        learning_rate=_RATE,
        epochs=epochs,
        batch_size=32,
        seed=seed,
    )


def known_items(labels: Tensor, number: int, seed: int) -> Tensor:
    """Return the places of so many items of each class, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    places = [torch.nonzero(labels == label).flatten() for label in labels.unique()]
    return torch.cat([group[torch.randperm(len(group), generator=generator)[:number]] for group in places])


def labels_alone(observation: VerticalTraining, places: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return the labels that a party finds without training: by a model of its own, and by a head on its features."""
    model = network(observation.features.shape[1], observation.classes, seed)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        functional.cross_entropy(model(observation.features[places]), labels).backward()
        optimizer.step()
    head = completed(observation, nn.Identity(), places, labels, seed=seed)
    with torch.no_grad():
        return model(observation.features).argmax(dim=1), head.labels


def accuracy(found: Tensor, labels: Tensor) -> float:
    """Return the share of labels that were found, each in its place."""
    return metrics.label_recovery_accuracy(found, labels, count="position")


def _outcome(setting: str, reached: float, alone: float, items: int, converged: int) -> Outcome:
    scores = (Score("label-recovery-accuracy", reached, "", alone),)
    return Outcome(setting, scores, originals=None, images=None, converged=converged, items=items)


def _majority(labels: Tensor) -> float:
    return float(labels.bincount().max()) / len(labels)


def _log_loss(options: Options) -> Outcome:
    """Scores rounded as leaderboards do; without the signal, noise hides them and the attack is not told."""
    split = options.target.data
    labels, classes = chosen(split.private, options.items, options.seed).labels, len(split.classes)
    observation = LossScore(labels, classes=classes, round_to=5)
    found = labels_from_scores(observation, **accepted(labels_from_scores, options))
    noisy = LossScore(labels, classes=classes, noise=1.0, seed=options.seed)
    blind = accuracy(labels_from_scores(noisy, error=observation.error).labels, labels)
    return _outcome(
        f"{options.items} of {split.name}, {found.queries} queries; {observation.describe()}",
        accuracy(found.labels, labels),
        max(blind, _majority(labels)),
        options.items,
        options.items if found.converged else 0,
    )


def _completion(*, malicious: bool) -> Callable[[Options], Outcome]:
    """A party with a third of the columns; without training it has few labels, and its features."""

    def run(options: Options) -> Outcome:
        split = options.target.data
        part, own = chosen(split.private, options.items, options.seed), own_columns(split.shape[0])
        observation = vertical(part, own, len(split.classes), summed=False, seed=options.seed)
        bottom = network(len(own), _WIDTH, options.seed)
        bottom = take_part(observation, bottom, learning_rate=_RATE, malicious=malicious, progress=options.progress)
        reached, alone = [], []
        for draw in range(options.seed, options.seed + _DRAWS):
            places = known_items(part.labels, _KNOWN, draw)
            labels = part.labels[places]
            found = completed(observation, bottom, places, labels, **{**accepted(completed, options), "seed": draw})
            reached.append(accuracy(found.labels, part.labels))
            alone.append([accuracy(one, part.labels) for one in labels_alone(observation, places, labels, draw)])
        best = float(torch.tensor(alone).mean(dim=0).max())
        told = f"{_KNOWN} labels of each class known, mean of {_DRAWS} draws; {observation.describe()}"
        return _outcome(
            f"{len(part)} of {split.name}, {told}",
            sum(reached) / _DRAWS,
            max(best, _majority(part.labels)),
            len(part),
            len(part),
        )

    return run


def _direct(options: Options) -> Outcome:
    """One pass of training; the guess without gradients is the majority."""
    split = options.target.data
    part, own = chosen(split.private, options.items, options.seed), own_columns(split.shape[0])
    observation = vertical(part, own, len(split.classes), summed=True, epochs=1, seed=options.seed)
    bottom = network(len(own), len(split.classes), options.seed)
    found = direct_labels(observation, bottom, learning_rate=_RATE, progress=options.progress)
    return _outcome(
        f"{len(part)} of {split.name}; {observation.describe()}",
        accuracy(found, part.labels),
        _majority(part.labels),
        len(part),
        len(part),
    )


CASES: Mapping[str, Case] = {
    "log-loss-labels": Case(_log_loss, ("affairs-tree", "tumors-network"), items=300, sees=()),
    "vertical-completion": Case(_completion(malicious=False), ("tumors-network", "counts-network"), items=380, sees=()),
    "vertical-active": Case(_completion(malicious=True), ("counts-network", "tumors-network"), items=380, sees=()),
    "vertical-direct": Case(_direct, ("tumors-network", "counts-network"), items=380, sees=()),
}
