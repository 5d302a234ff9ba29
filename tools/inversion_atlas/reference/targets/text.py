"""Real sentences that installed packages carry, and small transformers that tell which package they document."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from inversion_atlas.reference.targets.data import Images, Split

# Packages under the BSD license and the parts of each whose documentation is read: the class is the package.
_SOURCES = {
    "scikit-learn": ("sklearn", ("cluster", "ensemble", "linear_model", "metrics", "model_selection", "neighbors")),
    "scikit-image": ("skimage", ("feature", "filters", "measure", "morphology", "restoration", "segmentation")),
    "statsmodels": ("statsmodels", ("discrete", "duration", "genmod", "nonparametric", "regression", "tsa")),
}
_DOCSTRING = re.compile(r'"""(.+?)"""', re.DOTALL)
_SENTENCE = re.compile(r"(?:^|(?<=\. ))[A-Z][A-Za-z' -]+\.(?= |$)")
_WORDS = (4, 10)
PADDING = "<pad>"
PADDING_NUMBER = 0
END = "."
END_NUMBER = 1
WIDTH = 128


@dataclass(frozen=True, slots=True, eq=False)
class Texts(Images):
    """Sentences as numbers of words, of shape (sentences, length), padded at the right with 0, and their classes."""

    @property
    def tokens(self) -> Tensor:
        return self.images

    @property
    def lengths(self) -> Tensor:
        return (self.images != PADDING_NUMBER).sum(dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class Corpus(Split):
    """Sentences split at random; `words` is the vocabulary, which is public, with the padding first."""

    private: Texts
    test: Texts
    public: Texts
    words: tuple[str, ...]

    def text(self, tokens: Sequence[int] | Tensor) -> str:
        """Return the words of one sentence, without padding."""
        return " ".join(self.words[int(token)] for token in tokens if int(token))


@lru_cache(maxsize=1)
def sentences() -> Corpus:
    """Short sentences from the documentation in three packages' source files: half private, a quarter test or public.

    Sentences have 4 to 10 words of letters in lower case and end with a point, which is a word of its own. Words that
    stand in one sentence alone are no part of the vocabulary, and such sentences are left out.
    """
    labels = documentation(_WORDS)
    seen = Counter(word for sentence in labels for word in set(sentence.split()))
    kept = [sentence for sentence in labels if all(seen[word] > 1 for word in sentence.split())]
    words = (PADDING, END, *sorted({word for sentence in kept for word in sentence.split()} - {END}))
    order = torch.randperm(len(kept), generator=torch.Generator().manual_seed(0)).tolist()
    half, quarter = len(kept) // 2, len(kept) // 4
    private, test, public = (
        _texts([kept[item] for item in part], labels, words)
        for part in (order[:half], order[half : half + quarter], order[half + quarter :])
    )
    return Corpus("sentences", tuple(_SOURCES), private, test, public, words)


def documentation(between: tuple[int, int]) -> dict[str, int]:
    """Return the sentences of so many words in three packages' documentation, and which package's each is."""
    labels: dict[str, int] = {}
    for label, (package, parts) in enumerate(_SOURCES.values()):
        for sentence in documented(package, parts, between):
            labels.setdefault(sentence, label)
    return labels


def documented(package: str, parts: Sequence[str], between: tuple[int, int] = _WORDS) -> Iterator[str]:
    """Yield the sentences of so many words in a package's docstrings, in lower case, the point set apart."""
    for path in source_files(package, parts):
        for docstring in _DOCSTRING.findall(path.read_text(encoding="utf-8")):
            for paragraph in re.split(r"\n\s*\n", docstring):
                for sentence in _SENTENCE.findall(" ".join(paragraph.split())):
                    words = sentence[:-1].lower().split()
                    if between[0] <= len(words) <= between[1] and all(word.strip("-'") == word for word in words):
                        yield " ".join((*words, END))


def source_files(package: str, parts: Sequence[str]) -> list[Path]:
    """Return the modules of some parts of an installed package, without its tests."""
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.submodule_search_locations
    root = Path(found.submodule_search_locations[0])
    return sorted(path for part in parts for path in (root / part).rglob("*.py") if "tests" not in path.parts)


def _texts(part: Sequence[str], labels: dict[str, int], words: Sequence[str]) -> Texts:
    numbers = {word: number for number, word in enumerate(words)}
    tokens = torch.zeros(len(part), _WORDS[1] + 1, dtype=torch.long)
    for row, sentence in enumerate(part):
        found = [numbers[word] for word in sentence.split()]
        tokens[row, : len(found)] = torch.tensor(found)
    return Texts(tokens, torch.tensor([labels[sentence] for sentence in part]))


class Transformer(nn.Module):
    """A transformer that takes token numbers (batch, length), padded with 0 at the right, and returns logits.

    As GPT-2: embeddings of tokens and positions, layers that normalize first, queries, keys and values from one linear
    layer. The mean over the tokens of a sentence goes into the last layer. A token looks at those before it where the
    transformer is `causal`, as a decoder is, and at all of its sentence where it is not, as in an encoder.
    """

    def __init__(
        self, vocabulary: int, length: int, classes: int, *, width: int, heads: int, layers: int, causal: bool
    ) -> None:
        super().__init__()
        self.causal = causal
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(length, width)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.normalize = nn.LayerNorm(width)
        self.classify = nn.Linear(width, classes)
        nn.init.normal_(self.tokens.weight, std=0.1)
        nn.init.normal_(self.positions.weight, std=0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        present = tokens != PADDING_NUMBER
        states = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        # Padding stands at the right, where a causal layer lets no token look.
        hidden = later(tokens.shape[1]) if self.causal else ~present[:, None, None, :]
        for layer in self.layers:
            states = layer(states, hidden)
        states = self.normalize(states) * present[:, :, None]
        logits: Tensor = self.classify(states.sum(dim=1) / present.sum(dim=1, keepdim=True).clamp_min(1))
        return logits


def later(length: int) -> Tensor:
    """Return what a causal layer hides: for each token of a sentence those after it, of shape (length, length)."""
    return torch.ones(length, length, dtype=torch.bool).triu(1)


class Layer(nn.Module):
    """A layer of a transformer; `hidden` says where a token must not look, against scores of each head."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, states: Tensor, hidden: Tensor) -> Tensor:
        batch, length, width = states.shape
        parts = self.attention(self.before_attention(states)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        # Written out: the fused kernel has no second derivative, which gradient matching takes.
        scores = query @ key.transpose(-1, -2) / (width // self.heads) ** 0.5
        mixed = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1) @ value
        states = states + self.joined(mixed.transpose(1, 2).reshape(batch, length, width))
        changed: Tensor = states + self.mlp(self.before_mlp(states))
        return changed


def transformer(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Two causal layers, 128 wide, with four heads, for the vocabulary of `sentences`."""
    return _built(shape, classes, causal=True)


def encoder(shape: tuple[int, ...], classes: int) -> nn.Module:
    """The same transformer, but its tokens look both ways."""
    return _built(shape, classes, causal=False)


def _built(shape: tuple[int, ...], classes: int, *, causal: bool) -> nn.Module:
    return Transformer(len(sentences().words), shape[0], classes, width=WIDTH, heads=4, layers=2, causal=causal)
