"""Reading texts exactly off the gradients of two linear layers of a causal transformer: DAGER."""

from __future__ import annotations

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.attacks.spans import Span, allowed_tokens
from inversion_atlas.reference.observations import SharedTextGradient, expect


def dager(
    observation: SharedTextGradient,
    *,
    first: str,
    second: str,
    tolerance: float = 1e-3,
    limit: int = 10_000,
    progress: Progress = silent,
) -> RecoveredTexts:
    """Recover a batch of texts exactly. DAGER (petrov2024dager), its greedy search for causal transformers.

    The gradient of a linear layer's weight is a sum of outer products with the layer's inputs, so its rows span them.
    `first` and `second` name the linear layers that make the queries, or queries, keys and values, in the first two
    attention layers. The first takes the embedding of a token at a position, normalized: a token may stand there if its
    input lies in the span. The second takes what the first layer made of a prefix: prefixes are extended by such tokens
    and kept where their last input lies in the second span. One that nothing extends is a text.

    An input lies in a span if its distance, over its length, is below `tolerance`; where more than `limit` sequences
    would have to be tried at a position, the prefixes nearest to the span are extended and the others lost. The authors
    use 1e-5 for the first layer and 1e-3 for the second; here rounding decides about singular values, those below
    float32's precision times the largest, and both layers share the looser number. Of two equal texts one is found, and
    none that is the beginning of another. Where the spans are all of space, as with more tokens than the layers are
    wide or with noise, nothing can be told and no text is returned. For models that look both ways there is
    `dager_encoder`. `converged` says whether as many texts were found as the batch has.
    """
    observation = expect(observation, SharedTextGradient, "dager")
    spans = [Span.of(observation, name) for name in (first, second)]
    if any(span.rank == span.width for span in spans):
        return RecoveredTexts((), float("inf"), 0, converged=False)
    allowed = allowed_tokens(observation, spans[0], tolerance)
    prefixes, found, evaluations = torch.zeros(1, 0, dtype=torch.long), [], 0
    distances = torch.zeros(1, dtype=torch.float64)
    for position in range(observation.length + 1):
        tokens = allowed[position] if position < observation.length else allowed[0][:0]
        kept = max(1, limit // max(1, len(tokens)))
        prefixes, distances = prefixes[:kept], distances[:kept]
        extended = _extended(prefixes, tokens)
        last = spans[1].distances(observation, extended)[:, -1] if len(extended) else distances[:0]
        evaluations += len(extended)
        fits = (last < tolerance).view(len(prefixes), len(tokens))
        if position:
            found += [
                (float(distance), tuple(prefix.tolist()))
                for prefix, distance in zip(prefixes[~fits.any(dim=1)], distances[~fits.any(dim=1)], strict=True)
            ]
        # The distance of a prefix is the largest of its tokens.
        so_far = distances.repeat_interleave(len(tokens)).maximum(last)[fits.flatten()]
        nearest = so_far.argsort(stable=True)
        prefixes, distances = extended[fits.flatten()][nearest], so_far[nearest]
        progress(position + 1, observation.length + 1)
        if not len(prefixes):
            break
    best = sorted(found)[: observation.batch_size]
    worst = max((distance for distance, _ in best), default=float("inf"))
    texts = tuple(text for _, text in best)
    return RecoveredTexts(texts, worst, evaluations, converged=len(texts) == observation.batch_size)


def _extended(prefixes: Tensor, tokens: Tensor) -> Tensor:
    """Each prefix followed by each token."""
    return torch.cat(
        (prefixes.repeat_interleave(len(tokens), dim=0), tokens.repeat(len(prefixes))[:, None]),
        dim=1,
    )
