"""Training data that a language model gives away: continued code, and sentences sampled and ranked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.extraction import Ranking, prefix_extraction, sampled_extraction
from inversion_atlas.reference.benchmark.language_cases import asked, continued
from inversion_atlas.reference.observations import AccessError, LabelOnly, NextToken
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.language import CausalModel, CodeCorpus, SentenceCorpus, functions
from inversion_atlas.reference.targets.prose import language_model
from inversion_atlas.reference.targets.training import RECIPES, Target, train, untrained

Targets = Callable[[str], Target]


def cycle(texts: Tensor) -> Tensor:
    """A language model that counts: 0, 1, 2, 3, 0; with a little doubt."""
    return 0.9 * torch.nn.functional.one_hot((texts + 1) % 4, 4) + 0.025


def test_what_a_model_knows_by_heart_is_continued_and_each_step_asks_once() -> None:
    box = NextToken(cycle, outputs="probabilities", context=6)
    found = prefix_extraction(box, torch.tensor([[1, 2], [2, 3]]), length=3)
    assert found.texts == ((3, 0, 1), (0, 1, 2))
    assert found.evaluations == box.queries == 6
    assert found.objective == pytest.approx(-torch.tensor(0.925).log().item())


def test_samples_end_at_the_end_are_told_once_and_ranked_by_perplexity() -> None:
    box = NextToken(cycle, outputs="probabilities", context=6)
    found = sampled_extraction(box, start=0, end=0, samples=200, seed=1)
    assert found.texts[0] == (1, 2, 3, 0)
    assert len(set(found.texts)) == len(found.texts) > 3
    assert all(text[-1] == 0 and 0 not in text[:-1] for text in found.texts)
    assert found.evaluations == box.queries == 200 * 6
    assert found.texts == sampled_extraction(box, start=0, end=0, samples=200, seed=1).texts
    assert found.texts != sampled_extraction(box, start=0, end=0, samples=200, seed=2).texts


def test_rankings_need_what_they_rank_by_and_labels_are_not_enough() -> None:
    box = NextToken(cycle, outputs="probabilities", context=6)
    for ranking in ("zlib", "reference"):
        with pytest.raises(ValueError, match="ranking must be"):
            sampled_extraction(box, start=0, end=0, samples=20, ranking=ranking)  # type: ignore[arg-type]
    labels = LabelOnly(lambda inputs: inputs[:, 0].long(), input_shape=(2,), classes=3)
    with pytest.raises(AccessError, match="takes a NextToken"):
        prefix_extraction(labels, torch.zeros(1, 2), length=1)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def code(target: Targets) -> Target:
    return target("code-model")


@pytest.mark.slow
def test_code_that_stands_often_in_the_training_data_is_extracted_the_more_the_longer_the_prefix(code: Target) -> None:
    """Margins: half of the functions that stand there 16 times, word for word, where 5 % of unseen ones are guessed.

    The paper's comparisons in small: 16 copies tell more than 4, and those more than 1; 16 tokens more than 8 and 2.
    """
    corpus, box = code.data, asked(code)
    assert isinstance(corpus, CodeCorpus)
    by_copies = {often: continued(box, corpus.functions[corpus.copies == often], 16) for often in (1, 4, 16)}
    whole, tokens = continued(box, corpus.held_out, 16)
    assert whole < 0.05
    assert by_copies[16][0] > whole + 0.5
    assert by_copies[16][1] > tokens + 0.5
    assert by_copies[16][0] > by_copies[4][0] + 0.05
    assert by_copies[4][0] > by_copies[1][0] + 0.2
    repeated = corpus.functions[corpus.copies > 1]
    by_prefix = {prefix: continued(box, repeated, prefix) for prefix in (2, 8, 16)}
    assert by_prefix[8][1] > by_prefix[2][1] + 0.3
    assert by_prefix[16][1] > by_prefix[8][1]
    assert by_prefix[16] == continued(box, repeated, 16)


@pytest.mark.slow
def test_code_is_not_extracted_where_another_prefix_or_another_model_is_asked(code: Target) -> None:
    corpus, box = code.data, asked(code)
    assert isinstance(corpus, CodeCorpus)
    repeated = corpus.functions[corpus.copies == 16]
    shuffled = repeated.clone()
    shuffled[:, :24] = repeated.roll(1, dims=0)[:, :24]
    assert continued(box, shuffled, 16)[0] == 0
    drawn = untrained(RECIPES["code-model"], functions()).eval()
    noise = NextToken(drawn.logits, outputs="logits", context=40)  # type: ignore[operator, arg-type]
    assert continued(noise, repeated, 16)[0] == 0


@pytest.fixture(scope="module")
def told(target: Targets) -> Target:
    return target("sentence-model")


def hits(corpus: SentenceCorpus, texts: tuple[tuple[int, ...], ...]) -> list[int]:
    """How often each text stands in the training data."""
    rows = zip(corpus.sentences, corpus.copies.tolist(), strict=True)
    private = {tuple(row[row != 0].tolist()): often for row, often in rows}
    return [private.get(text, 0) for text in texts]


@pytest.mark.slow
@pytest.mark.parametrize("ranking", ["perplexity", "zlib", "reference"])
def test_samples_ranked_first_are_training_data(ranking: Ranking, told: Target, cache: Path) -> None:
    """Margin: four of five of the first fifty, where three in ten of all samples are; half of those repeated most.

    On this model neither zlib nor a second model ranks better than perplexity, as they do in the paper: its samples
    hold no repetition, which is what misleads perplexity there.
    """
    corpus = told.data
    assert isinstance(corpus, SentenceCorpus)
    found = sampled_extraction(
        asked(told), start=1, end=1, ranking=ranking, reference=language_model(cache), spelled=corpus.text
    )
    often = hits(corpus, found.texts)
    share = sum(map(bool, often)) / len(often)
    assert share < 0.45
    assert sum(map(bool, often[:50])) / 50 > max(0.8, share + 0.3)
    extracted = {each: often.count(each) / int((corpus.copies == each).sum()) for each in (1, 4, 16)}
    assert extracted[16] > 0.5
    assert extracted[16] > extracted[4] + 0.2 > extracted[1] + 0.3


@pytest.mark.slow
def test_a_larger_model_gives_away_more(told: Target) -> None:
    """Margin: half as many sentences again as a model of a quarter of the width, trained alike."""
    corpus, recipe = told.data, RECIPES["sentence-model"]
    assert isinstance(corpus, SentenceCorpus)
    with seeded(recipe.seed):
        small = CausalModel(len(corpus.classes), corpus.shape[0], width=16)
        train(small, corpus.private, recipe)
    boxes = (asked(told), NextToken(small.eval().logits, outputs="logits", context=11))
    large, less = (sum(map(bool, hits(corpus, sampled_extraction(box, start=1, end=1).texts))) for box in boxes)
    assert large > 1.5 * less > 0


@pytest.mark.slow
def test_a_model_that_never_saw_the_sentences_gives_none_of_them(told: Target) -> None:
    corpus = told.data
    assert isinstance(corpus, SentenceCorpus)
    drawn = untrained(RECIPES["sentence-model"], corpus).eval()
    box = NextToken(drawn.logits, outputs="logits", context=11)  # type: ignore[operator, arg-type]
    assert not any(hits(corpus, sampled_extraction(box, start=1, end=1).texts))
    trained = sampled_extraction(asked(told), start=1, end=1).texts
    held_out = {tuple(row[row != 0].tolist()) for row in corpus.test.labels}
    assert sum(text in held_out for text in trained) < 3
