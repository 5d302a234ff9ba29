"""Which defense `atlas bench --defenses` measures against which attack, and the measuring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.benchmark import cases, defending
from inversion_atlas.reference.benchmark.measuring import short
from inversion_atlas.reference.benchmark.runs import Options, Outcome, Score
from inversion_atlas.reference.index import MeasuredDefense
from inversion_atlas.reference.observations.access import defenses_of, under
from inversion_atlas.reference.targets import training


@dataclass(frozen=True, slots=True)
class Attacked:
    """An attack as defenses are measured against it: so small that all of them together take minutes."""

    attack: str
    target: str
    items: int
    steps: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A defense, with its usual number unless another is given, and the attack that meets it."""

    attacked: Attacked
    value: float | None = None


_GRADIENT = Attacked("inverting-gradients", "digits-convnet", 12, 300)
_SCORES = Attacked("inversion-network", "digits-mlp", 100, 15)
_FEATURES = Attacked("inverse-network", "digits-convnet", 20, 10)
_GMI = Attacked("gmi", "mnist-convnet", 25, 300)
_KEDMI = Attacked("kedmi", "mnist-convnet", 25, 300)
_LOMMA = Attacked("lomma-gmi", "mnist-convnet", 25, 300)
_PPA = Attacked("ppa", "mnist-convnet", 25, 50)
_WITH_A_PRIOR = (Pair(_GMI), Pair(_KEDMI), Pair(_LOMMA), Pair(_PPA))

PAIRS: Mapping[str, tuple[Pair, ...]] = {
    "noise": (Pair(_GRADIENT),),
    "clip": (Pair(_GRADIENT),),
    "prune": (Pair(_GRADIENT, 0.5), Pair(_GRADIENT, 0.99)),
    "prune-largest": (Pair(_GRADIENT),),
    "dgp": (Pair(_GRADIENT),),
    "dgc": (Pair(_GRADIENT),),
    "quantize": (Pair(_GRADIENT, 8), Pair(_GRADIENT, 1)),
    "mixed-quantization": (Pair(_GRADIENT),),
    "soteria": (Pair(_GRADIENT),),
    "dp-sgd": (Pair(_GRADIENT),),
    "ats": (Pair(_GRADIENT),),
    "precode": (Pair(_GRADIENT),),
    "score-noise": (Pair(_SCORES),),
    "top-k": (Pair(_SCORES),),
    "rounding": (Pair(_SCORES),),
    "purifier": (Pair(_SCORES),),
    "sparse-coding": (Pair(_FEATURES),),
    "mid": _WITH_A_PRIOR,
    "bido-hsic": _WITH_A_PRIOR,
    "bido-coco": _WITH_A_PRIOR,
    "negative-smoothing": _WITH_A_PRIOR,
    "tl-dmi": _WITH_A_PRIOR,
}


def measure(name: str, cache: Path | None, progress: Progress) -> tuple[MeasuredDefense, ...]:
    """Run the attacks that meet a defense, with and without it, and return what the first metric of each says.

    A defense of training also has its cost: the target's accuracy on test images, beside that of naming one class.
    """
    results = []
    for pair in PAIRS[name]:
        value = defending.DEFENSES[name].usual if pair.value is None else pair.value
        outcome, plain = _outcome(pair.attacked, cache, ((name, value),), progress), _undefended(pair.attacked, cache)
        setting = f"{outcome.setting}, {pair.attacked.steps} steps"
        results.append(_result(pair.attacked.attack, outcome.scores[0], plain.scores[0].value, setting))
        if defending.DEFENSES[name].place == "training" and pair is PAIRS[name][0]:
            results.insert(0, _cost(_loaded(pair.attacked.target, cache), ((name, value),)))
    return tuple(results)


def _cost(target: training.Target, defenses: tuple[tuple[str, float], ...]) -> MeasuredDefense:
    defended, test = defending.defended_target(target, defenses), target.data.test
    largest = float(test.labels.bincount().max()) / len(test)
    score = Score("model-accuracy", defended.test_accuracy, "", largest)
    told = ", ".join((f"{len(test)} of {target.data.name}, {target.name}", *under(defenses_of(defended.model))))
    return _result("", score, target.test_accuracy, told)


def _result(attack: str, score: Score, undefended: float, setting: str) -> MeasuredDefense:
    value, baseline = short(score.value), short(score.baseline)
    return MeasuredDefense(score.metric, value, score.unit, baseline, setting, attack, short(undefended))


def _outcome(
    attacked: Attacked, cache: Path | None, defenses: tuple[tuple[str, float], ...], progress: Progress
) -> Outcome:
    target = _loaded(attacked.target, cache)
    options = Options(target, attacked.items, attacked.steps, 0, cache, progress, defenses)
    return cases.run(attacked.attack, options)


@lru_cache
def _undefended(attacked: Attacked, cache: Path | None) -> Outcome:
    """What many defenses are compared with is run once."""
    return _outcome(attacked, cache, (), silent)


@lru_cache
def _loaded(target: str, cache: Path | None) -> training.Target:
    """The same target each time, so that it is trained once under a defense."""
    return training.load(target, cache)
