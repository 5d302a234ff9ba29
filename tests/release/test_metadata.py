"""CITATION.cff and the metadata for Zenodo, held against the published schema and what Zenodo documents."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker

from inversion_atlas.records.settings import Settings
from inversion_atlas.release.metadata import cited, zenodo
from inversion_atlas.release.version import ReleaseError, Version

ROOT = Path(__file__).resolve().parents[2]
VERSION = Version(date(2026, 11, 21))
SETTINGS = Settings(
    title="Inversion Atlas",
    description="A <map> & more.",
    site="https://atlas.example.org",
    repository="https://github.com/example/atlas",
)
# https://developers.zenodo.org/#representation: what its form knows.
FIELDS = {
    *("title", "upload_type", "description", "creators", "publication_date", "version", "access_right", "license"),
    *("language", "keywords", "related_identifiers"),
}


@pytest.fixture(scope="session")
def cff() -> Draft7Validator:
    """The published schema of CITATION.cff, from the package that `.ci/run` puts into build/cff."""
    path = ROOT / "build/cff/cffconvert/schemas/1.2.0/schema.json"
    if not path.is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{path} is missing; .ci/run says how to install it")
    return Draft7Validator(json.loads(path.read_text("utf-8")), format_checker=FormatChecker())


def errors(cff: Draft7Validator, text: str) -> list[str]:
    # The schema wants text where YAML reads a day, so only days that stand in quotes pass.
    return [error.message for error in cff.iter_errors(yaml.safe_load(text))]


def test_the_citation_of_a_release_is_valid_and_names_nobody_new(cff: Draft7Validator) -> None:
    before = (ROOT / "CITATION.cff").read_text("utf-8")
    after = cited(before, VERSION)
    assert errors(cff, after) == []
    read = yaml.safe_load(after)
    assert read["version"] == "2026.11.21"
    assert read["date-released"] == "2026-11-21"
    changed = ("version", "date-released")
    assert {key: read[key] for key in read if key not in changed} == {
        key: value for key, value in yaml.safe_load(before).items() if key not in changed
    }
    assert errors(cff, after.replace("date-released", "date-relaesed")) != []


def test_a_second_release_changes_the_same_two_lines() -> None:
    first = cited((ROOT / "CITATION.cff").read_text("utf-8"), VERSION)
    second = cited(first, Version(date(2027, 1, 2), 1))
    differing = [pair for pair in zip(first.splitlines(), second.splitlines(), strict=True) if pair[0] != pair[1]]
    assert [after for _, after in differing] == ['version: "2027.01.02.1"', 'date-released: "2027-01-02"']


def test_comments_and_other_lines_stay() -> None:
    text = "# Ours.\ncff-version: 1.2.0\nauthors:\n  - name: A  # a comment\n    version: no\n"
    assert cited(text, VERSION) == f'{text}version: "2026.11.21"\ndate-released: "2026-11-21"\n'


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "version: >-\n  1.0\nname: A\n", '{"version": "1"}\n'])
def test_a_citation_that_cannot_be_changed_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match=r"CITATION\.cff"):
        cited(text, VERSION)


def test_the_metadata_for_zenodo_says_what_the_citation_says() -> None:
    said = json.loads(zenodo((ROOT / "CITATION.cff").read_text("utf-8"), VERSION, SETTINGS, "Two works."))
    assert set(said) == FIELDS
    assert said["title"] == "Inversion Atlas, data 2026.11.21"
    assert said["upload_type"] == "dataset"
    assert said["creators"] == [{"name": "The Inversion Atlas contributors"}]
    assert said["license"] == "CC-BY-4.0"
    assert said["publication_date"] == "2026-11-21"
    assert said["description"] == "<p>A &lt;map&gt; &amp; more.</p><p>Two works.</p>"
    assert [each["identifier"] for each in said["related_identifiers"]] == [SETTINGS.repository, SETTINGS.site]


def test_persons_are_written_as_zenodo_wants_them() -> None:
    citation = """\
license: CC-BY-4.0
authors:
  - {family-names: Berg, given-names: Ada, name-particle: van den, orcid: "https://orcid.org/0000-0002-1825-0097"}
  - {name: A group, affiliation: A place}
"""
    assert json.loads(zenodo(citation, VERSION, SETTINGS, ""))["creators"] == [
        {"name": "van den Berg, Ada", "orcid": "0000-0002-1825-0097"},
        {"name": "A group", "affiliation": "A place"},
    ]


@pytest.mark.parametrize(("text", "says"), [("license: CC-BY-4.0\n", "author"), ("authors: [{name: A}]\n", "license")])
def test_a_citation_without_author_or_license_is_refused(text: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says):
        zenodo(text, VERSION, SETTINGS, "")
