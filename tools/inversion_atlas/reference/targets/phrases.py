"""Short runs of words from the documentation that packages carry, and an encoder that turns each into a vector."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.targets.text import PADDING, Corpus, Texts

# Packages under the BSD license: the class of a phrase is the package that documents itself with it.
_SOURCES = {"pandas": "pandas", "scikit-learn": "sklearn", "scipy": "scipy", "statsmodels": "statsmodels"}
_DOCSTRING = re.compile(r'"""(.+?)"""', re.DOTALL)
_BREAK = re.compile(r"\n\s*\n|[.,;:!?()\[\]]+(?=\s|$)|\s[-(]")
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*$")
_LENGTHS = (4, 7)
_LONGEST_CLAUSE = 30
_VOCABULARY = 300
_PRIVATE, _TEST, _PUBLIC = 3000, 1000, 8000
WIDTH = 96


@lru_cache(maxsize=1)
def phrases() -> Corpus:
    """Phrases of 4 to 7 words from four packages' docstrings: 3,000 private, 1,000 to test, 8,000 public, distinct.

    A phrase is a whole run of words, in lower case and between punctuation, of the 300 words that are used most;
    other words end it, so it need not be a sentence. Which package it stands in first is its class.
    """
    clauses = {label: sorted(_clauses(package)) for label, package in enumerate(_SOURCES.values())}
    used = Counter(word for found in clauses.values() for clause in found for word in clause if _WORD.match(word))
    words = (PADDING, *sorted(word for word, _ in used.most_common(_VOCABULARY)))
    numbers = {word: number for number, word in enumerate(words)}
    labels: dict[tuple[int, ...], int] = {}
    for label, found in clauses.items():
        for clause in found:
            for run in _runs(clause, numbers):
                labels.setdefault(run, label)
    runs = list(labels)
    order = torch.randperm(len(runs), generator=torch.Generator().manual_seed(0)).tolist()
    private, test, public = (
        _texts([runs[place] for place in order[begin:end]], labels)
        for begin, end in ((0, _PRIVATE), (_PRIVATE, _PRIVATE + _TEST), (_PRIVATE + _TEST, _PRIVATE + _TEST + _PUBLIC))
    )
    return Corpus("phrases", tuple(_SOURCES), private, test, public, words)


def _clauses(package: str) -> set[tuple[str, ...]]:
    """The words between punctuation in a package's docstrings, in lower case."""
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.submodule_search_locations
    root = Path(found.submodule_search_locations[0])
    clauses = set()
    for path in root.rglob("*.py"):
        if "tests" not in path.parts:
            for docstring in _DOCSTRING.findall(path.read_text(encoding="utf-8")):
                clauses |= {tuple(clause.lower().split()) for clause in _BREAK.split(docstring)}
    return {clause for clause in clauses if _LENGTHS[0] <= len(clause) <= _LONGEST_CLAUSE}


def _runs(clause: Sequence[str], numbers: dict[str, int]) -> Iterator[tuple[int, ...]]:
    """Yield the runs of known words in a clause that are as long as a phrase, as numbers of words."""
    run: list[int] = []
    for word in (*clause, ""):
        if word in numbers:
            run.append(numbers[word])
            continue
        if _LENGTHS[0] <= len(run) <= _LENGTHS[1]:
            yield tuple(run)
        run = []


def _texts(runs: Sequence[tuple[int, ...]], labels: dict[tuple[int, ...], int]) -> Texts:
    tokens = torch.zeros(len(runs), _LENGTHS[1], dtype=torch.long)
    for row, run in enumerate(runs):
        tokens[row, : len(run)] = torch.tensor(run)
    return Texts(tokens, torch.tensor([labels[run] for run in runs]))


class Encoder(nn.Module):
    """Turns texts (batch, length), padded with 0, into vectors (batch, width) of equal length.

    Embeddings of tokens and positions, one layer of attention in both directions, the mean over the tokens, a linear
    layer, and what makes each vector's mean 0 and its variance 1.
    """

    def __init__(self, vocabulary: int, length: int, *, inner: int, heads: int, width: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, inner), nn.Embedding(length, inner)
        self.before_attention, self.before_mlp = nn.LayerNorm(inner), nn.LayerNorm(inner)
        self.heads, self.attention, self.joined = heads, nn.Linear(inner, 3 * inner), nn.Linear(inner, inner)
        self.mlp = nn.Sequential(nn.Linear(inner, 2 * inner), nn.GELU(), nn.Linear(2 * inner, inner))
        self.vector = nn.Sequential(nn.Linear(inner, width), nn.LayerNorm(width, elementwise_affine=False))

    def forward(self, tokens: Tensor) -> Tensor:
        present = tokens != 0
        states = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        batch, length, inner = states.shape
        parts = self.attention(self.before_attention(states)).view(batch, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=present[:, None, None, :])
        states = states + self.joined(mixed.transpose(1, 2).reshape(batch, length, inner))
        states = (states + self.mlp(self.before_mlp(states))) * present[:, :, None]
        vectors: Tensor = self.vector(states.sum(dim=1) / present.sum(dim=1, keepdim=True))
        return vectors


class BagEncoder(nn.Module):
    """An encoder of another kind: the mean of embeddings through two layers; the order of words is lost."""

    def __init__(self, vocabulary: int, *, inner: int, width: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, inner, padding_idx=0)
        self.vector = nn.Sequential(nn.Linear(inner, width), nn.LayerNorm(width, elementwise_affine=False))

    def forward(self, tokens: Tensor) -> Tensor:
        mean = self.tokens(tokens).sum(dim=1) / (tokens != 0).sum(dim=1, keepdim=True)
        vectors: Tensor = self.vector(mean)
        return vectors


def encoder(shape: tuple[int, ...], classes: int) -> nn.Module:
    """The encoder of `phrases`, vectors 96 wide, and the layer that tells from a vector which package it was."""
    words = len(phrases().words)
    return nn.Sequential(Encoder(words, shape[0], inner=64, heads=4, width=WIDTH), nn.Linear(WIDTH, classes))


def surrogate(shape: tuple[int, ...], classes: int) -> nn.Module:
    """What an adversary may have instead: an encoder of another architecture, vectors 128 wide, and its last layer."""
    return nn.Sequential(BagEncoder(len(phrases().words), inner=64, width=128), nn.Linear(128, classes))
