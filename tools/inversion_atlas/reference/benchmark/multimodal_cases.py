"""Attacks on models of images with texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.answer_extraction import extract_answers, without
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, described, places_of
from inversion_atlas.reference.observations import Answering
from inversion_atlas.reference.targets import training
from inversion_atlas.reference.targets.data import Images
from inversion_atlas.reference.targets.documents import Pages, Questions


def reference_of(target: training.Target, public: Images, seed: int) -> nn.Module:
    """Return a model trained as the target was, on public data alone."""
    recipe = replace(training.RECIPES[target.name], seed=seed + 1)
    model = training.untrained(recipe, target.data)
    training.train(model, public, recipe)
    return model.eval()


def commonest(answers: Questions, asked: Tensor) -> Tensor:
    """Return for each question the answer that most of the given ones have to it."""
    found = []
    for question in asked:
        told, counts = answers.labels[(answers.questions == question).all(dim=1)].unique(dim=0, return_counts=True)
        found.append(told[counts.argmax()])
    return torch.stack(found)


def _answer_extraction(options: Options) -> Outcome:
    """Private pages without the answer; beside the commonest answer and what a model says that never saw them."""
    pages = options.target.data
    assert isinstance(pages, Pages)
    private, public = pages.private, pages.public
    reference = reference_of(options.target, public, options.seed)
    victim, other = (Answering(model, input_shape=pages.shape) for model in (options.target.model, reference))
    picked = places_of(len(private), options.items, options.seed)
    images, questions, boxes = private.images[picked], private.questions[picked], private.boxes[picked]
    found = extract_answers(victim, other, images, questions, boxes)
    guesses = (commonest(public, questions), other.query(without(images, boxes, 1), questions))
    true = [pages.text(answer) for answer in private.labels[picked]]
    told, *others = ([pages.text(answer) for answer in given] for given in (found.answers, *guesses))
    exact, *alone = (float(metrics.exact_match(given, true).mean()) for given in (told, *others))
    return Outcome(
        setting=f"{described(options)}; {victim.describe()}",
        scores=(Score("exact-match", exact, "", max(alone)),),
        originals=None,
        images=None,
        converged=int(found.memorized.sum()),
        items=options.items,
        texts=tuple(zip(true, told, strict=True)),
    )


CASES: Mapping[str, Case] = {
    "answer-extraction": Case(_answer_extraction, ("patients-answering",), items=600, sees=()),
}
