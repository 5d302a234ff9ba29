"""Attacks that ask a model of MNIST behind an interface: its scores, or its labels alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from inversion_atlas.reference.attacks.brep_mi import brep_mi
from inversion_atlas.reference.attacks.lokt import lokt, train_surrogates, train_tacgan
from inversion_atlas.reference.attacks.mirror_genetic import mirror_genetic
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.attacks.rlb_mi import rlb_mi
from inversion_atlas.reference.benchmark.generator_cases import drawn, judged_outcome, labels_of
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, accepted
from inversion_atlas.reference.observations import BlackBox, LabelOnly
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import generators, models

_TARGET = "mnist-convnet"

# Runs an attack on some labels; returns what it found and what its prior alone draws for them.
Attack = Callable[[Options, Tensor], tuple[Reconstruction, Tensor, BlackBox | LabelOnly]]


def _case(attack: Attack) -> Callable[[Options], Outcome]:
    """Return what runs an attack on as many labels as items, each class alike, and has the images judged."""

    def run(options: Options) -> Outcome:
        labels = labels_of(options)
        found, prior, asked = attack(options, labels)
        return judged_outcome(options, labels, found, prior, f"{asked.describe()}, {asked.queries:,} queries")

    return run


def _brep_mi(options: Options, labels: Tensor) -> tuple[Reconstruction, Tensor, LabelOnly]:
    generator, asked = generators.load("mnist-gan", options.cache).generator, _labels(options)
    found = brep_mi(asked, generator, labels, **accepted(brep_mi, options))
    return found, drawn(options, generator, labels), asked


def _lokt(options: Options, labels: Tensor) -> tuple[Reconstruction, Tensor, LabelOnly]:
    """What the T-ACGAN draws of a class is the target's answer already, so the prior is a generator without it."""
    split, asked = options.target.data, _labels(options)
    gan = train_tacgan(asked, split.public.images, seed=options.seed)
    with seeded(options.seed):
        untrained = [architecture(split.shape, len(split.classes)) for architecture in (models.convnet, models.mlp)]
    surrogates = train_surrogates(asked, gan.generator, untrained, epochs=10, learning_rate=0.05, seed=options.seed)
    found = lokt(asked, gan, surrogates, labels, **accepted(lokt, options))
    return found, drawn(options, generators.load("mnist-gan", options.cache).generator, labels), asked


def _mirror_genetic(options: Options, labels: Tensor) -> tuple[Reconstruction, Tensor, BlackBox]:
    """The bundled generator holds less than StyleGAN: fewer draws, a smaller population, larger mutations."""
    generator, asked = generators.load("mnist-style-gan", options.cache).generator, _scores(options)
    found = mirror_genetic(
        asked, generator, labels, population=50, draws=2000, mutation_size=1.0, enough=0.9999,
        **accepted(mirror_genetic, options),
    )  # fmt: skip
    return found, drawn(options, generator, labels), asked


def _rlb_mi(options: Options, labels: Tensor) -> tuple[Reconstruction, Tensor, BlackBox]:
    """Small networks learn with fewer episodes, side by side, at a higher rate."""
    generator, asked = generators.load("mnist-gan", options.cache).generator, _scores(options)
    found = rlb_mi(
        asked, generator, labels, episodes=8, hidden=64, batch_size=64, learning_rate=2e-3, **accepted(rlb_mi, options)
    )
    return found, drawn(options, generator, labels), asked


def _labels(options: Options) -> LabelOnly:
    return LabelOnly(options.target.model, input_shape=options.target.data.shape)


def _scores(options: Options) -> BlackBox:
    return BlackBox(options.target.model, outputs="logits", input_shape=options.target.data.shape)


# Beside each, the steps of `atlas bench`: the bundled generators need fewer than those of the papers.
CASES: Mapping[str, Case] = {
    name: Case(_case(attack), (_TARGET,), items=20, bench_steps=steps)
    for name, attack, steps in (
        ("brep-mi", _brep_mi, 120),
        ("lokt", _lokt, 100),
        ("mirror-genetic", _mirror_genetic, 60),
        ("rlb-mi", _rlb_mi, 300),
    )
}
