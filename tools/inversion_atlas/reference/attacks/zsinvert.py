"""Texts from their vectors by a search that asks the encoder about every step, without training for it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.geia import words_of
from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.observations import EncoderInterface, TextEmbeddings, expect

# Given beginnings of texts (beginnings, number), maybe without a word, returns the logarithms of how likely each token
# of the vocabulary comes next, of shape (beginnings, vocabulary).
NextWord = Callable[[Tensor], Tensor]


def zsinvert(
    observation: TextEmbeddings,
    language_model: NextWord,
    *,
    beams: int = 10,
    proposals: int = 100,
    progress: Progress = silent,
) -> RecoveredTexts:
    """Search each text by beams whose vectors come near its vector. ZSInvert (zhang2025universal), its first stage.

    The language model proposes the `proposals` likeliest words after each of `beams` beginnings; the encoder is asked
    about all of them, and those with the largest cosine to the text's vector go on. The best beginning of any length
    is the text. There the language model is a large one with a prompt; later stages prompt it to write paraphrases of
    the best texts and train a model, once for all encoders, to correct them. They are left out here, as small models
    take no prompts. Nothing is drawn at random. `objective` is the mean over texts of one minus the cosine.
    """
    observation = expect(observation, TextEmbeddings, "ZSInvert")
    encoder = observation.granted_queries("ZSInvert")
    before, texts, reached = encoder.queries, [], []
    for done, vector in enumerate(observation.vectors):
        text, cosine = _search(encoder, vector, observation, language_model, beams, proposals)
        texts.append(text)
        reached.append(cosine)
        progress(done + 1, len(observation.vectors))
    found = words_of(torch.stack(texts), observation.padding)
    return RecoveredTexts(found, 1 - sum(reached) / len(reached), encoder.queries - before, converged=True)


def _search(
    encoder: EncoderInterface,
    vector: Tensor,
    observation: TextEmbeddings,
    language_model: NextWord,
    beams: int,
    proposals: int,
) -> tuple[Tensor, float]:
    """Return the beginning whose vector has the largest cosine with this one, padded, and the cosine."""
    kept = torch.empty(1, 0, dtype=torch.long)
    best, most = torch.full((observation.length,), observation.padding), -1.0
    for number in range(1, observation.length + 1):
        likely = language_model(kept).index_fill(1, torch.tensor([observation.padding]), -torch.inf)
        words = likely.topk(min(proposals, likely.shape[1] - 1), dim=1).indices
        longer = torch.cat((kept.repeat_interleave(words.shape[1], dim=0), words.reshape(-1, 1)), dim=1)
        padded = functional.pad(longer, (0, observation.length - number), value=observation.padding)
        cosines = functional.cosine_similarity(encoder.query(padded), vector[None], dim=1)
        order = cosines.argsort(descending=True, stable=True)[:beams]
        kept, first = longer[order], int(order[0])
        if float(cosines[first]) > most:
            best, most = padded[first], float(cosines[first])
    return best, most


def word_pairs(texts: Tensor, vocabulary: int, padding: int, *, pairs: float = 0.8) -> NextWord:
    """Return a language model of texts (texts, length): how often a word came after the last, mixed with its share."""
    counts = torch.zeros(vocabulary, vocabulary)
    # The padding stands for the beginning too; it comes after no word there, and what follows it is a first word.
    before = functional.pad(texts[:, :-1], (1, 0), value=padding)
    here = texts != padding
    counts.index_put_((before[here], texts[here]), torch.ones(1), accumulate=True)
    after = counts / counts.sum(dim=1, keepdim=True).clamp_min(1)
    often = (counts.sum(dim=0) + 1) / (counts.sum() + vocabulary)
    logarithms = (pairs * after + (1 - pairs) * often).log()

    def next_word(beginnings: Tensor) -> Tensor:
        last = beginnings[:, -1] if beginnings.shape[1] else torch.full((len(beginnings),), padding)
        return logarithms[last]

    return next_word
