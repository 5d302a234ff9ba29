"""A small language model, trained here on public sentences: what an adversary knows of the language of the texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import text
from inversion_atlas.reference.targets.training import cache_folder, digest, keep

# What it learns from besides the public sentences: a package of its own, also under the BSD license.
_PROSE = ("scipy", ("cluster", "interpolate", "linalg", "ndimage", "optimize", "signal", "sparse", "spatial", "stats"))
_WORDS = (3, 30)
_EPOCHS, _BATCH, _RATE, _WEIGHT_DECAY = 6, 64, 1e-2, 0.1
# A sentence begins where another ended.
_START = text.END_NUMBER


class ProseModel(nn.Module):
    """A causal transformer that tells the next word, of a vocabulary with the padding first and one for other words.

    Called with sentences (sentences, length) as token numbers without padding, it returns the logarithm of their
    perplexity, the mean negative log-likelihood per word, of shape (sentences,).
    """

    def __init__(self, words: int, *, width: int = 48, heads: int = 4, layers: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        self.tokens = nn.Embedding(words + 1, width)
        self.positions = nn.Embedding(_WORDS[1] + 2, width)
        self.layers = nn.ModuleList(text.Layer(width, heads) for _ in range(layers))
        self.normalize = nn.LayerNorm(width)
        self.often = nn.Parameter(torch.zeros(words + 1))
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.tokens.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.05)

    def following(self, tokens: Tensor) -> Tensor:
        """Return the logits of the word after each token, of shape (sentences, length, words + 1)."""
        states = self.dropout(self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1])))
        hidden = text.later(tokens.shape[1])
        for layer in self.layers:
            states = layer(self.dropout(states), hidden)
        logits: Tensor = self.dropout(self.normalize(states)) @ self.tokens.weight.T + self.often
        return logits

    def next_word(self, beginnings: Tensor) -> Tensor:
        """Return logarithms (texts, words) of the probability of each word after texts that begin with the start."""
        return self.following(beginnings)[:, -1].log_softmax(dim=1)[:, :-1]

    def forward(self, tokens: Tensor) -> Tensor:
        logits = self.following(functional.pad(tokens[:, :-1], (1, 0), value=_START))
        # Neither padding nor a word outside the vocabulary stands in a sentence.
        logits = logits[:, :, 1:-1]
        surprise: Tensor = functional.cross_entropy(logits.transpose(1, 2), tokens - 1, reduction="none").mean(dim=1)
        return surprise


def language_model(cache: Path | None = None) -> ProseModel:
    """Return the language model that goes with `sentences`, trained now or read from the cache."""
    corpus = text.sentences()
    path = (cache or cache_folder()) / "language" / f"sentences-{digest()}.pt"
    with seeded(0):
        model = ProseModel(len(corpus.words))
        if path.is_file():
            model.load_state_dict(torch.load(path, weights_only=True))
        else:
            _train(model, _numbered(_learned(corpus), corpus.words))
            keep(model.state_dict(), path)
    return model.eval().requires_grad_(False)


def _learned(corpus: text.Corpus) -> list[str]:
    """The public sentences and the documentation of another package, without any private or test sentence."""
    held_back = {corpus.text(row) for part in (corpus.private, corpus.test) for row in part.tokens}
    public = {corpus.text(row) for row in corpus.public.tokens}
    return sorted((public | set(text.documented(*_PROSE, _WORDS))) - held_back)


def _numbered(sentences: list[str], words: tuple[str, ...]) -> Tensor:
    """Sentences as numbers after a start, padded at the right; every word outside the vocabulary has the last one."""
    numbers = {word: number for number, word in enumerate(words)}
    tokens = torch.zeros(len(sentences), _WORDS[1] + 2, dtype=torch.long)
    tokens[:, 0] = _START
    for row, sentence in enumerate(sentences):
        found = [numbers.get(word, len(words)) for word in sentence.split()]
        tokens[row, 1 : len(found) + 1] = torch.tensor(found)
    return tokens


def _train(model: ProseModel, tokens: Tensor) -> None:
    """Train the model in place by Adam with a rate that rises and falls, from how often each word stands anywhere."""
    counts = torch.bincount(tokens[:, 1:].flatten(), minlength=model.often.numel()).float()
    counts[text.PADDING_NUMBER] = 0
    with torch.no_grad():
        model.often.copy_(((counts + 0.5) / (counts + 0.5).sum()).log())
    optimizer = torch.optim.AdamW(model.parameters(), _RATE, weight_decay=_WEIGHT_DECAY)
    batches = list(_batches(tokens))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=len(batches), pct_start=0.1)
    for batch in batches:
        logits = model.following(batch[:, :-1]).transpose(1, 2)
        loss = functional.cross_entropy(logits, batch[:, 1:], ignore_index=text.PADDING_NUMBER)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def _batches(tokens: Tensor) -> Iterator[Tensor]:
    """Yield the batches of all epochs; sentences of like length go together, so that little is padding."""
    lengths = (tokens != text.PADDING_NUMBER).sum(dim=1)
    for _ in range(_EPOCHS):
        for part in torch.randperm(len(tokens)).split(8 * _BATCH):
            for batch in part[lengths[part].argsort(stable=True)].split(_BATCH):
                yield tokens[batch, : int(lengths[batch].max())]
