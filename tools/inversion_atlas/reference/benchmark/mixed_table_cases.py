"""Attacks that recover whole rows of a table from what a client shares."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.reconstruction import silent
from inversion_atlas.reference.attacks.tableak import tableak
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, accepted, chosen, described
from inversion_atlas.reference.observations import SharedGradient
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


def _rows_of_a_batch(options: Options) -> Outcome:
    """One batch of all items; the baselines: the mean row, random public rows, noise in place of the gradient."""
    table = options.target.data
    assert isinstance(table, MixedTable)
    private = chosen(table.private, options.items, options.seed)
    observation = SharedGradient.of_batch(
        options.target.model, private.images, private.labels, mode="eval", labels_known=True
    )
    widths = [column.width for column in table.columns]
    arguments = accepted(tableak, options)
    recovered = tableak(observation, widths, **arguments)
    brief = {**arguments, "steps": min(100, arguments.get("steps", 100)), "ensemble": 3, "progress": silent}
    alone = tableak(noise_like(observation, options.seed), widths, **brief)
    public = table.public.images
    guesses = (
        alone.rows,
        public.mean(dim=0).expand_as(private.images).contiguous(),
        chosen(table.public, options.items, options.seed + 1).images,
    )
    reached, *others = (float(row_accuracy(rows, private.images, table).mean()) for rows in (recovered.rows, *guesses))
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


def _told(rows: Tensor, table: MixedTable) -> list[str]:
    names = [column.name for column in table.columns]
    return [
        ", ".join(f"{name} {value:.3g}" for name, value in zip(names, row, strict=True))
        for row in table.decode(rows).tolist()
    ]


CASES: Mapping[str, Case] = {
    "tableak": Case(_rows_of_a_batch, ("affairs-network", "affairs-network-untrained"), items=16, bench_steps=500),
}
