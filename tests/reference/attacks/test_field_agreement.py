"""Matching losses and their slopes are those of the field's code, to 1e-5.

Compared with values recorded from it (recorded/record.py); with checkouts at hand, with a fresh run of it as well:

ATLAS_FIELD_CODE=FOLDER pytest tests/reference/attacks/test_field_agreement.py

FOLDER holds breaching, dlg and invertinggradients, as cloned.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from torch import Tensor, nn

from inversion_atlas.reference.attacks.layerwise import by_autograd, differentiable
from inversion_atlas.reference.attacks.matching import Matched, Matching, repeated_training
from inversion_atlas.reference.observations import SharedUpdate

FOLDER = Path(__file__).parent / "recorded"
RECORDED: dict[str, Any] = json.loads((FOLDER / "losses.json").read_text(encoding="utf-8"))["values"]


@pytest.fixture(scope="module")
def recorder() -> ModuleType:
    """The script that recorded the values, which makes the inputs too."""
    spec = importlib.util.spec_from_file_location("record", FOLDER / "record.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def near(mine: Any, theirs: Any, scale: float) -> None:
    assert mine == pytest.approx(theirs, rel=1e-5, abs=1e-5 * scale)


def same_slope(recorder: ModuleType, mine: Tensor, theirs: dict[str, Any]) -> None:
    described = recorder.described(mine)
    for part in ("length", "weighted", "first"):
        near(described[part], theirs[part], theirs["length"] / mine.numel() ** 0.5)


# What is recorded -> our value with its slopes, and the factor between both.
LOSSES: dict[str, tuple[Callable[[Matching, Tensor, Tensor, Tensor], Matched], Callable[[Matching], float]]] = {
    "breaching CosineSimilarity": (lambda m, images, labels, soft: m.angle(images, labels), lambda m: 1.0),
    "breaching Euclidean": (lambda m, images, labels, soft: m.distance(images, labels), lambda m: m.energy / 2),
    "invertinggradients sim": (lambda m, images, labels, soft: m.angle(images, labels), lambda m: 1.0),
    "dlg": (lambda m, images, labels, soft: m.distance(images, soft), lambda m: m.energy),
}


def compare(recorder: ModuleType, values: dict[str, Any], network: str, batch: int, loss: str) -> None:
    model: nn.Module = recorder.networks()[network]
    private, dummy, labels, soft = recorder.inputs(batch)
    shared, parameters = recorder.shared_gradient(model, private, labels), list(model.parameters())
    theirs = values[f"{network}, {batch}"][loss]
    value, factor = LOSSES[loss]
    for way in (differentiable(model, parameters, (3, 32, 32)), by_autograd(model, parameters)):
        matching = Matching(way, shared)
        found, scale = value(matching, dummy, labels, soft), factor(matching)
        near(found.value * scale, theirs["loss"], theirs["loss"])
        slopes = [found.images, *([] if found.labels is None else [found.labels])]
        assert len(slopes) == len(theirs["slopes"])
        for mine, other in zip(slopes, theirs["slopes"], strict=True):
            same_slope(recorder, mine * scale, other)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("network", ["sigmoid", "relu"])
def test_loss_and_slope_are_those_recorded_from_the_field_s_code(
    recorder: ModuleType, network: str, batch: int, loss: str
) -> None:
    compare(recorder, RECORDED, network, batch, loss)


def test_an_update_and_its_slope_are_those_recorded_from_the_paper_s_code(recorder: ModuleType) -> None:
    model: nn.Module = recorder.networks()["relu"]
    private, dummy, labels, _ = recorder.inputs(4)
    observation = SharedUpdate.of_client(
        model,
        private,
        labels,
        learning_rate=recorder.LOCAL_RATE,
        epochs=2,
        local_batch_size=2,
        shuffle_seed=None,
        mode="eval",
        labels_known=True,
    )
    theirs = RECORDED["update"]["invertinggradients update"]
    matching = Matching(repeated_training(observation), list(observation.update().values()))
    near(matching.energy**0.5, theirs["length"], theirs["length"])
    found = matching.angle(dummy, labels)
    near(found.value, theirs["loss"], theirs["loss"])
    same_slope(recorder, found.images, theirs["slopes"][0])


# Their code uses what torch has deprecated since.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif("ATLAS_FIELD_CODE" not in os.environ, reason="no checkouts of the field's code are named")
def test_the_field_s_code_still_returns_what_was_recorded(recorder: ModuleType) -> None:
    folder = Path(os.environ["ATLAS_FIELD_CODE"])
    fresh = recorder.record(folder / "breaching", folder / "dlg", folder / "invertinggradients")
    assert set(fresh) == set(RECORDED)
    for network in ("sigmoid", "relu"):
        for loss in LOSSES:
            compare(recorder, fresh, network, 1, loss)
