"""Where a defense acts on what a client sends: an observation goes in, one of the same type comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor

from inversion_atlas.reference.observations import (
    AccessError,
    SentEmbeddings,
    SharedGradient,
    SharedPairGradient,
    SharedTextGradient,
    SharedUpdate,
    SplitFeatures,
    TextEmbeddings,
)

Sent = TypeVar(
    "Sent",
    SharedGradient,
    SharedTextGradient,
    SharedPairGradient,
    SharedUpdate,
    SplitFeatures,
    SentEmbeddings,
    TextEmbeddings,
)
# The parts that are sent, by name -> what is sent in their place.
Change = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]


def parts(observation: Sent) -> dict[str, Tensor]:
    """Return what was sent, by name: gradients, weight changes, features, or embeddings of tokens or texts."""
    if isinstance(observation, SharedGradient | SharedTextGradient | SharedPairGradient):
        return dict(observation.gradient)
    if isinstance(observation, SharedUpdate):
        return observation.update()
    if isinstance(observation, SplitFeatures):
        return {"features": observation.features}
    if isinstance(observation, SentEmbeddings):
        return {"embeddings": observation.embeddings}
    if isinstance(observation, TextEmbeddings):
        return observation.stored()
    raise AccessError(
        f"this defense changes what a client sends; a {type(observation).__name__} is nothing of the kind"
    )


def changed(observation: Sent, change: Change, defense: str) -> Sent:
    """Return the observation with what was sent changed; `defense` tells of it in the threat model."""
    sent = change(parts(observation))
    if isinstance(observation, SharedGradient | SharedTextGradient | SharedPairGradient):
        return observation.with_gradient(sent, defense=defense)
    if isinstance(observation, SharedUpdate):
        return observation.with_update(sent, defense=defense)
    if isinstance(observation, SentEmbeddings):
        return observation.with_embeddings(sent["embeddings"], defense=defense)
    if isinstance(observation, TextEmbeddings):
        return observation.with_stored(sent, defense=defense)
    return observation.with_features(sent["features"], defense=defense)


def part_by_part(change: Callable[[Tensor], Tensor]) -> Change:
    """Return the change that does the same to each part by itself."""
    return lambda sent: {name: change(part) for name, part in sent.items()}


def length(sent: Mapping[str, Tensor]) -> Tensor:
    """Return the Euclidean length of all parts as one vector."""
    return torch.stack([part.square().sum() for part in sent.values()]).sum().sqrt()


def refuse_share(share: float) -> None:
    """Raise ValueError unless a share is from 0 to less than 1."""
    if not 0 <= share < 1:
        raise ValueError(f"share must be from 0 to less than 1, not {share}")
