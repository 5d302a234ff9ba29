"""The ledgers in themselves."""

from __future__ import annotations

from collections.abc import Iterator

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.checks.rule import Problem


def rows_twice(catalogue: Catalogue) -> Iterator[Problem]:
    """Two rows of a source with one place."""
    for source in catalogue.sources.values():
        seen: set[tuple[str, str]] = set()
        for at, row in enumerate(source.rows):
            key = (row.place, row.title)
            if key in seen:
                place = catalogue.place(source) / "rows" / at / "place"
                yield Problem(place, f"the row “{row.place}” with this title is already listed", "keep one of the two")
            seen.add(key)


def unproven_errata(catalogue: Catalogue) -> Iterator[Problem]:
    """An erratum of a row without a page that shows what is right."""
    for source in catalogue.sources.values():
        for at, row in enumerate(source.rows):
            for number, erratum in enumerate(row.errata):
                if not erratum.evidence:
                    place = catalogue.place(source) / "rows" / at / "errata" / number
                    yield Problem(place, "the erratum names no evidence", "add the page that shows what is right")
