"""Language models behind an interface, embeddings as sent, and learners that take records: what they grant."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from tests.reference.cheating import holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.defenses.noise import noise
from inversion_atlas.reference.observations import (
    AccessError,
    JointTraining,
    LabelOnly,
    NextToken,
    QueryLimitReached,
    SentEmbeddings,
    SplitFeatures,
    expect,
)

TOKENS = torch.tensor([[3, 1, 4, 0], [5, 2, 6, 5]])


class Bigram(nn.Module):
    """A user's language model: what follows depends on the last word; it keeps the last batch it read."""

    def __init__(self) -> None:
        super().__init__()
        self.following = nn.Embedding(7, 7)
        self.last: Tensor | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        self.last = tokens
        scores: Tensor = self.following(tokens)
        return scores


def test_a_language_model_behind_an_interface_tells_what_follows_and_leads_nowhere() -> None:
    model = Bigram()
    box = NextToken(model, outputs="logits", context=4)
    told = box.query(TOKENS[:, :3])
    torch.testing.assert_close(told, model(TOKENS[:, :3]).softmax(dim=2).detach())
    assert not told.requires_grad
    assert box.vocabulary == 7
    assert not [thing for thing in reachable(box) if isinstance(thing, nn.Module | Tensor)]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(box)
    assert box.describe() == "probabilities of the next token from a language model behind an interface"


def test_each_text_is_a_query_and_the_limit_cannot_be_lifted() -> None:
    box = NextToken(lambda texts: torch.full((*texts.shape, 5), 0.2), outputs="probabilities", context=4, limit=3)
    assert box.query(TOKENS.clamp(max=4)).shape == (2, 4, 5)
    with pytest.raises(QueryLimitReached, match="2 of 3 queries are used, 2 more were asked"):
        box.query(TOKENS.clamp(max=4))
    for name in ("limit", "queries"):
        with pytest.raises(AttributeError):
            setattr(box, name, 0)
    assert box.queries == 2
    assert "at most 3 queries" in box.describe()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (TOKENS.float(), "integers of shape"),
        (TOKENS[0], "integers of shape"),
        (torch.zeros(1, 5, dtype=torch.long), "at most 4 long"),
        (TOKENS + 2, "from 0 to 6"),
        (TOKENS - 1, "from 0 to 6"),
    ],
)
def test_what_is_no_batch_of_texts_is_refused_and_not_counted(texts: Tensor, message: str) -> None:
    box = NextToken(Bigram(), outputs="logits", context=4)
    with pytest.raises(ValueError, match=message):
        box.query(texts)
    assert box.queries == 0


def test_a_model_that_returns_no_scores_for_each_token_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(texts, length, vocabulary\)"):
        NextToken(lambda texts: torch.zeros(len(texts), 7), outputs="logits", context=4)


def test_embeddings_as_sent_hold_no_token_and_compose_with_noise() -> None:
    table = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    sent = SentEmbeddings.of_tokens(table, TOKENS, padding=0)
    assert not holds(sent, TOKENS)
    assert sent.lengths.tolist() == [3, 4]
    torch.testing.assert_close(sent.embeddings, table[[3, 1, 4, 5, 2, 6, 5]])
    noisy = noise(sent, 0.5)
    assert (noisy.embeddings - sent.embeddings).std() > 0.2
    assert noisy.describe() == f"{sent.describe()}, under normal noise of deviation 0.5"
    sent.table.zero_()
    assert table.abs().sum() > 0
    with pytest.raises(ValueError, match="embeddings must be of shape"):
        sent.with_embeddings(torch.zeros(1, 5))
    with pytest.raises(AccessError, match="a SentEmbeddings does not grant it"):
        expect(sent, SplitFeatures, "rmle")


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (TOKENS.float(), "integers of shape"),
        (TOKENS + 2, "from 0 to 6"),
        (TOKENS.flip(1), "padding must stand at the right"),
        (TOKENS * 0, "each text must hold a token"),
    ],
)
def test_texts_that_make_no_sense_are_not_sent(tokens: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SentEmbeddings.of_tokens(torch.zeros(7, 5), tokens, padding=0)


def test_a_learner_trains_once_on_its_records_and_those_given_and_shows_neither() -> None:
    records = torch.rand(6, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    seen: list[Tensor] = []

    def learn(given: Tensor, classes: Tensor) -> nn.Module:
        seen.append(torch.cat((given, classes[:, None]), dim=1))
        return nn.Linear(3, 2)

    learner = JointTraining(learn, records, labels, classes=2, most=2, limit=4)
    mine = torch.ones(2, 3)
    assert not holds(learner, records)
    assert not [thing for thing in reachable(learner) if isinstance(thing, nn.Module | Tensor)]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            duplicate(learner)
    with pytest.raises(ValueError, match="at most 2 records are taken, not 3"):
        learner.contribute(torch.ones(3, 3), torch.ones(3))
    with pytest.raises(ValueError, match="each labeled"):
        learner.contribute(mine, torch.ones(3))
    box = learner.contribute(mine, torch.ones(2, dtype=torch.long))
    assert isinstance(box, LabelOnly)
    torch.testing.assert_close(seen[0][:, :3], torch.cat((records, mine)))
    assert seen[0][:, 3].tolist() == [0, 1, 0, 1, 0, 1, 1, 1]
    assert not holds(box, records)
    assert box.limit == 4
    with pytest.raises(QueryLimitReached, match="trained already"):
        learner.contribute(mine, torch.ones(2, dtype=torch.long))
    assert "6 private records and at most 2 of the adversary's" in learner.describe()
    with pytest.raises(ValueError, match="one class each"):
        JointTraining(learn, records, labels[:2], classes=2, most=2)
