"""Attacks on what a client shares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.gradient_matching import dlg, idlg, inverting_gradients
from inversion_atlas.reference.attacks.labels import label_counts
from inversion_atlas.reference.attacks.linear_layer import analytic
from inversion_atlas.reference.attacks.reconstruction import Reconstruction, silent
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.runs import (
    Case,
    Options,
    Outcome,
    Score,
    accepted,
    chosen,
    described,
    image_guesses,
    image_scores,
)
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.observations.gradients import Observed
from inversion_atlas.reference.targets import data


def noise_like(observation: Observed, seed: int) -> Observed:
    """Return the observation with its gradient replaced by noise of the same length in each part: the prior alone."""
    generator = torch.Generator().manual_seed(seed)
    noise = {}
    for name, part in observation.gradient.items():
        drawn = torch.randn(part.shape, generator=generator)
        noise[name] = drawn * (part.norm() / drawn.norm())
    return observation.with_gradient(noise)


def by_gradient(attack: Callable[..., Reconstruction], *, labels_known: bool = False) -> Callable[[Options], Outcome]:
    """The case of an attack on the gradient of single private examples."""

    def run_each(options: Options) -> Outcome:
        private = chosen(options.target.data.private, options.items, options.seed)
        found, prior = [], []
        converged, named = 0, 0.0
        for item in range(options.items):
            batch = data.Images(private.images[item : item + 1], private.labels[item : item + 1])
            observation = shared(options, batch, labels_known=labels_known)
            arguments = accepted(attack, options, item)
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
            setting=f"{described(options)}; {observation.describe()}",
            scores=(
                *image_scores(images, originals, guesses),
                *([] if labels_known else [Score("label-recovery-accuracy", named / options.items, "", 1 / classes)]),
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
        observation = shared(options, batch)
        counts = label_counts(observation)
        recovered = torch.arange(observation.classes).repeat_interleave(counts)
        shares.append(metrics.label_recovery_accuracy(recovered, batch.labels))
        guessed.append(metrics.label_recovery_accuracy(torch.arange(size) % observation.classes, batch.labels))
        options.progress(item + 1, options.items)
    score = Score("label-recovery-accuracy", sum(shares) / len(shares), "", sum(guessed) / len(guessed))
    setting = f"{split.name}, {options.target.name}, {options.items} batches; {observation.describe()}"
    return Outcome(setting, (score,), None, None, options.items, options.items)


def shared(options: Options, batch: data.Images, *, labels_known: bool = False) -> SharedGradient:
    """Return what a client shares of a batch, under the defenses chosen."""
    batch, told = defending.before_training(options, batch)
    model = options.target.model
    observation = SharedGradient.of_batch(model, batch.images, batch.labels, mode="eval", labels_known=labels_known)
    observation = replace(observation, defenses=(*observation.defenses, *told))
    return defending.sent(options, observation, batch)


def _brief(attack: Callable[..., object], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same arguments for a short and silent run."""
    brief = {"steps": min(100, arguments.get("steps", 100)), "restarts": 0 if attack in (dlg, idlg) else 1}
    brief["progress"] = silent
    return {**arguments, **{name: v for name, v in brief.items() if name in inspect.signature(attack).parameters}}


# What the defenses of a client who shares a gradient can change.
SEES = ("messages", "gradients", "data", "training")
CASES: Mapping[str, Case] = {
    "dlg": Case(by_gradient(dlg), ("lenet-untrained", "lenet"), items=2, bench_steps=60, sees=SEES),
    "idlg": Case(by_gradient(idlg), ("lenet-untrained", "lenet"), items=2, bench_steps=60, sees=SEES),
    "inverting-gradients": Case(
        by_gradient(inverting_gradients), ("convnet", "lenet", "digits-convnet"), items=2, bench_steps=500, sees=SEES
    ),
    "analytic": Case(by_gradient(analytic), ("mlp", "digits-mlp", "digits-softmax"), items=8, sees=SEES),
    "label-counts": Case(_count_labels, ("lenet-untrained", "lenet", "convnet"), items=50, sees=SEES),
}
