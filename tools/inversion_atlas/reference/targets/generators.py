"""The bundled generators by name: trained once on public images, two with a target's help, and kept in a cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inversion_atlas.reference.attacks import identity, kedmi, latent_search, plg_mi
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.generators import networks, training
from inversion_atlas.reference.generators.networks import Discriminator, Generator, StyleGenerator
from inversion_atlas.reference.generators.training import Gan
from inversion_atlas.reference.observations import WhiteBox
from inversion_atlas.reference.targets import mnist
from inversion_atlas.reference.targets import training as targets
from inversion_atlas.reference.targets.training import cache_folder

_SHAPE = (1, 16, 16)
Drawing = Generator | StyleGenerator


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a generator is made: the networks as drawn, and the training, which may load targets from the cache."""

    untrained: Callable[[], Gan[Any]]
    train: Callable[[Path | None, Progress], Gan[Any]]
    about: str


RECIPES: Mapping[str, Recipe] = {
    "mnist-gan": Recipe(
        lambda: Gan(Generator(_SHAPE), Discriminator(_SHAPE)),
        lambda _, progress: training.train_gan(_public(), progress=progress),
        "generator and Wasserstein critic of public digits",
    ),
    "mnist-style-gan": Recipe(
        lambda: Gan(StyleGenerator(_SHAPE), Discriminator(_SHAPE)),
        lambda _, progress: training.train_style_gan(_public(), progress=progress),
        "generator of public digits with a space of styles, and its critic",
    ),
    "mnist-inversion-gan": Recipe(
        lambda: Gan(Generator(_SHAPE), Discriminator(_SHAPE, outputs=5)),
        lambda cache, progress: kedmi.train_inversion_gan(_victim(cache), _public(), progress=progress),
        "KEDMI's generator, trained with the answers of mnist-convnet to public digits",
    ),
    "mnist-conditional-gan": Recipe(
        lambda: Gan(Generator(_SHAPE, classes=5), Discriminator(_SHAPE, classes=5, spectral=True)),
        lambda cache, progress: plg_mi.train_conditional_gan(_victim(cache), _public(), progress=progress),
        "PLG-MI's generator, trained on public digits labeled by mnist-convnet",
    ),
}


def load(name: str, cache: Path | None = None, progress: Progress = silent) -> Gan[Any]:
    """Return the generator with its discriminator, trained now or read from the cache; KeyError for an unknown name."""
    recipe = RECIPES[name]
    key = targets.digest(networks, training, identity, latent_search, kedmi, plg_mi)
    path = (cache or cache_folder()) / "generators" / f"{name}-{key}.pt"
    if path.is_file():
        gan = recipe.untrained()
        for network, state in zip((gan.generator, gan.discriminator), torch.load(path, weights_only=True), strict=True):
            network.load_state_dict(state)
        return Gan.of(gan.generator, gan.discriminator)
    gan = recipe.train(cache, progress)
    targets.keep([gan.generator.state_dict(), gan.discriminator.state_dict()], path)
    return gan


def _public() -> Tensor:
    return mnist.mnist().public.images


def _victim(cache: Path | None) -> WhiteBox:
    return WhiteBox(targets.load("mnist-convnet", cache).model, outputs="logits", input_shape=_SHAPE)
