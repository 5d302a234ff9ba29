"""Whether a reconstruction points to its one original, met a criterion, or says more than the prior did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments
from inversion_atlas.reference.metrics.structural import ssim

Unit = Literal["image", "batch with one", "batch with all"]
Distance = Callable[[Tensor, Tensor], Tensor]


def attack_success_rate(
    values: Tensor, *, threshold: float, success: Literal["at least", "at most"], unit: Unit = "image"
) -> float:
    """Return the share of attempts that met the criterion. Metric `attack-success-rate`; 0 to 1, higher is worse.

    The criterion is yours to state: `values` are those of any metric, a success is `at least` or `at most` the
    threshold. They are of shape (attempts,); or (batches, images), where `unit` says whether each image counts, or each
    batch with one or with all images recovered. Infinite values count, NaN is refused.
    """
    if success not in ("at least", "at most"):
        raise arguments.MetricError(f"success must be 'at least' or 'at most', not {success!r}")
    if not values.is_floating_point() or 0 in values.shape or bool(values.isnan().any()) or threshold != threshold:
        raise arguments.MetricError("values and threshold must be floats without NaN, and one or more")
    if values.ndim not in ((1, 2) if unit == "image" else (2,)):
        raise arguments.MetricError(f"values must be (attempts,) or (batches, images), not {tuple(values.shape)}")
    met = values >= threshold if success == "at least" else values <= threshold
    if unit == "batch with one":
        met = met.any(dim=1)
    elif unit == "batch with all":
        met = met.all(dim=1)
    elif unit != "image":
        raise arguments.MetricError(f"unit must be image, batch with one or batch with all, not {unit!r}")
    return float(met.double().mean())


def iip(
    reconstruction: Tensor,
    labels: Tensor,
    sources: Tensor,
    candidates: Tensor,
    candidate_labels: Tensor,
    *,
    distance: Literal["cosine", "euclidean"] | Distance = "cosine",
    whole: bool = False,
) -> Tensor:
    """Return, per reconstruction, 1 where the nearest candidate of its class is its source. Metric `iip`.

    Image identifiability precision of Yin and others (2021): 0 or 1, the mean is the precision, higher is worse for
    privacy. `reconstruction` and `candidates` are features, or flat pixels, (items, dimensions); `sources` says which
    candidate each was made from. The distance is that of cosines (breaching's on features), Euclidean (its on pixels),
    or a function of (items, …) and (others, …) that returns (items, others), with LPIPS on images for instance.
    `whole` searches all candidates instead of the class. A source that ties with another candidate is not identified.
    The fewer the candidates the higher the value: state their number.
    """
    arguments.classes(candidate_labels, "candidate_labels", items=len(candidates))
    arguments.classes(labels, "labels", items=len(reconstruction))
    arguments.classes(sources, "sources", items=len(reconstruction), number=len(candidates))
    if not torch.equal(candidate_labels[sources.long()], labels):
        raise arguments.MetricError("a source is of another class than its reconstruction was made for")
    apart = _apart(reconstruction, candidates, distance)
    own = apart.gather(1, sources.long()[:, None])
    rivals = torch.ones_like(apart, dtype=torch.bool) if whole else labels[:, None] == candidate_labels[None, :]
    as_near = ((apart <= own) & rivals).sum(dim=1)
    return (as_near == 1).to(apart.dtype)


def rdlv(
    reconstruction: Tensor,
    original: Tensor,
    prior: Tensor,
    *,
    data_range: tuple[float, float],
    similarity: Callable[..., Tensor] = ssim,
) -> Tensor:
    """Return how much more alike the original each reconstruction is than the prior, over the prior's. Metric `rdlv`.

    Relative data leakage value of Hatamizadeh and others (2023): (S(original, reconstruction) - S(original, prior)) /
    S(original, prior), S the SSIM or any metric of (reconstruction, original, data_range=…). Unbounded, higher is
    worse for privacy; 0 is the prior itself. `prior` is what the attack starts from, one image (1, …) for all or one
    each. Where the prior's similarity is not above 0 the quotient has no meaning and is refused.
    """
    if prior.shape[1:] != original.shape[1:] or len(prior) not in (1, len(original)):
        raise arguments.MetricError(f"prior must be one image or one each, not {tuple(prior.shape)}")
    reached = similarity(reconstruction, original, data_range=data_range)
    before = similarity(prior.expand_as(original).contiguous(), original, data_range=data_range)
    if not bool((before > 0).all()):
        raise arguments.MetricError(f"the prior's similarity must be above 0 to divide by, not {float(before.min()):g}")
    return (reached - before) / before


def _apart(given: Tensor, candidates: Tensor, distance: Literal["cosine", "euclidean"] | Distance) -> Tensor:
    """Distances (reconstructions, candidates)."""
    if not isinstance(distance, str):
        apart = distance(given, candidates)
        if apart.shape != (len(given), len(candidates)):
            raise arguments.MetricError(
                f"distance must return {(len(given), len(candidates))}, not {tuple(apart.shape)}"
            )
        arguments.floating(apart, "distance")
        return apart
    arguments.features(candidates, "candidates")
    arguments.features(given, "reconstruction", width=candidates.shape[1])
    if distance == "euclidean":
        # Through differences: the faster product form rounds the distance of equal points to more than 0.
        near: Tensor = torch.cdist(given, candidates.to(given.dtype), compute_mode="donot_use_mm_for_euclid_dist")
        return near
    if distance != "cosine":
        raise arguments.MetricError(f"distance must be cosine, euclidean or a function, not {distance}")
    return 1 - arguments.directions(given) @ arguments.directions(candidates).to(given.dtype).T
