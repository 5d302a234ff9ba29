"""A model behind an interface that answers questions about images."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from inversion_atlas.reference.observations.interface import Interface, limited


class Answering(Interface):
    """Answers in text to questions about images, without scores, counted, up to a limit.

    `model` takes images and as many questions, rows of word numbers, and returns scores of shape (batch, symbols,
    length); what is answered is the likeliest symbol at each place.
    """

    __slots__ = ()

    def __init__(
        self,
        model: Callable[[Tensor, Tensor], Tensor],
        *,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float] = (0.0, 1.0),
        limit: int | None = None,
    ) -> None:
        def answer(images: Tensor, questions: Tensor) -> Tensor:
            return model(images, questions).argmax(dim=1)

        super().__init__(answer, input_shape=input_shape, data_range=data_range, limit=limit)

    def query(self, images: Tensor, questions: Tensor) -> Tensor:
        """Return the answers, symbol numbers of shape (batch, length); each pair of image and question is a query."""
        if len(questions) != len(images):
            raise ValueError(f"there must be a question for each image: {len(questions)} for {len(images)}")
        return self._ask(images, questions)

    def describe(self) -> str:
        """Return the threat model in a line."""
        return ", ".join(("black box, answers to questions about images as text alone", *limited(self)))
