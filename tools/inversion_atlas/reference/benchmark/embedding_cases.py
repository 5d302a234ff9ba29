"""Attacks on vectors of private texts, with queries to their encoder or with pairs that leaked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.geia import geia, train_geia, words_of
from inversion_atlas.reference.attacks.reconstruction import RecoveredTexts
from inversion_atlas.reference.attacks.transferable import train_transferable
from inversion_atlas.reference.attacks.word_set import train_word_classifier, word_sets
from inversion_atlas.reference.attacks.zsinvert import NextWord, word_pairs, zsinvert
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, chosen, described
from inversion_atlas.reference.benchmark.text_cases import Tokens, text_scores
from inversion_atlas.reference.observations import TextEmbeddings
from inversion_atlas.reference.targets import phrases, training
from inversion_atlas.reference.targets.text import Corpus

LEAKED = 500


def stored_texts(
    target: training.Target, tokens: Tensor, *, grants: Literal["queries", "nothing"], leaked: int = 0
) -> TextEmbeddings:
    """Return the vectors of private phrases, beside those of so many phrases of the test part that leaked."""
    corpus, model = target.data, target.model
    assert isinstance(corpus, Corpus)
    assert isinstance(model, nn.Sequential)
    pairs = corpus.test.tokens[:leaked] if leaked else None
    words = len(corpus.words)
    return TextEmbeddings.of_texts(model[0], tokens, vocabulary=words, padding=0, grants=grants, leaked=pairs)


def noise_like(observation: TextEmbeddings, seed: int) -> TextEmbeddings:
    """Return the observation with noise of the same size in place of the private vectors."""
    drawn = torch.randn(observation.vectors.shape, generator=torch.Generator().manual_seed(seed))
    noise = drawn * observation.vectors.square().mean().sqrt()
    return observation.with_stored({**observation.stored(), "vectors": noise})


def embedding_scores(texts: Sequence[Tokens], originals: Sequence[Tokens], corpus: Corpus) -> dict[str, float]:
    """Return the mean over texts of the F1 of words, whatever their order, then what recovered texts are scored on."""
    pairs = [(corpus.text(found), corpus.text(true)) for found, true in zip(texts, originals, strict=True)]
    f1 = metrics.rouge(*zip(*pairs, strict=True), kind="1", part="f1")
    return {"f1-score": float(f1.mean()), **text_scores(texts, originals, corpus)}


def nearest_text(vectors: Tensor, known: Tensor, texts: Tensor) -> tuple[Tokens, ...]:
    """Return for each vector the text whose known vector has the largest cosine with it."""
    cosines = functional.normalize(vectors, dim=1) @ functional.normalize(known, dim=1).T
    return words_of(texts[cosines.argmax(dim=1)], 0)


def frequent_words(texts: Tensor) -> Tokens:
    """Return the words that stand in most texts, the most frequent first, as many as a text has in the mean."""
    counts = Counter(word for text in texts.tolist() for word in set(text) - {0})
    length = round(float((texts != 0).sum(dim=1).double().mean()))
    return tuple(word for word, _ in counts.most_common(length))


def surrogate_encoder(corpus: Corpus, seed: int) -> nn.Module:
    """Return an encoder of the adversary's own, of another architecture, that learned packages from public phrases."""
    recipe = training.Recipe(phrases.surrogate, phrases.phrases, epochs=2, learning_rate=2e-3, seed=seed + 1)
    model = training.untrained(recipe, corpus)
    training.train(model, corpus.public, recipe)
    assert isinstance(model, nn.Sequential)
    return model[0].eval()


# Given an observation, returns what writes texts from such observations.
_Learn = Callable[[TextEmbeddings, Options], Callable[[TextEmbeddings], RecoveredTexts]]


def _by_vectors(learn: _Learn, *, grants: Literal["queries", "nothing"]) -> Callable[[Options], Outcome]:
    """The case of an attack that learns once; the baselines are noise for vectors, the nearest text, frequent words."""

    def run(options: Options) -> Outcome:
        corpus = options.target.data
        assert isinstance(corpus, Corpus)
        private = chosen(corpus.private, options.items, options.seed)
        leaked = 0 if grants == "queries" else LEAKED
        observation = stored_texts(options.target, private.images, grants=grants, leaked=leaked)
        observation = defending.sent(options, observation, private)
        write = learn(observation, options)
        originals = words_of(private.images, 0)
        found = write(observation).texts
        guesses = [
            write(noise_like(observation, options.seed)).texts,
            [frequent_words(corpus.public.tokens)] * options.items,
            nearest_text(observation.vectors, *_known(observation, corpus)),
        ]
        others = [embedding_scores(guess, originals, corpus) for guess in guesses]
        reached = embedding_scores(found, originals, corpus)
        return Outcome(
            setting=f"{described(options)}; {observation.describe()}",
            scores=tuple(Score(name, value, "", max(o[name] for o in others)) for name, value in reached.items()),
            originals=None,
            images=None,
            converged=options.items,
            items=options.items,
            texts=tuple((corpus.text(t), corpus.text(f)) for t, f in zip(originals, found, strict=True)),
        )

    return run


def _known(observation: TextEmbeddings, corpus: Corpus) -> tuple[Tensor, Tensor]:
    """The vectors that the adversary has or can ask for, and their texts."""
    if observation.encoder is None:
        texts, vectors = observation.granted_pairs("the nearest text")
        return vectors, texts
    return observation.encoder.query(corpus.public.tokens), corpus.public.tokens


def _geia(observation: TextEmbeddings, options: Options) -> Callable[[TextEmbeddings], RecoveredTexts]:
    public = options.target.data.public.images
    decoder = train_geia(observation, public, **accepted(train_geia, options))
    return lambda seen: geia(seen, decoder)


def _word_set(observation: TextEmbeddings, options: Options) -> Callable[[TextEmbeddings], RecoveredTexts]:
    public = options.target.data.public.images
    classifier = train_word_classifier(observation, public, **accepted(train_word_classifier, options))
    return lambda seen: word_sets(seen, classifier)


def _transferable(observation: TextEmbeddings, options: Options) -> Callable[[TextEmbeddings], RecoveredTexts]:
    corpus = options.target.data
    assert isinstance(corpus, Corpus)
    surrogate = surrogate_encoder(corpus, options.seed)
    arguments = accepted(train_transferable, options)
    decoder = train_transferable(observation, corpus.public.tokens, surrogate, **arguments)
    return lambda seen: geia(seen, decoder)


def language_model(corpus: Corpus) -> NextWord:
    """Return what public phrases tell of which word follows which; no encoder is asked."""
    return word_pairs(corpus.public.tokens, len(corpus.words), 0)


def _zsinvert(observation: TextEmbeddings, options: Options) -> Callable[[TextEmbeddings], RecoveredTexts]:
    corpus = options.target.data
    assert isinstance(corpus, Corpus)
    model, arguments = language_model(corpus), accepted(zsinvert, options)
    return lambda seen: zsinvert(seen, model, **arguments)


CASES: Mapping[str, Case] = {
    "geia": Case(_by_vectors(_geia, grants="queries"), ("phrase-encoder",), items=200, sees=("messages",)),
    "word-set": Case(_by_vectors(_word_set, grants="queries"), ("phrase-encoder",), items=200, sees=("messages",)),
    "zsinvert": Case(_by_vectors(_zsinvert, grants="queries"), ("phrase-encoder",), items=40, sees=("messages",)),
    "transferable": Case(
        _by_vectors(_transferable, grants="nothing"), ("phrase-encoder",), items=200, sees=("messages",)
    ),
}
