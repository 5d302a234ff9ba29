"""Texts from their vectors, by a language model that learns to write public texts from theirs."""

from __future__ import annotations

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.attacks.text_decoder import TextDecoder, descend
from inversion_atlas.reference.observations import TextEmbeddings, expect
from inversion_atlas.reference.seeding import seeded


def train_geia(
    observation: TextEmbeddings,
    public: Tensor,
    *,
    epochs: int = 10,
    batch_size: int = 64,
    learning_rate: float = 4e-3,
    smoothing: float = 0.02,
    inner: int = 96,
    layers: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> TextDecoder:
    """Train a decoder to write public texts from their vectors. GEIA (li2023sentence).

    Each text of `public` (texts, length) is queried once. Its vector, through a linear layer, is the first input of a
    causal language model, which learns to go on with the text, its end included: cross entropy with smoothed labels,
    AdamW. Epochs and smoothing are those of the authors' code; they fine-tune DialoGPT or GPT-2, here the model is
    small and knows no language before, so the rate is larger.
    """
    observation = expect(observation, TextEmbeddings, "GEIA")
    vectors = observation.granted_queries("GEIA").query(public)
    return train_decoder(
        observation,
        vectors,
        public,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        smoothing=smoothing,
        inner=inner,
        layers=layers,
        seed=seed,
        progress=progress,
    )


def train_decoder(
    observation: TextEmbeddings,
    vectors: Tensor,
    texts: Tensor,
    *,
    epochs: int,
    batch_size: int = 64,
    learning_rate: float = 4e-3,
    smoothing: float = 0.02,
    inner: int = 96,
    layers: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> TextDecoder:
    """Train GEIA's decoder on texts whose vectors are at hand, without a query."""
    with seeded(seed):
        decoder = untrained_decoder(observation, inner, layers)
        descend(
            [decoder],
            lambda places: decoder.surprise(vectors[places], texts[places], smoothing),
            len(texts),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            progress=progress,
        )
    return decoder.eval()


def untrained_decoder(observation: TextEmbeddings, inner: int, layers: int) -> TextDecoder:
    """Return a decoder for vectors and texts of the observation's kind, with weights as drawn."""
    return TextDecoder(
        observation.vectors.shape[1],
        vocabulary=observation.vocabulary,
        length=observation.length,
        padding=observation.padding,
        inner=inner,
        heads=4,
        layers=layers,
    )


def geia(observation: TextEmbeddings, decoder: TextDecoder) -> RecoveredTexts:
    """Write the private texts from their vectors, in their order, with the likeliest word each time.

    The authors sample or search with beams. `objective` is the decoder's mean cross entropy of what it wrote.
    """
    observation = expect(observation, TextEmbeddings, "GEIA")
    texts = decoder.write(observation.vectors)
    with torch.no_grad():
        objective = float(decoder.surprise(observation.vectors, texts))
    return RecoveredTexts(words_of(texts, observation.padding), objective, 1, converged=True)


def words_of(texts: Tensor, padding: int) -> tuple[tuple[int, ...], ...]:
    """Return texts (texts, length) as token numbers without padding."""
    return tuple(tuple(token for token in row if token != padding) for row in texts.tolist())
