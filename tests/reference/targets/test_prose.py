"""The language model knows in which order the words of sentences stand that it has not seen."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from inversion_atlas.reference.targets.prose import language_model
from inversion_atlas.reference.targets.text import END_NUMBER, sentences


def reordered(sentence: Tensor, generator: torch.Generator) -> Tensor:
    """Other orders of a sentence: two words swapped, twenty times."""
    orders = []
    while len(orders) < 20:
        order = torch.arange(len(sentence))
        one, other = torch.randint(len(sentence), (2,), generator=generator)
        order[one], order[other] = order[other].clone(), order[one].clone()
        if not torch.equal(sentence[order], sentence):
            orders.append(sentence[order])
    return torch.stack(orders)


def test_a_private_sentence_is_likelier_than_with_two_words_swapped(cache: Path) -> None:
    """Margin: in more than 80 % of swaps, where a guess is right in half of them."""
    model, generator = language_model(cache), torch.Generator().manual_seed(0)
    surer = [
        (model(reordered(row[row != 0], generator)) > model(row[row != 0][None])).double().mean()
        for row in sentences().private.tokens[:80]
    ]
    assert torch.stack(surer).mean() > 0.8


def test_private_sentences_are_likelier_than_by_how_often_their_words_stand(cache: Path) -> None:
    """Margin: 0.3 nats per word, where the frequencies are those of the private sentences themselves."""
    corpus, model = sentences(), language_model(cache)
    counts = torch.bincount(corpus.private.tokens.flatten(), minlength=len(corpus.words)).double()
    shares = (counts[1:] / counts[1:].sum()).clamp_min(1e-9)
    frequency = -(shares * shares.log()).sum()
    words = [row[row != 0] for row in corpus.private.tokens]
    ours = sum(float(model(row[None])) * len(row) for row in words) / sum(map(len, words))
    assert ours < frequency - 0.3


def test_it_is_read_from_the_cache_as_it_was_trained(cache: Path) -> None:
    tokens = torch.tensor([[5, 6, 7, END_NUMBER]])
    assert torch.equal(language_model(cache)(tokens), language_model(cache)(tokens))
    assert not any(parameter.requires_grad for parameter in language_model(cache).parameters())
