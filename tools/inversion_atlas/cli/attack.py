"""Running attacks against the bundled targets: `atlas attack`, `atlas target`, `atlas bench`."""

from __future__ import annotations

import gc
import importlib.util
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from inversion_atlas.atomic import write_atomic
from inversion_atlas.records.explain import did_you_mean
from inversion_atlas.reference.index import IMPLEMENTATIONS

if TYPE_CHECKING:
    from inversion_atlas.reference.benchmark.runs import Outcome

_ATTACKS = {found.name: found for found in IMPLEMENTATIONS if found.kind == "attack"}
# Some defenses take more than a number: those are for Python alone.
_DEFENSES = {
    found.name: found for found in IMPLEMENTATIONS if found.kind == "defense" and found.command.startswith("atlas")
}
MISSING = 3
_CACHE = click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of trained targets. Default: $ATLAS_CACHE, else the user's cache folder.",
)


@click.command(epilog="Exit codes: 0 done, 2 wrong use, 3 torch is not installed, 130 interrupted.")
@click.argument("name", metavar="NAME|list")
@click.option(
    "--target",
    metavar="TARGET",
    help="Model to attack, of those that `atlas target` trains. Default: the one the attack suits.",
)
@click.option("--items", type=click.IntRange(min=1), help="How many images, classes or batches.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps of the optimization, or epochs. Default: the paper's.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Start and choice of images.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png|FILE.txt",
    help="Write originals and reconstructions: a picture, or a file of texts.",
)
@click.option(
    "--defense",
    "defended",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Defense to run the attack against, of those that `atlas attack list` ends with. Repeatable.",
)
@_CACHE
def attack(
    name: str,
    target: str | None,
    items: int | None,
    steps: int | None,
    seed: int,
    save: Path | None,
    defended: tuple[str, ...],
    cache: Path | None,
) -> None:
    """Run an attack on a bundled target and print what it reached, or list the attacks and defenses.

    Beside each value stands the best that mean image, random guess or the attack without a signal reach.

    \b
    atlas attack list
    atlas attack dlg --target lenet --save picture.png
    atlas attack inverting-gradients --steps 1000 --items 1
    atlas attack inverting-gradients --target digits-convnet --defense prune=0.99
    atlas attack mi-face --defense negative-smoothing
    """
    if name == "list":
        _list()
        return
    if name not in _ATTACKS:
        raise click.UsageError(f"no attack {name!r}: {did_you_mean(name, [*_ATTACKS, 'list'])}")
    defenses = [_named_defense(each) for each in defended]
    _need_torch()
    from inversion_atlas.reference.benchmark import cases, defending, runs
    from inversion_atlas.reference.observations import AccessError
    from inversion_atlas.reference.targets import training

    case = cases.CASES[name]
    if (target := target or case.targets[0]) not in training.RECIPES:
        raise click.UsageError(f"no target {target!r}: {did_you_mean(target, list(training.RECIPES))}")
    loaded = training.load(target, cache)
    with _collecting(), _progress(name) as progress:
        numbers = tuple(
            (known, defending.DEFENSES[known].usual if value is None else value) for known, value in defenses
        )
        options = runs.Options(loaded, items or case.items, steps, seed, cache, progress, numbers)
        try:
            outcome = cases.run(name, options)
        except (ValueError, AccessError) as error:
            raise click.UsageError(str(error)) from None
    _print(outcome)
    if save:
        _save(outcome, save)


@click.command(epilog="Exit codes: 0 done, 2 wrong use, 3 torch is not installed.")
@click.argument("names", nargs=-1)
@_CACHE
def target(names: tuple[str, ...], cache: Path | None) -> None:
    """Train the bundled targets and generators, or those named, unless they are in the cache.

    Prints how well targets do. A generator is what an adversary trains on public images.

    \b
    atlas target
    atlas target lenet digits-mlp
    atlas target mnist-gan
    """
    _need_torch()
    from inversion_atlas.reference.targets import generators, training

    known = [*training.RECIPES, *generators.RECIPES]
    for name in names:
        if name not in known:
            raise click.UsageError(f"no target {name!r}: {did_you_mean(name, known)}")
    with _collecting():
        for name in names or known:
            if name in generators.RECIPES:
                with _progress(name) as progress:
                    generators.load(name, cache, progress)
                click.echo(f"{name:<22} {generators.RECIPES[name].about}")
                continue
            loaded = training.load(name, cache)
            accuracy = (
                f"accuracy {loaded.train_accuracy:.1%} on its training images, {loaded.test_accuracy:.1%} on others"
            )
            click.echo(f"{name:<22} {loaded.data.name:<12} {accuracy}")


@click.command(epilog="Exit codes: 0 done, 2 wrong use, 3 torch is not installed, 130 interrupted.")
@click.argument("names", nargs=-1)
@click.option("--defenses", is_flag=True, help="Measure defenses instead: NAMES are theirs, each against some attacks.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write. Default: the one that website and query language read.",
)
@_CACHE
def bench(names: tuple[str, ...], defenses: bool, output: Path | None, cache: Path | None) -> None:
    """Run every attack, or those named, on its bundled targets and write the results with their baselines.

    Results of what is not named are kept. Takes some minutes; defenses take about six.

    \b
    atlas bench
    atlas bench analytic label-counts -o results.json
    atlas bench --defenses
    atlas bench --defenses bido-hsic mid
    """
    known, kind = (_DEFENSES, "defense") if defenses else (_ATTACKS, "attack")
    for name in names:
        if name not in known:
            raise click.UsageError(f"no {kind} {name!r}: {did_you_mean(name, list(known))}")
    _need_torch()
    from inversion_atlas.reference.benchmark import defended_runs, measuring
    from inversion_atlas.reference.index import MEASURED

    path = output or MEASURED
    measure = defended_runs.measure if defenses else measuring.measure
    with _collecting():
        for name in names or known:
            with _progress(name) as progress:
                results = measure(name, cache, progress)
            # Written after each, so that what was measured survives an interruption.
            measuring.record(path, "defenses" if defenses else "attacks", name, results)
            click.echo(f"{name}: {len(results)} results", err=True)


def _list() -> None:
    width = max(map(len, _ATTACKS))
    for found in _ATTACKS.values():
        click.echo(f"{found.name:<{width}}  {found.label}; {found.paper}: {found.implements}")
    click.echo("\nDefenses, for --defense NAME[=VALUE]:\n")
    for found in _DEFENSES.values():
        click.echo(f"{found.name:<{width}}  {found.label}; {found.paper}: {found.implements}")


def _named_defense(given: str) -> tuple[str, float | None]:
    """Return name and number of NAME or NAME=VALUE."""
    name, equals, value = given.partition("=")
    if name not in _DEFENSES:
        raise click.UsageError(f"no defense {name!r}: {did_you_mean(name, list(_DEFENSES))}")
    try:
        number = float(value) if equals else None
    except ValueError:
        number = math.nan
    if number is not None and not math.isfinite(number):
        raise click.UsageError(f"--defense {given}: the value must be a number, as in {name}=0.5")
    return name, number


def _print(outcome: Outcome) -> None:
    click.echo(outcome.setting)
    if outcome.converged < outcome.items:
        click.echo(f"{outcome.items - outcome.converged} of {outcome.items} did not converge")
    for score in outcome.scores:
        unit = f" {score.unit}" if score.unit else ""
        click.echo(f"{score.metric:<24} {score.value:>9.4g}{unit}   without the signal {score.baseline:.4g}{unit}")

    for original, found in outcome.texts:
        click.echo(f"original   {original}\nrecovered  {found}")


def _save(outcome: Outcome, path: Path) -> None:
    if outcome.texts:
        if path.suffix != ".txt":
            raise click.UsageError(f"what this attack recovers is text: save it as a .txt, not as {path.name}")
        lines = [f"original   {original}\nrecovered  {found}\n" for original, found in outcome.texts]
        write_atomic(path, "\n".join(lines).encode())
        click.echo(f"wrote {path}", err=True)
        return
    from inversion_atlas.reference.benchmark.pictures import side_by_side

    if outcome.originals is None or outcome.images is None:
        raise click.UsageError("this attack recovers labels; there is no picture to save")
    shown = min(10, len(outcome.images))
    write_atomic(path, side_by_side(outcome.originals[:shown], outcome.images[:shown]))
    click.echo(f"wrote {path}", err=True)


def _need_torch() -> None:
    if any(importlib.util.find_spec(module) is None for module in ("torch", "sklearn", "skimage")):
        click.echo("This command runs models and needs an extra: pip install 'inversion-atlas[reference]'", err=True)
        sys.exit(MISSING)


@contextmanager
def _collecting() -> Iterator[None]:
    """Collect garbage, which the command leaves off otherwise: graphs of gradients hold each other."""
    was_on = gc.isenabled()
    gc.enable()
    try:
        yield
    finally:
        if not was_on:
            gc.disable()


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal; elsewhere nothing."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
