"""Training data out of a language model by queries: continuing what stands in it, or sampling and ranking."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.attacks.text_matching import LanguageModel
from inversion_atlas.reference.observations import NextToken, expect

Ranking = Literal["perplexity", "zlib", "reference"]


def prefix_extraction(
    observation: NextToken, prefixes: Tensor, *, length: int, progress: Progress = silent
) -> RecoveredTexts:
    """Have the model continue the beginnings of texts, token after token. Code extraction (salerno2025much).

    `prefixes` are token numbers (texts, prefix), each from a text that may be in the training data; `length` tokens are
    added to each, always the most probable one. Returned are these continuations, in the order of the prefixes. The
    paper's abstract and summaries are what we read: that continuations are compared with the training data word by
    word, that prefixes differ in length and texts in how often they stand there. That decoding is greedy is ours.
    The objective is the mean negative log-likelihood of a token.
    """
    observation = expect(observation, NextToken, "prefix-extraction")
    before, texts, sure = observation.queries, prefixes, torch.zeros(len(prefixes))
    for step in range(length):
        likely, following = observation.query(texts)[:, -1].max(dim=1)
        texts, sure = torch.cat((texts, following[:, None]), dim=1), sure - likely.log()
        progress(step + 1, length)
    found = tuple(tuple(text) for text in texts[:, prefixes.shape[1] :].tolist())
    return RecoveredTexts(found, float(sure.mean()) / length, observation.queries - before, converged=True)


def sampled_extraction(
    observation: NextToken,
    *,
    start: int,
    end: int,
    ranking: Ranking = "perplexity",
    reference: LanguageModel | None = None,
    spelled: Callable[[Tensor], str] | None = None,
    samples: int = 1000,
    top_k: int = 40,
    seed: int = 0,
    progress: Progress = silent,
) -> RecoveredTexts:
    """Sample texts from the model and rank them by how likely it learned them by heart (carlini2021extracting).

    Each text begins after the token `start` and runs to the token `end`; those that reach the context's end first are
    dropped, and of equal ones one is kept. The next token is drawn from the `top_k` most probable, 40 as in the paper.
    Returned are the texts, without `start`, the likeliest to be training data first, by the paper's rankings:
    `perplexity` alone, the length that zlib needs for the text over the logarithm of the perplexity (`spelled` turns
    tokens into text), or that of a second model, `reference`, over it. Left out are lower-casing, windows, and samples
    that begin with text of the web or with a temperature that falls. The objective is the mean logarithm of the
    perplexity.
    """
    observation = expect(observation, NextToken, "training-data-extraction")
    before = observation.queries
    generator = torch.Generator().manual_seed(seed)
    texts = torch.full((samples, 1), start)
    ended = torch.zeros(samples, dtype=torch.bool)
    losses = torch.zeros(samples)
    for step in range(observation.context):
        following = observation.query(texts)[:, -1]
        likely, tokens = following.topk(min(top_k, observation.vocabulary), dim=1)
        drawn = tokens.gather(1, torch.multinomial(likely, 1, generator=generator))
        losses -= following.gather(1, drawn)[:, 0].log() * ~ended
        texts = torch.cat((texts, drawn.masked_fill(ended[:, None], end)), dim=1)
        ended |= drawn[:, 0] == end
        progress(step + 1, observation.context)
        if bool(ended.all()):
            break
    found: dict[tuple[int, ...], float] = {}
    for text, loss in zip(texts[ended, 1:].tolist(), losses[ended].tolist(), strict=True):
        whole = tuple(text[: text.index(end) + 1])
        found.setdefault(whole, loss / len(whole))
    scores = {text: _memorized(text, loss, ranking, reference, spelled) for text, loss in found.items()}
    ranked = tuple(sorted(scores, key=scores.__getitem__, reverse=True))
    mean = sum(found.values()) / len(found) if found else float("inf")
    return RecoveredTexts(ranked, mean, observation.queries - before, converged=bool(ranked))


def _memorized(
    text: tuple[int, ...],
    loss: float,
    ranking: Ranking,
    reference: LanguageModel | None,
    spelled: Callable[[Tensor], str] | None,
) -> float:
    """How likely a text is training data that others would not produce; `loss` is the logarithm of its perplexity."""
    if ranking == "perplexity":
        return -loss
    tokens = torch.tensor(text)
    if ranking == "zlib" and spelled is not None:
        return len(zlib.compress(spelled(tokens).encode())) / loss
    if ranking == "reference" and reference is not None:
        return float(reference(tokens[None])) / loss
    raise ValueError(f"ranking must be perplexity, zlib with `spelled`, or reference with a model, not {ranking!r}")
