"""Every erratum is found once, under an anchor of its own."""

from __future__ import annotations

from collections import Counter

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.coverage import coverage, fill_rates
from inversion_atlas.errata import located_errata
from inversion_atlas.query import select


def test_every_erratum_is_found_once_under_its_own_anchor(catalogue: Catalogue) -> None:
    found = list(located_errata(catalogue))
    written = sum(len(row.errata) for source in catalogue.sources.values() for row in source.rows)
    written += sum(len(each.errata) for each in (*catalogue.datasets.values(), *catalogue.metrics.values()))
    assert len(found) == written > 200
    assert Counter((each.source, each.anchor) for each in found).most_common(1)[0][1] == 1
    assert sum(sum(each.errata.values()) for each in coverage(catalogue)) == written


def test_fill_rates_count_what_the_filter_language_finds(catalogue: Catalogue) -> None:
    rates = {each.field: each for each in fill_rates(catalogue)}
    assert rates["links.code"].filled == len(select(catalogue, "has:code"))
    assert rates["summary"].works == len(select(catalogue))
    assert rates["taxonomy.access"].works == len(select(catalogue, "kind:attack,defense"))
