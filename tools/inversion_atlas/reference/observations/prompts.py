"""What a client sends to a language model on a server in place of its words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from inversion_atlas.reference.observations.access import also, under
from inversion_atlas.reference.observations.texts import refuse_texts


@dataclass(frozen=True, slots=True, eq=False)
class SentEmbeddings:
    """The embeddings of texts that a client sent, and the table of embeddings that the server's model has.

    `embeddings` are of shape (tokens, width), those of one text after those of another; `lengths` are how many were
    sent of each. A row of `table` (vocabulary, width) is the embedding of a token; `padding` is never sent.
    """

    embeddings: Tensor
    lengths: Tensor
    table: Tensor
    padding: int
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of_tokens(cls, table: Tensor, tokens: Tensor, *, padding: int) -> SentEmbeddings:
        """Look up, as a client would, the embeddings of texts as token numbers, padded at the right.

        Raises ValueError for what is no batch of texts.
        """
        if table.ndim != 2:
            raise ValueError(f"table must be of shape (vocabulary, width), not {tuple(table.shape)}")
        refuse_texts(tokens, len(table), padding)
        present = tokens != padding
        rows = table.detach().clone()
        return cls(rows[tokens[present]], present.sum(dim=1), rows, padding)

    def with_embeddings(self, embeddings: Tensor, *, defense: str = "") -> SentEmbeddings:
        """Return the same observation with other embeddings; `defense` says in words what changed them."""
        if embeddings.shape != self.embeddings.shape:
            raise ValueError(f"embeddings must be of shape {tuple(self.embeddings.shape)}")
        return replace(self, embeddings=embeddings.detach().clone(), defenses=also(self.defenses, defense))

    def describe(self) -> str:
        """Return the threat model in a line."""
        told = f"embeddings of {len(self.lengths)} texts as sent, the table of embeddings, not the model"
        return ", ".join([told, *under(self.defenses)])
