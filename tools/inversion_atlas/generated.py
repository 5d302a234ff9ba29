"""The files that the repository keeps although they are made from the records: README.md and the editors' schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.checks.rule import Problem, Rule
from inversion_atlas.exports.schema import schemas
from inversion_atlas.readme import awesome
from inversion_atlas.records.findings import Severity

README = "README.md"


def files(catalogue: Catalogue) -> dict[str, str]:
    """Return path relative to the root -> text of every file that `atlas build` keeps in the repository."""
    made = {README: awesome.render(catalogue)}
    for name, schema in schemas(catalogue).items():
        made[f"schemas/{name}"] = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    return made


def is_made(path: str) -> bool:
    """Tell whether a path, relative to the root, is that of a file which is made from the records."""
    return path == README or path.startswith("schemas/")


def stale(catalogue: Catalogue) -> Iterator[Problem]:
    """A file in the repository that says something else than the records."""
    # A catalogue without a README is no repository, and owes none of these files.
    if not (catalogue.root / README).is_file():
        return
    for path, text in files(catalogue).items():
        kept = catalogue.root / path
        if not kept.is_file() or kept.read_bytes() != text.encode():
            hint = "`atlas build` writes it on the main branch; leave it out of a pull request"
            yield Problem(Place(path), "the file is not what the records give", hint, (1, 1))


def too_large(catalogue: Catalogue) -> Iterator[Problem]:
    """A README that GitHub would stop to show."""
    path = catalogue.root / README
    if path.is_file() and (size := path.stat().st_size) > awesome.MAX_BYTES:
        hint = "split the list by family, or shorten its lines in tools/inversion_atlas/readme"
        yield Problem(Place(README), f"the README has {size:,} bytes of {awesome.MAX_BYTES:,}", hint, (1, 1))


RULES = (
    Rule("generated/stale", Severity.WARNING, "README.md or a schema is not what the records give.", find=stale),
    Rule("readme/too-large", Severity.ERROR, "README.md is larger than GitHub shows.", find=too_large),
)
