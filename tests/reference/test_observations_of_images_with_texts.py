"""What is granted of models of images with texts, and that it is all."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from tests.reference.cheating import reachable
from torch import Tensor, nn

from inversion_atlas.reference.observations import Answering, QueryLimitReached

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
