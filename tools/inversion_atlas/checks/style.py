"""The order of keys, quotes and spelling that `atlas check --fix` puts right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from inversion_atlas.catalogue import DISCOVERY, REFUSED, SETTINGS, Catalogue, Place
from inversion_atlas.checks.rule import Problem
from inversion_atlas.checks.spelling import respelled
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.discovery import Discovery, Refusal
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.fields import Record
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Links, Paper
from inversion_atlas.records.settings import Settings
from inversion_atlas.records.source import Source
from inversion_atlas.records.venue import Venue
from inversion_atlas.records.writing import ENTRY_ORDER, KEY_ORDER, QUOTES, format_text, misplaced
from inversion_atlas.records.yamlfile import YamlError, read_text

# Pattern of files -> the record they hold, and whether they hold many under their ids.
_FILES: dict[str, tuple[type[Record], bool]] = {
    "data/papers/*/*.yaml": (Paper, False),
    "data/datasets.yaml": (Dataset, True),
    "data/metrics.yaml": (Metric, True),
    "data/venues.yaml": (Venue, True),
    "data/sources/*.yaml": (Source, False),
    "taxonomy/*.yaml": (Facet, False),
    SETTINGS: (Settings, False),
    DISCOVERY: (Discovery, False),
    REFUSED: (Refusal, True),
}
_PAPER_KEYS = {key: rank for rank, key in enumerate(Paper.model_fields)}
_LINK_KEYS = {key: rank for rank, key in enumerate(Links.model_fields)}
_KEY = re.compile(r"^([^\s#-][^:\n]*):", re.MULTILINE)
_LINK_KEY = re.compile(rf"^  ({'|'.join(_LINK_KEYS)}):", re.MULTILINE)
_NESTED = re.compile(r'^(?:reported|status|links: )|^ *(?:doi|arxiv): (?!")|^ *- \{? *how\b', re.MULTILINE)
_AUTHORS = re.compile(r'^authors:(?: \["[^"\n]*"(?:, "[^"\n]*")*\]|(?:\n  - "[^"\n]*")+)\nyear:', re.MULTILINE)
_MESSAGES = {
    KEY_ORDER: "this key is out of order",
    ENTRY_ORDER: "this entry is out of order",
    QUOTES: "double quotes are missing here",
}


@dataclass(frozen=True, slots=True)
class Fix:
    """A file that can be put right: its path relative to the root, its text before and after, and what changes."""

    path: str
    before: str
    after: str
    changes: tuple[str, ...]


def canonical(catalogue: Catalogue) -> Iterator[Problem]:
    """Keys or entries out of order, or an identifier or author without double quotes; the first of each in a file."""
    for path, model, collection in _files(catalogue.root):
        try:
            text = read_text(catalogue.root / path)
            if model is Paper and _is_plainly_canonical(text):
                continue
            firsts = {found.what: found for found in reversed(list(misplaced(text, model, collection=collection)))}
        except (YamlError, OSError):
            continue
        for what, line, column in firsts.values():
            yield Problem(Place(path), _MESSAGES[what], "`atlas check --fix` puts the file right", (line, column))


def fixes(catalogue: Catalogue) -> Iterator[Fix]:
    """Yield what `--fix` would do to each file that can be parsed."""
    venues = catalogue.venue_spellings
    for path, model, collection in _files(catalogue.root):
        try:
            before = read_text(catalogue.root / path)
            found = list(misplaced(before, model, collection=collection, venues=venues))
            after = format_text(before, model, collection=collection, venues=venues) if found else before
            after, changes = respelled(after, catalogue) if model is Paper else (after, ())
        except (YamlError, OSError):
            continue
        if after != before:
            yield Fix(path, before, after, tuple(dict.fromkeys([*(each.what for each in found), *changes])))


def _is_plainly_canonical(text: str) -> bool:
    """Tell at a glance that a paper is in order, so that few of many files need a second parsing."""
    return (
        not _NESTED.search(text)
        and bool(_AUTHORS.search(text))
        and _ascend(_KEY.findall(text), _PAPER_KEYS)
        and _ascend(_LINK_KEY.findall(text), _LINK_KEYS)
    )


def _ascend(keys: list[str], order: Mapping[str, int]) -> bool:
    ranks = [order.get(key, -1) for key in keys]
    return -1 not in ranks and ranks == sorted(ranks)


def _files(root: Path) -> Iterator[tuple[str, type[Record], bool]]:
    for pattern, (model, collection) in _FILES.items():
        for path in sorted(root.glob(pattern)):
            if not path.is_symlink():
                yield path.relative_to(root).as_posix(), model, collection
