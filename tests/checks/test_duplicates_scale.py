"""Finding near titles stays linear, whatever the titles."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.checks import duplicates
from inversion_atlas.records.paper import Kind, Paper
from inversion_atlas.records.settings import Settings


@pytest.mark.parametrize(
    "title",
    [
        "Model Inversion Attacks on Deep Networks",
        "Model Inversion Attacks on Deep Networks of Kind {}",
        "Model Inversion Attacks on Word{} Networks",
        "Attacks on Deep Neural Networks: Part Word{}",
    ],
)
@pytest.mark.parametrize("author", ["Roe, Ann", "Roe{}, Ann"])
def test_titles_that_are_all_alike_are_compared_in_linear_time(title: str, author: str) -> None:
    papers = {}
    for number in range(3000):
        id = f"roe2020w{number}"
        papers[id] = Paper(
            id=id, title=title.format(number), authors=(author.format(number),), year=2020, kind=Kind.ATTACK
        )
    nothing = Settings(title="x", description="y")
    catalogue = Catalogue(Path(), nothing, papers, {}, {}, {}, {}, {})
    start = time.process_time()
    sum(1 for _ in duplicates.same_title(catalogue))
    sum(1 for _ in duplicates.near_title(catalogue))
    # Comparing each with each would take hours; this is no stopwatch.
    assert time.process_time() - start < 60
