"""The field's code, imported from checkouts whose other dependencies need not be installed.

Packages are entered without running their `__init__`, which would import data sets, downloads and torchvision; the
modules that hold the attacks themselves need torch alone. Nothing of theirs is changed.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import logging
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Settings(dict[str, Any]):
    """A mapping whose keys are attributes too, as the configuration objects that breaching expects."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Breaching:
    """JonasGeiping/breaching: its objectives and its optimization-based attack."""

    def __init__(self, checkout: Path) -> None:
        root = checkout / "breaching"
        for name in ("", ".attacks", ".cases", ".cases.models"):
            _entered(f"breaching{name}", root.joinpath(*name.split(".")[1:]))
        self.objectives = importlib.import_module("breaching.attacks.auxiliaries.objectives")
        self._attacker = importlib.import_module("breaching.attacks.optimization_based_attack")
        logging.getLogger("breaching").setLevel(logging.WARNING)

    def objective(self, name: str) -> Callable[[nn.Module, list[Tensor], Tensor, Tensor], Tensor]:
        """Return the loss of its name, `CosineSimilarity` or `Euclidean`, for one local step."""
        objective = getattr(self.objectives, name)()
        objective.initialize(nn.CrossEntropyLoss(), Settings(mixed_precision=False))
        return lambda model, shared, images, labels: objective(model, shared, images, labels)[0]

    def inverting_gradients(
        self, model: nn.Module, shared: list[Tensor], labels: Tensor, shape: tuple[int, ...], steps: int
    ) -> Tensor:
        """Run its configuration `invertinggradients` on images of mean 0.5 and deviation 0.25; return them as given."""
        settings = Settings(
            type="invertinggradients",
            attack_type="optimization",
            label_strategy=None,
            text_strategy=None,
            init="randn",
            normalize_gradients=False,
            objective=Settings(type="cosine-similarity", scale=1.0),
            restarts=Settings(num_trials=1, scoring="cosine-similarity"),
            optim=Settings(
                optimizer="adam",
                signed="hard",
                step_size=0.1,
                boxed=True,
                max_iterations=steps,
                step_size_decay="step-lr",
                langevin_noise=0.0,
                warmup=0,
                grad_clip=None,
                callback=10**9,
            ),
            augmentations=Settings(),
            differentiable_augmentations=False,
            regularization=Settings(total_variation=Settings(scale=0.2, inner_exp=1, outer_exp=1)),
            impl=Settings(dtype="float", mixed_precision=False, JIT=None),
        )
        attacker = self._attacker.OptimizationBasedAttacker(model, nn.CrossEntropyLoss(), settings)
        data = Settings(shape=shape, mean=[0.5] * shape[0], std=[0.25] * shape[0], modality="vision")
        payload = [{"parameters": list(model.parameters()), "buffers": list(model.buffers()), "metadata": data}]
        seen = Settings(labels=labels, num_data_points=len(labels), local_hyperparams=None)
        found, _ = attacker.reconstruct(payload, [{"gradients": shared, "buffers": None, "metadata": seen}], {})
        images: Tensor = found["data"]
        return images


class InvertingGradients:
    """JonasGeiping/invertinggradients, the code of the paper: its loss and its attack."""

    def __init__(self, checkout: Path) -> None:
        root = checkout / "inversefed"
        # Imported for an Inception network that is not used.
        sys.modules.setdefault("torchvision", _package("torchvision", root))
        _entered("inversefed", root)
        network = _entered("inversefed.nn", root / "nn")
        network.MetaMonkey = importlib.import_module("inversefed.nn.modules").MetaMonkey  # type: ignore[attr-defined]
        self.algorithms = importlib.import_module("inversefed.reconstruction_algorithms")

    def inverting_gradients(
        self, model: nn.Module, shared: list[Tensor], labels: Tensor, shape: tuple[int, ...], steps: int
    ) -> Tensor:
        """Run it with signed Adam and the total variation of its README's example; images as it leaves them."""
        config = {
            "signed": True,
            "boxed": True,
            "cost_fn": "sim",
            "indices": "def",
            "weights": "equal",
            "lr": 0.1,
            "optim": "adam",
            "restarts": 1,
            "max_iterations": steps,
            "total_variation": 1e-2,
            "init": "randn",
            "filter": "none",
            "lr_decay": True,
            "scoring_choice": "loss",
        }
        mean = torch.full((shape[0], 1, 1), 0.5)
        attack = self.algorithms.GradientReconstructor(model, (mean, mean / 2), config, num_images=len(labels))
        images: Tensor = attack.reconstruct(shared, labels, img_shape=shape)[0]
        return images


def deep_leakage(checkout: Path) -> types.ModuleType:
    """Return mit-han-lab/dlg's module of losses; its attack is a script, whose loop `benchmarks` writes out."""
    return importlib.machinery.SourceFileLoader("dlg_utils", str(checkout / "utils.py")).load_module()


def _entered(name: str, folder: Path) -> types.ModuleType:
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not there: give the path of a checkout of {name.split('.')[0]}")
    sys.modules[name] = _package(name, folder)
    return sys.modules[name]


def _package(name: str, folder: Path) -> types.ModuleType:
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    package.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    return package
