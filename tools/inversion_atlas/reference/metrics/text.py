"""Scores of recovered text: one value per text, 0 to 1, higher is closer. Match a batch to its originals first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.metrics.arguments import MetricError

Rouge = Literal["1", "2", "L"]
Part = Literal["f1", "precision", "recall"]


def token_accuracy(
    reconstruction: Sequence[Sequence[int]], original: Sequence[Sequence[int]], *, ignored: frozenset[int] = frozenset()
) -> Tensor:
    """Return the share of each text's tokens that stand recovered at their position. Metric `token-accuracy`.

    Positions whose original token is in `ignored` (padding, start) do not count. A reconstruction may be shorter than
    its original, whose further tokens are then lost; a text without a token that counts is refused.
    """
    _paired(reconstruction, original)
    shares = []
    for number, (given, true) in enumerate(zip(reconstruction, original, strict=True)):
        counted = [position for position, token in enumerate(true) if token not in ignored]
        if not counted:
            raise MetricError(f"text {number} has no token to recover")
        hits = sum(position < len(given) and given[position] == true[position] for position in counted)
        shares.append(hits / len(counted))
    return torch.tensor(shares, dtype=torch.float64)


def exact_match(reconstruction: Sequence[str], original: Sequence[str]) -> Tensor:
    """Return 1 for each text recovered character for character, else 0. Metric `exact-match`; nothing is normalized."""
    _paired(reconstruction, original)
    return torch.tensor([float(g == t) for g, t in zip(reconstruction, original, strict=True)], dtype=torch.float64)


def rouge(reconstruction: Sequence[str], original: Sequence[str], *, kind: Rouge = "L", part: Part = "f1") -> Tensor:
    """Return ROUGE-1, ROUGE-2 or ROUGE-L of each text. Metric `rouge`.

    Lin (2004). Words are runs of letters a to z and digits, lower-cased, without stemming, as the common package takes
    them. Papers on gradient inversion report `part="f1"`, times 100. A text without words scores 0.
    """
    _paired(reconstruction, original)
    overlap = _common_subsequence if kind == "L" else _common_grams
    length = 1 if kind == "L" else int(kind)
    scores = []
    for given, true in zip(map(_words, reconstruction), map(_words, original), strict=True):
        found = _grams(given, length).total()
        wanted = _grams(true, length).total()
        hits = overlap(given, true, length)
        precision = hits / found if found else 0.0
        recall = hits / wanted if wanted else 0.0
        both = precision + recall
        f1 = 2 * precision * recall / both if both else 0.0
        scores.append({"f1": f1, "precision": precision, "recall": recall}[part])
    return torch.tensor(scores, dtype=torch.float64)


def _paired(reconstruction: Sequence[object], original: Sequence[object]) -> None:
    if isinstance(reconstruction, str) or isinstance(original, str):
        raise MetricError("texts must be given as a list, also a single one")
    if len(reconstruction) != len(original) or not original:
        raise MetricError(
            f"as many reconstructions as originals are needed, not {len(reconstruction)} and {len(original)}"
        )


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _grams(words: list[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def _common_grams(given: list[str], true: list[str], length: int) -> int:
    return (_grams(given, length) & _grams(true, length)).total()


def _common_subsequence(given: list[str], true: list[str], _: int) -> int:
    lengths = [0] * (len(true) + 1)
    for word in given:
        above = 0
        for place, other in enumerate(true, start=1):
            above, lengths[place] = (
                lengths[place],
                above + 1 if word == other else max(lengths[place], lengths[place - 1]),
            )
    return lengths[-1]
