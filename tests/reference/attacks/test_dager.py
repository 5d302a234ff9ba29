"""DAGER reads batches of sentences exactly off a trained transformer's gradient."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from inversion_atlas.reference.attacks.dager import dager
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import Options
from inversion_atlas.reference.benchmark.text_cases import shared_texts
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
LAYERS = {"first": "layers.0.attention", "second": "layers.1.attention"}


def originals(victim: Target, items: list[int]) -> set[tuple[int, ...]]:
    return {tuple(row[row != 0].tolist()) for row in victim.data.private.images[items]}


@pytest.mark.parametrize("size", [1, 4, 8, 12])
def test_every_sentence_of_a_batch_is_read_exactly(size: int, target: Targets) -> None:
    """Margin: all of them, where a public sentence or noise never gives one."""
    victim = target("transformer")
    for start in (0, 100, 200):
        items = list(range(start, start + size))
        found = dager(shared_texts(Options(victim, size), items, granted=False), **LAYERS)
        assert found.converged
        assert set(found.texts) == originals(victim, items)
        assert found.objective < 1e-3
        # Each prefix is extended by what may follow it, not by the vocabulary.
        assert found.evaluations < size * 11 * 1000


def test_noise_and_batches_larger_than_the_layers_are_wide_give_nothing(target: Targets) -> None:
    victim = target("transformer")
    options = Options(victim, 4)
    noise = dager(noise_like(shared_texts(options, list(range(4)), granted=False), 1), **LAYERS)
    assert noise.texts == ()
    assert not noise.converged
    large = dager(shared_texts(options, list(range(60)), granted=False), **LAYERS)
    assert large.texts == ()
    assert not large.converged


def test_another_batch_s_second_layer_leads_to_none_of_these_sentences(target: Targets) -> None:
    victim = target("transformer")
    ours = shared_texts(Options(victim, 4), list(range(4)), granted=False)
    other = shared_texts(Options(victim, 4), list(range(40, 44)), granted=False)
    name = "layers.1.attention.weight"
    found = dager(ours.with_gradient({**ours.gradient, name: other.gradient[name]}), **LAYERS)
    assert not set(found.texts) & originals(victim, list(range(4)))


def test_layers_that_do_not_exist_are_refused(target: Targets) -> None:
    observation = shared_texts(Options(target("transformer"), 1), [0], granted=False)
    with pytest.raises(ValueError, match="'layers' is no linear layer"):
        dager(observation, first="layers", second="layers.1.attention")
    with pytest.raises(ValueError, match="an input for each token"):
        dager(observation, first="layers.0.attention", second="classify")


def test_the_same_gradient_gives_the_same_texts(target: Targets) -> None:
    observation = shared_texts(Options(target("transformer"), 4), torch.arange(4), granted=False)
    assert dager(observation, **LAYERS).texts == dager(observation, **LAYERS).texts
