"""Attacks on models of images with texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.answer_extraction import extract_answers, without
from inversion_atlas.reference.attacks.deja_vu import deja_vu
from inversion_atlas.reference.attacks.mmgia import mmgia
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import (
    Case,
    Options,
    Outcome,
    Score,
    accepted,
    described,
    image_guesses,
    image_scores,
    places_of,
)
from inversion_atlas.reference.observations import Answering, ImageTextEncoders, SharedPairGradient
from inversion_atlas.reference.targets import training
from inversion_atlas.reference.targets.captions import WORDS, Captioned, Captions, train_shared_space
from inversion_atlas.reference.targets.couples import Coupled, Couples, Encoders, contrast
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


def pairs_shared(target: training.Target, items: Sequence[int]) -> list[SharedPairGradient]:
    """Return the gradient of the target on each of some private images with its caption."""
    private = target.data.private
    assert isinstance(private, Captions)
    return [
        SharedPairGradient.of_batch(
            target.model,
            private.images[item : item + 1],
            private.tokens[item : item + 1],
            private.labels[item : item + 1],
            vocabulary=len(WORDS),
            image_branch="image.",
            text_branch="text.",
            mode="eval",
            labels_known=False,
        )
        for item in items
    ]


def blurred(observation: SharedPairGradient, branch: str, times: float, seed: int) -> SharedPairGradient:
    """Return the observation with noise, so many times as long as each part of a branch's gradient, on that branch."""
    noise = noise_like(observation, seed).gradient
    gradient = {n: p + times * noise[n] * n.startswith(branch) for n, p in observation.gradient.items()}
    return observation.with_gradient(gradient, defense=f"noise {times:g} times as long as the gradient of {branch}*")


# Noise on the branch of texts, which alone are then read badly.
_BLUR = 8


def _mmgia(options: Options) -> Outcome:
    """Single pairs of a client that hides the gradient of its text branch in noise, unless defenses say otherwise."""
    split = options.target.data
    assert isinstance(split, Captioned)
    picked = places_of(len(split.private), options.items, options.seed)
    observations = [
        defending.sent(options, one) if options.defenses else blurred(one, one.text_branch, _BLUR, options.seed + item)
        for item, one in enumerate(pairs_shared(options.target, picked.tolist()))
    ]
    encoders = train_shared_space(split.public, seed=options.seed)
    found = mmgia(observations, *encoders, **accepted(mmgia, options))
    blind = [noise_like(one, options.seed + item) for item, one in enumerate(observations)]
    alone = mmgia(blind, *encoders, steps=50, seed=options.seed)
    images, tokens = split.private.images[picked], split.private.tokens[picked]

    def told(given: Tensor) -> float:
        return float((given == tokens).double().mean())

    drawn = split.public.tokens[places_of(len(split.public), options.items, options.seed + 1)]
    guesses = (split.public.tokens.mode(dim=0).values.expand_as(tokens), drawn, alone.tokens)
    return Outcome(
        setting=f"{described(options)}; {observations[0].describe()}",
        scores=(
            Score("token-accuracy", told(found.tokens), "", max(map(told, guesses))),
            *image_scores(found.images, images, {"noise": alone.images, **image_guesses(options, images)}),
        ),
        originals=images,
        images=found.images,
        converged=options.items,
        items=options.items,
        texts=tuple((split.text(t), split.text(f)) for t, f in zip(tokens, found.tokens, strict=True)),
    )


def encoders_of(target: training.Target, part: Couples, seed: int, *, randomized: float = 0.0) -> ImageTextEncoders:
    """Return encoders trained on a part as the target was on its own, from another draw of their weights."""
    model = training.untrained(replace(training.RECIPES[target.name], seed=seed + 1), target.data)
    contrast(model, part, randomized=randomized, seed=seed)
    return opened(model)


def opened(model: nn.Module) -> ImageTextEncoders:
    """Return both encoders of a model."""
    assert isinstance(model, Encoders)
    return ImageTextEncoders.of(model.image, model.text)


def _deja_vu(options: Options) -> Outcome:
    """The digit that the caption does not tell; beside encoders that learned from other couples."""
    split = options.target.data
    assert isinstance(split, Coupled)
    picked = places_of(len(split.private), options.items, options.seed)
    victim, reference = opened(options.target.model), encoders_of(options.target, split.test, options.seed)
    shown = nn.functional.one_hot(split.public.labels, len(split.classes))
    found = deja_vu(victim, reference, split.private.tokens[picked], split.public.images, shown)
    true = split.private.labels[picked]
    right, without_it = (
        (votes.argmax(dim=1) == true).double().mean() for votes in (found.by_target, found.by_reference)
    )
    most = (true == split.public.labels.mode().values).double().mean()
    return Outcome(
        setting=f"{options.items} of {split.name}, {options.target.name}; {victim.describe()}",
        scores=(Score("attribute-inference-accuracy", float(right), "", float(max(without_it, most))),),
        originals=None,
        images=None,
        converged=options.items,
        items=options.items,
    )


CASES: Mapping[str, Case] = {
    "deja-vu": Case(_deja_vu, ("couples-encoders",), items=200, sees=()),
    "mmgia": Case(_mmgia, ("captions-parity",), items=48, bench_steps=150, sees=("messages",)),
    "answer-extraction": Case(_answer_extraction, ("patients-answering",), items=600, sees=()),
}
