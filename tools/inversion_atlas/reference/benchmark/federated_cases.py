"""Attacks on whole batches, on updates of several steps, by a malicious server, and with a generative prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.generative import generative_leakage
from inversion_atlas.reference.attacks.grad_inversion import grad_inversion
from inversion_atlas.reference.attacks.gradient_matching import inverting_updates
from inversion_atlas.reference.attacks.imprint import planted, robbing_the_fed
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.attacks.recursive import rgap
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.gradient_cases import SEES, by_gradient, noise_like
from inversion_atlas.reference.benchmark.runs import (
    Case,
    Options,
    Outcome,
    accepted,
    chosen,
    described,
    image_guesses,
    image_scores,
)
from inversion_atlas.reference.observations import SharedGradient, SharedUpdate
from inversion_atlas.reference.targets import data, generators


def _by_batch(
    observe: Callable[[Options, data.Images], Any], attack: Callable[..., Reconstruction]
) -> Callable[[Options], Outcome]:
    """The case of an attack on all items at once, whose reconstructions come in any order."""

    def run_batch(options: Options) -> Outcome:
        private = chosen(options.target.data.private, options.items, options.seed)
        observation = defending.sent(options, observe(options, private), private)
        arguments = accepted(attack, options)
        found = attack(observation, **arguments)
        alone = attack(_noisy(observation, options.seed), **arguments)
        guesses = {
            "prior alone": _matched(alone.images, private.images),
            **image_guesses(options, private.images),
        }
        images = _matched(found.images, private.images)
        return Outcome(
            setting=f"{described(options)}; {observation.describe()}",
            scores=image_scores(images, private.images, guesses),
            originals=private.images,
            images=images,
            converged=options.items if found.converged else 0,
            items=options.items,
        )

    return run_batch


def _matched(images: Tensor, originals: Tensor) -> Tensor:
    """Images in the order of the originals they fit best, gray where there are too few."""
    gray = torch.full_like(originals, sum(data.DATA_RANGE) / 2)
    images = torch.cat((images.clamp(*data.DATA_RANGE), gray))[: len(originals)]
    return images[metrics.match(images, originals)]


def _noisy(observation: SharedGradient | SharedUpdate, seed: int) -> SharedGradient | SharedUpdate:
    if isinstance(observation, SharedGradient):
        return noise_like(observation, seed)
    return observation.with_update(noise_like(observation.as_one_step(), seed).gradient)


def _gradient(options: Options, private: data.Images) -> SharedGradient:
    model = options.target.model
    return SharedGradient.of_batch(model, private.images, private.labels, mode="eval", labels_known=True)


def _imprinted(options: Options, private: data.Images) -> SharedGradient:
    model = planted(options.target.model, options.target.data.public.images, bins=8 * len(private))
    return SharedGradient.of_batch(model, private.images, private.labels, mode="eval", labels_known=False)


def _update(options: Options, private: data.Images) -> SharedUpdate:
    """A client that takes one example a step."""
    return SharedUpdate.of_client(
        options.target.model,
        private.images,
        private.labels,
        learning_rate=0.1,
        epochs=3,
        local_batch_size=1,
        shuffle_seed=None,
        mode="eval",
        labels_known=True,
    )


def _generative(options: Options) -> Outcome:
    """GGL with the generator of public digits."""
    generator = generators.load("mnist-gan", options.cache).generator

    def attack(observation: SharedGradient, *, steps: int = 250, seed: int, progress: Any) -> Reconstruction:
        return generative_leakage(observation, generator, generator.latent, steps=steps, seed=seed, progress=progress)

    return by_gradient(attack)(options)


CASES: Mapping[str, Case] = {
    "inverting-updates": Case(
        _by_batch(_update, inverting_updates),
        ("convnet-early",),
        items=1,
        bench_steps=300,
        sees=("messages", "training"),
    ),
    "grad-inversion": Case(
        _by_batch(_gradient, grad_inversion),
        ("mnist-convnet",),
        items=2,
        bench_steps=500,
        sees=("messages", "gradients", "training"),
    ),
    "robbing-the-fed": Case(
        _by_batch(_imprinted, robbing_the_fed),
        ("convnet", "lenet"),
        items=32,
        sees=("messages", "gradients", "training"),
    ),
    "rgap": Case(by_gradient(rgap, labels_known=True), ("digits-leaky",), items=8, sees=SEES),
    "ggl": Case(_generative, ("mnist-mlp", "mnist-convnet"), items=4, bench_steps=250, sees=SEES),
}
