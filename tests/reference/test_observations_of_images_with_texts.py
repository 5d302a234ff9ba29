"""What is granted of models of images with texts, and that it is all."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from tests.reference.cheating import holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.observations import Answering, QueryLimitReached, SharedPairGradient

SHAPE = (1, 2, 3)


class Both(nn.Module):
    """A model of images and texts that keeps the last pair it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Linear(6, 4)
        self.words = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 15)
        self.last: tuple[Tensor, Tensor] | None = None

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        self.last = images, tokens
        hidden = self.image(images.flatten(1)) * self.words(tokens).sum(dim=1)
        answers: Tensor = self.head(hidden).unflatten(1, (5, 3))
        return answers


class Classes(Both):
    """As above, with classes for answers."""

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        return super().forward(images, tokens)[:, :, 0]


GIVEN: dict[str, Any] = {"vocabulary": 7, "image_branch": "image.", "text_branch": "head.", "mode": "eval"}


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(4, *SHAPE, generator=generator), torch.randint(1, 7, (4, 3), generator=generator)


def test_answers_are_symbols_and_lead_to_no_parameter(pairs: tuple[Tensor, Tensor]) -> None:
    model = Both()
    victim = Answering(model, input_shape=SHAPE)
    answers = victim.query(pairs[0].clone().requires_grad_(), pairs[1])
    assert torch.equal(answers, model(*pairs).argmax(dim=1))
    assert answers.dtype == torch.long
    assert not [thing for thing in reachable(victim) if isinstance(thing, nn.Module | Tensor)]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(victim)


def test_every_question_is_a_query_and_the_limit_holds(pairs: tuple[Tensor, Tensor]) -> None:
    victim = Answering(Both(), input_shape=SHAPE, limit=6)
    victim.query(*pairs)
    with pytest.raises(QueryLimitReached, match="4 of 6"):
        victim.query(*pairs)
    assert victim.queries == 4
    assert "at most 6 queries" in victim.describe()
    with pytest.raises(ValueError, match="a question for each image: 3 for 4"):
        victim.query(pairs[0], pairs[1][:3])
    with pytest.raises(ValueError, match="inputs must be of shape"):
        victim.query(pairs[0][:, :, 1:], pairs[1])


def test_nothing_that_hangs_on_a_shared_gradient_is_the_private_pairs(pairs: tuple[Tensor, Tensor]) -> None:
    """Neither images nor texts nor labels nor the gradient of embeddings, which would name the words."""
    model, labels = Classes(), torch.tensor([0, 3, 1, 4])
    observation = SharedPairGradient.of_batch(model, *pairs, labels, **GIVEN, labels_known=False)
    assert not holds(observation, pairs[0])
    assert not holds(observation, pairs[1])
    assert observation.labels is None
    assert model.last is None
    assert set(observation.gradient) == {"image.weight", "image.bias", "head.weight", "head.bias"}
    nn.functional.cross_entropy(model(*pairs), labels).backward()
    torch.testing.assert_close(observation.gradient["image.weight"], model.image.weight.grad)
    assert "labels unknown" in observation.describe()
    changed = observation.with_gradient({n: p * 0 for n, p in observation.gradient.items()}, defense="zeros")
    assert changed.describe().endswith("under zeros")


def test_pairs_that_make_no_sense_are_refused(pairs: tuple[Tensor, Tensor]) -> None:
    model, labels = Classes(), torch.tensor([0, 3, 1, 4])
    with pytest.raises(ValueError, match="tokens must be from 1 to 6"):
        SharedPairGradient.of_batch(model, pairs[0], pairs[1] * 0, labels, **GIVEN, labels_known=True)
    with pytest.raises(ValueError, match=r"no parameters that begin with 'text\.'"):
        SharedPairGradient.of_batch(model, *pairs, labels, **{**GIVEN, "text_branch": "text."}, labels_known=True)
    with pytest.raises(ValueError, match="texts must be integers"):
        SharedPairGradient.of_batch(model, pairs[0], pairs[1][:2], labels, **GIVEN, labels_known=True)
    with pytest.raises(TypeError, match="labels_known"):
        SharedPairGradient.of_batch(model, *pairs, labels, **GIVEN)
