"""Scores over features of any extractor: distances to private images, and two sets of images compared.

The numbers depend on the extractor; only with the network of the papers do they bear the papers' names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def feature_distance(
    reconstruction: Tensor, targets: Tensor, private: Tensor, private_labels: Tensor, *, squared: bool = True
) -> Tensor:
    """Return each reconstruction's distance to the mean feature of its class. Metric `feature-distance`.

    Lower is closer. `reconstruction` and `private` are features (items, dimensions) before the last layer of the
    evaluation model, `targets` the class that each reconstruction was made for.
    """
    _labeled(reconstruction, targets, private, private_labels)
    distances = torch.empty(len(reconstruction), dtype=reconstruction.dtype)
    for label in sorted(set(targets.tolist())):
        center = private[private_labels == label].mean(dim=0)
        distances[targets == label] = (reconstruction[targets == label] - center).square().sum(dim=1)
    return distances if squared else distances.sqrt()


def knn_distance(
    reconstruction: Tensor, targets: Tensor, private: Tensor, private_labels: Tensor, *, squared: bool = True
) -> Tensor:
    """Return each reconstruction's distance to the nearest private image of its class. Metric `knn-distance`.

    Lower is closer. Arguments are those of `feature_distance`.
    """
    _labeled(reconstruction, targets, private, private_labels)
    distances = torch.empty(len(reconstruction), dtype=reconstruction.dtype)
    for label in sorted(set(targets.tolist())):
        own = targets == label
        distances[own] = _distances(reconstruction[own], private[private_labels == label]).min(dim=1).values
    return distances.square() if squared else distances


def fid(reconstruction: Tensor, original: Tensor) -> float:
    """Return the squared Fréchet distance of normal distributions fitted to two sets of features. Metric `fid`.

    0 and up, lower is closer. Heusel and others (2017), for features (items, dimensions) of any extractor;
    FID is its name on the 2,048 features of their Inception network alone. With C = AᵀA and D = BᵀB, A and B the
    centered features over the root of items - 1, Tr (C D)^½ is the sum of singular values of A Bᵀ, computed from the
    triangular factors of A and B: exact however few the items are, never negative, in float64.
    """
    arguments.features(original, "original", least=2)
    arguments.features(reconstruction, "reconstruction", width=original.shape[1], least=2)
    given, true = reconstruction.double(), original.double()
    shift = (given.mean(dim=0) - true.mean(dim=0)).square().sum()
    a, b = _scaled(given), _scaled(true)
    overlap = torch.linalg.svdvals(_triangular(a) @ _triangular(b).T).sum()
    return float((shift + a.square().sum() + b.square().sum() - 2 * overlap).clamp_min(0))


@dataclass(frozen=True, slots=True)
class Neighborhoods:
    """Fidelity and diversity of one set of images against another, from balls around nearest neighbors."""

    precision: float  # metric `generative-precision`
    recall: float  # metric `generative-recall`
    density: float  # metric `density`
    coverage: float  # metric `coverage`


def neighborhoods(reconstruction: Tensor, original: Tensor, *, k: int = 3, closed: bool = True) -> Neighborhoods:
    """Return precision, recall, density and coverage of reconstructions against private images, from their features.

    Precision and recall: Kynkäänniemi and others (2019), who take k = 3 and count the border of a
    ball (`closed`); density and coverage: Naeem and others (2020), whose package takes k = 5 and leaves it out. All
    are shares, higher is better, density may exceed 1.
    """
    if k < 1:
        raise arguments.MetricError(f"k must be at least 1, not {k}")
    arguments.features(original, "original", least=k + 1)
    arguments.features(reconstruction, "reconstruction", width=original.shape[1], least=k + 1)
    apart = _distances(original, reconstruction)
    around_original, around_given = _radii(original, k)[:, None], _radii(reconstruction, k)[None, :]
    inside = (apart <= around_original) if closed else (apart < around_original)
    covered = (apart <= around_given) if closed else (apart < around_given)
    return Neighborhoods(
        precision=float(inside.any(dim=0).double().mean()),
        recall=float(covered.any(dim=1).double().mean()),
        density=float(inside.sum(dim=0).double().mean() / k),
        coverage=float(inside.any(dim=1).double().mean()),
    )


def generative_precision(reconstruction: Tensor, original: Tensor, *, k: int = 3, closed: bool = True) -> float:
    """Return the share of reconstructions inside the balls around private images. Metric `generative-precision`."""
    return neighborhoods(reconstruction, original, k=k, closed=closed).precision


def generative_recall(reconstruction: Tensor, original: Tensor, *, k: int = 3, closed: bool = True) -> float:
    """Return the share of private images inside the balls around reconstructions. Metric `generative-recall`."""
    return neighborhoods(reconstruction, original, k=k, closed=closed).recall


def density(reconstruction: Tensor, original: Tensor, *, k: int = 5, closed: bool = False) -> float:
    """Return how many balls around private images hold a reconstruction, over k. Metric `density`."""
    return neighborhoods(reconstruction, original, k=k, closed=closed).density


def coverage(reconstruction: Tensor, original: Tensor, *, k: int = 5, closed: bool = False) -> float:
    """Return the share of private images whose ball holds a reconstruction. Metric `coverage`."""
    return neighborhoods(reconstruction, original, k=k, closed=closed).coverage


def kl_divergence(estimated: Tensor, true: Tensor) -> Tensor:
    """Return the divergence of each true distribution from its estimate, in nats. Metric `kl-divergence`.

    Rows of both are probabilities (items, classes). Infinite where the estimate rules out what occurs; no constant is
    added.
    """
    arguments.features(true, "true")
    arguments.features(estimated, "estimated", width=true.shape[1])
    if len(true) != len(estimated):
        raise arguments.MetricError(
            f"as many estimates as distributions are needed, not {len(estimated)} and {len(true)}"
        )
    for name, given in (("estimated", estimated), ("true", true)):
        if bool((given < 0).any()) or bool(((given.sum(dim=1) - 1).abs() > 1e-4).any()):
            raise arguments.MetricError(f"each row of {name} must be probabilities that sum to 1")
    divergences: Tensor = (torch.xlogy(true, true) - torch.xlogy(true, estimated)).sum(dim=1)
    return divergences


def _labeled(given: Tensor, targets: Tensor, private: Tensor, private_labels: Tensor) -> None:
    arguments.features(private, "private")
    arguments.features(given, "reconstruction", width=private.shape[1])
    arguments.classes(targets, "targets", items=len(given))
    arguments.classes(private_labels, "private_labels", items=len(private))
    missing = sorted(set(targets.tolist()) - set(private_labels.tolist()))
    if missing:
        raise arguments.MetricError(f"no private image is of class {missing[0]}")


def _scaled(features: Tensor) -> Tensor:
    return (features - features.mean(dim=0)) / math.sqrt(len(features) - 1)


def _triangular(scaled: Tensor) -> Tensor:
    """R of A = Q R: as wide as A, and no higher than it is wide; Q keeps singular values as they are."""
    if len(scaled) <= scaled.shape[1]:
        return scaled
    triangular: Tensor = torch.linalg.qr(scaled, mode="r").R
    return triangular


def _distances(first: Tensor, second: Tensor) -> Tensor:
    # Through differences: the faster product form rounds the distance of equal points to more than 0.
    distances: Tensor = torch.cdist(first.double(), second.double(), compute_mode="donot_use_mm_for_euclid_dist")
    return distances


def _radii(features: Tensor, k: int) -> Tensor:
    """Distance of each point to its k-th nearest other one."""
    radii: Tensor = _distances(features, features).kthvalue(k + 1, dim=1).values
    return radii
