"""The metrics of `data/metrics.yaml` that run here; each names its entry in its docstring."""

from inversion_atlas.reference.metrics.arguments import MetricError
from inversion_atlas.reference.metrics.attributes import (
    attribute_advantage,
    attribute_inference_accuracy,
    tabular_reconstruction_accuracy,
)
from inversion_atlas.reference.metrics.classification import auroc, f1_score, g_mean, mcc, precision, recall
from inversion_atlas.reference.metrics.distributions import (
    coverage,
    density,
    feature_distance,
    fid,
    generative_precision,
    generative_recall,
    knn_distance,
)
from inversion_atlas.reference.metrics.edges import avd
from inversion_atlas.reference.metrics.gradients import compression_ratio, d_snr
from inversion_atlas.reference.metrics.identification import attack_success_rate, iip, rdlv
from inversion_atlas.reference.metrics.information import inception_score, kl_divergence, mutual_information
from inversion_atlas.reference.metrics.labels import attack_accuracy, label_recovery_accuracy
from inversion_atlas.reference.metrics.matching import assignment, match
from inversion_atlas.reference.metrics.perceptual import lpips
from inversion_atlas.reference.metrics.phase import fsim
from inversion_atlas.reference.metrics.pixels import (
    cosine_similarity,
    inversion_error,
    l1_distance,
    l2_distance,
    mean_absolute_pixel_error,
    mse,
    psnr,
    reconstruction_loss,
    rmse,
)
from inversion_atlas.reference.metrics.predictions import (
    accuracy,
    categorical_accuracy,
    confidence_score_distortion,
    fidelity,
    generalization_gap,
    membership_inference_accuracy,
    model_accuracy,
    percent_correct,
)
from inversion_atlas.reference.metrics.robustness import (
    reconstruction_robustness,
    reconstruction_robustness_gaussian,
    reconstruction_robustness_renyi,
)
from inversion_atlas.reference.metrics.structural import ms_ssim, ssim
from inversion_atlas.reference.metrics.text import bleu, exact_match, rouge, token_accuracy

__all__ = [
    "MetricError",
    "accuracy",
    "assignment",
    "attack_accuracy",
    "attack_success_rate",
    "attribute_advantage",
    "attribute_inference_accuracy",
    "auroc",
    "avd",
    "bleu",
    "categorical_accuracy",
    "compression_ratio",
    "confidence_score_distortion",
    "cosine_similarity",
    "coverage",
    "d_snr",
    "density",
    "exact_match",
    "f1_score",
    "feature_distance",
    "fid",
    "fidelity",
    "fsim",
    "g_mean",
    "generalization_gap",
    "generative_precision",
    "generative_recall",
    "iip",
    "inception_score",
    "inversion_error",
    "kl_divergence",
    "knn_distance",
    "l1_distance",
    "l2_distance",
    "label_recovery_accuracy",
    "lpips",
    "match",
    "mcc",
    "mean_absolute_pixel_error",
    "membership_inference_accuracy",
    "model_accuracy",
    "ms_ssim",
    "mse",
    "mutual_information",
    "percent_correct",
    "precision",
    "psnr",
    "rdlv",
    "recall",
    "reconstruction_loss",
    "reconstruction_robustness",
    "reconstruction_robustness_gaussian",
    "reconstruction_robustness_renyi",
    "rmse",
    "rouge",
    "ssim",
    "tabular_reconstruction_accuracy",
    "token_accuracy",
]
