"""What a client of federated learning shares that trains on texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import Mode, copied, defenses_of, under
from inversion_atlas.reference.observations.gradients import mean_gradient, with_gradient


@dataclass(frozen=True, slots=True, eq=False)
class SharedTextGradient:
    """The gradient of one step on a batch of texts that a client shared, and the model it was computed on.

    A text is a row of token numbers from 0 to `vocabulary` - 1, padded at the right to `length`, which the server
    knows. The loss is the mean cross entropy over the batch. The gradient of an embedding names the words of the
    batch, so the threat model says whether it is shared; `lengths` are those of the texts without padding.
    """

    model: nn.Module
    gradient: Mapping[str, Tensor]
    batch_size: int
    length: int
    vocabulary: int
    padding: int
    classes: int
    mode: Mode
    embeddings_shared: bool
    lengths: Tensor | None
    labels: Tensor | None
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of_batch(
        cls,
        model: nn.Module,
        tokens: Tensor,
        labels: Tensor,
        *,
        vocabulary: int,
        padding: int,
        mode: Mode,
        embeddings_shared: bool,
        lengths_known: bool,
        labels_known: bool,
    ) -> SharedTextGradient:
        """Compute, as a client would, the gradient of the mean cross entropy of `model` on token numbers.

        `model` takes them as integers of shape (batch, length), and is left as it was. What belongs to the threat model
        is never guessed. Raises ValueError for a batch that makes no sense.
        """
        refuse_texts(tokens, vocabulary, padding)
        if labels.shape != (len(tokens),):
            raise ValueError(f"labels must be of shape ({len(tokens)},), one class per text, not {tuple(labels.shape)}")
        seen, client = copied(model, mode), copied(model, mode)
        logits: Tensor = client(tokens.clone())
        hidden = set() if embeddings_shared else embeddings_of(client)
        named = {name: p for name, p in client.named_parameters() if p.requires_grad and name not in hidden}
        return cls(
            model=seen,
            gradient=mean_gradient(logits, labels, named),
            batch_size=len(tokens),
            length=tokens.shape[1],
            vocabulary=vocabulary,
            padding=padding,
            classes=logits.shape[1],
            mode=mode,
            embeddings_shared=embeddings_shared,
            lengths=(tokens != padding).sum(dim=1) if lengths_known else None,
            labels=labels.detach().clone() if labels_known else None,
            defenses=defenses_of(model),
        )

    def with_gradient(self, gradient: Mapping[str, Tensor], *, defense: str = "") -> SharedTextGradient:
        """Return the same observation with another gradient; `defense` says in words what changed it."""
        return with_gradient(self, gradient, defense)

    def describe(self) -> str:
        """Return the threat model in a line."""
        texts = "1 text" if self.batch_size == 1 else f"a batch of {self.batch_size} texts"
        embeddings = "with" if self.embeddings_shared else "without"
        lengths = "lengths known" if self.lengths is not None else "lengths unknown"
        labels = "labels known" if self.labels is not None else "labels unknown"
        line = (
            f"gradient of the mean cross entropy on {texts}, {embeddings} that of embeddings, {self.mode} mode, "
            f"one step, {lengths}, {labels}"
        )
        return ", ".join([line, *under(self.defenses)])


def embeddings_of(model: nn.Module) -> set[str]:
    """Return the names of the parameters of embeddings."""
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    owned = {id(parameter) for table in tables for parameter in table.parameters()}
    return {name for name, parameter in model.named_parameters() if id(parameter) in owned}


def refuse_texts(tokens: Tensor, vocabulary: int, padding: int) -> None:
    """Raise ValueError unless texts are rows of token numbers, padded at the right alone."""
    if tokens.ndim != 2 or tokens.dtype != torch.long or len(tokens) == 0:
        raise ValueError(f"texts must be integers of shape (batch, length), not {tokens.dtype} {tuple(tokens.shape)}")
    if not 0 <= padding < vocabulary or not bool(((tokens >= 0) & (tokens < vocabulary)).all()):
        raise ValueError(f"tokens and padding must be from 0 to {vocabulary - 1}")
    present = tokens != padding
    if not bool(present[:, 0].all()) or bool((present[:, 1:] & ~present[:, :-1]).any()):
        raise ValueError("each text must hold a token, and padding must stand at the right alone")
