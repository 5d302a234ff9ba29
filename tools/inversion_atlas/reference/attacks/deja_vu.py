"""What encoders of images and texts remember of a training image beyond what its caption tells."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.observations import ImageTextEncoders, expect


@dataclass(frozen=True, slots=True, eq=False)
class RecalledObjects:
    """Of each caption's neighbors the share that shows each object, (items, objects): by the target, and without it."""

    by_target: Tensor
    by_reference: Tensor

    @property
    def objects(self) -> Tensor:
        """The object that most of the target's neighbors show, of shape (items,)."""
        return self.by_target.argmax(dim=1)


def deja_vu(
    observation: ImageTextEncoders,
    reference: ImageTextEncoders,
    captions: Tensor,
    public: Tensor,
    shown: Tensor,
    *,
    neighbors: int = 50,
) -> RecalledObjects:
    """Tell what a training image shows from its caption alone. Déjà vu memorization (jayaraman2024deja).

    The caption's place is sought among those of `public` images, of shape (images, channels, height, width), and the
    nearest vote with the objects that they show, `shown` of shape (images, objects). `reference`, trained without the
    images in question, says how much of that is the caption's doing or correlation: what the target knows beyond it is
    remembered. The authors' test with two models; of their code the scoring by precision, recall and ranks of samples
    is left to the caller, and votes are counted where it takes every object that any neighbor shows.
    """
    given = [expect(model, ImageTextEncoders, "déjà vu") for model in (observation, reference)]
    if not 1 <= neighbors <= len(public):
        raise ValueError(f"neighbors must be from 1 to {len(public)}, the number of public images, not {neighbors}")
    target, other = (_votes(model, captions, public, shown, neighbors) for model in given)
    return RecalledObjects(target, other)


@torch.no_grad()
def _votes(model: ImageTextEncoders, captions: Tensor, public: Tensor, shown: Tensor, neighbors: int) -> Tensor:
    texts, images = (
        functional.normalize(model.texts(captions), dim=1),
        functional.normalize(model.images(public), dim=1),
    )
    nearest = (texts @ images.T).topk(neighbors, dim=1).indices
    votes: Tensor = shown[nearest].double().mean(dim=1)
    return votes
