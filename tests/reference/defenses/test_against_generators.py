"""Defenses of training against attacks that draw images from a generator, judged by the evaluation model.

The target knows digits 5 to 9, the generators learned from digits 0 to 4. Guessing one of five classes is right in a
fifth of the images.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.gmi import gmi
from inversion_atlas.reference.attacks.identity import Identity
from inversion_atlas.reference.attacks.kedmi import kedmi, train_inversion_gan
from inversion_atlas.reference.attacks.lomma import distill, lomma_identity
from inversion_atlas.reference.benchmark import cases, generator_cases
from inversion_atlas.reference.benchmark.defending import DEFENSES, defended_target
from inversion_atlas.reference.benchmark.generator_cases import judged
from inversion_atlas.reference.benchmark.runs import Options
from inversion_atlas.reference.generators.networks import Generator
from inversion_atlas.reference.generators.training import Gan
from inversion_atlas.reference.observations import WhiteBox
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import generators, mnist, models, training
from inversion_atlas.reference.targets.training import Target

# Eight images of each class.
LABELS = torch.arange(5).repeat_interleave(8)
PUBLIC = mnist.mnist().public.images

Judge = Callable[[Tensor], float]


@pytest.fixture(scope="module")
def plain(cache: Path) -> Target:
    return training.load("mnist-convnet", cache)


@pytest.fixture(scope="module")
def right(cache: Path) -> Judge:
    """The share of images that the evaluation model names right."""
    loaded = training.load("mnist-evaluation", cache)
    return lambda images: judged(loaded, images, LABELS)["attack-accuracy"]


@pytest.fixture(scope="module")
def public_gan(cache: Path) -> Gan[Generator]:
    return generators.load("mnist-gan", cache)


def defended(target: Target, name: str) -> Target:
    """The target trained under a defense with its usual number."""
    return defended_target(target, ((name, DEFENSES[name].usual),))


def white_box(target: Target) -> WhiteBox:
    return WhiteBox(target.model, outputs="logits", input_shape=target.data.shape)


def found_by_gmi(target: Target, gan: Gan[Generator], identity: Identity | None = None) -> Tensor:
    # What MID draws comes from everybody's numbers.
    with seeded(0):
        return gmi(white_box(target), gan, LABELS, steps=300, tries=1, identity=identity).images


@pytest.mark.slow
def test_defenses_of_training_lower_what_gmi_shows_and_lomma_shows_it_again(
    plain: Target, right: Judge, public_gan: Gan[Generator]
) -> None:
    """Margins: .05 of the images under MID, .25 under BiDO, .3 under negative smoothing, for .03 of the accuracy.

    LOMMA on GMI finds .9 under BiDO.
    """
    before = right(found_by_gmi(plain, public_gan))
    assert before >= 0.9
    for name, lost in (("mid", 0.05), ("negative-smoothing", 0.3), ("bido-coco", 0.25)):
        target = defended(plain, name)
        assert target.test_accuracy > plain.test_accuracy - 0.03
        assert right(found_by_gmi(target, public_gan)) <= before - lost
    box = white_box(target)
    with seeded(0):
        students = [architecture((1, 16, 16), 5) for architecture in (models.convnet, models.mlp)]
    students = [distill(box, PUBLIC, student, epochs=5) for student in students]
    assert right(found_by_gmi(target, public_gan, lomma_identity(box, PUBLIC, students))) >= 0.9


@pytest.mark.slow
def test_negative_smoothing_lowers_what_kedmi_shows(plain: Target, right: Judge, cache: Path) -> None:
    """Margin .1, each target attacked by a generator that learned from it."""
    target = defended(plain, "negative-smoothing")
    box, learned = white_box(target), train_inversion_gan(white_box(target), PUBLIC)
    before = kedmi(white_box(plain), generators.load("mnist-inversion-gan", cache), LABELS, steps=300)
    assert right(kedmi(box, learned, LABELS, steps=300).images) <= right(before.images) - 0.1


@pytest.mark.slow
def test_in_the_shell_a_generator_that_learns_from_the_target_learns_from_the_defended_one(
    plain: Target, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One from the cache was taught by the target without the defense, which the adversary does not have."""
    asked: list[str] = []

    def learn(box: WhiteBox, public: Tensor) -> Gan[Generator]:
        asked.append(box.describe())
        return train_inversion_gan(box, public[:64], steps=1)

    monkeypatch.setattr(generator_cases, "train_inversion_gan", learn)
    for defenses in ((), (("negative-smoothing", DEFENSES["negative-smoothing"].usual),)):
        cases.run("kedmi", Options(plain, 5, 1, cache=cache, defenses=defenses))
    (told,) = asked
    assert told.endswith("under label smoothing -0.05")
