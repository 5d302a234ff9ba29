"""How like the catalogue a text is: words and pairs of words that its papers have more often than its background.

A naive Bayes classifier over the features that a text holds (each counted once), trained on the papers of the field
against the works cited only as background. Its vocabulary is that of titles, which both sides have; a summary, which
background mostly lacks, counts a quarter. The sum of log odds is divided by the square root of the number of features,
so that a long abstract does not outweigh a title.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inversion_atlas.records.folding import fold
from inversion_atlas.records.identifiers import STOP_WORDS
from inversion_atlas.records.paper import Kind, Paper

# Added to each count, so that a word seen on one side only decides nothing alone.
_PRIOR = 0.5
# What a work's summary adds to the count of a feature that its title lacks.
_SUMMARY = 0.25
_WORDS = 3
_NEAREST = 3
_ENDINGS = ("ing", "ions", "ion", "ies", "es", "s", "ed", "al")


@dataclass(frozen=True, slots=True)
class Alike:
    """How like the catalogue a text is (above 0: more than not), the words that say most, and the nearest records."""

    likeness: float
    words: tuple[str, ...]
    nearest: tuple[str, ...]


class Likeness:
    """What is learned from a set of papers."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        counts: dict[bool, defaultdict[str, float]] = {True: defaultdict(float), False: defaultdict(float)}
        vocabulary: set[str] = set()
        self._holders: defaultdict[str, list[str]] = defaultdict(list)
        self._sizes: dict[str, int] = {}
        for paper in papers:
            own = paper.kind is not Kind.BACKGROUND
            title = features(paper.title)
            found = title | features(f"{paper.title} · {paper.summary or ''}")
            vocabulary |= title.keys()
            for feature in found:
                counts[own][feature] += 1.0 if feature in title else _SUMMARY
            if own:
                self._sizes[paper.id] = len(found)
                for feature in found:
                    self._holders[feature].append(paper.id)
        self._weights = _log_odds(vocabulary, counts[True], counts[False])

    def of(self, title: str, abstract: str = "") -> Alike:
        """Return how like the catalogue a work is."""
        found = features(f"{title} · {abstract}")
        weights = {feature: self._weights.get(feature, 0.0) for feature in found}
        likeness = sum(weights.values()) / math.sqrt(max(1, len(found)))
        telling = sorted((each for each in found if weights[each] > 0), key=lambda each: (-weights[each], each))
        return Alike(round(likeness, 2), _apart([found[each] for each in telling]), self._nearest(telling))

    def _nearest(self, telling: Iterable[str]) -> tuple[str, ...]:
        """Return the papers that share most of what tells, a paper of few features before one of many."""
        shared: defaultdict[str, float] = defaultdict(float)
        for feature in telling:
            weight = self._weights[feature] / len(self._holders[feature]) if self._holders[feature] else 0.0
            for id in self._holders[feature]:
                shared[id] += weight / math.sqrt(self._sizes[id])
        return tuple(sorted(shared, key=lambda id: (-shared[id], id))[:_NEAREST])


def features(text: str) -> dict[str, str]:
    """Return the words of a text without their endings, and pairs of them -> how the text first writes each."""
    found: dict[str, str] = {}
    # No pair reaches from one sentence into the next.
    for part in text.replace(":", "·").replace(". ", "·").split("·"):
        # Folding takes some scripts' letters apart.
        words = [
            word
            for word in unicodedata.normalize("NFC", fold(part)).split()
            if word not in STOP_WORDS and len(word) > 1
        ]
        stems = list(map(_stem, words))
        for stem, word in zip(stems, words, strict=True):
            found.setdefault(stem, word)
        for at in range(len(words) - 1):
            found.setdefault(f"{stems[at]} {stems[at + 1]}", f"{words[at]} {words[at + 1]}")
    return found


def _log_odds(vocabulary: set[str], own: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    own_total, other_total = (sum(side.get(feature, 0.0) + _PRIOR for feature in vocabulary) for side in (own, other))
    return {
        feature: math.log((own.get(feature, 0.0) + _PRIOR) / own_total)
        - math.log((other.get(feature, 0.0) + _PRIOR) / other_total)
        for feature in sorted(vocabulary)
    }


def _stem(word: str) -> str:
    return next((word[: -len(end)] for end in _ENDINGS if word.endswith(end) and len(word) - len(end) > 3), word)


def _apart(words: Iterable[str]) -> tuple[str, ...]:
    """Return the first few that do not repeat each other."""
    kept: list[str] = []
    for word in words:
        if not any(set(word.split()) & set(other.split()) for other in kept):
            kept.append(word)
    return tuple(kept[:_WORDS])
