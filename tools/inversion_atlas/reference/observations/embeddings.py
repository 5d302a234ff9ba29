"""Vectors that an encoder made of private texts, as a database of them holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import AccessError, Model, also, copied, defenses_of, under
from inversion_atlas.reference.observations.interface import Interface, limited
from inversion_atlas.reference.observations.texts import refuse_texts


class EncoderInterface(Interface):
    """An encoder behind an interface that returns the vector of any text, counted and limited.

    A text is a row of token numbers, of shape (batch, length), padded at the right.
    """

    __slots__ = ()

    def __init__(self, encoder: Model, *, length: int, vocabulary: int, limit: int | None = None) -> None:
        model = copied(encoder, "eval") if isinstance(encoder, nn.Module) else encoder
        super().__init__(
            lambda tokens: model(tokens).clone(), input_shape=(length,), data_range=(0, vocabulary - 1), limit=limit
        )

    def query(self, tokens: Tensor) -> Tensor:
        """Return the vectors of texts, of shape (batch, width); raises QueryLimitReached, then answers none."""
        return self._ask(tokens)


@dataclass(frozen=True, slots=True, eq=False)
class TextEmbeddings:
    """Vectors of private texts, queries to their encoder or none, and texts that leaked with their vectors.

    A text is a row of token numbers from 0 to `vocabulary` - 1, padded at the right with `padding` to `length`.
    """

    vectors: Tensor
    encoder: EncoderInterface | None
    leaked_texts: Tensor | None
    leaked_vectors: Tensor | None
    length: int
    vocabulary: int
    padding: int
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of_texts(
        cls,
        encoder: Model,
        tokens: Tensor,
        *,
        vocabulary: int,
        padding: int,
        grants: Literal["queries", "nothing"],
        limit: int | None = None,
        leaked: Tensor | None = None,
    ) -> TextEmbeddings:
        """Store the vectors that `encoder` makes of private texts (batch, length), and of those that leaked.

        `grants` belongs to the threat model and is never guessed: queries to the encoder, or nothing of it. Raises
        ValueError for texts that make no sense, and where a private text is among those that leaked.
        """
        if grants not in ("queries", "nothing"):
            raise ValueError(f"grants must be 'queries' or 'nothing', not {grants!r}")
        refuse_texts(tokens, vocabulary, padding)
        length = tokens.shape[1]
        # The interface's copy is made before the private texts pass, lest a layer remember what it saw.
        granted = None
        if grants == "queries":
            granted = EncoderInterface(encoder, length=length, vocabulary=vocabulary, limit=limit)
        model = copied(encoder, "eval") if isinstance(encoder, nn.Module) else encoder
        vectors = _vectors(model, tokens)
        known: tuple[Tensor | None, Tensor | None] = (None, None)
        if leaked is not None:
            refuse_texts(leaked, vocabulary, padding)
            if {*map(tuple, leaked.tolist())} & {*map(tuple, tokens.tolist())}:
                raise ValueError("a private text is among those that leaked")
            known = (leaked.detach().clone(), _vectors(model, leaked))
        return cls(vectors, granted, *known, length, vocabulary, padding, defenses_of(encoder))

    def stored(self) -> dict[str, Tensor]:
        """Return the vectors by name; those of texts that leaked come from the same place."""
        leaked = {} if self.leaked_vectors is None else {"leaked": self.leaked_vectors}
        return {"vectors": self.vectors, **leaked}

    def with_stored(self, stored: Mapping[str, Tensor], *, defense: str = "") -> TextEmbeddings:
        """Return the same observation with other vectors; `defense` says in words what changed them."""
        expected = {name: part.shape for name, part in self.stored().items()}
        if {name: part.shape for name, part in stored.items()} != expected:
            raise ValueError("vectors have other names or shapes than those stored")
        given = {name: part.detach().clone() for name, part in stored.items()}
        defenses = also(self.defenses, defense)
        return replace(self, vectors=given["vectors"], leaked_vectors=given.get("leaked"), defenses=defenses)

    def granted_queries(self, attack: str) -> EncoderInterface:
        """Return the interface to the encoder; raises AccessError where it was not granted."""
        if self.encoder is None:
            raise AccessError(f"{attack} needs queries to the encoder; granted are {self.describe()}")
        return self.encoder

    def granted_pairs(self, attack: str) -> tuple[Tensor, Tensor]:
        """Return the texts that leaked, and their vectors; raises AccessError where none did."""
        if self.leaked_texts is None or self.leaked_vectors is None:
            raise AccessError(f"{attack} needs texts that leaked with their vectors; granted are {self.describe()}")
        return self.leaked_texts, self.leaked_vectors

    def describe(self) -> str:
        """Return the threat model in a line."""
        line = [f"vectors of {len(self.vectors)} texts"]
        if self.encoder is None:
            line.append("no queries to their encoder")
        else:
            line += ["queries to their encoder", *limited(self.encoder)]
        if self.leaked_texts is not None:
            line.append(f"{len(self.leaked_texts)} other texts that leaked with their vectors")
        return ", ".join([*line, *under(self.defenses)])


@torch.no_grad()
def _vectors(model: Model, tokens: Tensor) -> Tensor:
    vectors = model(tokens.detach().clone())
    if vectors.ndim != 2 or len(vectors) != len(tokens):
        raise ValueError(f"the encoder must return vectors of shape (batch, width), not {tuple(vectors.shape)}")
    return vectors.clone()
