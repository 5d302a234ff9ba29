"""What a client of federated learning shares that trains on images with texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import Mode, copied, defenses_of, refuse_data, under
from inversion_atlas.reference.observations.gradients import mean_gradient, with_gradient
from inversion_atlas.reference.observations.texts import embeddings_of


@dataclass(frozen=True, slots=True, eq=False)
class SharedPairGradient:
    """The gradient of one step on images with texts that a client shared, and the model it was computed on.

    The model takes images and as many texts, all of `length` token numbers from 1 to `vocabulary` - 1. The parameters
    of its two branches begin with `image_branch` and `text_branch`. The loss is the mean cross entropy. The gradient of
    embeddings, which names the words, is not shared.
    """

    model: nn.Module
    gradient: Mapping[str, Tensor]
    batch_size: int
    input_shape: tuple[int, ...]
    length: int
    vocabulary: int
    image_branch: str
    text_branch: str
    classes: int
    mode: Mode
    data_range: tuple[float, float]
    labels: Tensor | None
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of_batch(
        cls,
        model: nn.Module,
        images: Tensor,
        tokens: Tensor,
        labels: Tensor,
        *,
        vocabulary: int,
        image_branch: str,
        text_branch: str,
        mode: Mode,
        labels_known: bool,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> SharedPairGradient:
        """Compute, as a client would, the gradient of the mean cross entropy of `model` on images with texts.

        `model` is left as it was. Raises ValueError for a batch that makes no sense and a branch without parameters.
        """
        refuse_data(images, labels, data_range)
        _refuse_texts(tokens, len(images), vocabulary)
        seen, client = copied(model, mode), copied(model, mode)
        logits: Tensor = client(images.detach(), tokens.clone())
        hidden = embeddings_of(client)
        named = {name: p for name, p in client.named_parameters() if p.requires_grad and name not in hidden}
        for branch in (image_branch, text_branch):
            if not any(name.startswith(branch) for name in named):
                raise ValueError(f"the model has no parameters that begin with {branch!r}")
        return cls(
            model=seen,
            gradient=mean_gradient(logits, labels, named),
            batch_size=len(images),
            input_shape=tuple(images.shape[1:]),
            length=tokens.shape[1],
            vocabulary=vocabulary,
            image_branch=image_branch,
            text_branch=text_branch,
            classes=logits.shape[1],
            mode=mode,
            data_range=data_range,
            labels=labels.detach().clone() if labels_known else None,
            defenses=defenses_of(model),
        )

    def with_gradient(self, gradient: Mapping[str, Tensor], *, defense: str = "") -> SharedPairGradient:
        """Return the same observation with another gradient; `defense` says in words what changed it."""
        return with_gradient(self, gradient, defense)

    def describe(self) -> str:
        """Return the threat model in a line."""
        pairs = "1 image with its text" if self.batch_size == 1 else f"a batch of {self.batch_size} images with texts"
        known = "labels known" if self.labels is not None else "labels unknown"
        line = f"gradient of the mean cross entropy on {pairs}, without that of embeddings, {self.mode} mode, one step"
        return ", ".join([line, known, *under(self.defenses)])


@dataclass(frozen=True, slots=True, eq=False)
class ImageTextEncoders:
    """Trained encoders of images and of texts into one space, to run and to differentiate; copies in eval mode."""

    images: nn.Module
    texts: nn.Module
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of(cls, images: nn.Module, texts: nn.Module) -> ImageTextEncoders:
        """Copy both encoders, which are left as they are; each returns features of shape (batch, features)."""
        return cls(copied(images, "eval"), copied(texts, "eval"), (*defenses_of(images), *defenses_of(texts)))

    def describe(self) -> str:
        """Return the threat model in a line."""
        return ", ".join(["white box, encoders of images and texts into one space", *under(self.defenses)])


def _refuse_texts(tokens: Tensor, number: int, vocabulary: int) -> None:
    if tokens.ndim != 2 or tokens.dtype != torch.long or len(tokens) != number:
        raise ValueError(
            f"texts must be integers of shape ({number}, length), not {tokens.dtype} {tuple(tokens.shape)}"
        )
    if not bool(((tokens > 0) & (tokens < vocabulary)).all()):
        raise ValueError(f"tokens must be from 1 to {vocabulary - 1}")
