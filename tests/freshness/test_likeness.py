"""How like the catalogue a text is, over the repository's own records."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.freshness.likeness import Likeness, features


@pytest.fixture(scope="module")
def benchmark(catalogue: Catalogue) -> ModuleType:
    spec = importlib.util.spec_from_file_location("discover", catalogue.root / "benchmarks" / "discover.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_papers_of_the_field_stand_before_background_that_was_never_seen(
    catalogue: Catalogue, benchmark: ModuleType
) -> None:
    parts = benchmark.folds(catalogue)
    assert benchmark.auc(benchmark.judged(parts, summaries=False)) > 0.9
    assert benchmark.auc(benchmark.judged(parts, summaries=True)) > 0.88


def test_shuffled_kinds_are_told_apart_by_chance_only(catalogue: Catalogue, benchmark: ModuleType) -> None:
    scores = benchmark.judged(benchmark.folds(catalogue), summaries=False)
    shuffled = [(score, scores[at * 7 % len(scores)][1]) for at, (score, _) in enumerate(scores)]
    assert 0.35 < benchmark.auc(shuffled) < 0.65


@pytest.mark.parametrize(("first", "second"), [([3, 2], [1, 0]), ([1, 1], [1, 1]), ([0], [2, 3])])
def test_auc_is_the_chance_to_stand_before(benchmark: ModuleType, first: list[float], second: list[float]) -> None:
    scores = [(score, True) for score in first] + [(score, False) for score in second]
    assert benchmark.auc(scores) == {3: 1.0, 1: 0.5, 0: 0.0}[first[0]]


def test_the_words_and_papers_that_make_a_text_alike_are_named(catalogue: Catalogue) -> None:
    likeness = Likeness(catalogue.papers.values())
    alike = likeness.of("Deep Leakage of Gradients in Split Learning", "We invert gradients.")
    other = likeness.of("Cooking Rice with a Deep Pan", "Rice is cooked in a pan.")
    assert alike.likeness > 1 > other.likeness
    assert alike.words
    assert all(
        set(word.split()) <= {"deep", "leakage", "gradients", "split", "learning", "invert"} for word in alike.words
    )
    assert all(id in catalogue.papers for id in alike.nearest)
    assert len(alike.nearest) == 3


def test_features_are_words_and_pairs_within_a_sentence() -> None:
    found = features("Inverting Gradients: the Attack")
    assert found == {"invert": "inverting", "gradient": "gradients", "invert gradient": "inverting gradients",
                     "attack": "attack"}  # fmt: skip
