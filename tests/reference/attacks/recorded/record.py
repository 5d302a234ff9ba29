"""Run the field's losses on inputs made from seeds and record what they return.

python tests/reference/attacks/recorded/record.py --breaching PATH --dlg PATH --inverting-gradients PATH

The paths are checkouts of JonasGeiping/breaching, mit-han-lab/dlg and JonasGeiping/invertinggradients. Only the
modules that hold the losses are imported; they need torch alone. Writes losses.json beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[3]
sys.path[:0] = [str(ROOT / "benchmarks")]

import field_code  # noqa: E402

# Slopes have thousands of entries: their length, their sum with these weights, and the first few say enough.
FIRST = 8
# The learning rate of the client that shares an update.
LOCAL_RATE = 0.05


def networks() -> dict[str, nn.Module]:
    """Return the two networks whose gradients are matched, the same on every machine."""
    sigmoid = nn.Sequential(
        nn.Conv2d(3, 12, 5, padding=2, stride=2),
        nn.Sigmoid(),
        nn.Conv2d(12, 12, 5, padding=2, stride=2),
        nn.Sigmoid(),
        nn.Conv2d(12, 12, 5, padding=2, stride=1),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Linear(768, 10),
    )
    relu = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(4),
        nn.Flatten(),
        nn.Linear(512, 10),
    )
    return {"sigmoid": filled(sigmoid), "relu": filled(relu)}


def filled(model: nn.Module) -> nn.Module:
    """Return the model with weights that depend on no generator of random numbers."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(waves(parameter.shape, 1.0) * (0.3 if parameter.ndim > 1 else 0.1))
    return model.double().eval()


def waves(shape: tuple[int, ...] | torch.Size, speed: float) -> Tensor:
    """Return numbers from -1 to 1 that look random and are the same everywhere."""
    count = torch.arange(1, torch.Size(shape).numel() + 1, dtype=torch.float64)
    return torch.sin(count * count * speed * 0.7).view(shape)


def inputs(batch: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return private images, dummy images, labels, and soft labels."""
    private = waves((batch, 3, 32, 32), 1.3) / 2 + 0.5
    dummy = waves((batch, 3, 32, 32), 2.9)
    return private, dummy, torch.arange(batch) * 3 % 10, waves((batch, 10), 3.1).softmax(dim=1)


def shared_gradient(model: nn.Module, private: Tensor, labels: Tensor) -> list[Tensor]:
    loss = nn.functional.cross_entropy(model(private), labels)
    return [part.detach() for part in torch.autograd.grad(loss, list(model.parameters()))]


def summary(loss: Tensor, variables: list[Tensor]) -> dict[str, Any]:
    """Return the loss and its slopes in short; the loss must still hold its graph."""
    slopes = torch.autograd.grad(loss.sum(), variables)
    return {"loss": loss.item(), "slopes": [described(slope) for slope in slopes]}


def described(slope: Tensor) -> dict[str, Any]:
    return {
        "length": slope.norm().item(),
        "weighted": (slope * waves(slope.shape, 4.3)).sum().item(),
        "first": slope.flatten()[:FIRST].tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breaching", type=Path, required=True)
    parser.add_argument("--dlg", type=Path, required=True)
    parser.add_argument("--inverting-gradients", type=Path, required=True)
    given = parser.parse_args()
    recorded = {
        "made_by": "tests/reference/attacks/recorded/record.py",
        "torch": torch.__version__,
        "commits": {
            "JonasGeiping/breaching": commit(given.breaching),
            "mit-han-lab/dlg": commit(given.dlg),
            "JonasGeiping/invertinggradients": commit(given.inverting_gradients),
        },
        "values": record(given.breaching, given.dlg, given.inverting_gradients),
    }
    (FOLDER / "losses.json").write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


def record(breaching: Path, dlg: Path, inverting_gradients: Path) -> dict[str, Any]:
    """Return every loss on every network, for one image and for three."""
    toolbox = field_code.Breaching(breaching)
    paper = field_code.InvertingGradients(inverting_gradients)
    leakage = field_code.deep_leakage(dlg)
    values: dict[str, Any] = {}
    for name, model in networks().items():
        for batch in (1, 3):
            private, dummy, labels, soft = inputs(batch)
            shared, parameters = shared_gradient(model, private, labels), list(model.parameters())
            dummy.requires_grad_()
            soft.requires_grad_()
            hard = torch.autograd.grad(nn.functional.cross_entropy(model(dummy), labels), parameters, create_graph=True)
            one_hot = torch.autograd.grad(
                leakage.cross_entropy_for_onehot(model(dummy), soft), parameters, create_graph=True
            )
            angle = paper.algorithms.reconstruction_costs([hard], shared, cost_fn="sim")
            # As its script sums it.
            distance = sum(((mine - theirs) ** 2).sum() for mine, theirs in zip(one_hot, shared, strict=True))
            assert isinstance(distance, Tensor)
            values[f"{name}, {batch}"] = {
                "breaching CosineSimilarity": summary(
                    toolbox.objective("CosineSimilarity")(model, shared, dummy, labels), [dummy]
                ),
                "breaching Euclidean": summary(toolbox.objective("Euclidean")(model, shared, dummy, labels), [dummy]),
                "invertinggradients sim": summary(angle, [dummy]),
                "dlg": summary(distance, [dummy, soft]),
            }
    values["update"] = local_steps(paper)
    return values


def local_steps(paper: field_code.InvertingGradients) -> dict[str, Any]:
    """Return what the paper's code says of updates: two epochs over four images, two a step."""
    model = networks()["relu"]
    private, dummy, labels, _ = inputs(4)

    def moved(images: Tensor) -> list[Tensor]:
        update: list[Tensor] = paper.algorithms.loss_steps(
            model, images, labels, lr=LOCAL_RATE, local_steps=4, batch_size=2
        )
        return update

    shared = [part.detach() for part in moved(private)]
    dummy.requires_grad_()
    loss = paper.algorithms.reconstruction_costs([moved(dummy)], shared, cost_fn="sim")
    return {
        "invertinggradients update": {
            "length": torch.cat([part.flatten() for part in shared]).norm().item(),
            **summary(loss, [dummy]),
        }
    }


def commit(checkout: Path) -> str:
    """Return the commit that was checked out, or what its folder's name says where it is no repository."""
    found = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
