"""An evaluation that tells how good submitted predictions are on labels that it keeps: one number per submission."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from math import prod
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from inversion_atlas.reference.observations.access import AccessError
from inversion_atlas.reference.observations.interface import Interface, limited

# What scikit-learn's `log_loss` keeps predictions away from 0 and 1 by.
CLIP = torch.finfo(torch.float64).eps


class LossScore(Interface):
    """The mean log-loss of predictions on private labels, counted and limited; there is no model.

    `clip` keeps predictions that far from 0 and 1, as scikit-learn does. `noise` bounds a uniform error added to each
    score, `round_to` keeps so many decimals; they apply in this order. Where `digits` are given, predictions may also
    be submitted as whole numbers, and their score is told to so many digits.
    """

    __slots__ = ("classes", "clip", "digits", "items", "noise", "round_to")

    def __init__(
        self,
        labels: Tensor,
        *,
        classes: int,
        clip: float = CLIP,
        limit: int | None = None,
        noise: float = 0.0,
        round_to: int | None = None,
        digits: int | None = None,
        seed: int = 0,
    ) -> None:
        if labels.ndim != 1 or len(labels) == 0 or not bool(((labels >= 0) & (labels < classes)).all()):
            raise ValueError(f"labels must be of shape (items,), classes from 0 to {classes - 1}")
        if noise < 0 or (round_to is not None and round_to < 0) or not 0 <= clip < 0.5:
            raise ValueError("noise and round_to must not be negative, clip must be from 0 to below 0.5")
        self.items, self.classes, self.clip = len(labels), classes, clip
        self.noise, self.round_to, self.digits = noise, round_to, digits
        private = labels.detach().clone().long()
        generator = torch.Generator().manual_seed(seed)

        def answer(submissions: Tensor) -> Tensor:
            of_labels = submissions.clamp(clip, 1 - clip)[:, torch.arange(len(private)), private]
            scores = -of_labels.log().mean(dim=1)
            if noise:
                drawn = torch.rand(scores.shape, generator=generator, dtype=scores.dtype)
                scores = scores + noise * (2 * drawn - 1)
            return scores if round_to is None else scores.round(decimals=round_to)

        def exactly(weights: Tensor) -> Decimal:
            context = Context(prec=digits or 1)
            rows = [[int(value) for value in row] for row in weights]
            wholes = Decimal(prod(map(sum, rows)))
            chosen = Decimal(prod(row[label] for row, label in zip(rows, private.tolist(), strict=True)))
            return context.divide(context.ln(context.divide(wholes, chosen)), Decimal(len(private)))

        super().__init__(answer, input_shape=(len(labels), classes), data_range=(0.0, 1.0), limit=limit)
        _EXACTLY[self] = exactly

    @property
    def error(self) -> float:
        """How far a score may be off by what the evaluation says it does to it."""
        return self.noise + (0.0 if self.round_to is None else 0.5 * 10.0**-self.round_to)

    def query(self, predictions: Tensor) -> Tensor:
        """Return the score of each submission, shape (submissions,), in float64.

        `predictions` are of shape (submissions, items, classes) and of type float64; each row sums to 1. Raises
        QueryLimitReached, then answers none of them.
        """
        if predictions.dtype != torch.float64 or not bool((predictions >= 0).all()):
            raise ValueError("predictions must be probabilities of type float64")
        if not torch.allclose(predictions.sum(dim=2), torch.ones((), dtype=torch.float64)):
            raise ValueError("predictions of an item must sum to 1")
        return self._ask(predictions)

    def query_exactly(self, weights: Tensor) -> Decimal:
        """Return the score of one submission to `digits` digits, neither clipped nor rounded to decimals.

        `weights` are positive whole numbers of shape (items, classes); the prediction is their share of their row.
        Raises AccessError where the evaluation does not compute so, QueryLimitReached where it answers no more.
        """
        if self.digits is None:
            raise AccessError("this evaluation scores in float64 alone; granted are " + self.describe())
        if weights.dtype != torch.int64 or not bool((weights > 0).all()):
            raise ValueError("weights must be positive whole numbers of type int64")
        self._count(weights[None])
        return _EXACTLY[self](weights)

    def describe(self) -> str:
        """Return the threat model in a line."""
        changes = [
            f"off by up to {self.noise:g}" if self.noise else "",
            f"rounded to {self.round_to} decimals" if self.round_to is not None else "",
            f"to {self.digits} digits where asked" if self.digits is not None else "",
            *limited(self),
        ]
        told = f"log-loss of predictions on {self.items:,} private labels of {self.classes} classes, no model"
        return ", ".join([told, *filter(None, changes)])


# What scores exactly, kept off the object with the labels that it closes over.
_EXACTLY: WeakKeyDictionary[LossScore, Callable[[Tensor], Decimal]] = WeakKeyDictionary()
