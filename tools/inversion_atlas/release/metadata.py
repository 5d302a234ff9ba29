"""How a release is cited and deposited: CITATION.cff brought up to date, and the metadata that Zenodo reads."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from inversion_atlas.records.settings import Settings
from inversion_atlas.records.yamlfile import Plain, YamlError, parse
from inversion_atlas.release.version import ReleaseError, Version

CITATION = "CITATION.cff"
ZENODO = ".zenodo.json"


def cited(text: str, version: Version) -> str:
    """Return CITATION.cff with version and day of a release, and every other line as it is; raises ReleaseError."""
    new = {"version": str(version), "date-released": version.day.isoformat()}
    before = _parsed(text)
    lines = text.splitlines()
    for key, value in new.items():
        # Quotes keep YAML from reading a day or a number where CFF wants text.
        line = f'{key}: "{value}"'
        at = next((at for at, each in enumerate(lines) if re.match(rf"{key}\s*:", each)), None)
        if at is None:
            after = next((at for at, each in enumerate(lines) if each.startswith("version:")), len(lines) - 1)
            lines.insert(after + 1, line)
        else:
            lines[at] = line
    edited = "\n".join(lines) + "\n"
    if _parsed(edited) != {**before, **new}:
        raise ReleaseError(f"{CITATION} cannot be brought up to date; write version and date-released each on one line")
    return edited


def zenodo(citation: str, version: Version, settings: Settings, description: str) -> str:
    """Return the text of `.zenodo.json`, made of what CITATION.cff and the settings say; raises ReleaseError."""
    written = _parsed(citation)
    metadata: dict[str, Any] = {
        "title": f"{written.get('title') or settings.title}, data {version}",
        "upload_type": "dataset",
        "description": f"<p>{html.escape(settings.description)}</p><p>{html.escape(description)}</p>",
        "creators": _creators(written),
        "publication_date": version.day.isoformat(),
        "version": str(version),
        "access_right": "open",
        "license": str(written.get("license") or ""),
        "language": "eng",
    }
    if isinstance(keywords := written.get("keywords"), list):
        metadata["keywords"] = keywords
    related = [
        {"identifier": url, "relation": relation, "resource_type": kind}
        for url, relation, kind in (
            (settings.repository, "isSupplementTo", "software"),
            (settings.site, "isAlternateIdentifier", "other"),
        )
        if url
    ]
    if related:
        metadata["related_identifiers"] = related
    if not metadata["license"]:
        raise ReleaseError(f"{CITATION} names no license; Zenodo wants one")
    return json.dumps(metadata, ensure_ascii=False, indent=2) + "\n"


def _creators(written: Mapping[str, Plain]) -> list[dict[str, str]]:
    people = written.get("authors")
    found = [_creator(person) for person in people if isinstance(person, dict)] if isinstance(people, list) else []
    if not found:
        raise ReleaseError(f"{CITATION} names no author; Zenodo wants one")
    return found


def _creator(person: Mapping[str, Plain]) -> dict[str, str]:
    family = " ".join(str(person[key]) for key in ("name-particle", "family-names") if person.get(key))
    given = " ".join(str(person[key]) for key in ("given-names", "name-suffix") if person.get(key))
    creator = {"name": str(person.get("name") or ", ".join(part for part in (family, given) if part))}
    if affiliation := person.get("affiliation"):
        creator["affiliation"] = str(affiliation)
    if orcid := person.get("orcid"):
        creator["orcid"] = str(orcid).removeprefix("https://orcid.org/")
    return creator


def _parsed(text: str) -> dict[str, Plain]:
    try:
        data = parse(text)
    except YamlError as error:
        raise ReleaseError(f"{CITATION}:{error.line}: {error.message}; {error.hint}") from None
    if not isinstance(data, dict):
        raise ReleaseError(f"{CITATION} is no mapping; write `key: value` lines")
    return data
