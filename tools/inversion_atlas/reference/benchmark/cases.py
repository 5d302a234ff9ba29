"""One case per attack: what it observes, what it is scored on, and what somebody without the signal would reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inversion_atlas.reference.benchmark import (
    collaboration_cases,
    defending,
    embedding_cases,
    explanation_cases,
    federated_cases,
    generator_cases,
    gradient_cases,
    graph_cases,
    interface_cases,
    label_cases,
    language_cases,
    mixed_table_cases,
    model_cases,
    module_cases,
    multimodal_cases,
    point_cases,
    speech_cases,
    split_cases,
    split_label_cases,
    table_cases,
    text_cases,
    update_cases,
)
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome
from inversion_atlas.reference.seeding import seeded

CASES: Mapping[str, Case] = {
    **gradient_cases.CASES,
    **federated_cases.CASES,
    **model_cases.CASES,
    **generator_cases.CASES,
    **interface_cases.CASES,
    **table_cases.CASES,
    **split_cases.CASES,
    **split_label_cases.CASES,
    **update_cases.CASES,
    **collaboration_cases.CASES,
    **explanation_cases.CASES,
    **graph_cases.CASES,
    **point_cases.CASES,
    **speech_cases.CASES,
    **module_cases.CASES,
    **text_cases.CASES,
    **embedding_cases.CASES,
    **mixed_table_cases.CASES,
    **language_cases.CASES,
    **multimodal_cases.CASES,
    **label_cases.CASES,
}


def run(name: str, options: Options) -> Outcome:
    """Run an attack by its name; raises ValueError for a target that it is not meant for or a defense
    that it does not see, KeyError for its name."""
    case = CASES[name]
    if options.target.name not in case.targets:
        raise ValueError(f"{name} is run against {', '.join(case.targets)}; not against {options.target.name}")
    if not 1 <= options.items <= len(options.target.data.private):
        raise ValueError(f"items must be from 1 to {len(options.target.data.private)}, not {options.items}")
    defending.refuse([name for name, _ in options.defenses], case.sees, name)
    options = replace(options, target=defending.defended_target(options.target, options.defenses))
    # What is drawn in eval mode, as PRECODE does, comes from the numbers of everybody.
    with seeded(options.seed):
        return case.run(options)
