"""How well likeness tells papers of the field from works cited as background: five folds, each held out once.

    python benchmarks/discover.py

Papers of the field and background works are dealt into five folds; each fold is judged by what the other four teach.
AUC is the chance that a paper of the field stands before a background work. Titles alone are what both sides have;
with the summary stands for what an abstract adds, over the background works that have one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from inversion_atlas.catalogue import Catalogue, load
from inversion_atlas.freshness.likeness import Likeness
from inversion_atlas.records.paper import Kind, Paper

FOLDS = 5
ROOT = Path(__file__).resolve().parents[1]


def folds(catalogue: Catalogue, seed: int = 0) -> list[list[Paper]]:
    """Return the papers in five parts, with the same share of background in each."""
    rng = random.Random(seed)
    parts: list[list[Paper]] = [[] for _ in range(FOLDS)]
    for background in (False, True):
        some = [paper for paper in catalogue.papers.values() if (paper.kind is Kind.BACKGROUND) == background]
        rng.shuffle(some)
        for at, paper in enumerate(some):
            parts[at % FOLDS].append(paper)
    return parts


def judged(parts: Sequence[Sequence[Paper]], *, summaries: bool) -> list[tuple[float, bool]]:
    """Return likeness, and whether the paper is of the field, for each paper; the other parts teach."""
    found = []
    for held_out in parts:
        likeness = Likeness(paper for part in parts if part is not held_out for paper in part)
        for paper in held_out:
            if paper.summary or not summaries:
                text = paper.summary or "" if summaries else ""
                found.append((likeness.of(paper.title, text).likeness, paper.kind is not Kind.BACKGROUND))
    return found


def auc(scores: Sequence[tuple[float, bool]]) -> float:
    """Return the chance that one of the field scores above one that is not; equal scores count half."""
    own = [score for score, is_own in scores if is_own]
    other = [score for score, is_own in scores if not is_own]
    wins = sum((a > b) + (a == b) / 2 for a in own for b in other)
    return wins / (len(own) * len(other))


def main() -> None:
    """Print the figures that docs/freshness.md shows."""
    catalogue = load(ROOT)
    least = catalogue.discovery.least
    for summaries in (False, True):
        scores = judged(folds(catalogue), summaries=summaries)
        own = [score for score, is_own in scores if is_own]
        other = [score for score, is_own in scores if not is_own]
        name = "title and summary" if summaries else "title alone"
        kept, dropped = sum(score >= least for score in own), sum(score < least for score in other)
        print(
            f"{name}: AUC {auc(scores):.3f}; at likeness {least:g}, {kept} of {len(own)} of the field listed, "
            f"{dropped} of {len(other)} background left out"
        )


if __name__ == "__main__":
    main()
