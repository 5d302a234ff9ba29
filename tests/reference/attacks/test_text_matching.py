"""TAG and LAMP search sentences by their gradient; LAMP does where TAG is stuck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

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
from inversion_atlas.reference.targets.prose import ProseModel, language_model
from inversion_atlas.reference.targets.text import Corpus, Texts
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


def tokens_of_private(victim: Target, item: int) -> tuple[int, ...]:
    assert isinstance(victim.data, Corpus)
    row = victim.data.private.tokens[item]
    return tuple(row[row != 0].tolist())


@pytest.fixture(scope="module")
def prior(cache: Path) -> ProseModel:
    return language_model(cache)


def by_lamp(observation: SharedTextGradient, prior: ProseModel) -> RecoveredTexts:
    return lamp(observation, prior, **BRIEF)  # type: ignore[arg-type]


def test_tag_reads_sentences_from_a_model_at_the_start_of_training_and_nothing_from_noise(target: Targets) -> None:
    """Margin: ROUGE-L 0.5 above what the same search makes of noise; a random sentence gives about 0.2."""
    victim = target("transformer-untrained")
    for item in (1, 3):
        observation = shared(victim, item)
        found = tag(observation, steps=100, learning_rate=0.05)
        alone = tag(noise_like(observation, 1), steps=30, learning_rate=0.05)
        assert rouge(victim.data, found, [item]) > rouge(victim.data, alone, [item]) + 0.5
        assert found.evaluations == 101


@pytest.mark.slow
def test_tag_reads_batches_of_two_at_the_start_of_training(target: Targets) -> None:
    """Margin: ROUGE-L 0.5 over two batches, where random sentences give about 0.2."""
    victim = target("transformer-untrained")
    found = [
        rouge(victim.data, tag(shared(victim, *pair), steps=150, learning_rate=0.03), pair) for pair in ((0, 1), (2, 3))
    ]
    assert sum(found) / 2 > 0.5


@pytest.mark.slow
def test_lamp_reads_from_a_trained_model_what_tag_does_not(target: Targets, prior: ProseModel) -> None:
    """The comparison of LAMP's paper. Margin: ROUGE-L 0.4 over sentences of 5, 8, 9 and 10 words, and more in each."""
    victim = target("transformer")
    items = (0, 2, 4, 6, 8)
    by_tag, ours = [], []
    for item in items:
        observation = shared(victim, item)
        by_tag.append(rouge(victim.data, tag(observation, steps=200, learning_rate=0.02), [item]))
        ours.append(rouge(victim.data, by_lamp(observation, prior), [item]))
    assert len({len(tokens_of_private(victim, item)) for item in items}) == 4
    assert all(one < other for one, other in zip(by_tag, ours, strict=True))
    assert sum(ours) / len(items) > sum(by_tag) / len(items) + 0.4


def test_lamp_gets_a_sentence_from_noise_no_better_than_a_guess(target: Targets, prior: ProseModel) -> None:
    victim = target("transformer")
    found = lamp(noise_like(shared(victim, 1), 1), prior, **{**BRIEF, "steps": 100})  # type: ignore[arg-type]
    assert rouge(victim.data, found, [1]) < 0.35


@pytest.mark.slow
def test_lamp_handles_a_batch_of_two(target: Targets, prior: ProseModel) -> None:
    victim = target("transformer-untrained")
    found = by_lamp(shared(victim, 0, 1), prior)
    assert len(found.texts) == 2
    assert rouge(victim.data, found, [0, 1]) > 0.4


def test_the_prior_decides_among_orders_by_its_weight_and_any_function_will_do(target: Targets) -> None:
    """A prior that wants large numbers last sorts the words, where its weight drowns the gradient."""

    def ascending(tokens: Tensor) -> Tensor:
        return (tokens[:, 1:] < tokens[:, :-1]).double().mean(dim=1)

    victim = target("transformer")
    brief = {"steps": 8, "starts": 1, "changes": 60, "change_every": 2, "learning_rate": 1e-6, "burn_in": 0.0}
    unsorted = {}
    for weight in (0.0, 1e3):
        found = lamp(shared(victim, 1), ascending, prior_weight=weight, **brief)  # type: ignore[arg-type]
        unsorted[weight] = float(ascending(torch.tensor(found.texts)))
    assert unsorted[1e3] < unsorted[0.0]


def test_the_same_seed_gives_the_same_text_and_the_model_is_left_as_it_was(target: Targets, prior: ProseModel) -> None:
    observation = shared(target("transformer"), 2)
    brief = {"steps": 12, "starts": 2, "changes": 5, "change_every": 5}
    first, again = (lamp(observation, prior, seed=3, **brief) for _ in range(2))  # type: ignore[arg-type]
    assert first.texts == again.texts
    assert first.objective == again.objective
    before = observation.model(torch.ones(1, 11, dtype=torch.long))
    tag(observation, steps=2)
    assert torch.equal(before, observation.model(torch.ones(1, 11, dtype=torch.long)))


def test_what_the_search_needs_must_be_granted(target: Targets) -> None:
    victim = target("transformer")
    with pytest.raises(ValueError, match="lengths must be known"):
        tag(shared_texts(Options(victim, 1), [0], granted=False), steps=1)
