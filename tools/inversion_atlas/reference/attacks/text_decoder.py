"""A small language model that writes a text from a vector, which stands before its words."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress


class TextDecoder(nn.Module):
    """A causal transformer whose first state is a linear image of a vector (batch, width) and whose others are words.

    `forward` takes vectors and the tokens before, of shape (batch, number), and returns logits of shape
    (batch, number + 1, vocabulary). The padding ends a text. Layers normalize first, as in GPT-2.
    """

    def __init__(
        self, width: int, *, vocabulary: int, length: int, padding: int, inner: int, heads: int, layers: int
    ) -> None:
        super().__init__()
        self.length, self.padding = length, padding
        self.project = nn.Linear(width, inner)
        self.tokens, self.positions = nn.Embedding(vocabulary, inner), nn.Embedding(length + 1, inner)
        self.layers = nn.ModuleList(_Layer(inner, heads) for _ in range(layers))
        self.normalize, self.word = nn.LayerNorm(inner), nn.Linear(inner, vocabulary)
        nn.init.normal_(self.tokens.weight, std=0.1)
        nn.init.normal_(self.positions.weight, std=0.1)

    def forward(self, vectors: Tensor, tokens: Tensor) -> Tensor:
        states = torch.cat((self.project(vectors)[:, None], self.tokens(tokens)), dim=1)
        states = states + self.positions(torch.arange(states.shape[1]))
        for layer in self.layers:
            states = layer(states)
        logits: Tensor = self.word(self.normalize(states))
        return logits

    def surprise(self, vectors: Tensor, texts: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the mean cross entropy of the words of texts (batch, length), and of their end, given vectors."""
        end = functional.pad(texts, (0, 1), value=self.padding)
        counted = functional.pad(texts != self.padding, (1, 0), value=True)
        logits = self(vectors, texts)[counted]
        return functional.cross_entropy(logits, end[counted], label_smoothing=smoothing)

    @torch.no_grad()
    def write(self, vectors: Tensor) -> Tensor:
        """Return the text of each vector, of shape (batch, length), always taking the likeliest word."""
        texts = torch.empty(len(vectors), 0, dtype=torch.long)
        ended = torch.zeros(len(vectors), dtype=torch.bool)
        for _ in range(self.length):
            word = self(vectors, texts)[:, -1].argmax(dim=1).masked_fill(ended, self.padding)
            ended |= word == self.padding
            texts = torch.cat((texts, word[:, None]), dim=1)
        return texts


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, states: Tensor) -> Tensor:
        batch, number, width = states.shape
        parts = self.attention(self.before_attention(states)).view(batch, number, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        states = states + self.joined(mixed.transpose(1, 2).reshape(batch, number, width))
        changed: Tensor = states + self.mlp(self.before_mlp(states))
        return changed


def descend(
    parts: list[nn.Module],
    loss: Callable[[Tensor], Tensor],
    number: int,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    progress: Progress,
) -> None:
    """Lower `loss`, a function of the places of a batch out of `number`, by AdamW, as the authors of GEIA do.

    The rate rises over the first tenth of all steps and falls to none after, in straight lines.
    """
    optimizer = torch.optim.AdamW([p for part in parts for p in part.parameters()], learning_rate, weight_decay=0.01)
    batches = -(-number // batch_size)
    total, rise = epochs * batches, max(1, epochs * batches // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rise, (total - step) / max(1, total - rise))
    )
    for epoch in range(epochs):
        for places in torch.randperm(number).split(batch_size):
            optimizer.zero_grad()
            loss(places).backward()
            optimizer.step()
            schedule.step()
        progress(epoch + 1, epochs)
