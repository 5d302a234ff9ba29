"""Labels of the other party in vertical training: completed models, a malicious optimizer, and gradients alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.vertical_labels import completed, direct_labels, take_part
from inversion_atlas.reference.benchmark.label_cases import (
    accuracy,
    known_items,
    labels_alone,
    network,
    own_columns,
    vertical,
)
from inversion_atlas.reference.observations import AccessError, BlackBox, VerticalTraining
from inversion_atlas.reference.targets.data import Split
from inversion_atlas.reference.targets.tables import counts, tumors

DATA: dict[str, Callable[[], Split]] = {"tumors": tumors, "counts": counts}
# A third of the measurements of tumors; the left half of a digit's squares.
OWN = {"tumors": own_columns(30), "counts": torch.arange(64).reshape(8, 8)[:, :4].flatten()}
EPOCHS = {"tumors": 80, "counts": 15}


class Blind(VerticalTraining):
    """Training whose gradients are replaced by noise of their size."""

    __slots__ = ()

    def send(self, outputs: Tensor) -> Tensor:
        gradient = super().send(outputs)
        generator = torch.Generator().manual_seed(self.rounds)
        return torch.randn(gradient.shape, generator=generator) * gradient.square().mean().sqrt()


def training(name: str, seed: int, *, summed: bool = False, epochs: int | None = None) -> VerticalTraining:
    split = DATA[name]()
    return vertical(
        split.private, OWN[name], len(split.classes), summed=summed, epochs=epochs or EPOCHS[name], seed=seed
    )


def blinded(observation: VerticalTraining) -> VerticalTraining:
    observation.__class__ = Blind
    return observation


@lru_cache(maxsize=2)
def compared(name: str) -> dict[str, float]:
    """Share of labels found, mean of three trainings and three draws of two labels of each class."""
    split = DATA[name]()
    private, test = split.private.labels, split.test
    reached: dict[str, list[float]] = {kind: [] for kind in ("passive", "active", "model", "head", "beyond", "blind")}
    for seed in range(3):
        bottom = network(len(OWN[name]), 8, seed)
        passive, active = (
            take_part(training(name, seed), bottom, learning_rate=0.1, malicious=malicious)
            for malicious in (False, True)
        )
        observation = blinded(training(name, seed))
        blind = take_part(observation, bottom, learning_rate=0.1, malicious=False)
        for draw in range(3):
            places = known_items(private, 2, 10 * seed + draw)
            for kind, model in (("passive", passive), ("active", active), ("blind", blind)):
                ours = completed(observation, model, places, private[places], seed=draw)
                reached[kind].append(accuracy(ours.labels, private))
                if kind == "active":
                    with torch.no_grad():
                        named = ours.model(test.images[:, OWN[name]]).argmax(dim=1)
                    reached["beyond"].append(accuracy(named, test.labels))
            alone = labels_alone(observation, places, private[places], draw)
            for kind, labels in zip(("model", "head"), alone, strict=True):
                reached[kind].append(accuracy(labels, private))
    found = {kind: sum(values) / len(values) for kind, values in reached.items()}
    found["majority"] = float(private.bincount().max()) / len(private)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "passive", "active"), [("tumors", 0.02, -0.01), ("counts", 0.05, 0.05)])
def test_active_beats_passive_beats_the_few_labels_alone(name: str, passive: float, active: float) -> None:
    """The paper's comparison. Margins: passive above the best that the labels alone give, by a model from scratch or a
    head on the party's features; active above passive. On tumors the passive attack leaves nothing to gain. Labels of
    items not trained on fall, too. Gradients of noise give less than the labels alone.
    """
    reached = compared(name)
    alone = max(reached["model"], reached["head"], reached["majority"])
    assert reached["passive"] > alone + passive, reached
    assert reached["active"] > reached["passive"] + active, reached
    assert reached["beyond"] > alone, reached
    assert reached["blind"] < alone, reached


@pytest.mark.parametrize("name", ["tumors", "counts"])
def test_gradients_of_summed_outputs_tell_every_label_and_noise_tells_none(name: str) -> None:
    labels = DATA[name]().private.labels
    classes = int(labels.max()) + 1
    bottom = network(len(OWN[name]), classes, 5)
    found = direct_labels(training(name, 0, summed=True, epochs=1), bottom, learning_rate=0.1)
    assert torch.equal(found, labels)
    noise = direct_labels(blinded(training(name, 0, summed=True, epochs=1)), bottom, learning_rate=0.1)
    assert abs(accuracy(noise, labels) - 1 / classes) < 0.1
    again = direct_labels(training(name, 0, summed=True, epochs=1), bottom, learning_rate=0.1)
    assert torch.equal(found, again)


def test_the_direct_attack_needs_outputs_that_are_summed() -> None:
    with pytest.raises(AccessError, match="upper layers unknown"):
        direct_labels(training("tumors", 0, epochs=1), network(10, 8, 0), learning_rate=0.1)


def test_a_malicious_party_takes_larger_steps_and_the_same_seed_gives_the_same_labels() -> None:
    labels, bottom = tumors().private.labels, network(10, 8, 0)
    start = torch.nn.utils.parameters_to_vector(bottom.parameters()).detach()
    moved, found = [], []
    for malicious in (False, True, True):
        observation = training("tumors", 0, epochs=2)
        trained = take_part(observation, bottom, learning_rate=0.1, malicious=malicious)
        moved.append(float((torch.nn.utils.parameters_to_vector(trained.parameters()).detach() - start).norm()))
        places = known_items(labels, 4, 0)
        found.append(completed(observation, trained, places, labels[places], steps=20).labels)
    assert moved[1] > 1.5 * moved[0]
    assert moved[1] == moved[2]
    assert torch.equal(found[1], found[2])
    assert torch.equal(start, torch.nn.utils.parameters_to_vector(bottom.parameters()))


def test_another_observation_is_refused() -> None:
    box = BlackBox(network(10, 2, 0), outputs="logits", input_shape=(10,))
    with pytest.raises(AccessError, match="takes a VerticalTraining; a BlackBox"):
        take_part(box, network(10, 2, 0), learning_rate=0.1, malicious=False)  # type: ignore[arg-type]
