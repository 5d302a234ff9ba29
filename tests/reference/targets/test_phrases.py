"""Phrases are real, split without overlap, and an encoder learns from them."""

from __future__ import annotations

from pathlib import Path

from inversion_atlas.reference.targets import training
from inversion_atlas.reference.targets.phrases import phrases


def test_phrases_come_from_documentation_and_no_part_holds_another_s() -> None:
    corpus = phrases()
    sizes = [len(part) for part in (corpus.private, corpus.test, corpus.public)]
    assert sizes == [3000, 1000, 8000]
    texts = {corpus.text(row) for part in (corpus.private, corpus.test, corpus.public) for row in part.tokens}
    assert len(texts) == sum(sizes)
    assert all(4 <= len(text.split()) <= 7 for text in texts)
    assert any("number of" in text for text in texts)
    assert len(corpus.words) == len(set(corpus.words)) == 301
    assert set(corpus.private.labels.tolist()) == {0, 1, 2, 3}


def test_the_encoder_tells_the_packages_apart(cache: Path) -> None:
    """The most frequent package alone would be right for 34 % of phrases."""
    victim = training.load("phrase-encoder", cache)
    share = float((victim.data.test.labels == victim.data.private.labels.mode().values).double().mean())
    assert victim.test_accuracy > share + 0.1
    vectors = victim.model[0](victim.data.test.images[:8])  # type: ignore[index]
    assert vectors.shape == (8, 96)
