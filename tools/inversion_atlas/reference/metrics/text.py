"""Scores of recovered text: one value per text, 0 to 1, higher is closer. Match a batch to its originals first."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.metrics.arguments import MetricError

Rouge = Literal["1", "2", "L"]
Part = Literal["f1", "precision", "recall"]

# What SacreBLEU's 13a parts: ASCII punctuation but four marks; points and commas but between digits; dashes after one.
_TOKENS_13A = (
    (re.compile("([" + re.escape("".join(sorted(set(string.punctuation) - set("',-.")))) + "])"), r" \1 "),
    (re.compile(r"(\D)([.,])", re.ASCII), r"\1 \2 "),
    (re.compile(r"([.,])(\D)", re.ASCII), r" \1 \2"),
    (re.compile(r"(\d)(-)", re.ASCII), r"\1 \2 "),
)


def token_accuracy(
    reconstruction: Sequence[Sequence[int]],
    original: Sequence[Sequence[int]],
    *,
    ignored: frozenset[int] = frozenset(),
    count: Literal["position", "bag"] = "position",
) -> Tensor:
    """Return the share of each text's tokens that stand recovered at their position. Metric `token-accuracy`.

    Positions whose original token is in `ignored` (padding, start) do not count. A reconstruction may be shorter than
    its original, whose further tokens are then lost; a text without a token that counts is refused. `count="bag"`
    leaves order out: each token is found as often as it stands in both.
    """
    _paired(reconstruction, original)
    if count not in ("position", "bag"):
        raise MetricError(f"count must be position or bag, not {count}")
    shares = []
    for number, (given, true) in enumerate(zip(reconstruction, original, strict=True)):
        counted = [position for position, token in enumerate(true) if token not in ignored]
        if not counted:
            raise MetricError(f"text {number} has no token to recover")
        if count == "bag":
            hits = (Counter(true[position] for position in counted) & Counter(given)).total()
        else:
            hits = sum(position < len(given) and given[position] == true[position] for position in counted)
        shares.append(hits / len(counted))
    return torch.tensor(shares, dtype=torch.float64)


def exact_match(
    reconstruction: Sequence[str],
    original: Sequence[str],
    *,
    ignore_case: bool = False,
    ignore_punctuation: bool = False,
    ignore_digits: bool = False,
) -> Tensor:
    """Return 1 for each text recovered character for character, else 0. Metric `exact-match`.

    Nothing is normalized unless asked for: case, the punctuation of ASCII and its digits can be left out.
    """
    _paired(reconstruction, original)
    dropped = str.maketrans("", "", string.punctuation * ignore_punctuation + string.digits * ignore_digits)

    def kept(text: str) -> str:
        return (text.lower() if ignore_case else text).translate(dropped)

    matches = [float(kept(given) == kept(true)) for given, true in zip(reconstruction, original, strict=True)]
    return torch.tensor(matches, dtype=torch.float64)


def bleu(
    reconstruction: Sequence[str],
    original: Sequence[str],
    *,
    longest: int = 4,
    smooth: bool = False,
    tokens: Literal["spaces", "13a"] = "spaces",
    corpus: bool = False,
) -> Tensor:
    """Return the overlap of each text with its original in runs of one to `longest` words. Metric `bleu`; 0 to 1.

    The geometric mean of the precisions, times e^(1 - length ratio) where the recovered text is not the longer. A text
    that shares no run of the longest length scores 0; `smooth` adds 1 above and below the line for runs of two or more.
    Words lie between spaces, or are those of SacreBLEU's `13a`, which parts punctuation. `corpus` adds up the counts of
    all texts and gives one value, of shape (1,): that is what SacreBLEU prints, times 100.
    """
    _paired(reconstruction, original)
    if longest < 1:
        raise MetricError(f"longest must be at least 1, not {longest}")
    if tokens not in ("spaces", "13a"):
        raise MetricError(f"tokens must be spaces or 13a, not {tokens}")
    split = _tokens_13a if tokens == "13a" else str.split
    counts = [
        _bleu_counts(split(given), split(true), longest) for given, true in zip(reconstruction, original, strict=True)
    ]
    if corpus:
        counts = [[sum(values) for values in zip(*counts, strict=True)]]
    return torch.tensor([_bleu(each, longest, smooth) for each in counts], dtype=torch.float64)


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


def _bleu_counts(given: list[str], true: list[str], longest: int) -> list[int]:
    """Both lengths, then for each length of runs how many are shared and how many there are."""
    counts = [len(given), len(true)]
    for length in range(1, longest + 1):
        counts += [_common_grams(given, true, length), max(0, len(given) - length + 1)]
    return counts


def _bleu(counts: list[int], longest: int, smooth: bool) -> float:
    found, wanted, *runs = counts
    shared, there = runs[::2], runs[1::2]
    if 0 in shared and not (smooth and shared[0]):
        return 0.0
    # The count of single words is never smoothed.
    extra = [int(smooth and length > 0) for length in range(longest)]
    logarithms = [math.log((s + e) / (t + e)) for s, t, e in zip(shared, there, extra, strict=True)]
    brevity = 1.0 if found > wanted else math.exp(1 - wanted / found)
    return brevity * math.exp(math.fsum(logarithms) / longest)


def _tokens_13a(text: str) -> list[str]:
    """SacreBLEU's standard tokens: punctuation apart, but for points and commas inside numbers."""
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for escaped, plain in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        text = text.replace(escaped, plain)
    text = f" {text} "
    for pattern, replacement in _TOKENS_13A:
        text = pattern.sub(replacement, text)
    return text.split()


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
