"""A small causal language model, and what it is trained on: real code and sentences, some more often than others."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.targets import text
from inversion_atlas.reference.targets.data import Images, Split

# The package under the BSD license whose functions are read, and in which of its parts.
_CODE = ("networkx", ("algorithms", "classes", "generators"))
# Words with the space before them, line breaks with the indentation, numbers, marks.
_PIECES = re.compile(r" ?[A-Za-z_]+|\n *|[0-9]+| ?[^\sA-Za-z_0-9]|\s")
_FREQUENT = 400  # pieces that are a token of their own; others are spelled
CONTEXT = 40  # tokens that the model takes
_OFFSETS = 17  # a window of training begins at any of so many tokens of a function
_WINDOWS = 2  # windows per copy
# So many functions stand in the training data so often.
_COPIES = {1: 32, 4: 16, 16: 16}
_ASIDE = 240  # functions that are private or held out; the others are public


@dataclass(frozen=True, slots=True, eq=False)
class Windows(Images):
    """Windows of texts as token numbers (windows, context), and the token that follows each, of the same shape."""


@dataclass(frozen=True, slots=True, eq=False)
class CodeCorpus(Split):
    """Functions as windows; `classes` are the tokens.

    `functions` are the first 57 tokens of each private one, `copies` how often it stands in the training data, and
    `held_out` are as many that the model never saw.
    """

    private: Windows
    test: Windows
    public: Windows
    functions: Tensor
    copies: Tensor
    held_out: Tensor

    def text(self, tokens: Sequence[int] | Tensor) -> str:
        """Return the source code that tokens stand for."""
        return "".join(self.classes[int(token)] for token in tokens)


@lru_cache(maxsize=1)
def functions() -> CodeCorpus:
    """Functions of networkx without docstrings, comments and empty lines: 64 private, 64 held out, the rest public.

    A token is a frequent piece of the public functions, or a character. Of the private functions 32 stand once in the
    training data, 16 four times and 16 sixteen times; each copy gives two windows of 40 tokens, which begin anywhere in
    the first 17 tokens. All begin with the `def`; functions of less than 57 tokens are left out.
    """
    found = list(dict.fromkeys(_functions(*_CODE)))
    generator = torch.Generator().manual_seed(0)
    found = [found[place] for place in torch.randperm(len(found), generator=generator).tolist()]
    aside, public = found[:_ASIDE], found[_ASIDE:]
    counts = Counter(piece for function in public for piece in _PIECES.findall(function) if len(piece) > 1)
    characters = sorted({character for function in found for character in function})
    tokens = (*characters, *(piece for piece, _ in counts.most_common(_FREQUENT)))
    private_ones, public_ones = (_encoded(part, tokens) for part in (aside, public))
    number = sum(_COPIES.values())
    copies = torch.tensor([often for often, share in _COPIES.items() for _ in range(share)])
    own, others = private_ones[:number], private_ones[number : 2 * number]
    return CodeCorpus(
        "functions",
        tokens,
        _windows(own.repeat_interleave(copies * _WINDOWS, dim=0), generator),
        _windows(others, generator),
        _windows(public_ones, generator),
        own,
        copies,
        others,
    )


@dataclass(frozen=True, slots=True, eq=False)
class SentenceCorpus(Split):
    """Sentences after the token END, padded with 0; `classes` are the words, the padding first.

    `sentences` are the private ones, each once, and `copies` how often it stands in the training data.
    """

    private: Windows
    test: Windows
    public: Windows
    sentences: Tensor
    copies: Tensor

    def text(self, tokens: Sequence[int] | Tensor) -> str:
        """Return the words of one sentence, without padding."""
        return " ".join(self.classes[int(token)] for token in tokens if int(token))


@lru_cache(maxsize=1)
def repeated_sentences() -> SentenceCorpus:
    """The sentences of `text.sentences`, where half of the private ones stand once, a quarter each 4 and 16 times."""
    corpus = text.sentences()
    private = corpus.private.tokens[: 4 * (len(corpus.private) // 8)]
    copies = torch.tensor([1, 4, 1, 16]).repeat(len(private) // 4)
    repeated, test, public = (
        Windows(functional.pad(tokens[:, :-1], (1, 0), value=1), tokens)
        for tokens in (private.repeat_interleave(copies, dim=0), corpus.test.tokens, corpus.public.tokens)
    )
    return SentenceCorpus("repeated sentences", corpus.words, repeated, test, public, private, copies)


def _functions(package: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield the source of each function of a package's modules, without docstring, comments and empty lines."""
    for path in text.source_files(package, parts):
        source = path.read_text(encoding="utf-8")
        lines = source.split("\n")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) and len(node.body) > 1:
                told = node.body[0]
                kept = lines[node.lineno - 1 : told.lineno - 1] + lines[told.end_lineno : node.end_lineno]
                yield "\n".join(line for line in kept if line.strip() and not line.strip().startswith("#"))


def _encoded(sources: Sequence[str], tokens: Sequence[str]) -> Tensor:
    """Return the first tokens of each source that has enough of them."""
    numbers = {token: number for number, token in enumerate(tokens)}
    rows = [
        [numbers[part] for piece in _PIECES.findall(source) for part in ([piece] if piece in numbers else piece)]
        for source in sources
    ]
    length = CONTEXT + _OFFSETS
    return torch.tensor([row[:length] for row in rows if len(row) >= length])


def _windows(rows: Tensor, generator: torch.Generator) -> Windows:
    """Return a window of each row that begins anywhere."""
    begins = torch.randint(0, _OFFSETS, (len(rows), 1), generator=generator)
    windows = rows.gather(1, begins + torch.arange(CONTEXT + 1))
    return Windows(windows[:, :-1].contiguous(), windows[:, 1:].contiguous())


class CausalModel(nn.Module):
    """A causal transformer over token numbers; it returns logits (texts, vocabulary, length), as cross entropy does."""

    def __init__(self, vocabulary: int, length: int, *, width: int = 64, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        for table in (self.tokens, self.positions):
            nn.init.normal_(table.weight, std=0.05)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.logits(tokens).transpose(1, 2)

    def logits(self, tokens: Tensor) -> Tensor:
        """Return logits of the token after each token, (texts, length, vocabulary)."""
        length = tokens.shape[1]
        states = self.tokens(tokens) + self.positions(torch.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        # The embedding serves as the last layer too.
        logits: Tensor = self.layers(states, mask=mask, is_causal=True) @ self.tokens.weight.T
        return logits


def causal_model(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Two layers, 64 wide, with four heads."""
    return CausalModel(classes, shape[0])
