"""Reading texts exactly off the gradients of two linear layers of a transformer that looks both ways: DAGER."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.attacks.spans import AT_ONCE, Span, allowed_tokens
from inversion_atlas.reference.observations import SharedTextGradient, expect


def dager_encoder(
    observation: SharedTextGradient,
    *,
    first: str,
    second: str,
    end: int | None = None,
    tolerance: float = 1e-3,
    limit: int = 100_000,
    seed: int = 0,
    progress: Progress = silent,
) -> RecoveredTexts:
    """Recover a batch of texts exactly from an encoder. DAGER (petrov2024dager), its search of whole texts.

    As in `dager`, a token may stand at a position if the input that it gives `first` lies in the span of that layer's
    gradient; of these the nearest are kept, as many as the batch has texts. What the second layer takes in depends on
    the whole text, so no beginning can be told from another: every combination of the tokens is tried, shortest texts
    first, and is a text if all its inputs lie in the span of `second`. There are up to the batch size to the power of
    the length. Where there are more than `limit` of one length, so many are drawn at random, and texts are missed.

    Tokens of a text that was found are left out from then on where a position has others, as the authors do; if texts
    are missing in the end, a second pass tries all. `end` is the token at the end of every text, where there is one,
    as BERT's separator; it tells the lengths. Unlike the authors' code this gives back exact texts alone, not the
    nearest in place of those that were missed. `converged` says whether as many texts were found as the batch has.
    """
    observation = expect(observation, SharedTextGradient, "dager_encoder")
    spans = [Span.of(observation, name) for name in (first, second)]
    if any(span.rank == span.width for span in spans):
        return RecoveredTexts((), math.inf, 0, converged=False)
    size, generator = observation.batch_size, torch.Generator().manual_seed(seed)
    allowed = allowed_tokens(observation, spans[0], tolerance)
    lengths = _lengths(observation, allowed, end)
    nearest = [tokens[:size] for tokens in allowed]
    found: dict[tuple[int, ...], float] = {}
    evaluations = 0
    for turn, length in enumerate(2 * lengths):
        if len(found) < size:
            others = () if turn >= len(lengths) else tuple(found)
            choices = _choices(nearest, others, length, end)
            for tried in _combinations(choices, limit, generator):
                distances = spans[1].distances(observation, tried).amax(dim=1)
                evaluations += len(tried)
                fits = distances < tolerance
                found |= {tuple(t.tolist()): float(d) for t, d in zip(tried[fits], distances[fits], strict=True)}
        progress(turn + 1, 2 * len(lengths))
    texts = sorted(found, key=lambda text: found[text])[:size]
    worst = max((found[text] for text in texts), default=math.inf)
    return RecoveredTexts(tuple(texts), worst, evaluations, converged=len(texts) == size)


def _lengths(observation: SharedTextGradient, allowed: list[Tensor], end: int | None) -> list[int]:
    """The lengths that a text may have, shortest first: those known, or those whose every position has a token."""
    filled = next((place for place, tokens in enumerate(allowed) if not len(tokens)), len(allowed))
    possible = set(range(1, filled + 1))
    if end is not None:
        possible &= {place + 1 for place, tokens in enumerate(allowed) if end in tokens}
    if observation.lengths is not None:
        possible &= set(observation.lengths.tolist())
    return sorted(possible)


def _choices(nearest: list[Tensor], found: tuple[tuple[int, ...], ...], length: int, end: int | None) -> list[Tensor]:
    """The tokens to try at each position of a text, without those of texts already found where others remain."""
    choices = []
    for place, tokens in enumerate(nearest[:length]):
        if end is not None:
            last = place == length - 1
            tokens = torch.tensor([end]) if last else tokens[tokens != end]
        used = torch.tensor([text[place] for text in found if len(text) > place], dtype=torch.long)
        left = tokens[~torch.isin(tokens, used)]
        choices.append(left if len(left) else tokens)
    return choices


def _combinations(choices: list[Tensor], limit: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield every text that takes a token of each position, in parts; so many at random where there are more."""
    total = math.prod(map(len, choices))
    if not total:
        return
    if total <= limit:
        yield from torch.cartesian_prod(*choices).view(total, len(choices)).split(AT_ONCE)
        return
    drawn = [tokens[torch.randint(len(tokens), (limit,), generator=generator)] for tokens in choices]
    yield from torch.stack(drawn, dim=1).split(AT_ONCE)
