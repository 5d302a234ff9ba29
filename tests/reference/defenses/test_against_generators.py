"""Defenses of training against attacks that draw images from a generator, judged by the evaluation model.

The target knows digits 5 to 9, the generators learned from digits 0 to 4. Guessing one of five classes is right in a
fifth; without a defense GMI and KEDMI are right in .95 of the images.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.gmi import gmi
from inversion_atlas.reference.attacks.kedmi import kedmi, train_inversion_gan
from inversion_atlas.reference.attacks.lomma import distill, lomma_identity
from inversion_atlas.reference.benchmark.defending import DEFENSES, defended_target
from inversion_atlas.reference.benchmark.generator_cases import judged
from inversion_atlas.reference.observations import WhiteBox
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import generators, mnist, models, training
from inversion_atlas.reference.targets.training import Target

SHAPE = (1, 16, 16)
# Eight images of each class.
LABELS = torch.arange(5).repeat_interleave(8)
PUBLIC = mnist.mnist().public.images


class Attacker:
    """Attacks a target and tells how many images are right."""

    def __init__(self, target: Target, cache: Path) -> None:
        self.box = WhiteBox(target.model, outputs="logits", input_shape=SHAPE)
        self.cache = cache

    def gmi(self) -> float:
        with seeded(0):
            return self._right(gmi(self.box, self._public_gan(), LABELS, steps=300, tries=1).images)

    def kedmi(self) -> float:
        with seeded(0):
            return self._right(kedmi(self.box, train_inversion_gan(self.box, PUBLIC), LABELS, steps=300).images)

    def lomma(self) -> float:
        with seeded(0):
            students = [architecture(SHAPE, 5) for architecture in (models.convnet, models.mlp)]
            students = [distill(self.box, PUBLIC, student, epochs=5) for student in students]
            identity = lomma_identity(self.box, PUBLIC, students)
            found = gmi(self.box, self._public_gan(), LABELS, steps=300, tries=1, identity=identity)
        return self._right(found.images)
