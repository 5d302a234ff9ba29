"""Attacks that recover whole rows of a table from what a client shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.reconstruction import silent
from inversion_atlas.reference.attacks.tableak import tableak
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, chosen, described
from inversion_atlas.reference.observations import SharedGradient, SharedUpdate
from inversion_atlas.reference.targets.data import Images
from inversion_atlas.reference.targets.mixed_tables import MixedTable

# How far a number may be off and still count, in standard deviations of its column: as TabLeak counts.
_TOLERANCE = 0.319


def row_accuracy(rows: Tensor, originals: Tensor, table: MixedTable) -> Tensor:
    """Return the share of each row's columns recovered; encoded rows, matched to their originals first."""
    rows = rows.clamp(0, 1)
    rows = rows[metrics.match(rows, originals)]
    return metrics.tabular_reconstruction_accuracy(
        table.decode(rows),
        table.decode(originals),
        tolerances=_TOLERANCE * table.decode(table.public.images).std(dim=0),
        categorical=torch.tensor([bool(column.categories) for column in table.columns]),
    )


def noisy(observation: SharedGradient | SharedUpdate, seed: int) -> SharedGradient | SharedUpdate:
    """Return the observation with noise in place of gradient or update, of the same length in each part."""
    if isinstance(observation, SharedGradient):
        return noise_like(observation, seed)
    return observation.with_update(noise_like(observation.as_one_step(), seed).gradient)


def shared_update(options: Options, private: Images) -> SharedUpdate:
    """Return what a client shares after four passes over its rows in batches of four, in a fixed order."""
    update = SharedUpdate.of_client(
        options.target.model,
        private.images,
        private.labels,
        learning_rate=0.1,
        epochs=4,
        local_batch_size=min(4, len(private)),
        shuffle_seed=None,
        mode="eval",
        labels_known=True,
    )
    return defending.sent(options, update, private)


def _shared_gradient(options: Options, private: Images) -> SharedGradient:
    model = options.target.model
    gradient = SharedGradient.of_batch(model, private.images, private.labels, mode="eval", labels_known=True)
    return defending.sent(options, gradient, private)


def _rows(observe: Callable[[Options, Images], SharedGradient | SharedUpdate]) -> Callable[[Options], Outcome]:
    """All items of one client; the baselines: the mean row, random public rows, noise in place of what is shared."""

    def run(options: Options) -> Outcome:
        table = options.target.data
        assert isinstance(table, MixedTable)
        private = chosen(table.private, options.items, options.seed)
        observation = observe(options, private)
        widths = [column.width for column in table.columns]
        arguments = accepted(tableak, options)
        if isinstance(observation, SharedUpdate):
            # Each step of the search repeats all of the client's.
            arguments["ensemble"] = 5
        recovered = tableak(observation, widths, **arguments)
        brief = {**arguments, "steps": min(100, arguments.get("steps", 100)), "ensemble": 3, "progress": silent}
        alone = tableak(noisy(observation, options.seed), widths, **brief)
        public = table.public.images
        guesses = (
            alone.rows,
            public.mean(dim=0).expand_as(private.images).contiguous(),
            chosen(table.public, options.items, options.seed + 1).images,
        )
        reached, *others = (
            float(row_accuracy(rows, private.images, table).mean()) for rows in (recovered.rows, *guesses)
        )
        rows = recovered.rows.clamp(0, 1)
        rows = rows[metrics.match(rows, private.images)]
        return Outcome(
            setting=f"{described(options)}; {observation.describe()}",
            scores=(Score("tabular-reconstruction-accuracy", reached, "", max(others)),),
            originals=None,
            images=None,
            converged=options.items if recovered.converged else 0,
            items=options.items,
            texts=tuple(zip(_told(private.images, table), _told(rows, table), strict=True)),
        )

    return run


def _told(rows: Tensor, table: MixedTable) -> list[str]:
    names = [column.name for column in table.columns]
    return [
        ", ".join(f"{name} {value:.3g}" for name, value in zip(names, row, strict=True))
        for row in table.decode(rows).tolist()
    ]


CASES: Mapping[str, Case] = {
    "tableak": Case(
        _rows(_shared_gradient),
        ("affairs-network", "affairs-network-untrained"),
        items=16,
        bench_steps=500,
        sees=("messages", "training"),
    ),
    "tableak-updates": Case(
        _rows(shared_update), ("affairs-network",), items=8, bench_steps=300, sees=("messages", "training")
    ),
}
