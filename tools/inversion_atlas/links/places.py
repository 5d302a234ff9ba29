"""Every web address of a catalogue, and where each is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urldefrag

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.exports.citation import arxiv_address, doi_address
from inversion_atlas.records.fields import Record
from inversion_atlas.records.paper import Links, Paper

# The fields of records that hold addresses, besides those of `Links`.
_FIELDS = frozenset(("evidence", "homepage", "url"))


def link_places(catalogue: Catalogue, papers: Iterable[Paper] | None = None) -> dict[str, list[Place]]:
    """Return address -> where it is written, in the order of addresses; of the whole catalogue or of some papers.

    An address is without what follows `#`, which no server sees.
    """
    records: list[Record] = list(catalogue.papers.values() if papers is None else papers)
    if papers is None:
        for group in (catalogue.datasets, catalogue.metrics, catalogue.venues, catalogue.facets, catalogue.sources):
            records += group.values()
    found: dict[str, list[Place]] = {}
    for record in records:
        for url, place in _held(record, catalogue.place(record)):
            found.setdefault(urldefrag(url).url, []).append(place)
    return dict(sorted(found.items()))


def _held(record: Record, place: Place) -> Iterator[tuple[str, Place]]:
    for key in type(record).model_fields:
        value = getattr(record, key)
        if isinstance(record, Links) and key in ("doi", "arxiv"):
            if value:
                yield (doi_address if key == "doi" else arxiv_address)(value), place / key
        elif isinstance(record, Links) or key in _FIELDS:
            yield from _addresses(value, place / key)
        else:
            yield from _inner(value, place / key)


def _addresses(value: object, place: Place) -> Iterator[tuple[str, Place]]:
    if isinstance(value, str):
        yield value, place
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            yield from _addresses(item, place / at)


def _inner(value: object, place: Place) -> Iterator[tuple[str, Place]]:
    if isinstance(value, Record):
        yield from _held(value, place)
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            yield from _inner(item, place / at)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _inner(item, place / str(key))
