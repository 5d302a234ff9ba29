"""Attacks that search a generator's space, or the model's own statistics, for images of the classes of MNIST."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.deep_inversion import deep_inversion
from inversion_atlas.reference.attacks.ensemble import ensemble_inversion
from inversion_atlas.reference.attacks.gmi import gmi
from inversion_atlas.reference.attacks.identity import Identity
from inversion_atlas.reference.attacks.if_gmi import if_gmi
from inversion_atlas.reference.attacks.kedmi import kedmi, train_inversion_gan
from inversion_atlas.reference.attacks.lomma import distill, lomma_identity
from inversion_atlas.reference.attacks.mirror import mirror
from inversion_atlas.reference.attacks.plg_mi import plg_mi, train_conditional_gan
from inversion_atlas.reference.attacks.ppa import ppa
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.attacks.vmi import vmi
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.runs import (
    Case,
    Options,
    Outcome,
    Score,
    accepted,
    described,
    image_guesses,
    scores_of,
)
from inversion_atlas.reference.features import penultimate
from inversion_atlas.reference.generators.networks import Generator
from inversion_atlas.reference.generators.training import Gan
from inversion_atlas.reference.observations import WhiteBox
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import generators, models, training

_TARGET = "mnist-convnet"
_JUDGE = "mnist-evaluation"
# Other models of the same classes, for the attack that takes several.
_ENSEMBLE = (_TARGET, "mnist-plain-convnet", "mnist-mlp")
# Copies of the target that LOMMA distills, of architectures that differ from it.
_STUDENTS = (models.convnet, models.mlp)

# Runs an attack on some labels; returns what it found and what its prior alone draws for them.
Attack = Callable[[Options, WhiteBox, Tensor], tuple[Reconstruction, Tensor | None]]


def judged(judge: training.Target, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Return what the literature reports of reconstructions, by metric: means under the evaluation model.

    Distances are squared, between the inputs of its last layer.
    """
    private = judge.data.private
    with torch.no_grad():
        found, known = (penultimate(judge.model, part)[0].double() for part in (images, private.images))
    return {
        "attack-accuracy": float(metrics.attack_accuracy(scores_of(judge, images), labels).mean()),
        "feature-distance": float(metrics.feature_distance(found, labels, known, private.labels).mean()),
        "knn-distance": float(metrics.knn_distance(found, labels, known, private.labels).mean()),
    }


def labels_of(options: Options) -> Tensor:
    """Return as many labels as items, each class alike."""
    return (torch.arange(options.items) % len(options.target.data.classes)).sort().values


def judged_outcome(options: Options, labels: Tensor, found: Reconstruction, prior: Tensor | None, seen: str) -> Outcome:
    """Return what the evaluation model says of a reconstruction, beside guesses; `seen` is the threat model."""
    private = options.target.data.private
    means = torch.stack([private.images[private.labels == label].mean(dim=0) for label in labels])
    guesses = image_guesses(options, means) | ({} if prior is None else {"prior alone": prior})
    judge = training.load(_JUDGE, options.cache)
    value, *baselines = (judged(judge, images, labels) for images in (found.images, *guesses.values()))
    best = {name: (max if name == "attack-accuracy" else min)(other[name] for other in baselines) for name in value}
    named = scores_of(options.target, found.images).argmax(dim=1) == labels
    return Outcome(
        setting=f"{described(options)}; {seen}; judged by {judge.name}",
        scores=tuple(Score(name, value[name], "", best[name]) for name in value),
        originals=means,
        images=found.images,
        converged=int(named.sum()),
        items=options.items,
    )


def _case(attack: Attack, besides: str) -> Callable[[Options], Outcome]:
    """Return what runs an attack on as many labels as items, each class alike, and has the images judged.

    `besides` says what the adversary has besides the target.
    """

    def run(options: Options) -> Outcome:
        labels = labels_of(options)
        observation = _white_box(options.target)
        found, prior = attack(options, observation, labels)
        return judged_outcome(options, labels, found, prior, f"{observation.describe()}, {besides}")

    return run


def _gmi(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    gan = generators.load("mnist-gan", options.cache)
    return gmi(observation, gan, labels, **accepted(gmi, options)), drawn(options, gan.generator, labels)


def _kedmi(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    gan = _inversion_gan(options, observation)
    return kedmi(observation, gan, labels, **accepted(kedmi, options)), drawn(options, gan.generator, labels)


def _lomma_gmi(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    gan, identity = generators.load("mnist-gan", options.cache), _lomma(options, observation)
    found = gmi(observation, gan, labels, identity=identity, **accepted(gmi, options))
    return found, drawn(options, gan.generator, labels)


def _lomma_kedmi(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    gan, identity = _inversion_gan(options, observation), _lomma(options, observation)
    found = kedmi(observation, gan, labels, identity=identity, **accepted(kedmi, options))
    return found, drawn(options, gan.generator, labels)


def _vmi(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    generator = generators.load("mnist-gan", options.cache).generator
    return vmi(observation, generator, labels, **accepted(vmi, options)), drawn(options, generator, labels)


def _ppa(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    generator = generators.load("mnist-style-gan", options.cache).generator
    # Styles of the bundled generator are wider than those of StyleGAN2, for which the paper's rate is, and the target
    # was not trained on crops: over strong ones the surest candidates are no better than the others.
    mild = {"learning_rate": 0.05, "selection_area": (0.9, 1.0), "selection_aspect": (1.0, 1.0)}
    found = ppa(observation, generator, labels, **mild, **accepted(ppa, options))  # type: ignore[arg-type]
    return found, drawn(options, generator, labels)


def _mirror(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    generator = generators.load("mnist-style-gan", options.cache).generator
    return mirror(observation, generator, labels, **accepted(mirror, options)), drawn(options, generator, labels)


def _if_gmi(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    generator = generators.load("mnist-style-gan", options.cache).generator
    found = if_gmi(observation, generator, labels, learning_rate=0.05, **accepted(if_gmi, options))
    return found, drawn(options, generator, labels)


def _plg_mi(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, None]:
    """What its generator draws of a class is the target's answer already, so it is no prior."""
    gan = _conditional_gan(options, observation)
    return plg_mi(observation, gan, labels, **accepted(plg_mi, options)), None


def _deep_inversion(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, None]:
    """The paper's weight of the statistics is for deep networks; one of three layers needs less."""
    return deep_inversion(observation, labels, statistics=1.0, **accepted(deep_inversion, options)), None


def _ensemble(options: Options, observation: WhiteBox, labels: Tensor) -> tuple[Reconstruction, Tensor]:
    loaded = (training.load(name, options.cache) for name in _ENSEMBLE[1:])
    others = [_white_box(defending.defended_target(other, options.defenses)) for other in loaded]
    public = options.target.data.public.images
    found = ensemble_inversion([observation, *others], labels, public=public, **accepted(ensemble_inversion, options))
    generator = generators.load("mnist-gan", options.cache).generator
    return found, drawn(options, generator, labels)


def _lomma(options: Options, observation: WhiteBox) -> Identity:
    split = options.target.data
    with seeded(options.seed):
        untrained = [architecture(split.shape, len(split.classes)) for architecture in _STUDENTS]
    students = [distill(observation, split.public.images, student, epochs=5) for student in untrained]
    return lomma_identity(observation, split.public.images, students)


# Generators that learned from the answers of the target without a defense would know more than the adversary may.


def _inversion_gan(options: Options, observation: WhiteBox) -> Gan[Generator]:
    if options.defenses:
        return train_inversion_gan(observation, options.target.data.public.images)
    return generators.load("mnist-inversion-gan", options.cache)


def _conditional_gan(options: Options, observation: WhiteBox) -> Gan[Generator]:
    if options.defenses:
        return train_conditional_gan(observation, options.target.data.public.images)
    return generators.load("mnist-conditional-gan", options.cache)


def _white_box(target: training.Target) -> WhiteBox:
    return WhiteBox(target.model, outputs="logits", input_shape=target.data.shape)


@torch.no_grad()
def drawn(options: Options, generator: generators.Drawing, labels: Tensor) -> Tensor:
    """Images that the generator draws at random: its prior alone."""
    random = torch.Generator().manual_seed(options.seed)
    images: Tensor = generator(torch.randn(len(labels), generator.latent, generator=random))
    return images


_PUBLIC = "public images of other classes"
_OTHERS = f"those of {len(_ENSEMBLE) - 1} more models, {_PUBLIC}"
# What runs an attack, what the adversary has besides the target, and the steps of `atlas bench`: the bundled
# generators need fewer than those of the papers.
_ATTACKS: Mapping[str, tuple[Attack, str, int | None]] = {
    "gmi": (_gmi, _PUBLIC, 300),
    "kedmi": (_kedmi, _PUBLIC, 500),
    "lomma-gmi": (_lomma_gmi, _PUBLIC, 300),
    "lomma-kedmi": (_lomma_kedmi, _PUBLIC, 500),
    "vmi": (_vmi, _PUBLIC, 100),
    "ppa": (_ppa, _PUBLIC, None),
    "mirror": (_mirror, _PUBLIC, 100),
    "if-gmi": (_if_gmi, _PUBLIC, None),
    "plg-mi": (_plg_mi, _PUBLIC, 100),
    "deep-inversion": (_deep_inversion, "no image", 200),
    "ensemble-inversion": (_ensemble, _OTHERS, None),
}
CASES: Mapping[str, Case] = {
    name: Case(_case(run, besides), (_TARGET,), items=50, bench_steps=steps)
    for name, (run, besides, steps) in _ATTACKS.items()
}
