"""The words of texts from their vectors, without order, by one classifier per word."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.attacks.text_decoder import descend
from inversion_atlas.reference.observations import TextEmbeddings, expect
from inversion_atlas.reference.seeding import seeded


def train_word_classifier(
    observation: TextEmbeddings,
    public: Tensor,
    *,
    epochs: int = 30,
    batch_size: int = 64,
    learning_rate: float = 1e-2,
    seed: int = 0,
    progress: Progress = silent,
) -> nn.Linear:
    """Learn which words a public text holds from its vector: multi-label classification (song2020information).

    A linear layer with a sigmoid per word, binary cross entropy; each text of `public` is queried once. It is the
    simpler of that paper's two learning attacks, which inverts a black box; the other names words in turn by a
    recurrent network. A linear layer is what li2023sentence compares GEIA with under this name.
    """
    observation = expect(observation, TextEmbeddings, "the classifier of words")
    vectors = observation.granted_queries("the classifier of words").query(public)
    present = torch.zeros(len(public), observation.vocabulary).scatter(1, public, 1.0)
    present[:, observation.padding] = 0
    with seeded(seed):
        classifier = nn.Linear(vectors.shape[1], observation.vocabulary)
        descend(
            [classifier],
            lambda places: functional.binary_cross_entropy_with_logits(classifier(vectors[places]), present[places]),
            len(public),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            progress=progress,
        )
    return classifier


@torch.no_grad()
def word_sets(observation: TextEmbeddings, classifier: nn.Linear) -> RecoveredTexts:
    """Return the words of each private text that the classifier finds likelier than not, the surest first."""
    observation = expect(observation, TextEmbeddings, "the classifier of words")
    logits = classifier(observation.vectors)
    order = logits.argsort(dim=1, descending=True)
    texts = tuple(
        tuple(int(word) for word in row if float(scores[word]) > 0) for row, scores in zip(order, logits, strict=True)
    )
    # The words found are those that lower the entropy most; nothing is searched.
    objective = float(functional.binary_cross_entropy_with_logits(logits, (logits > 0).float()))
    return RecoveredTexts(texts, objective, 1, converged=True)
