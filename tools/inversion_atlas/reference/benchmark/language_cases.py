"""Attacks on language models and on models of texts: extraction, noisy embeddings, properties by poisoning."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.beamclean import beamclean
from inversion_atlas.reference.attacks.extraction import prefix_extraction, sampled_extraction
from inversion_atlas.reference.attacks.poisoned_property import Poisoning, plan_poisoning, poisoned_property
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, described, places_of
from inversion_atlas.reference.benchmark.text_cases import text_scores, tokens_of
from inversion_atlas.reference.defenses.noise import noise
from inversion_atlas.reference.observations import JointTraining, NextToken, SentEmbeddings
from inversion_atlas.reference.targets import bags, language, training
from inversion_atlas.reference.targets.data import Images
from inversion_atlas.reference.targets.prose import language_model
from inversion_atlas.reference.targets.tables import Records, Table
from inversion_atlas.reference.targets.text import Corpus, Texts, Transformer

# Where a function is cut: what stands before is the prefix, as many tokens after it are to be extracted.
CUT, SUFFIX = 24, 16
# How many of a training set's sentences have the property: the two shares that are told apart.
SHARES = (0.1, 0.3)
RECORDS = 300
POISON = 30


def asked(target: training.Target, limit: int | None = None) -> NextToken:
    """Return the target, a language model, behind an interface."""
    model = copy.deepcopy(target.model)
    assert isinstance(model, language.CausalModel)
    return NextToken(model.logits, outputs="logits", context=target.data.shape[0], limit=limit)


def continued(observation: NextToken, functions: Tensor, prefix: int) -> tuple[float, float]:
    """Return the share of functions that are continued word for word, and of tokens, from so many before the cut."""
    found = prefix_extraction(observation, functions[:, CUT - prefix : CUT], length=SUFFIX)
    equal = torch.tensor(found.texts) == functions[:, CUT : CUT + SUFFIX]
    return float(equal.all(dim=1).double().mean()), float(equal.double().mean())


def _prefix_extraction(options: Options) -> Outcome:
    """Functions in the training data, continued from 16 tokens; the baseline are functions that the model never saw."""
    corpus = options.target.data
    assert isinstance(corpus, language.CodeCorpus)
    observation = asked(options.target)
    picked = places_of(len(corpus.functions), options.items, options.seed)
    functions = corpus.functions[picked]
    found = prefix_extraction(observation, functions[:, CUT - 16 : CUT], length=SUFFIX, progress=options.progress)
    true = functions[:, CUT : CUT + SUFFIX].tolist()
    texts = [[corpus.text(text).replace("\n", "\\n") for text in part] for part in (true, found.texts)]
    alone = continued(observation, corpus.held_out, 16)
    return Outcome(
        setting=f"{len(functions)} functions, 16 tokens after 16, {options.target.name}; {observation.describe()}",
        scores=(
            Score("exact-match", float(metrics.exact_match(texts[1], texts[0]).mean()), "", alone[0]),
            Score("token-accuracy", float(metrics.token_accuracy(found.texts, true).mean()), "", alone[1]),
        ),
        originals=None,
        images=None,
        converged=len(functions),
        items=len(functions),
        texts=tuple(zip(*texts, strict=True)),
    )


def _sampled_extraction(options: Options) -> Outcome:
    """The first so many of the ranked samples that are private; the baseline is their share of all samples."""
    corpus = options.target.data
    assert isinstance(corpus, language.SentenceCorpus)
    observation = asked(options.target)
    found = sampled_extraction(observation, start=1, end=1, **accepted(sampled_extraction, options)).texts
    private = {tuple(row[row != 0].tolist()) for row in corpus.sentences}
    hits = torch.tensor([text in private for text in found])
    first = hits[: options.items].double().mean()
    ranks = -torch.arange(len(found)).double()
    texts = [(corpus.text(text), hit) for text, hit in zip(found, hits.tolist(), strict=True)][: options.items]
    return Outcome(
        setting=f"first {len(texts)} of 1,000 samples, {options.target.name}; {observation.describe()}",
        scores=(
            Score("precision", float(first), "", float(hits.double().mean())),
            Score("auroc", metrics.auroc(ranks, hits), "", 0.5),
        ),
        originals=None,
        images=None,
        converged=len(texts),
        items=len(texts),
        texts=tuple((text if hit else "", text) for text, hit in texts),
    )


def sent_by(target: training.Target, tokens: Tensor) -> SentEmbeddings:
    """Return what a client sends of texts for the target: their embeddings."""
    assert isinstance(target.model, Transformer)
    return SentEmbeddings.of_tokens(target.model.tokens.weight, tokens, padding=0)


def _beamclean(options: Options) -> Outcome:
    """Embeddings under normal noise of three root mean squares, unless defenses say otherwise.

    The baselines are the nearest embedding, and the prior alone, which is given noise in place of what was sent.
    """
    corpus = options.target.data
    assert isinstance(corpus, Corpus)
    picked = places_of(len(corpus.private), options.items, options.seed)
    originals = tokens_of(Texts(corpus.private.tokens[picked], corpus.private.labels[picked]))
    plain = sent_by(options.target, corpus.private.tokens[picked])
    seen = defending.sent(options, plain) if options.defenses else noise(plain, 3.0, relative=True, seed=options.seed)
    prior = language_model(options.cache).next_word
    found = beamclean(seen, prior, start=1, progress=options.progress)
    nearest = beamclean(seen, prior, start=1, weight=0.0, beams=1, rounds=1)
    blind = beamclean(noise(plain, 100.0, relative=True, seed=options.seed), prior, start=1)
    others = [text_scores(each.texts, originals, corpus) for each in (nearest, blind)]
    reached = text_scores(found.texts, originals, corpus)
    order = ("token-accuracy", "rouge", "exact-match")
    return Outcome(
        setting=f"{described(options)}; {seen.describe()}",
        scores=tuple(Score(name, reached[name], "", max(each[name] for each in others)) for name in order),
        originals=None,
        images=None,
        converged=options.items if found.converged else 0,
        items=options.items,
        texts=tuple((corpus.text(t), corpus.text(f)) for t, f in zip(originals, found.texts, strict=True)),
    )


def drawn_with(part: Records, column: int, share: float, generator: torch.Generator) -> Images:
    """Return RECORDS records of a part, so large a share of which has the property, drawn at random."""
    has = part.records[:, column] > 0
    groups = [torch.nonzero(has).flatten(), torch.nonzero(~has).flatten()]
    number = round(share * RECORDS)
    picked = torch.cat(
        [
            group[torch.randperm(len(group), generator=generator)[:count]]
            for group, count in zip(groups, (number, RECORDS - number), strict=True)
        ]
    )
    return Images(part.images[picked], part.labels[picked])


def planned(table: Table, *, poison: int, seed: int, shadows: int = 30) -> Poisoning:
    """Return the adversary's plan from public sentences, with so many models of its own for each share."""
    generator = torch.Generator().manual_seed(seed + 1)
    public, column = table.public, table.sensitive
    own = [[drawn_with(public, column, share, generator) for _ in range(shadows)] for share in SHARES]
    with_property = public.images[public.images[:, column] > 0]
    return plan_poisoning(bags.learn, own[0], own[1], with_property, poison=poison, seed=seed)


def ratios(table: Table, plan: Poisoning, items: int, seed: int) -> tuple[Tensor, Tensor, JointTraining]:
    """Return the attack's scores for as many learners as items, half of each share, what is true, and one of them."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.arange(items) % 2 == 1
    scores = []
    for higher in truth.tolist():
        own = drawn_with(table.private, table.sensitive, SHARES[higher], generator)
        learner = JointTraining(bags.learn, own.images, own.labels, classes=2, most=POISON)
        scores.append(poisoned_property(learner, plan))
    return torch.tensor(scores), truth, learner


def _poisoned_property(options: Options) -> Outcome:
    """Learners of which half have the property more often; the baseline is the same attack without poison."""
    table = options.target.data
    assert isinstance(table, Table)
    reached, without = (
        ratios(table, planned(table, poison=poison, seed=options.seed), options.items, options.seed)
        for poison in (POISON, 0)
    )
    scores, truth, learner = reached
    low, high = SHARES
    task = f"does 'a' stand in {low:.0%} or in {high:.0%} of {RECORDS} {table.name}"
    return Outcome(
        setting=f"{options.items} learners, {options.target.name}, {task}; {learner.describe()}",
        scores=(
            Score("auroc", metrics.auroc(scores, truth), "", max(0.5, metrics.auroc(without[0], truth))),
            Score(
                "accuracy",
                float(((scores > 0) == truth).double().mean()),
                "",
                max(0.5, float(((without[0] > 0) == truth).double().mean())),
            ),
        ),
        originals=None,
        images=None,
        converged=options.items,
        items=options.items,
    )


CASES: Mapping[str, Case] = {
    "prefix-extraction": Case(_prefix_extraction, ("code-model",), items=64, sees=()),
    "training-data-extraction": Case(_sampled_extraction, ("sentence-model",), items=50, sees=()),
    "beamclean": Case(_beamclean, ("transformer",), items=100, sees=("messages",)),
    "poisoned-property": Case(_poisoned_property, ("bag-regression",), items=80, sees=()),
}
