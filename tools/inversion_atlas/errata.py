"""Every erratum of the sources: those in the ledgers, and those kept with datasets and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.erratum import Erratum
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Paper


@dataclass(frozen=True, slots=True)
class Located:
    """An erratum with its source, its place there and the record it is about, if there is one.

    `anchor` names it on the page of errata: the source's row and the erratum's number in it, or the record's id.
    """

    source: str
    place: str
    title: str
    about: Paper | Dataset | Metric | None
    erratum: Erratum
    anchor: str


def located_errata(catalogue: Catalogue) -> Iterator[Located]:
    """Yield every erratum: source by source in the order of rows, then those of datasets and metrics."""
    for source in catalogue.sources.values():
        for number, row in enumerate(source.rows, 1):
            about = (
                catalogue.papers.get(catalogue.redirects.get(row.paper or "", row.paper or ""))
                or catalogue.datasets.get(row.dataset or "")
                or catalogue.metrics.get(row.metric or "")
            )
            for at, erratum in enumerate(row.errata, 1):
                anchor = f"row-{number}" if at == 1 else f"row-{number}-{at}"
                yield Located(source.id, row.place, row.title, about, erratum, anchor)
    for records in (catalogue.datasets, catalogue.metrics):
        for record in records.values():
            for at, found in enumerate(record.errata, 1):
                anchor = record.id if at == 1 else f"{record.id}-{at}"
                yield Located(found.source, found.place, record.name, record, found, anchor)
