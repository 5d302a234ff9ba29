"""Attacks on gradients of speech, and on which words a batch holds."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.label_set import label_set
from inversion_atlas.reference.attacks.speech_inversion import speech_inversion
from inversion_atlas.reference.benchmark import gradient_cases
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, chosen, described


def present(labels: Tensor, classes: int) -> Tensor:
    """Return for each class 1 where it occurs among the labels, else 0."""
    return (torch.bincount(labels, minlength=classes) > 0).long()


def _label_set(options: Options) -> Outcome:
    """Batches of five; the baseline says that every class stands in each."""
    split, classes = options.target.data, len(options.target.data.classes)
    found, true = [], []
    for item in range(options.items):
        batch = chosen(split.private, 5, options.seed + item)
        observation = gradient_cases.shared(options, batch)
        found.append(present(label_set(observation), classes))
        true.append(present(batch.labels, classes))
        options.progress(item + 1, options.items)
    named, truth = torch.stack(found), torch.stack(true)
    whole = int((named == truth).all(dim=1).sum())
    f1 = metrics.f1_score(named.flatten(), truth.flatten())
    everything = metrics.f1_score(torch.ones_like(truth).flatten(), truth.flatten())
    return Outcome(
        setting=f"batches: {described(options)}; {observation.describe()}",
        scores=(Score("f1-score", f1, "", everything), Score("attack-success-rate", whole / options.items, "", 0.0)),
        originals=None,
        images=None,
        converged=whole,
        items=options.items,
    )


CASES: Mapping[str, Case] = {
    "speech-inversion": Case(
        gradient_cases.by_gradient(speech_inversion),
        ("speech-convnet", "speech-convnet-early"),
        items=8,
        bench_steps=500,
        sees=gradient_cases.SEES,
    ),
    "label-set": Case(
        _label_set,
        ("speech-convnet-early", "speech-convnet", "digits-mlp"),
        items=50,
        sees=gradient_cases.SEES,
    ),
}
