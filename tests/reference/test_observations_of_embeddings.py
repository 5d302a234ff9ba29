"""What a database of texts' vectors grants, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from tests.reference.cheating import holds, reachable
from torch import Tensor, nn

from inversion_atlas.reference.defenses.noise import noise
from inversion_atlas.reference.defenses.quantization import quantize
from inversion_atlas.reference.observations import (
    AccessError,
    QueryLimitReached,
    SharedTextGradient,
    TextEmbeddings,
    expect,
)

TOKENS = torch.tensor([[3, 1, 4, 0], [5, 2, 6, 5]])
LEAKED = torch.tensor([[1, 1, 2, 0], [6, 5, 4, 3], [2, 2, 0, 0]])


class Mean(nn.Module):
    """A user's encoder: the mean of embeddings, and it keeps the last batch it read."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(7, 5)
        self.last: Tensor | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        self.last = tokens
        return self.words(tokens).mean(dim=1)


def stored(tokens: Tensor = TOKENS, **changed: Any) -> TextEmbeddings:
    given = {"vocabulary": 7, "padding": 0, "grants": "queries", "leaked": LEAKED, **changed}
    return TextEmbeddings.of_texts(Mean(), tokens, **given)


@pytest.mark.parametrize("grants", ["queries", "nothing"])
def test_nothing_that_hangs_on_the_vectors_is_a_private_text_or_the_encoder(grants: str) -> None:
    observation = stored(grants=grants)
    assert not holds(observation, TOKENS)
    assert holds(observation, LEAKED)
    assert not any(isinstance(found, nn.Module) for found in reachable(observation))
    assert not observation.vectors.requires_grad


def test_a_user_s_encoder_is_left_as_it_was_and_a_function_is_one_too() -> None:
    model = Mean()
    TextEmbeddings.of_texts(model, TOKENS, vocabulary=7, padding=0, grants="queries")
    assert model.last is None
    counted = TextEmbeddings.of_texts(
        lambda tokens: (tokens != 0).float(), TOKENS, vocabulary=7, padding=0, grants="nothing"
    )
    assert counted.vectors.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    with pytest.raises(ValueError, match="must return vectors"):
        TextEmbeddings.of_texts(lambda tokens: tokens[:, 0], TOKENS, vocabulary=7, padding=0, grants="nothing")


def test_queries_are_counted_limited_and_refused_where_not_granted() -> None:
    observation = stored(limit=3, leaked=None)
    encoder = observation.granted_queries("geia")
    torch.testing.assert_close(encoder.query(TOKENS), observation.vectors)
    assert encoder.queries == 2
    with pytest.raises(QueryLimitReached, match="2 of 3 queries are used"):
        encoder.query(TOKENS)
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.copy(encoder)
    with pytest.raises(AccessError, match="geia needs queries to the encoder; granted are vectors of 2 texts, no"):
        stored(grants="nothing").granted_queries("geia")
    with pytest.raises(AccessError, match="needs texts that leaked"):
        observation.granted_pairs("transfer")


def test_the_threat_model_is_printed_and_never_guessed() -> None:
    line = stored(limit=10, leaked=None).describe()
    assert line == "vectors of 2 texts, queries to their encoder, at most 10 queries"
    line = stored(grants="nothing").describe()
    assert line == "vectors of 2 texts, no queries to their encoder, 3 other texts that leaked with their vectors"
    with pytest.raises(TypeError, match="grants"):
        TextEmbeddings.of_texts(Mean(), TOKENS, vocabulary=7, padding=0)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="grants must be"):
        stored(grants="model")
    with pytest.raises(AccessError, match="a TextEmbeddings does not grant it"):
        expect(stored(), SharedTextGradient, "lamp")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tokens": TOKENS.float()}, "integers of shape"),
        ({"tokens": TOKENS + 1}, "from 0 to 6"),
        ({"leaked": LEAKED.flip(1)}, "padding must stand at the right"),
        ({"leaked": torch.cat((LEAKED, TOKENS[1:]))}, "a private text is among those that leaked"),
    ],
)
def test_texts_that_make_no_sense_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stored(**changed)


def test_defenses_change_what_is_stored_and_are_named() -> None:
    observation = stored()
    noisy = noise(quantize(observation, 3), 0.5)
    assert noisy.describe() == f"{observation.describe()}, under {' and '.join(noisy.defenses)}"
    assert noisy.defenses == ("quantization to 3 bits", "normal noise of deviation 0.5")
    assert not torch.equal(noisy.vectors, observation.vectors)
    assert noisy.leaked_vectors is not None
    assert not torch.equal(noisy.leaked_vectors, observation.granted_pairs("test")[1])
    assert len(quantize(observation, 2).vectors.unique()) <= 3
    with pytest.raises(ValueError, match="other names or shapes"):
        observation.with_stored({"vectors": observation.vectors})
