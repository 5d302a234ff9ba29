"""What a gradient on texts grants, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.reference.cheating import holds
from torch import Tensor, nn

from inversion_atlas.reference.observations import AccessError, SharedGradient, SharedTextGradient, expect

TOKENS = torch.tensor([[3, 1, 4, 0], [5, 2, 6, 5]])
LABELS = torch.tensor([0, 1])


class Bag(nn.Module):
    """A user's text model: the mean of embeddings, and it keeps the last batch it read."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.classify = nn.Embedding(7, 5), nn.Linear(5, 2)
        self.last: Tensor | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        self.last = tokens
        logits: Tensor = self.classify(self.words(tokens).mean(dim=1))
        return logits


def shared(tokens: Tensor = TOKENS, labels: Tensor = LABELS, **changed: Any) -> SharedTextGradient:
    granted = {"mode": "eval", "embeddings_shared": False, "lengths_known": False, "labels_known": False}
    return SharedTextGradient.of_batch(Bag(), tokens, labels, **{"vocabulary": 7, "padding": 0, **granted, **changed})


def test_nothing_that_hangs_on_the_gradient_of_texts_is_the_private_batch() -> None:
    observation = shared()
    assert not holds(observation, TOKENS)
    assert observation.labels is None
    assert observation.lengths is None
    assert observation.model.last is None
    assert all(part.grad_fn is None for part in observation.gradient.values())


def test_the_gradient_of_embeddings_names_the_words_and_is_withheld_unless_granted() -> None:
    assert set(shared().gradient) == {"classify.weight", "classify.bias"}
    rows = shared(embeddings_shared=True).gradient["words.weight"].abs().sum(dim=1)
    assert set(rows.nonzero().flatten().tolist()) == set(TOKENS.flatten().tolist())


def test_the_threat_model_is_printed_and_never_guessed() -> None:
    line = shared(lengths_known=True).describe()
    assert "a batch of 2 texts, without that of embeddings, eval mode, one step, lengths known, labels unknown" in line
    assert shared(lengths_known=True, labels_known=True).lengths.tolist() == [3, 4]
    with pytest.raises(TypeError, match="embeddings_shared"):
        SharedTextGradient.of_batch(  # type: ignore[call-arg]
            Bag(), TOKENS, LABELS, vocabulary=7, padding=0, mode="eval", lengths_known=True, labels_known=True
        )


@pytest.mark.parametrize(
    ("tokens", "labels", "message"),
    [
        (TOKENS.float(), LABELS, "integers of shape"),
        (TOKENS[0], LABELS, "integers of shape"),
        (TOKENS, LABELS[:1], "labels must be"),
        (TOKENS + 1, LABELS, "from 0 to 6"),
        (TOKENS.flip(1), LABELS, "padding must stand at the right"),
        (TOKENS * 0, LABELS, "each text must hold a token"),
    ],
)
def test_batches_of_texts_that_make_no_sense_are_refused(tokens: Tensor, labels: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shared(tokens, labels)


def test_a_defense_is_named_in_the_threat_model() -> None:
    observation = shared()
    defended = observation.with_gradient(observation.gradient, defense="noise of 0.1")
    assert defended.describe() == f"{observation.describe()}, under noise of 0.1"


def test_a_gradient_on_texts_is_no_gradient_on_images_and_keeps_its_shapes() -> None:
    with pytest.raises(AccessError, match="a SharedTextGradient does not grant it"):
        expect(shared(), SharedGradient, "dlg")
    with pytest.raises(ValueError, match="other names or shapes"):
        shared().with_gradient({"classify.bias": torch.zeros(2)})
