"""Measuring what attacks reach on the bundled targets, and keeping it in a file that is read without torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from inversion_atlas.atomic import write_atomic
from inversion_atlas.reference.attacks.reconstruction import Progress
from inversion_atlas.reference.benchmark import cases, runs
from inversion_atlas.reference.index import Measured
from inversion_atlas.reference.targets import training


def measure(name: str, cache: Path | None, progress: Progress) -> tuple[Measured, ...]:
    """Run an attack on its first two targets, or its only one, and return what it reached."""
    case = cases.CASES[name]
    results = []
    for target in case.targets[:2]:
        options = runs.Options(training.load(target, cache), case.items, case.bench_steps, 0, cache, progress)
        outcome = cases.run(name, options)
        steps = f", {case.bench_steps} steps" if case.bench_steps else ""
        results += [
            Measured(score.metric, short(score.value), score.unit, short(score.baseline), outcome.setting + steps)
            for score in outcome.scores
        ]
    return tuple(results)


def record(path: Path, part: Literal["attacks", "defenses"], name: str, results: Sequence[Measured]) -> None:
    """Write the results of one attack, or of one defense, into the file and keep those of the others."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    parts = {each: kept[each] for each in ("attacks", "defenses") if each in kept}
    parts[part] = dict(sorted((parts.get(part, {}) | {name: [dataclasses.asdict(each) for each in results]}).items()))
    content = {"made_by": "atlas bench", "torch": torch.__version__, **dict(sorted(parts.items()))}
    write_atomic(path, (json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode())


def short(value: float) -> float:
    """Four digits: more would differ between machines."""
    return float(f"{value:.4g}")
