"""CPU time per iteration of gradient inversion and what it reaches, beside the field's code on the same gradients.

python benchmarks/gradient_attacks.py [--breaching PATH] [--dlg PATH] [--inverting-gradients PATH] [--only M] [--save]

Paths are checkouts of JonasGeiping/breaching, mit-han-lab/dlg and JonasGeiping/invertinggradients; without them ours
runs alone. One thread; milliseconds are CPU time of this process per iteration (for DLG: per evaluation of the
gradient), the least over the images. PSNR is the mean over crops of scikit-image's photographs after the same
iterations; images are clamped to the data's range first. --save writes benchmarks/gradient_attacks.json.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.nn import functional

import field_code
from inversion_atlas.reference.attacks.gradient_matching import PriorDecides, dlg, inverting_gradients
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.targets import data, models

COMMITTED = Path(__file__).with_suffix(".json")
SHAPE = (3, 32, 32)
ITEMS = (10, 70, 130, 250, 330)
# Images, labels, shared gradient -> reconstruction and evaluations.
Attack = Callable[[nn.Module, SharedGradient], tuple[Tensor, int]]


class Normalized(nn.Module):
    """The model on images of mean 0.5 and deviation 0.25, as the field's code hands them to it."""

    def forward(self, inputs: Tensor) -> Tensor:
        return (inputs - 0.5) / 0.25


def convnet64() -> nn.Module:
    """The network of width 64 that the code of Inverting Gradients calls ConvNet64, with batch normalization."""
    layers: list[nn.Module] = []
    for place, (inside, outside) in enumerate(
        [(3, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 256), (256, 256)]
    ):
        layers += [nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU()]
        if place in (5, 7):
            layers.append(nn.MaxPool2d(3))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2304, 10))


# Model -> how it is made, the iterations of Inverting Gradients and the images they are run on.
INVERTED: dict[str, tuple[Callable[[], nn.Module], int, int]] = {
    "sigmoid LeNet, 10 classes": (lambda: models.lenet(SHAPE, 10), 600, 5),
    "convnet without normalization": (lambda: models.convnet(SHAPE, 10), 200, 5),
    "ConvNet64": (convnet64, 10, 2),
}
LEAKED = ("sigmoid LeNet, 100 classes", 30, 3)  # of DLG: outer steps of 20 evaluations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breaching", type=Path)
    parser.add_argument("--dlg", type=Path)
    parser.add_argument("--inverting-gradients", type=Path)
    parser.add_argument("--only", choices=[*INVERTED, LEAKED[0]])
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", PriorDecides)
    warnings.simplefilter("ignore", DeprecationWarning)
    results = {}
    for name, (build, steps, images) in INVERTED.items():
        if given.only in (None, name):
            results[name] = compared(name, seeded(build), inverting(given, steps), images)
    if given.only in (None, LEAKED[0]):
        name, steps, images = LEAKED
        results[name] = compared(name, seeded(lambda: models.lenet(SHAPE, 100)), leaking(given.dlg, steps), images)
    if given.save:
        content = {"torch": torch.__version__, "threads": 1, "results": results}
        COMMITTED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(1234)
    return build().eval()


def inverting(given: argparse.Namespace, steps: int) -> dict[str, Attack]:
    """Return ours and those of the field's that are at hand."""

    def ours(_: nn.Module, observation: SharedGradient) -> tuple[Tensor, int]:
        return inverting_gradients(observation, steps=steps).images, steps

    def theirs(code: field_code.Breaching | field_code.InvertingGradients) -> Attack:
        def attack(network: nn.Module, observation: SharedGradient) -> tuple[Tensor, int]:
            shared, labels = list(observation.gradient.values()), observation.labels
            assert labels is not None
            torch.manual_seed(0)
            return code.inverting_gradients(network, shared, labels, SHAPE, steps) * 0.25 + 0.5, steps

        return attack

    attacks: dict[str, Attack] = {"ours": ours}
    if given.breaching:
        attacks["breaching"] = theirs(field_code.Breaching(given.breaching))
    if given.inverting_gradients:
        attacks["invertinggradients"] = theirs(field_code.InvertingGradients(given.inverting_gradients))
    return attacks


def leaking(checkout: Path | None, steps: int) -> dict[str, Attack]:
    """Return our DLG and the authors' loop, with their loss."""

    def ours(_: nn.Module, observation: SharedGradient) -> tuple[Tensor, int]:
        found = dlg(observation, steps=steps, restarts=0)
        return found.images, found.evaluations

    if checkout is None:
        return {"ours": ours}
    losses = field_code.deep_leakage(checkout)
    return {"ours": ours, "dlg": lambda network, observation: leaked(losses, network, observation, steps)}


def leaked(losses: ModuleType, network: nn.Module, observation: SharedGradient, steps: int) -> tuple[Tensor, int]:
    """Run the loop of the authors' script, which is no function, on normalized images as ours sees them."""
    torch.manual_seed(0)
    model, shared = observation.model, list(observation.gradient.values())
    images = torch.randn(1, *SHAPE).requires_grad_()
    labels = torch.randn(1, observation.classes).requires_grad_()
    optimizer = torch.optim.LBFGS([images, labels])
    evaluations = 0

    def closure() -> Tensor:
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = losses.cross_entropy_for_onehot(model(images), functional.softmax(labels, dim=-1))
        gradient = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
        apart = torch.zeros(())
        for mine, theirs in zip(gradient, shared, strict=True):
            apart = apart + ((mine - theirs) ** 2).sum()
        apart.backward()
        return apart

    for _ in range(steps):
        optimizer.step(closure)
    return images.detach(), evaluations


def compared(name: str, network: nn.Module, attacks: dict[str, Attack], images: int) -> dict[str, dict[str, float]]:
    """Run all attacks on the same gradients in turn, and print and return time and quality of each."""
    private = data.photographs().private
    # DLG's network takes images as they are.
    seen = network if "dlg" in attacks or name == LEAKED[0] else nn.Sequential(Normalized(), network).eval()
    times: dict[str, list[float]] = {attack: [] for attack in attacks}
    reached: dict[str, list[float]] = {attack: [] for attack in attacks}
    for item in ITEMS[:images]:
        original, labels = private.images[[item]], private.labels[[item]]
        observation = SharedGradient.of_batch(seen, original, labels, mode="eval", labels_known=True)
        for attack, run in attacks.items():
            with contextlib.redirect_stdout(io.StringIO()):
                start = time.process_time()
                found, iterations = run(network, observation)
                times[attack].append((time.process_time() - start) / iterations * 1000)
            shown = found.nan_to_num(0.5).clamp(0, 1)
            reached[attack].append(float(psnr(shown, original, data_range=(0.0, 1.0))))
    results = {}
    for attack in attacks:
        results[attack] = {
            "ms": round(min(times[attack]), 2),
            "psnr": round(sum(reached[attack]) / images, 2),
            "times ours": round(min(times[attack]) / min(times["ours"]), 2),
        }
        print(f"{name:30} {attack:20} {results[attack]}", flush=True)
    return results


if __name__ == "__main__":
    main()
