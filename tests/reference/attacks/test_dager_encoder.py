"""DAGER reads small batches exactly off a trained encoder; larger ones it does not, unlike those of a decoder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from inversion_atlas.reference.attacks.dager import dager
from inversion_atlas.reference.attacks.dager_encoder import dager_encoder
from inversion_atlas.reference.attacks.reconstruction import RecoveredTexts
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import Options
from inversion_atlas.reference.benchmark.text_cases import shared_texts
from inversion_atlas.reference.observations import SharedTextGradient
from inversion_atlas.reference.targets.text import END_NUMBER
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
LAYERS = {"first": "layers.0.attention", "second": "layers.1.attention"}


def shared(victim: Target, start: int, size: int) -> tuple[SharedTextGradient, set[tuple[int, ...]]]:
    items = list(range(start, start + size))
    texts = {tuple(row[row != 0].tolist()) for row in victim.data.private.images[items]}
    return shared_texts(Options(victim, size), items, granted=False), texts


def whole(observation: SharedTextGradient, *, limit: int = 2_000) -> RecoveredTexts:
    return dager_encoder(observation, **LAYERS, end=END_NUMBER, limit=limit)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_sentence_of_a_small_batch_is_read_exactly(size: int, target: Targets) -> None:
    """Margin: all of them, where a public sentence or noise never gives one."""
    victim = target("encoder")
    for start in (0, 100, 200, 300):
        observation, texts = shared(victim, start, size)
        found = whole(observation, limit=20_000)
        assert found.converged
        assert set(found.texts) == texts
        assert found.objective < 1e-3


def test_prefixes_cannot_be_told_apart_where_tokens_look_both_ways(target: Targets) -> None:
    """Why an encoder needs another search than a decoder."""
    observation, texts = shared(target("encoder"), 100, 2)
    assert not set(dager(observation, **LAYERS).texts) & texts
    assert set(whole(observation).texts) == texts


def test_larger_batches_are_read_off_a_decoder_and_not_off_an_encoder(target: Targets) -> None:
    """The paper's comparison: on an encoder combinations grow with batch and length, on a decoder they do not.

    Margin: all of eight sentences against at most half of them, with five times as many sequences tried or more.
    """
    decoder, its_texts = shared(target("transformer"), 100, 8)
    encoder, texts = shared(target("encoder"), 100, 8)
    by_prefix, by_text = dager(decoder, **LAYERS), whole(encoder, limit=400)
    assert set(by_prefix.texts) == its_texts
    assert len(set(by_text.texts) & texts) <= 4
    assert not set(by_text.texts) - texts
    assert not by_text.converged
    assert by_text.evaluations > 5 * by_prefix.evaluations


def test_without_the_token_that_ends_a_text_all_lengths_are_tried(target: Targets) -> None:
    observation, texts = shared(target("encoder"), 100, 2)
    found = dager_encoder(observation, **LAYERS, limit=3_000)
    assert set(found.texts) == texts
    assert found.evaluations > whole(observation).evaluations


def test_noise_and_another_batch_s_second_layer_give_nothing(target: Targets) -> None:
    victim = target("encoder")
    observation, texts = shared(victim, 0, 2)
    noise = whole(noise_like(observation, 1))
    assert noise.texts == ()
    assert not noise.converged
    other, _ = shared(victim, 40, 2)
    name = "layers.1.attention.weight"
    mixed = whole(observation.with_gradient({**observation.gradient, name: other.gradient[name]}))
    assert not set(mixed.texts) & texts


def test_the_same_seed_draws_the_same_combinations(target: Targets) -> None:
    observation, _ = shared(target("encoder"), 0, 6)
    first, again = (dager_encoder(observation, **LAYERS, end=END_NUMBER, limit=50, seed=3) for _ in range(2))
    assert first.texts == again.texts
    assert first.evaluations == again.evaluations
    assert torch.equal(torch.tensor(first.objective), torch.tensor(again.objective))
