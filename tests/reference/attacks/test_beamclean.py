"""Sentences decoded from embeddings that were sent with noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from inversion_atlas.reference.attacks.beamclean import Noise, Prior, beamclean
from inversion_atlas.reference.benchmark.language_cases import sent_by
from inversion_atlas.reference.defenses.noise import noise
from inversion_atlas.reference.metrics import token_accuracy
from inversion_atlas.reference.observations import AccessError, SentEmbeddings, SharedTextGradient, expect
from inversion_atlas.reference.targets.prose import language_model
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
ITEMS = 40


@pytest.fixture(scope="module")
def plain(target: Targets) -> SentEmbeddings:
    victim = target("transformer")
    return sent_by(victim, victim.data.private.images[:ITEMS])


@pytest.fixture(scope="module")
def originals(target: Targets) -> list[tuple[int, ...]]:
    return [tuple(row[row != 0].tolist()) for row in target("transformer").data.private.images[:ITEMS]]


@pytest.fixture(scope="module")
def prior(cache: Path) -> Prior:
    return language_model(cache).next_word


def right(sent: SentEmbeddings, originals: list[tuple[int, ...]], prior: Prior, **given: object) -> float:
    found = beamclean(sent, prior, start=1, **{"rounds": 2, **given})  # type: ignore[arg-type]
    return float(token_accuracy(found.texts, originals).mean())


def nearest(sent: SentEmbeddings, originals: list[tuple[int, ...]], prior: Prior, kind: Noise) -> float:
    return right(sent, originals, prior, weight=0.0, beams=1, rounds=1, noise=kind)


@pytest.mark.parametrize(("kind", "deviation"), [("normal", 3.0), ("laplace", 3.5)])
def test_a_prior_decodes_noisy_embeddings_better_than_the_nearest_one(
    kind: Noise, deviation: float, plain: SentEmbeddings, originals: list[tuple[int, ...]], prior: Prior
) -> None:
    """Margins: a tenth of all tokens more than the nearest embedding, and half more than the prior alone."""
    sent = noise(plain, deviation, distribution=kind, relative=True, seed=1)
    reached = right(sent, originals, prior, noise=kind)
    assert reached > nearest(sent, originals, prior, kind) + 0.1
    assert reached > right(noise(plain, 100.0, relative=True, seed=1), originals, prior, noise=kind) + 0.5


def test_without_noise_every_word_is_read_and_under_noise_alone_hardly_one(
    plain: SentEmbeddings, originals: list[tuple[int, ...]], prior: Prior
) -> None:
    assert beamclean(plain, prior, start=1).texts == tuple(originals)
    drawn = torch.randn(plain.embeddings.shape, generator=torch.Generator().manual_seed(0))
    assert right(plain.with_embeddings(drawn), originals, prior) < 0.15


def test_the_wider_the_beam_and_the_weaker_the_noise_the_more_is_read(
    plain: SentEmbeddings, originals: list[tuple[int, ...]], prior: Prior
) -> None:
    weak, strong = (noise(plain, deviation, relative=True, seed=2) for deviation in (2.5, 4.0))
    assert right(weak, originals, prior) > right(strong, originals, prior) + 0.15
    assert right(strong, originals, prior) > right(strong, originals, prior, beams=1)


def test_the_noise_is_estimated_and_the_texts_are_the_same_each_time(
    plain: SentEmbeddings, originals: list[tuple[int, ...]], prior: Prior
) -> None:
    """The first estimate, by nearest embeddings, is too small; the objective is better after further rounds."""
    sent = noise(plain, 4.0, relative=True, seed=3)
    once, again, first = (beamclean(sent, prior, start=1, rounds=rounds) for rounds in (5, 5, 1))
    assert once.texts == again.texts
    assert once.converged
    assert not first.converged
    assert once.objective < first.objective
    assert once.evaluations == 5 * ITEMS


def test_other_observations_and_settings_are_refused(plain: SentEmbeddings, prior: Prior) -> None:
    with pytest.raises(AccessError, match="takes a SentEmbeddings"):
        beamclean(plain.table, prior, start=1)  # type: ignore[arg-type]
    with pytest.raises(AccessError):
        expect(plain, SharedTextGradient, "dager")
    with pytest.raises(ValueError, match="normal or laplace"):
        beamclean(plain, prior, start=1, beams=0)
