"""A language model behind an interface: what comes next, with which probability."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.observations.access import Model, Outputs, copied, defenses_of, under
from inversion_atlas.reference.observations.interface import Interface, limited


class NextToken(Interface):
    """A language model behind an interface that tells how probable each token is after each beginning of a text.

    `model` takes token numbers (texts, length) and returns scores (texts, length, vocabulary) of the token that follows
    each; it must not look ahead. Texts have at most `context` tokens. Each text is a query, whatever its length.
    """

    __slots__ = ("context", "defenses", "vocabulary")

    def __init__(self, model: Model, *, outputs: Outputs, context: int, limit: int | None = None) -> None:
        model = copied(model, "eval") if isinstance(model, nn.Module) else model
        with torch.no_grad():
            scores = model(torch.zeros(1, context, dtype=torch.long))
        if scores.ndim != 3 or scores.shape[:2] != (1, context):
            raise ValueError(f"the model must return scores (texts, length, vocabulary), not {tuple(scores.shape)}")
        self.context, self.vocabulary = context, scores.shape[2]
        self.defenses = defenses_of(model)

        def answer(padded: Tensor) -> Tensor:
            scores = model(padded[:, : int((padded[0] >= 0).sum())])
            return scores.softmax(dim=2) if outputs == "logits" else scores.clone()

        super().__init__(answer, input_shape=(context,), data_range=(0.0, self.vocabulary - 1.0), limit=limit)

    def query(self, texts: Tensor) -> Tensor:
        """Return probabilities (texts, length, vocabulary) of the token after each token of texts (texts, length).

        Raises QueryLimitReached, then answers none of them, and ValueError for what is no batch of texts.
        """
        if texts.ndim != 2 or texts.dtype != torch.long or not 1 <= texts.shape[1] <= self.context:
            raise ValueError(f"texts must be integers of shape (texts, length), at most {self.context} long")
        if not bool(((texts >= 0) & (texts < self.vocabulary)).all()):
            raise ValueError(f"tokens must be from 0 to {self.vocabulary - 1}")
        # All inputs of an interface have one shape; -1, which is no token, says where these end.
        return self._ask(functional.pad(texts, (0, self.context - texts.shape[1]), value=-1))

    def describe(self) -> str:
        """Return the threat model in a line."""
        told = "probabilities of the next token from a language model behind an interface"
        return ", ".join([told, *under(self.defenses), *limited(self)])
