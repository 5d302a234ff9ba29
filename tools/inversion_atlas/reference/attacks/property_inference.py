"""Whether a client's batch has a property that the task is not about, from the gradient that it shared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import SharedGradient, expect
from inversion_atlas.reference.targets.data import Images


def property_inference(
    observations: Sequence[SharedGradient],
    with_property: Sequence[Images],
    without_property: Sequence[Images],
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Tensor:
    """Return for each shared gradient how likely its batch has the property, from 0 to 1 (melis2019exploiting).

    The passive attack. The adversary computes, on the model that the gradients belong to, those of its own batches
    with and without the property, and trains a random forest on absolute values, each gradient brought to length 1,
    each coordinate to mean 0 and variance 1, as the authors' code does. All observations must be of one model.
    """
    seen = [expect(observation, SharedGradient, "property-inference") for observation in observations]
    if not seen or not with_property or not without_property:
        raise ValueError("property-inference needs gradients, and batches with and without the property")
    own, batches = [], (*with_property, *without_property)
    for number, batch in enumerate(batches):
        own.append(of_own_batch(seen[0], batch))
        progress(number + 1, len(batches))
    return chances_of(seen, own, [1] * len(with_property) + [0] * len(without_property), seed)


def chances_of(
    seen: Sequence[SharedGradient], own: Sequence[SharedGradient], kinds: Sequence[int], seed: int
) -> Tensor:
    """Return what a forest, grown on the adversary's own gradients and their kinds 1 and 0, says of those seen."""
    known = _features(own)
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-12
    forest = RandomForestClassifier(100, min_samples_leaf=5, min_samples_split=5, random_state=seed)
    forest.fit((known - mean) / deviation, kinds)
    chances = forest.predict_proba((_features(seen) - mean) / deviation)[:, 1]
    return torch.from_numpy(chances.copy())


def of_own_batch(seen: SharedGradient, batch: Images) -> SharedGradient:
    """Return the gradient of a batch of the adversary's own on the model of one that it saw."""
    return SharedGradient.of_batch(
        seen.model, batch.images, batch.labels, mode=seen.mode, labels_known=True, data_range=seen.data_range
    )


def _features(gradients: Sequence[SharedGradient]) -> np.ndarray:
    flat = torch.stack([torch.cat([part.flatten() for part in one.gradient.values()]).abs() for one in gradients])
    features: np.ndarray = (flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12)).numpy()
    return features
