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
class MeasuredDefense(Measured):
    """One result of `atlas bench --defenses`: what an attack reaches under a defense, and without it."""

    attack: str  # as the shell knows it
    undefended: float


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


def _measured(part: str, kind: type[Measured]) -> dict[str, tuple[Measured, ...]]:
    if not MEASURED.is_file():
        return {}
    found = json.loads(MEASURED.read_text(encoding="utf-8")).get(part, {})
    return {name: tuple(kind(**result) for result in results) for name, results in found.items()}


def _attack(name: str, label: str, paper: str, implements: str) -> Implementation:
    return Implementation(name, label, "attack", paper, "", implements, f"atlas attack {name}", _RESULTS.get(name, ()))


def _metric(name: str, label: str, metric: str, implements: str, paper: str = "") -> Implementation:
    command = f"from inversion_atlas.reference.metrics import {name}"
    return Implementation(name, label, "metric", paper, metric, implements, command)


def _defense(name: str, label: str, paper: str, implements: str, *, against: str = "") -> Implementation:
    """A defense that the shell knows, with an attack that it is to be seen against."""
    command = f"atlas attack {against} --defense {name}"
    return Implementation(name, label, "defense", paper, "", implements, command, _UNDER_DEFENSES.get(name, ()))


def _defense_in_python(name: str, label: str, paper: str, implements: str, *, where: str) -> Implementation:
    module, _, function = where.partition(":")
    command = f"from inversion_atlas.reference.defenses.{module} import {function}"
    return Implementation(name, label, "defense", paper, "", implements, command)


_RESULTS = _measured("attacks", Measured)
_UNDER_DEFENSES = _measured("defenses", MeasuredDefense)

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

_FEDERATED_ATTACKS = (
    _attack(
        "inverting-updates",
        "Inverting Gradients on FedAvg",
        "geiping2020inverting",
        "the client's local steps repeated and differentiated through",
    ),
    _attack(
        "grad-inversion",
        "GradInversion",
        "yin2021see",
        "statistics of batch normalization and starts that must agree, without registration",
    ),
    _attack("robbing-the-fed", "Robbing the Fed", "fowl2022robbing", "imprint layer with bins of brightness"),
    _attack("rgap", "R-GAP", "zhu2021rgap", "recursion by linear systems, and its rank analysis"),
    _attack("ggl", "GGL", "li2022auditing", "latent vectors of a generator by CMA-ES, without estimating a defense"),
)

_ROW_ATTACKS = (
    _attack(
        "tableak",
        "TabLeak",
        "vero2023tableak",
        "rows of categories and numbers by the cosine of gradients, softmax relaxation, median of an ensemble",
    ),
    _attack(
        "tableak-updates",
        "TabLeak on FedAvg",
        "vero2023tableak",
        "the same, with the client's local steps repeated and differentiated through",
    ),
)

_TEXT_ATTACKS = (
    _attack(
        "dager",
        "DAGER",
        "petrov2024dager",
        "span check of tokens and prefixes in two attention layers of a causal transformer",
    ),
    _attack(
        "dager-encoder",
        "DAGER for encoders",
        "petrov2024dager",
        "span check of tokens and of their combinations to whole texts in a transformer that looks both ways",
    ),
    _attack("tag", "TAG", "deng2021tag", "embeddings by squared and absolute distance of gradients, Adam"),
    _attack(
        "lamp",
        "LAMP",
        "balunovic2022lamp",
        "embeddings by the cosine of gradients, in turns with reordering by a small causal language model",
    ),
)

_EMBEDDING_ATTACKS = (
    _attack("geia", "GEIA", "li2023sentence", "language model that starts from a text's vector, trained on queries"),
    _attack(
        "word-set",
        "Inversion of embeddings to words",
        "song2020information",
        "black box: one classifier per word, trained on queries; order is lost",
    ),
    _attack(
        "zsinvert",
        "ZSInvert",
        "zhang2025universal",
        "beams of a language model steered by queries, no training for the encoder; first stage",
    ),
    _attack(
        "transferable",
        "Transferable embedding inversion",
        "huang2024transferable",
        "another encoder's vectors mapped to the victim's by leaked pairs and a discriminator, no query",
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
        "label-attribute",
        "Black-box inversion of a tree",
        "fredrikson2015model",
        "likeliest value by the classes named, the confusion matrix and frequencies",
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
    _attack(
        "unsplit-labels",
        "UnSplit's label inference",
        "erdogan2022unsplit",
        "the label whose gradient under a surrogate of the client's last layer is nearest to the one returned",
    ),
    _attack("fsha", "FSHA", "pasquini2021unleashing", "the client is steered to features that the server decodes"),
)

_GENERATIVE_ATTACKS = (
    _attack("gmi", "GMI", "zhang2020secret", "latent search with a critic of public images as prior"),
    _attack("kedmi", "KEDMI", "chen2021knowledge", "inversion-specific GAN, distribution of latents per image"),
    _attack("lomma-gmi", "LOMMA on GMI", "nguyen2023rethinking", "logit loss, distilled copies of the target"),
    _attack("lomma-kedmi", "LOMMA on KEDMI", "nguyen2023rethinking", "logit loss, distilled copies of the target"),
    _attack("vmi", "VMI", "wang2021variational", "normal distribution or flow over latents per class"),
    _attack("ppa", "PPA", "struppek2022plug", "style search with Poincaré loss, robust candidates kept"),
    _attack("mirror", "MIRROR", "an2022mirror", "style search bounded where styles are near normal, white box"),
    _attack("if-gmi", "IF-GMI", "qiu2024closer", "style, then features between blocks within L1 balls"),
    _attack("plg-mi", "PLG-MI", "yuan2023pseudo", "conditional GAN on pseudo-labeled public images, max-margin loss"),
    _attack("deep-inversion", "DeepInversion", "yin2020dreaming", "statistics of batch normalization, no prior"),
    _attack(
        "ensemble-inversion",
        "Ensemble inversion",
        "wang2022reconstructing",
        "one generator trained against several models, with or without public images",
    ),
)

_UPDATE_ATTACKS = (
    _attack(
        "updates-leak",
        "Updates-Leak",
        "salem2020updates",
        "label and image of one example, from the answers to probes before and after",
    ),
    _attack(
        "property-inference",
        "Property inference",
        "melis2019exploiting",
        "passive: a classifier of gradients, trained on batches with and without the property",
    ),
    _attack(
        "property-inference-active",
        "Active property inference",
        "melis2019exploiting",
        "a participant's gradients teach the joint model to tell the property apart, then the same classifier",
    ),
)

_EXPLANATION_ATTACKS = (
    _attack(
        "explanation-inversion",
        "XAI-aware model inversion",
        "zhao2021exploiting",
        "inversion network that is given scores and a saliency map",
    ),
)

_GRAPH_ATTACKS = (
    _attack("graphmi", "GraphMI", "zhang2021graphmi", "projected gradients over edges, then cosines of embeddings"),
    _attack(
        "graphmi-labels",
        "GraphMI with hard labels",
        "zhang2023model",
        "slopes over edges estimated from the classes named for random graphs, without reinforcement learning",
    ),
    _attack(
        "group-property",
        "GPIA",
        "wang2022group",
        "which group prevails in the training graph, from the probabilities of nodes of one's own and shadow networks",
    ),
    _attack(
        "privx",
        "PrivX",
        "sahoo2026graph",
        "explanations released under known noise, denoised by the reverse of a diffusion, then their cosines",
    ),
)

_SPEECH_ATTACKS = (
    _attack(
        "speech-inversion",
        "Speech from shared gradients",
        "li2023speech",
        "word and features over time by the cosine of gradients, smooth along time; no sound, no speaker",
    ),
    _attack(
        "label-set",
        "RLG",
        "dang2021revealing",
        "classes of a batch by linear programs on singular vectors of the last layer's gradient",
    ),
)

_POINT_ATTACKS = (
    _attack(
        "point-recovery",
        "Point recovery from neighborhoods",
        "chelani2025obfuscation",
        "points hidden on lines, on planes or by swaps, from neighbors told or learned by descriptors",
    ),
)

_MULTIMODAL_ATTACKS = (
    _attack(
        "deja-vu",
        "Déjà vu memorization",
        "jayaraman2024deja",
        "objects of a training image from its caption by neighbors in the shared space, test with two models",
    ),
    _attack(
        "mmgia",
        "MMGIA",
        "zheng2025mmgia",
        "image and text by the gradient of their branch, then both by their places in one space, by the abstract",
    ),
    _attack(
        "answer-extraction",
        "Extraction from document-based VQA",
        "pinto2024extracting",
        "training questions about pages without the answer, beside a model that never saw them",
    ),
)

_LABEL_ATTACKS = (
    _attack(
        "log-loss-labels",
        "Label inference from log-loss scores",
        "aggarwal2021label",
        "labels of a data set from the scores of chosen predictions: primes, or powers that withstand rounding",
    ),
    _attack(
        "vertical-completion",
        "Passive label inference",
        "fu2022label",
        "bottom model of a party of vertical training, completed with few labels",
    ),
    _attack(
        "vertical-active",
        "Active label inference",
        "fu2022label",
        "the same after the party enlarged its gradients in training",
    ),
    _attack(
        "vertical-direct",
        "Direct label inference",
        "fu2022label",
        "labels by the sign of gradients, where outputs are summed to logits",
    ),
)

_BY_GRADIENT = "inverting-gradients --target digits-convnet"
_WITH_A_PRIOR = "gmi --items 25 --steps 300"

_DEFENSES = (
    _defense("noise", "Noise", "zhu2019deep", "on gradients, updates or features", against=_BY_GRADIENT),
    _defense("clip", "Clipping", "li2022auditing", "of what is sent, as one vector", against=_BY_GRADIENT),
    _defense("prune", "Gradient pruning", "zhu2019deep", "the smallest entries set to zero", against=_BY_GRADIENT),
    _defense(
        "prune-largest",
        "Large gradient pruning",
        "zhang2023preserving",
        "the largest entries set to zero",
        against=_BY_GRADIENT,
    ),
    _defense(
        "dgp", "Dual gradient pruning", "xue2024revisiting", "the smallest and 5 % of the largest", against=_BY_GRADIENT
    ),
    _defense(
        "dgc",
        "Deep Gradient Compression",
        "lin2018deep",
        "what is not sent is kept, with momentum correction",
        against=_BY_GRADIENT,
    ),
    _defense("quantize", "Quantization", "zhu2019deep", "few bits for each number", against=_BY_GRADIENT),
    _defense(
        "mixed-quantization",
        "Mixed quantization",
        "ovi2023mixed",
        "bits differ from part to part",
        against=_BY_GRADIENT,
    ),
    _defense(
        "soteria", "Soteria", "sun2021soteria", "columns of the last layer's gradient pruned", against=_BY_GRADIENT
    ),
    _defense(
        "dp-sgd", "DP-SGD", "abadi2016deep", "clipping per example, noise, epsilon as Opacus", against=_BY_GRADIENT
    ),
    _defense("ats", "ATS", "gao2021privacy", "transformations searched by two scores", against=_BY_GRADIENT),
    _defense("precode", "PRECODE", "scheliga2022precode", "a random layer before the last", against=_BY_GRADIENT),
    _defense(
        "score-noise",
        "Noise on scores",
        "alves2019mlprivacyguard",
        "normal noise, where the paper's has long tails",
        against="inversion-network",
    ),
    _defense("top-k", "Top-k scores", "yang2019neural", "the others set to zero", against="inversion-network"),
    _defense("rounding", "Rounding", "fredrikson2015model", "to decimals", against="inversion-network"),
    _defense(
        "purifier",
        "Purifier",
        "yang2023purifier",
        "conditional autoencoder of scores, without label swapper",
        against="inversion-network",
    ),
    _defense("mid", "MID", "wang2021improving", "variational bound on information", against=_WITH_A_PRIOR),
    _defense(
        "bido-hsic", "BiDO with HSIC", "peng2022bilateral", "dependencies of hidden layers", against=_WITH_A_PRIOR
    ),
    _defense(
        "bido-coco", "BiDO with COCO", "peng2022bilateral", "dependencies of hidden layers", against=_WITH_A_PRIOR
    ),
    _defense(
        "negative-smoothing",
        "Negative label smoothing",
        "struppek2024careful",
        "a constant negative factor",
        against=_WITH_A_PRIOR,
    ),
    _defense(
        "sparse-coding",
        "Sparse coding",
        "dibbo2024improving",
        "first layer by local competition",
        against="inverse-network",
    ),
    _defense("tl-dmi", "TL-DMI", "ho2024model", "first layers learn from public data", against=_WITH_A_PRIOR),
    _defense_in_python(
        "instahide", "InstaHide", "huang2020instahide", "mixtures under signs", where="instahide:instahide"
    ),
    _defense_in_python(
        "secure-aggregation",
        "Secure aggregation",
        "suimon2025per",
        "what the server sees: masked sums, entries of few clients withheld",
        where="aggregation:securely_aggregated",
    ),
)

_INTERFACE_ATTACKS = (
    _attack("brep-mi", "BREP-MI", "kahla2022label", "latent vectors repelled from the class's boundary, labels alone"),
    _attack("lokt", "LOKT", "nguyen2023label", "T-ACGAN and surrogates taught by labels alone, then PLG-MI's search"),
    _attack("mirror-genetic", "MIRROR, genetic search", "an2022mirror", "styles bred by the scores of a black box"),
    _attack("rlb-mi", "RLB-MI", "han2023reinforcement", "soft actor-critic over latents, episodes of a single move"),
)

_LANGUAGE_ATTACKS = (
    _attack(
        "prefix-extraction",
        "Extraction of training code",
        "salerno2025much",
        "beginnings continued token by token, functions that stand once, 4 and 16 times in the training data",
    ),
    _attack(
        "training-data-extraction",
        "Extraction of training data",
        "carlini2021extracting",
        "samples ranked by perplexity, by zlib or by a second model",
    ),
    _attack(
        "beamclean",
        "BeamClean",
        "kale2025beamclean",
        "beam search over noisy embeddings with a prior of word pairs, the noise's scale estimated in turns",
    ),
    _attack(
        "poisoned-property",
        "Property inference from poisoning",
        "mahloujifar2022property",
        "records with the property under one label, then labels of probes weighed by models of one's own",
    ),
)

# Metrics of the catalogue that no function here computes, and why.
NOT_FUNCTIONS = {
    "attack-iterations": "counted while an attack runs: `Reconstruction.evaluations` of every attack holds it",
    "communication-cost": "a property of a protocol over its rounds; of one message see `compression_ratio`",
    "poisoning-samples": "chosen by the attacker, not computed from the outcome",
    "query-count": "counted while an attack runs: `BlackBox.queries` holds it",
    "runtime": "wall-clock time depends on the machine; the caller times what it runs",
    "training-time": "wall-clock time depends on the machine; the caller times what it trains",
}

_METRICS = (
    _metric("mse", "MSE", "mse", "mean of squared differences"),
    _metric("rmse", "RMSE", "rmse", "root of the mean of squared differences"),
    _metric("reconstruction_loss", "Average reconstruction loss", "reconstruction-loss", "MSE on pixels from 0 to 1"),
    _metric("inversion_error", "Inversion error", "inversion-error", "MSE on pixels from 0 to 1"),
    _metric("mean_absolute_pixel_error", "MAE in gray levels", "mean-absolute-pixel-error", "mean absolute difference"),
    _metric("psnr", "PSNR", "psnr", "10 log10 of the squared range over the MSE, per image"),
    _metric("l1_distance", "L1 distance", "l1-distance", "sum of absolute differences"),
    _metric("l2_distance", "L2 distance", "l2-distance", "length of the difference"),
    _metric("cosine_similarity", "Cosine similarity", "cosine-similarity", "cosine of the angle"),
    _metric("ssim", "SSIM", "ssim", "Gaussian window of its authors, valid region", "wang2004image"),
    _metric("ms_ssim", "MS-SSIM", "ms-ssim", "five scales"),
    _metric("fsim", "FSIM and FSIMc", "fsim", "luminance, and with color", "zhang2011fsim"),
    _metric("avd", "AVD", "avd", "as its authors compute it, and as printed", "papadopoulos2024absolute"),
    _metric("lpips", "LPIPS", "lpips", "weights from local files, or any network", "zhang2018unreasonable"),
    _metric("rdlv", "RDLV", "rdlv", "gain over the prior, with SSIM or another metric", "hatamizadeh2023gradient"),
    _metric("iip", "IIP", "iip", "nearest candidate by cosine, length or a function", "yin2021see"),
    _metric("attack_success_rate", "Attack success rate", "attack-success-rate", "share that meets a stated criterion"),
    _metric("percent_correct", "Percent correct", "percent-correct", "100 times the share of right guesses"),
    _metric("accuracy", "Accuracy", "accuracy", "over all, or the mean over classes"),
    _metric("categorical_accuracy", "Categorical accuracy", "categorical-accuracy", "highest scores that agree"),
    _metric("model_accuracy", "Model accuracy", "model-accuracy", "of the target, on held-out records"),
    _metric("generalization_gap", "Generalization gap", "generalization-gap", "of accuracy or of loss"),
    _metric("fidelity", "Fidelity", "fidelity", "agreement of surrogate and target"),
    _metric(
        "confidence_score_distortion",
        "Confidence score distortion",
        "confidence-score-distortion",
        "absolute, Euclidean or largest difference",
    ),
    _metric(
        "membership_inference_accuracy",
        "Membership inference accuracy",
        "membership-inference-accuracy",
        "over all, or balanced",
    ),
    _metric("attack_accuracy", "Attack accuracy", "attack-accuracy", "top-k under an evaluation model"),
    _metric("label_recovery_accuracy", "Label recovery accuracy", "label-recovery-accuracy", "overlap of multisets"),
    _metric("attribute_inference_accuracy", "Attribute inference accuracy", "attribute-inference-accuracy", "share"),
    _metric("attribute_advantage", "Attribute advantage", "attribute-advantage", "gain over the room above a baseline"),
    _metric(
        "tabular_reconstruction_accuracy",
        "Tabular reconstruction accuracy",
        "tabular-reconstruction-accuracy",
        "categories equal, numbers within a tolerance",
        "vero2023tableak",
    ),
    _metric("precision", "Precision", "precision", "true positives over all called positive"),
    _metric("recall", "Recall", "recall", "true positives over all positive"),
    _metric("f1_score", "F1", "f1-score", "harmonic mean of precision and recall"),
    _metric("mcc", "MCC", "mcc", "correlation of guess and truth"),
    _metric("g_mean", "G-mean", "g-mean", "root of recall times specificity"),
    _metric("auroc", "AUROC", "auroc", "rank sum, ties counting half"),
    _metric("token_accuracy", "Token accuracy", "token-accuracy", "by position"),
    _metric("exact_match", "Exact match", "exact-match", "character for character"),
    _metric("bleu", "BLEU", "bleu", "per text or corpus, words or the tokens of SacreBLEU"),
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
    _metric(
        "mutual_information", "Mutual information", "mutual-information", "of discrete variables, from their shares"
    ),
    _metric(
        "inception_score",
        "Inception Score of given probabilities",
        "inception-score",
        "per part of the images",
        "salimans2016improved",
    ),
    _metric("d_snr", "D-SNR", "d-snr", "per-sample gradients by layer", "garov2024hiding"),
    _metric("compression_ratio", "Compression ratio", "compression-ratio", "bytes, with the indices of sparse tensors"),
    _metric(
        "reconstruction_robustness",
        "ReRo from differential privacy",
        "reconstruction-robustness",
        "the generic bound",
        "balle2022reconstructing",
    ),
    _metric(
        "reconstruction_robustness_renyi",
        "ReRo from Rényi differential privacy",
        "reconstruction-robustness",
        "the bound of one order",
        "balle2022reconstructing",
    ),
    _metric(
        "reconstruction_robustness_gaussian",
        "ReRo of the Gaussian mechanism",
        "reconstruction-robustness",
        "the best test at the baseline's level",
        "hayes2023bounding",
    ),
)

IMPLEMENTATIONS: tuple[Implementation, ...] = (
    *_GRADIENT_ATTACKS,
    *_FEDERATED_ATTACKS,
    *_ROW_ATTACKS,
    *_TEXT_ATTACKS,
    *_EMBEDDING_ATTACKS,
    *_MODEL_ATTACKS,
    *_TABLE_ATTACKS,
    *_SPLIT_ATTACKS,
    *_GENERATIVE_ATTACKS,
    *_UPDATE_ATTACKS,
    *_EXPLANATION_ATTACKS,
    *_GRAPH_ATTACKS,
    *_SPEECH_ATTACKS,
    *_POINT_ATTACKS,
    *_MULTIMODAL_ATTACKS,
    *_LABEL_ATTACKS,
    *_DEFENSES,
    *_INTERFACE_ATTACKS,
    *_LANGUAGE_ATTACKS,
    *_METRICS,
)
