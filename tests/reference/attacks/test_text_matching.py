"""TAG and LAMP search sentences by their gradient; LAMP does where TAG is stuck."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from inversion_atlas.reference.attacks.reconstruction import RecoveredTexts
from inversion_atlas.reference.attacks.text_matching import lamp, tag
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import Options
from inversion_atlas.reference.benchmark.text_cases import (
    matched,
    shared_texts,
    text_scores,
    tokens_of,
)
from inversion_atlas.reference.observations import SharedTextGradient
from inversion_atlas.reference.targets.data import Split
from inversion_atlas.reference.targets.text import Corpus, Texts, language_model
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
# Fewer starts and changes than the paper's and a larger rate: enough for sentences of ten words.
BRIEF = {"steps": 200, "learning_rate": 0.02, "starts": 20, "changes": 40, "change_every": 40}


def shared(victim: Target, *items: int) -> SharedTextGradient:
    return shared_texts(Options(victim, len(items)), list(items), granted=True)


def rouge(data: Split, found: RecoveredTexts, items: Sequence[int]) -> float:
    assert isinstance(data, Corpus)
    originals = tokens_of(Texts(data.private.tokens[list(items)], data.private.labels[list(items)]))
    return text_scores(matched(found.texts, originals, data), originals, data)["rouge"]


def by_lamp(observation: SharedTextGradient) -> RecoveredTexts:
    return lamp(observation, language_model(), **BRIEF)  # type: ignore[arg-type]


def test_tag_reads_a_sentence_from_a_model_at_the_start_of_training_and_nothing_from_noise(target: Targets) -> None:
    """Margin: ROUGE-L 0.5 above what the same search makes of noise; a random sentence gives about 0.2."""
    victim = target("transformer-untrained")
    observation = shared(victim, 1)
    found = tag(observation, steps=200, learning_rate=0.05)
    alone = tag(noise_like(observation, 1), steps=50, learning_rate=0.05)
    assert rouge(victim.data, found, [1]) > rouge(victim.data, alone, [1]) + 0.5
    assert found.evaluations == 201


@pytest.mark.slow
def test_lamp_reads_from_a_trained_model_what_tag_does_not(target: Targets) -> None:
    """The comparison of LAMP's paper. Margin: ROUGE-L 0.3, over two sentences."""
    victim = target("transformer")
    by_tag, ours = 0.0, 0.0
    for item in (0, 1):
        observation = shared(victim, item)
        by_tag += rouge(victim.data, tag(observation, steps=200, learning_rate=0.02), [item]) / 2
        ours += rouge(victim.data, by_lamp(observation), [item]) / 2
    assert ours > by_tag + 0.3
    assert ours > 0.5


def test_lamp_gets_a_sentence_from_noise_no_better_than_a_guess(target: Targets) -> None:
    victim = target("transformer")
    found = by_lamp(noise_like(shared(victim, 1), 1))
    assert rouge(victim.data, found, [1]) < 0.35


@pytest.mark.slow
def test_lamp_handles_a_batch_of_two(target: Targets) -> None:
    victim = target("transformer-untrained")
    found = by_lamp(shared(victim, 0, 1))
    assert len(found.texts) == 2
    assert rouge(victim.data, found, [0, 1]) > 0.4


def test_the_same_seed_gives_the_same_text_and_the_model_is_left_as_it_was(target: Targets) -> None:
    observation = shared(target("transformer"), 2)
    brief = {"steps": 12, "starts": 2, "changes": 5, "change_every": 5}
    first, again = (lamp(observation, language_model(), seed=3, **brief) for _ in range(2))  # type: ignore[arg-type]
    assert first.texts == again.texts
    assert first.objective == again.objective
    before = observation.model(torch.ones(1, 11, dtype=torch.long))
    tag(observation, steps=2)
    assert torch.equal(before, observation.model(torch.ones(1, 11, dtype=torch.long)))


def test_the_language_model_finds_its_language_likelier_in_order(target: Targets) -> None:
    corpus = target("transformer").data
    assert isinstance(corpus, Corpus)
    sentences = [row[row != 0] for row in corpus.private.tokens[:100]]
    straight = sum(float(language_model()(row[None])) for row in sentences)
    turned = sum(float(language_model()(row.flip(0)[None])) for row in sentences)
    assert straight < 0.9 * turned


def test_what_the_search_needs_must_be_granted(target: Targets) -> None:
    victim = target("transformer")
    with pytest.raises(ValueError, match="lengths must be known"):
        tag(shared_texts(Options(victim, 1), [0], granted=False), steps=1)
