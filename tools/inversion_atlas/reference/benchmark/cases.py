"""One case per attack: what it observes, what it is scored on, and what somebody without the signal would reach."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.gradient_matching import dlg, idlg, inverting_gradients
from inversion_atlas.reference.attacks.inversion_network import train_inversion_network
from inversion_atlas.reference.attacks.labels import label_counts
from inversion_atlas.reference.attacks.linear_layer import analytic
from inversion_atlas.reference.attacks.mi_face import mi_face
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import BlackBox, SharedGradient, WhiteBox
from inversion_atlas.reference.targets import data, training


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one run, and the best that mean image, random guess or prior alone reach on it."""

    metric: str
    value: float
    unit: str
    baseline: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a run reached. Images are clamped to the data's range; both are None where labels alone were attacked."""

    setting: str
    scores: tuple[Score, ...]
    originals: Tensor | None
    images: Tensor | None
    converged: int  # how many of the items met the attack's own criterion
    items: int


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller chooses about a run; `steps` None takes the attack's own number."""

    target: training.Target
    items: int
    steps: int | None = None
    seed: int = 0
    cache: Path | None = None
    progress: Progress = silent


@dataclass(frozen=True, slots=True)
class Case:
    """How an attack is run: on which targets, on how many items unless told otherwise, and by what."""

    run: Callable[[Options], Outcome]
    targets: tuple[str, ...]
    items: int
    # Steps of `atlas bench`, which runs everything.
    bench_steps: int | None = None


def run(name: str, options: Options) -> Outcome:
    """Run an attack by its name; raises ValueError for a target that it is not meant for, KeyError for its name."""
    case = CASES[name]
    if options.target.name not in case.targets:
        raise ValueError(f"{name} is run against {', '.join(case.targets)}; not against {options.target.name}")
    if not 1 <= options.items <= len(options.target.data.private):
        raise ValueError(f"items must be from 1 to {len(options.target.data.private)}, not {options.items}")
    return case.run(options)


def chosen(part: data.Images, items: int, seed: int) -> data.Images:
    """Return so many images of a part, drawn at random."""
    picked = torch.randperm(len(part), generator=torch.Generator().manual_seed(seed))[:items]
    return data.Images(part.images[picked], part.labels[picked])


def noise_like(observation: SharedGradient, seed: int) -> SharedGradient:
    """Return the observation with its gradient replaced by noise of the same length in each part: the prior alone."""
    generator = torch.Generator().manual_seed(seed)
    noise = {}
    for name, part in observation.gradient.items():
        drawn = torch.randn(part.shape, generator=generator)
        noise[name] = drawn * (part.norm() / drawn.norm())
    return observation.with_gradient(noise)


def _by_gradient(attack: Callable[..., Reconstruction]) -> Callable[[Options], Outcome]:
    """The case of an attack on the gradient of single private examples."""

    def run_each(options: Options) -> Outcome:
        private = chosen(options.target.data.private, options.items, options.seed)
        found, prior = [], []
        converged, named = 0, 0.0
        for item in range(options.items):
            observation = SharedGradient.of_batch(
                options.target.model,
                private.images[item : item + 1],
                private.labels[item : item + 1],
                mode="eval",
                labels_known=False,
            )
            arguments = _accepted(attack, options, item)
            reconstruction = attack(observation, **arguments)
            found.append(reconstruction.images)
            true = private.labels[item : item + 1]
            if reconstruction.labels is not None:
                named += metrics.label_recovery_accuracy(reconstruction.labels, true)
            converged += reconstruction.converged
            # The prior alone decides what a gradient without information gives; a few steps of it are enough to see.
            alone = attack(noise_like(observation, options.seed + item), **_brief(attack, arguments))
            prior.append(alone.images)
        images, originals = torch.cat(found).clamp(*data.DATA_RANGE), private.images
        guesses = {"prior alone": torch.cat(prior).clamp(*data.DATA_RANGE), **image_guesses(options, originals)}
        classes = len(options.target.data.classes)
        return Outcome(
            setting=f"{_described(options)}; {observation.describe()}",
            scores=(
                *_image_scores(images, originals, guesses),
                Score("label-recovery-accuracy", named / options.items, "", 1 / classes),
            ),
            originals=originals,
            images=images,
            converged=converged,
            items=options.items,
        )

    return run_each


def _count_labels(options: Options) -> Outcome:
    """Batches of 16, counted; the baseline says that each class stands in it equally often."""
    size, shares, guessed = 16, [], []
    split = options.target.data
    for item in range(options.items):
        batch = chosen(split.private, size, options.seed + item)
        observation = SharedGradient.of_batch(
            options.target.model, batch.images, batch.labels, mode="eval", labels_known=False
        )
        counts = label_counts(observation)
        recovered = torch.arange(observation.classes).repeat_interleave(counts)
        shares.append(metrics.label_recovery_accuracy(recovered, batch.labels))
        guessed.append(metrics.label_recovery_accuracy(torch.arange(size) % observation.classes, batch.labels))
        options.progress(item + 1, options.items)
    score = Score("label-recovery-accuracy", sum(shares) / len(shares), "", sum(guessed) / len(guessed))
    setting = f"{split.name}, {options.target.name}, {options.items} batches; {observation.describe()}"
    return Outcome(setting, (score,), None, None, options.items, options.items)


def _mi_face(options: Options) -> Outcome:
    """One image per class, judged by a convolutional network that was trained on the same private images."""
    split = options.target.data
    labels = torch.arange(len(split.classes))[: options.items]
    observation = WhiteBox(options.target.model, outputs="logits", input_shape=split.shape)
    reconstruction = mi_face(observation, labels, **_accepted(mi_face, options, 0))
    judge = training.load("digits-convnet", options.cache)
    means = torch.stack([split.private.images[split.private.labels == label].mean(dim=0) for label in labels])
    guesses = image_guesses(options, means)
    value, *baselines = (
        float(metrics.attack_accuracy(_scores(judge, images), labels).mean())
        for images in (reconstruction.images, *guesses.values())
    )
    return Outcome(
        setting=f"{_described(options)}; {observation.describe()}; judged by {judge.name}",
        scores=(Score("attack-accuracy", value, "", max(baselines)),),
        originals=means,
        images=reconstruction.images,
        converged=len(labels) if reconstruction.converged else 0,
        items=len(labels),
    )


def _inversion_network(options: Options) -> Outcome:
    """Private images from the scores that the black box gave them, after training on public ones."""
    split = options.target.data
    private = chosen(split.private, options.items, options.seed)
    observation = BlackBox(options.target.model, outputs="logits", input_shape=split.shape)
    arguments = _accepted(train_inversion_network, options, 0)
    network = train_inversion_network(observation, split.public.images, **arguments)
    scores = observation.query(private.images)
    with torch.no_grad():
        images = network(scores)
        prior = network(scores.mean(dim=0, keepdim=True)).expand_as(images).contiguous()
    named = scores.argmax(dim=1)
    public = split.public
    means = torch.stack([public.images[public.labels == label].mean(dim=0) for label in range(len(split.classes))])
    guesses = {"prior alone": prior, "mean of the named class": means[named], **image_guesses(options, private.images)}
    return Outcome(
        setting=f"{_described(options)}; {observation.describe()}, {observation.queries:,} queries",
        scores=_image_scores(images, private.images, guesses),
        originals=private.images,
        images=images,
        converged=options.items,
        items=options.items,
    )


def image_guesses(options: Options, originals: Tensor) -> dict[str, Tensor]:
    """Return what needs no model: gray, the mean public image, a random public image for each."""
    public = options.target.data.public.images
    drawn = chosen(options.target.data.public, len(originals), options.seed + 1).images
    return {
        "gray": torch.full_like(originals, sum(data.DATA_RANGE) / 2),
        "mean image": public.mean(dim=0, keepdim=True).expand_as(originals).contiguous(),
        "random guess": drawn,
    }


def _image_scores(images: Tensor, originals: Tensor, guesses: Mapping[str, Tensor]) -> tuple[Score, ...]:
    def mean_psnr(given: Tensor) -> float:
        return float(metrics.psnr(given, originals, data_range=data.DATA_RANGE).mean())

    def mean_mse(given: Tensor) -> float:
        return float(metrics.mse(given, originals, data_range=data.DATA_RANGE).mean())

    def mean_ssim(given: Tensor) -> float:
        return float(metrics.ssim(given, originals, data_range=data.DATA_RANGE).mean())

    scores = [
        Score("psnr", mean_psnr(images), "dB", max(map(mean_psnr, guesses.values()))),
        Score("mse", mean_mse(images), "", min(map(mean_mse, guesses.values()))),
    ]
    # Windows of SSIM are 11 pixels wide; digits are smaller.
    if min(originals.shape[-2:]) >= 11:
        scores.append(Score("ssim", mean_ssim(images), "", max(map(mean_ssim, guesses.values()))))
    return tuple(scores)


@torch.no_grad()
def _scores(judge: training.Target, images: Tensor) -> Tensor:
    scores: Tensor = judge.model(images)
    return scores


def _described(options: Options) -> str:
    target = options.target
    known = f"test accuracy {target.test_accuracy:.0%}"
    return f"{options.items} of {target.data.name}, {target.name} ({known})"


def _accepted(attack: Callable[..., object], options: Options, item: int) -> dict[str, Any]:
    """The options that the attack has a parameter for; progress counts over all items."""
    offered: dict[str, Any] = {"seed": options.seed + item}
    if options.steps is not None:
        offered |= {"steps": options.steps, "epochs": options.steps}
    offered["progress"] = lambda done, total: options.progress(item * total + done, options.items * total)
    if attack in (mi_face, train_inversion_network):
        offered["progress"] = options.progress
    return {name: value for name, value in offered.items() if name in inspect.signature(attack).parameters}


def _brief(attack: Callable[..., object], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same arguments for a short and silent run."""
    brief = {"steps": min(100, arguments.get("steps", 100)), "restarts": 0 if attack in (dlg, idlg) else 1}
    brief["progress"] = silent
    return {**arguments, **{name: v for name, v in brief.items() if name in inspect.signature(attack).parameters}}


CASES: Mapping[str, Case] = {
    "dlg": Case(_by_gradient(dlg), ("lenet-untrained", "lenet"), items=2, bench_steps=60),
    "idlg": Case(_by_gradient(idlg), ("lenet-untrained", "lenet"), items=2, bench_steps=60),
    "inverting-gradients": Case(_by_gradient(inverting_gradients), ("convnet", "lenet"), items=2, bench_steps=500),
    "analytic": Case(_by_gradient(analytic), ("mlp", "digits-mlp", "digits-softmax"), items=8),
    "label-counts": Case(_count_labels, ("lenet-untrained", "lenet", "convnet"), items=50),
    "mi-face": Case(_mi_face, ("digits-softmax", "digits-mlp"), items=10),
    "inversion-network": Case(_inversion_network, ("digits-mlp", "digits-softmax"), items=100),
}
