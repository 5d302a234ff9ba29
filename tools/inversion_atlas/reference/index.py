"""What runs here and what it reached when measured: read without torch by the website and the query language."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measured:
    """One result of `atlas bench` on the bundled data."""

    metric: str  # id in data/metrics.yaml
    value: float
    unit: str  # "" where it has none
    baseline: float  # the best of mean image, random guess and prior alone
    setting: str  # data, target and observation in a line


@dataclass(frozen=True, slots=True)
class Implementation:
    """A metric, attack or defense implemented here, tied to the record whose method it is."""

    name: str  # as the shell knows it: `dlg`
    label: str  # as the paper calls it: `DLG`
    kind: str  # attack, defense, metric
    paper: str  # id of the paper whose method it is, "" for a metric without one
    metric: str  # id in data/metrics.yaml, "" unless kind is metric
    implements: str  # what of the paper it implements, in words
    command: str  # what runs it
    measured: tuple[Measured, ...] = ()


# Written by `atlas bench`, never by hand.
MEASURED = Path(__file__).with_name("measured.json")


def _measured() -> dict[str, tuple[Measured, ...]]:
    if not MEASURED.is_file():
        return {}
    attacks = json.loads(MEASURED.read_text(encoding="utf-8"))["attacks"]
    return {name: tuple(Measured(**result) for result in results) for name, results in attacks.items()}


def _attack(name: str, label: str, paper: str, implements: str) -> Implementation:
    return Implementation(name, label, "attack", paper, "", implements, f"atlas attack {name}", _RESULTS.get(name, ()))


def _metric(name: str, label: str, metric: str, implements: str, paper: str = "") -> Implementation:
    command = f"from inversion_atlas.reference.metrics import {name}"
    return Implementation(name, label, "metric", paper, metric, implements, command)


_RESULTS = _measured()

_GRADIENT_ATTACKS = (
    _attack("dlg", "DLG", "zhu2019deep", "images and soft labels matched to the gradient by L-BFGS"),
    _attack("idlg", "iDLG", "zhao2020idlg", "label read off the last layer, then gradient matching"),
    _attack(
        "inverting-gradients",
        "Inverting Gradients",
        "geiping2020inverting",
        "cosine distance and total variation, signed Adam",
    ),
    _attack(
        "analytic",
        "Analytic recovery from a linear layer",
        "geiping2020inverting",
        "input of a linear layer from the gradients of weight and bias",
    ),
    _attack("label-counts", "iLRG", "ma2023instance", "class-wise features and the linear system of counts"),
)

_TEXT_ATTACKS = (
    _attack(
        "dager",
        "DAGER",
        "petrov2024dager",
        "span check of tokens and prefixes in two attention layers of a causal transformer",
    ),
    _attack("tag", "TAG", "deng2021tag", "embeddings by squared and absolute distance of gradients, Adam"),
    _attack(
        "lamp",
        "LAMP",
        "balunovic2022lamp",
        "embeddings by the cosine of gradients, in turns with reordering by a language model of word pairs",
    ),
)

_MODEL_ATTACKS = (
    _attack(
        "mi-face",
        "MI-Face",
        "fredrikson2015model",
        "gradient descent on the cost of a class, without its auxiliary term",
    ),
    _attack(
        "inversion-network",
        "Training-based inversion",
        "yang2019neural",
        "inverse network trained on public images and truncated scores",
    ),
)

_TABLE_ATTACKS = (
    _attack(
        "regression-attribute",
        "Attribute inference on a regression",
        "fredrikson2014privacy",
        "likeliest value by the error of a linear regression and frequencies",
    ),
    _attack(
        "confidence-attribute",
        "Black-box inversion of a tree",
        "fredrikson2015model",
        "likeliest value by the confusion matrix and frequencies",
    ),
    _attack(
        "tree-attribute",
        "White-box inversion of a tree with counts",
        "fredrikson2015model",
        "likeliest value by how many training records took each path",
    ),
)

_SPLIT_ATTACKS = (
    _attack("rmle", "rMLE", "he2019model", "inputs matched to features through the client's model, total variation"),
    _attack("inverse-network", "Inverse-Network", "he2019model", "network trained on queries to the client's part"),
    _attack("query-free", "Query-free attack", "he2019model", "shadow of the client's part, then rMLE"),
    _attack("unsplit", "UnSplit", "erdogan2022unsplit", "inputs and a clone's weights in turns, from features alone"),
)

_METRICS = (
    _metric("mse", "MSE", "mse", "mean of squared differences"),
    _metric("rmse", "RMSE", "rmse", "root of the mean of squared differences"),
    _metric("mean_absolute_pixel_error", "MAE in gray levels", "mean-absolute-pixel-error", "mean absolute difference"),
    _metric("psnr", "PSNR", "psnr", "10 log10 of the squared range over the MSE, per image"),
    _metric("l1_distance", "L1 distance", "l1-distance", "sum of absolute differences"),
    _metric("l2_distance", "L2 distance", "l2-distance", "length of the difference"),
    _metric("cosine_similarity", "Cosine similarity", "cosine-similarity", "cosine of the angle"),
    _metric("ssim", "SSIM", "ssim", "Gaussian window of its authors, valid region", "wang2004image"),
    _metric("ms_ssim", "MS-SSIM", "ms-ssim", "five scales"),
    _metric("fsim", "FSIM and FSIMc", "fsim", "luminance, and with color", "zhang2011fsim"),
    _metric("attack_accuracy", "Attack accuracy", "attack-accuracy", "top-k under an evaluation model"),
    _metric("label_recovery_accuracy", "Label recovery accuracy", "label-recovery-accuracy", "overlap of multisets"),
    _metric("attribute_inference_accuracy", "Attribute inference accuracy", "attribute-inference-accuracy", "share"),
    _metric("attribute_advantage", "Attribute advantage", "attribute-advantage", "gain over the room above a baseline"),
    _metric("precision", "Precision", "precision", "true positives over all called positive"),
    _metric("recall", "Recall", "recall", "true positives over all positive"),
    _metric("f1_score", "F1", "f1-score", "harmonic mean of precision and recall"),
    _metric("mcc", "MCC", "mcc", "correlation of guess and truth"),
    _metric("g_mean", "G-mean", "g-mean", "root of recall times specificity"),
    _metric("auroc", "AUROC", "auroc", "rank sum, ties counting half"),
    _metric("token_accuracy", "Token accuracy", "token-accuracy", "by position"),
    _metric("exact_match", "Exact match", "exact-match", "character for character"),
    _metric("rouge", "ROUGE-1, ROUGE-2, ROUGE-L", "rouge", "recall, precision or F1", "lin2004rouge"),
    _metric("feature_distance", "Feature distance", "feature-distance", "to the mean feature of the class"),
    _metric("knn_distance", "KNN distance", "knn-distance", "to the nearest private image of the class"),
    _metric("fid", "Fréchet distance of given features", "fid", "exact for few samples", "heusel2017gans"),
    _metric(
        "generative_precision",
        "Generative precision",
        "generative-precision",
        "share of reconstructions near private images",
        "kynkaanniemi2019improved",
    ),
    _metric(
        "generative_recall",
        "Generative recall",
        "generative-recall",
        "share of private images near reconstructions",
        "kynkaanniemi2019improved",
    ),
    _metric("density", "Density", "density", "balls around private images, over k"),
    _metric("coverage", "Coverage", "coverage", "balls around private images that hold one"),
    _metric("kl_divergence", "KL divergence", "kl-divergence", "in nats, of the true from the estimated"),
)

IMPLEMENTATIONS: tuple[Implementation, ...] = (
    *_GRADIENT_ATTACKS,
    *_TEXT_ATTACKS,
    *_MODEL_ATTACKS,
    *_TABLE_ATTACKS,
    *_SPLIT_ATTACKS,
    *_METRICS,
)
