"""The metrics of `data/metrics.yaml` that run here; each names its entry in its docstring."""

from inversion_atlas.reference.metrics.arguments import MetricError
from inversion_atlas.reference.metrics.classification import (
    attribute_advantage,
    attribute_inference_accuracy,
    auroc,
    f1_score,
    g_mean,
    mcc,
    precision,
    recall,
)
from inversion_atlas.reference.metrics.distributions import (
    coverage,
    density,
    feature_distance,
    fid,
    generative_precision,
    generative_recall,
    kl_divergence,
    knn_distance,
)
from inversion_atlas.reference.metrics.labels import attack_accuracy, label_recovery_accuracy
from inversion_atlas.reference.metrics.matching import match
from inversion_atlas.reference.metrics.phase import fsim
from inversion_atlas.reference.metrics.pixels import (
    cosine_similarity,
    l1_distance,
    l2_distance,
    mean_absolute_pixel_error,
    mse,
    psnr,
    rmse,
)
from inversion_atlas.reference.metrics.structural import ms_ssim, ssim
from inversion_atlas.reference.metrics.text import exact_match, rouge, token_accuracy

__all__ = [
    "MetricError",
    "attack_accuracy",
    "attribute_advantage",
    "attribute_inference_accuracy",
    "auroc",
    "cosine_similarity",
    "coverage",
    "density",
    "exact_match",
    "f1_score",
    "feature_distance",
    "fid",
    "fsim",
    "g_mean",
    "generative_precision",
    "generative_recall",
    "kl_divergence",
    "knn_distance",
    "l1_distance",
    "l2_distance",
    "label_recovery_accuracy",
    "match",
    "mcc",
    "mean_absolute_pixel_error",
    "ms_ssim",
    "mse",
    "precision",
    "psnr",
    "recall",
    "rmse",
    "rouge",
    "ssim",
    "token_accuracy",
]
