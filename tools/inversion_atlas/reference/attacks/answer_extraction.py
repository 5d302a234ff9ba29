"""Answers of its training set that a model recites about images from which they were removed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion_atlas.reference.observations import Answering, expect


@dataclass(frozen=True, slots=True, eq=False)
class RecitedAnswers:
    """Answers in symbols, of shape (items, length), and which of them no other model gives, of shape (items,)."""

    answers: Tensor
    memorized: Tensor
    queries: int


def extract_answers(
    observation: Answering, reference: Answering, images: Tensor, questions: Tensor, boxes: Tensor, *, blank: float = 1
) -> RecitedAnswers:
    """Ask for answers that the images no longer show. Extraction from document-based VQA (pinto2024extracting).

    The part of each image with the answer, `boxes` of top, bottom, left and right, is painted over with `blank`, and
    the question of the training set is asked. `reference` was trained without these documents: where it answers alike,
    the rest of the page tells the answer or habit does, and it is not counted as memorized. So far the paper, of which
    abstract and reports on it were read, not its text; its reference is the target's own training less the documents
    in question, here any model that never saw them.
    """
    observation, reference = (expect(given, Answering, "answer extraction") for given in (observation, reference))
    erased = without(images, boxes, blank)
    answers, others = (given.query(erased, questions) for given in (observation, reference))
    return RecitedAnswers(answers, (answers != others).any(dim=1), len(images))


def without(images: Tensor, boxes: Tensor, blank: float) -> Tensor:
    """Return the images, of shape (items, channels, height, width), each with its box painted over."""
    rows, columns = torch.arange(images.shape[-2])[:, None], torch.arange(images.shape[-1])
    top, bottom, left, right = boxes.T[:, :, None, None]
    inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return images.masked_fill(inside[:, None], blank)
