"""What a run of an attack is given and what it returns, and what every kind of attack is scored on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.targets import data, training


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one run, and the best that mean image, random guess or prior alone reach on it."""

    metric: str
    value: float
    unit: str
    baseline: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a run reached. Images are clamped to the data's range; both are None where labels alone were attacked."""

    setting: str
    scores: tuple[Score, ...]
    originals: Tensor | None
    images: Tensor | None
    converged: int  # how many of the items met the attack's own criterion
    items: int
    texts: tuple[tuple[str, str], ...] = ()  # originals and what was recovered of each, where texts were attacked


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller chooses about a run; `steps` None takes the attack's own number."""

    target: training.Target
    items: int
    steps: int | None = None
    seed: int = 0
    cache: Path | None = None
    progress: Progress = silent
    # Names of defenses and their numbers, in the order in which they act.
    defenses: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """How an attack is run: on which targets, on how many items unless told otherwise, and by what."""

    run: Callable[[Options], Outcome]
    targets: tuple[str, ...]
    items: int
    # Steps of `atlas bench`, which runs everything.
    bench_steps: int | None = None
    # What defenses can change about what it sees: places of `defending.DEFENSES`.
    sees: tuple[str, ...] = ("training",)


def places_of(number: int, items: int, seed: int) -> Tensor:
    """Return the places of so many items out of a number, drawn at random."""
    return torch.randperm(number, generator=torch.Generator().manual_seed(seed))[:items]


def chosen(part: data.Images, items: int, seed: int) -> data.Images:
    """Return so many images of a part, drawn at random."""
    places = places_of(len(part), items, seed)
    return data.Images(part.images[places], part.labels[places])


def image_guesses(options: Options, originals: Tensor) -> dict[str, Tensor]:
    """Return what needs no model: gray, the mean public image, a random public image for each."""
    public = options.target.data.public.images
    drawn = chosen(options.target.data.public, len(originals), options.seed + 1).images
    return {
        "gray": torch.full_like(originals, sum(data.DATA_RANGE) / 2),
        "mean image": public.mean(dim=0, keepdim=True).expand_as(originals).contiguous(),
        "random guess": drawn,
    }


def image_scores(images: Tensor, originals: Tensor, guesses: Mapping[str, Tensor]) -> tuple[Score, ...]:
    """Return PSNR, MSE and, where windows fit, SSIM, each beside the best guess."""

    def mean_psnr(given: Tensor) -> float:
        return float(metrics.psnr(given, originals, data_range=data.DATA_RANGE).mean())

    def mean_mse(given: Tensor) -> float:
        return float(metrics.mse(given, originals, data_range=data.DATA_RANGE).mean())

    def mean_ssim(given: Tensor) -> float:
        return float(metrics.ssim(given, originals, data_range=data.DATA_RANGE).mean())

    scores = [
        Score("psnr", mean_psnr(images), "dB", max(map(mean_psnr, guesses.values()))),
        Score("mse", mean_mse(images), "", min(map(mean_mse, guesses.values()))),
    ]
    # Windows of SSIM are 11 pixels wide; digits are smaller.
    if min(originals.shape[-2:]) >= 11:
        scores.append(Score("ssim", mean_ssim(images), "", max(map(mean_ssim, guesses.values()))))
    return tuple(scores)


@torch.no_grad()
def scores_of(judge: training.Target, images: Tensor) -> Tensor:
    """Return what the judge says of images."""
    scores: Tensor = judge.model(images)
    return scores


def described(options: Options) -> str:
    """Return data and target in a line."""
    target = options.target
    known = f"test accuracy {target.test_accuracy:.0%}"
    return f"{options.items} of {target.data.name}, {target.name} ({known})"


def accepted(attack: Callable[..., object], options: Options, item: int | None = None) -> dict[str, Any]:
    """Return the options that the attack has a parameter for; where it is run item by item, its progress is of all."""
    offered: dict[str, Any] = {"seed": options.seed + (item or 0), "progress": options.progress}
    if options.steps is not None:
        offered |= {"steps": options.steps, "epochs": options.steps}
    if item is not None:
        offered["progress"] = lambda done, total: options.progress(item * total + done, options.items * total)
    return {name: value for name, value in offered.items() if name in inspect.signature(attack).parameters}
