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
    reconstruction: Tensor,
    targets: Tensor,
    private: Tensor,
    private_labels: Tensor,
    *,
    squared: bool = True,
    unit_length: bool = False,
) -> Tensor:
    """Return each reconstruction's distance to the mean feature of its class. Metric `feature-distance`.

    Lower is closer. `reconstruction` and `private` are features (items, dimensions) before the last layer of the
    evaluation model, `targets` the class that each reconstruction was made for. GMI and KEDMI take it squared, as here
    unless told otherwise. `unit_length` scales every feature to length 1 first, the mean too. Network and layer belong
    to the number. What others call by this name is `knn_distance`; the mean squared error of features is `mse`.
    """
    _labeled(reconstruction, targets, private, private_labels)
    given, private = (
        (arguments.directions(reconstruction), arguments.directions(private))
        if unit_length
        else (reconstruction, private)
    )
    distances = torch.empty(len(given), dtype=given.dtype, device=given.device)
    for label in sorted(set(targets.tolist())):
        center = private[private_labels == label].mean(dim=0, keepdim=True)
        center = arguments.directions(center) if unit_length else center
        distances[targets == label] = (given[targets == label] - center).square().sum(dim=1)
    return distances if squared else distances.sqrt()


def knn_distance(
    reconstruction: Tensor,
    targets: Tensor,
    private: Tensor,
    private_labels: Tensor,
    *,
    k: int = 1,
    squared: bool = True,
    unit_length: bool = False,
) -> Tensor:
    """Return each reconstruction's distance to the nearest private image of its class. Metric `knn-distance`.

    Lower is closer. Arguments are those of `feature_distance`; of the `k` nearest images the distances are averaged,
    all published values take one, and square it.
    """
    _labeled(reconstruction, targets, private, private_labels)
    given, private = (
        (arguments.directions(reconstruction), arguments.directions(private))
        if unit_length
        else (reconstruction, private)
    )
    distances = torch.empty(len(given), dtype=given.dtype, device=given.device)
    for label in sorted(set(targets.tolist())):
        own, images = targets == label, private[private_labels == label]
        if not 1 <= k <= len(images):
            raise arguments.MetricError(f"k must be from 1 to the {len(images)} images of class {label}, not {k}")
        nearest = _distances(given[own], images).topk(k, dim=1, largest=False).values
        distances[own] = (nearest.square() if squared else nearest).mean(dim=1).to(given.dtype)
    return distances


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


def neighborhoods(
    reconstruction: Tensor, original: Tensor, *, k: int = 3, closed: bool = True, union: bool = True
) -> Neighborhoods:
    """Return precision, recall, density and coverage of reconstructions against private images, from their features.

    Precision and recall: Kynkäänniemi and others (2019), who take k = 3 and count the border of a
    ball (`closed`); density and coverage: Naeem and others (2020), whose package takes k = 5 and leaves it out.
    Without `union` only the ball of the nearest point of the other set counts for precision and recall, as in the code
    of PPA. All are shares, higher is better, density may exceed 1.
    """
    if k < 1:
        raise arguments.MetricError(f"k must be at least 1, not {k}")
    arguments.features(original, "original", least=k + 1)
    arguments.features(reconstruction, "reconstruction", width=original.shape[1], least=k + 1)
    apart = _distances(original, reconstruction)
    around_original, around_given = _radii(original, k)[:, None], _radii(reconstruction, k)[None, :]
    inside = (apart <= around_original) if closed else (apart < around_original)
    covered = (apart <= around_given) if closed else (apart < around_given)
    precise = inside.any(dim=0) if union else inside.gather(0, apart.argmin(dim=0, keepdim=True))
    recalled = covered.any(dim=1) if union else covered.gather(1, apart.argmin(dim=1, keepdim=True))
    return Neighborhoods(
        precision=float(precise.double().mean()),
        recall=float(recalled.double().mean()),
        density=float(inside.sum(dim=0).double().mean() / k),
        coverage=float(inside.any(dim=1).double().mean()),
    )


def generative_precision(
    reconstruction: Tensor, original: Tensor, *, k: int = 3, closed: bool = True, union: bool = True
) -> float:
    """Return the share of reconstructions inside the balls around private images. Metric `generative-precision`.

    0 to 1; arguments are those of `neighborhoods`.
    """
    return neighborhoods(reconstruction, original, k=k, closed=closed, union=union).precision


def generative_recall(
    reconstruction: Tensor, original: Tensor, *, k: int = 3, closed: bool = True, union: bool = True
) -> float:
    """Return the share of private images inside the balls around reconstructions. Metric `generative-recall`.

    0 to 1; arguments are those of `neighborhoods`.
    """
    return neighborhoods(reconstruction, original, k=k, closed=closed, union=union).recall


def density(reconstruction: Tensor, original: Tensor, *, k: int = 5, closed: bool = False) -> float:
    """Return how many balls around private images hold a reconstruction, over k. Metric `density`.

    0 and up; arguments are those of `neighborhoods`, with the defaults of the authors' package.
    """
    return neighborhoods(reconstruction, original, k=k, closed=closed).density


def coverage(reconstruction: Tensor, original: Tensor, *, k: int = 5, closed: bool = False) -> float:
    """Return the share of private images whose ball holds a reconstruction. Metric `coverage`.

    0 to 1; arguments are those of `neighborhoods`, with the defaults of the authors' package.
    """
    return neighborhoods(reconstruction, original, k=k, closed=closed).coverage


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
