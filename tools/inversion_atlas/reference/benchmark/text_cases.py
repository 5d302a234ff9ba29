"""Attacks on what a client shares that trains on texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from scipy.optimize import linear_sum_assignment

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.dager import dager
from inversion_atlas.reference.attacks.dager_encoder import dager_encoder
from inversion_atlas.reference.attacks.reconstruction import RecoveredTexts, silent
from inversion_atlas.reference.attacks.text_matching import LanguageModel, lamp, tag
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, described, places_of
from inversion_atlas.reference.observations import SharedTextGradient
from inversion_atlas.reference.targets.prose import language_model
from inversion_atlas.reference.targets.text import END_NUMBER, Corpus, Texts

Tokens = tuple[int, ...]


def shared_texts(options: Options, items: Sequence[int] | torch.Tensor, *, granted: bool) -> SharedTextGradient:
    """Return the gradient of the target on private texts; lengths and labels are told where `granted`."""
    corpus = options.target.data
    assert isinstance(corpus, Corpus)
    observation = SharedTextGradient.of_batch(
        options.target.model,
        corpus.private.tokens[items],
        corpus.private.labels[items],
        vocabulary=len(corpus.words),
        padding=0,
        mode="eval",
        embeddings_shared=False,
        lengths_known=granted,
        labels_known=granted,
    )
    return defending.sent(options, observation)


def matched(texts: Sequence[Tokens], originals: Sequence[Tokens], corpus: Corpus) -> list[Tokens]:
    """Return a recovered text for each original, so that the sum of ROUGE-1 is largest; what is missing is empty."""
    padded = [*texts, *[()] * (len(originals) - len(texts))]
    pairs = [(corpus.text(text), corpus.text(original)) for original in originals for text in padded]
    gains = metrics.rouge(*zip(*pairs, strict=True), kind="1").view(len(originals), len(padded))
    _, columns = linear_sum_assignment(-gains.numpy())
    return [padded[column] for column in columns]


def text_scores(found: Sequence[Tokens], originals: Sequence[Tokens], corpus: Corpus) -> dict[str, float]:
    """Return ROUGE-L, the share of tokens at their place and of texts recovered whole; `found` is matched."""
    texts, true = [[corpus.text(text) for text in part] for part in (found, originals)]
    return {
        "rouge": float(metrics.rouge(texts, true, kind="L").mean()),
        "token-accuracy": float(metrics.token_accuracy(found, originals).mean()),
        "exact-match": float(metrics.exact_match(texts, true).mean()),
    }


def tokens_of(part: Texts) -> list[Tokens]:
    """Return the texts without padding."""
    return [tuple(row[row != 0].tolist()) for row in part.tokens]


def _by_spans(attack: Callable[..., RecoveredTexts]) -> Callable[[Options], Outcome]:
    """The case of DAGER on one batch of all items; the baselines are noise for a gradient and random public texts."""
    attack = partial(attack, first="layers.0.attention", second="layers.1.attention")

    def run_batch(options: Options) -> Outcome:
        corpus = options.target.data
        assert isinstance(corpus, Corpus)
        picked = places_of(len(corpus.private), options.items, options.seed)
        observation = shared_texts(options, picked, granted=False)
        recovered = attack(observation, progress=options.progress)
        alone = attack(noise_like(observation, options.seed))
        return text_outcome(options, picked, recovered.texts, alone.texts, observation, len(recovered.texts))

    return run_batch


def _by_search(
    attack: Callable[..., RecoveredTexts], prior: Callable[[Path | None], LanguageModel] | None = None
) -> Callable[[Options], Outcome]:
    """The case of an attack on the gradient of single texts, whose lengths and labels are known.

    An attack with a prior is given the language model, which is loaded when it runs.
    """

    def run_each(options: Options) -> Outcome:
        corpus = options.target.data
        assert isinstance(corpus, Corpus)
        given = (prior(options.cache),) if prior else ()
        picked = places_of(len(corpus.private), options.items, options.seed)
        found: list[Tokens] = []
        alone: list[Tokens] = []
        converged = 0
        for item in range(options.items):
            observation = shared_texts(options, picked[item : item + 1], granted=True)
            arguments = accepted(attack, options, item)
            recovered = attack(observation, *given, **arguments)
            found += recovered.texts
            converged += recovered.converged
            brief = {**arguments, "steps": min(100, arguments.get("steps", 100)), "progress": silent}
            alone += attack(noise_like(observation, options.seed + item), *given, **brief).texts
        return text_outcome(options, picked, found, alone, observation, converged, ordered=True)

    return run_each


def text_outcome(
    options: Options,
    picked: torch.Tensor,
    texts: Sequence[Tokens],
    alone: Sequence[Tokens],
    observation: SharedTextGradient,
    converged: int,
    *,
    ordered: bool = False,
) -> Outcome:
    """Return what a run on private texts reached beside noise in place of the gradient and random public texts.

    Unless `ordered`, texts are matched to their originals first.
    """
    corpus = options.target.data
    assert isinstance(corpus, Corpus)
    originals = tokens_of(Texts(corpus.private.tokens[picked], corpus.private.labels[picked]))
    drawn = places_of(len(corpus.public), len(originals), options.seed + 1)
    guess = tokens_of(Texts(corpus.public.tokens[drawn], corpus.public.labels[drawn]))
    found = list(texts) if ordered else matched(texts, originals, corpus)
    reached = text_scores(found, originals, corpus)
    guesses = [given if ordered else matched(given, originals, corpus) for given in (alone, guess)]
    others = [text_scores(given, originals, corpus) for given in guesses]
    return Outcome(
        setting=f"{described(options)}; {observation.describe()}",
        scores=tuple(Score(name, value, "", max(o[name] for o in others)) for name, value in reached.items()),
        originals=None,
        images=None,
        converged=converged,
        items=options.items,
        texts=tuple((corpus.text(t), corpus.text(f)) for t, f in zip(originals, found, strict=True)),
    )


_MESSAGES = ("messages",)

CASES: Mapping[str, Case] = {
    "dager": Case(_by_spans(dager), ("transformer", "transformer-untrained"), items=8, sees=_MESSAGES),
    "dager-encoder": Case(
        _by_spans(partial(dager_encoder, end=END_NUMBER, limit=20_000)), ("encoder",), items=4, sees=_MESSAGES
    ),
    "tag": Case(_by_search(tag), ("transformer-untrained", "transformer"), items=8, bench_steps=300, sees=_MESSAGES),
    "lamp": Case(
        _by_search(lamp, language_model),
        ("transformer", "transformer-untrained"),
        items=4,
        bench_steps=300,
        sees=_MESSAGES,
    ),
}
