"""Sentences are real, split without overlap, and a transformer learns from them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inversion_atlas.reference.targets import training
from inversion_atlas.reference.targets.text import Transformer, sentences


def test_sentences_come_from_documentation_and_no_part_holds_another_s() -> None:
    corpus = sentences()
    parts = [{corpus.text(row) for row in part.tokens} for part in (corpus.private, corpus.test, corpus.public)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == sum(map(len, (corpus.private, corpus.test, corpus.public)))
    assert len(corpus.private) > 300
    assert all(text.endswith(" .") and 5 <= len(text.split()) <= 11 for part in parts for text in part)
    assert "this parameter" in " ".join(parts[0])
    assert set(corpus.private.labels.tolist()) == {0, 1, 2}
    assert corpus.private.lengths.max() == corpus.shape[0] == 11


def test_every_word_of_the_vocabulary_is_used() -> None:
    corpus = sentences()
    used = {int(token) for part in (corpus.private, corpus.test, corpus.public) for token in part.tokens.flatten()}
    assert used == set(range(len(corpus.words)))
    assert len(set(corpus.words)) == len(corpus.words)


@pytest.mark.parametrize("name", ["transformer", "encoder"])
def test_a_transformer_tells_the_packages_apart(name: str, cache: Path) -> None:
    """The most frequent package alone would be right for 43 % of sentences."""
    assert training.load(name, cache).test_accuracy > 0.55


def test_a_token_of_the_encoder_looks_both_ways_and_one_of_the_transformer_looks_back(cache: Path) -> None:
    tokens = sentences().private.tokens[:1]
    other = tokens.clone()
    last = int((tokens != 0).sum()) - 1
    other[0, last] = 2
    for name, looks_ahead in (("transformer", False), ("encoder", True)):
        model = training.load(name, cache).model
        assert isinstance(model, Transformer)
        seen = []
        model.layers[1].register_forward_hook(lambda _, __, states, seen=seen: seen.append(states))
        with torch.no_grad():
            model(tokens)
            model(other)
        assert bool((seen[0][0, :last] != seen[1][0, :last]).any()) == looks_ahead
