"""A real graph with words at its nodes: the modules of installed packages, joined where one imports the other."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.data import Images, Split
from inversion_atlas.reference.targets.graphs import Graph, graph_convolution

# Packages under the BSD license and the parts of each that are read; the class is the part.
_SOURCES = {
    "sklearn": ("cluster", "ensemble", "linear_model", "metrics", "model_selection", "neighbors", "utils"),
    "statsmodels": ("base", "discrete", "genmod", "nonparametric", "regression", "stats", "tools", "tsa"),
}
_IMPORT = re.compile(r"^[ ]*from[ ]+([.\w]+)[ ]+import[ ]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_NAMED = re.compile(r"^[ ]*(?:def|class)[ ]+(\w+)", re.MULTILINE)
_WORD = re.compile(r"[A-Z]?[a-z]{2,}")
_WORDS = 128


@dataclass(frozen=True, slots=True, eq=False)
class Modules(Graph):
    """Two halves of the modules, drawn at random: private ones, and public ones with a graph of their own.

    A group of modules is what the network is not taught: 1 for tests, 0 for what they test.
    """

    groups: Tensor
    public_adjacency: Tensor
    public_groups: Tensor


@lru_cache(maxsize=1)
def modules() -> Modules:
    """Modules of scikit-learn and statsmodels; features are the commonest words of the names that they define.

    Imports lead from one module to another; the graph joins the two both ways. No link of the private half with the
    public one is in either graph.
    """
    sources = {name: text for package, parts in _SOURCES.items() for name, text in _read(package, parts)}
    adjacency = _adjacency(sources)
    features = _features(list(sources.values()))
    classes = tuple(f"{package}.{part}" for package, parts in _SOURCES.items() for part in parts)
    labels = torch.tensor([classes.index(".".join(name.split(".")[:2])) for name in sources])
    tests = torch.tensor([int("tests" in name.split(".")) for name in sources])
    order = torch.randperm(len(sources), generator=torch.Generator().manual_seed(0))
    private, public = order[: len(order) // 2], order[len(order) // 2 :]
    halves = [Images(features[part], labels[part]) for part in (private, public)]
    return Modules(
        "modules",
        classes,
        halves[0],
        halves[1],
        halves[1],
        adjacency[private][:, private],
        tests[private],
        adjacency[public][:, public],
        tests[public],
    )


def fit_modules(model: nn.Module, split: Split) -> tuple[float, float]:
    """Train the network on the private half; return its accuracy on both halves, each with its own graph."""
    assert isinstance(split, Modules)
    fit(model, split.private, split.adjacency, epochs=60)
    with torch.no_grad():
        own = model(split.private.images, split.adjacency).argmax(dim=1) == split.private.labels
        other = model(split.public.images, split.public_adjacency).argmax(dim=1) == split.public.labels
    return float(own.double().mean()), float(other.double().mean())


def fit(model: nn.Module, nodes: Images, adjacency: Tensor, *, epochs: int, seed: int = 0) -> None:
    """Train the network in place on the labels of all nodes of a graph and leave it in eval mode."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-2, weight_decay=5e-4)
    model.train()
    with seeded(seed):
        for _ in range(epochs):
            optimizer.zero_grad()
            functional.cross_entropy(model(nodes.images, adjacency), nodes.labels).backward()
            optimizer.step()
    model.eval()


def fitted(nodes: Images, adjacency: Tensor, *, classes: int, epochs: int, seed: int) -> nn.Module:
    """Return a graph network that is drawn and trained by the seed."""
    with seeded(seed):
        model = graph_convolution(tuple(nodes.images.shape[1:]), classes)
    fit(model, nodes, adjacency, epochs=epochs, seed=seed)
    return model


def _read(package: str, parts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return names and sources of the modules of those parts of a package."""
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    root = Path(found.origin).parent
    files = [path for part in parts for path in sorted((root / part).rglob("*.py")) if path.stem != "__init__"]
    names = [".".join((package, *path.relative_to(root).with_suffix("").parts)) for path in files]
    return [(name, path.read_text(encoding="utf-8")) for name, path in zip(names, files, strict=True)]


def _adjacency(sources: dict[str, str]) -> Tensor:
    places = {name: place for place, name in enumerate(sources)}
    adjacency = torch.zeros(len(places), len(places))
    for name, text in sources.items():
        for imported in _imported(name, text) & places.keys() - {name}:
            adjacency[places[name], places[imported]] = adjacency[places[imported], places[name]] = 1
    return adjacency


def _imported(name: str, text: str) -> set[str]:
    """Return what may be names of modules that a module imports from or imports."""
    found = set()
    for source, things in _IMPORT.findall(text):
        absolute = source.lstrip(".")
        above = name.split(".")[: len(absolute) - len(source)] if source != absolute else []
        base = ".".join([*above, *filter(None, absolute.split("."))])
        found |= {base, *(f"{base}.{thing}" for thing in re.findall(r"\w+", things))}
    return found


def _features(texts: list[str]) -> Tensor:
    """Return which of the commonest words each text's names hold, of shape (texts, words); too common ones are out."""
    held = [{word.lower() for name in _NAMED.findall(text) for word in _WORD.findall(name)} for text in texts]
    counts = Counter(word for words in held for word in words)
    known = sorted((word for word in counts if counts[word] < 0.4 * len(texts)), key=lambda word: (-counts[word], word))
    return torch.tensor([[float(word in words) for word in known[:_WORDS]] for words in held])
