"""One case per attack: what it observes, what it is scored on, and what somebody without the signal would reach."""

from __future__ import annotations

from collections.abc import Mapping

from inversion_atlas.reference.benchmark import (
    federated_cases,
    generator_cases,
    gradient_cases,
    interface_cases,
    model_cases,
    split_cases,
    table_cases,
)
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome

CASES: Mapping[str, Case] = {
    **gradient_cases.CASES,
    **federated_cases.CASES,
    **model_cases.CASES,
    **generator_cases.CASES,
    **interface_cases.CASES,
    **table_cases.CASES,
    **split_cases.CASES,
}


def run(name: str, options: Options) -> Outcome:
    """Run an attack by its name; raises ValueError for a target that it is not meant for, KeyError for its name."""
    case = CASES[name]
    if options.target.name not in case.targets:
        raise ValueError(f"{name} is run against {', '.join(case.targets)}; not against {options.target.name}")
    if not 1 <= options.items <= len(options.target.data.private):
        raise ValueError(f"items must be from 1 to {len(options.target.data.private)}, not {options.items}")
    return case.run(options)
