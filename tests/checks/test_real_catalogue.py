"""The repository's own records, as the checks and the formatter see them."""

from __future__ import annotations

from datetime import date

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.checks import findings, style
from inversion_atlas.records.findings import Severity


def test_the_real_catalogue_has_no_error(catalogue: Catalogue) -> None:
    errors = [finding for finding in findings(catalogue, date.today()) if finding.severity is Severity.ERROR]
    assert list(map(str, errors)) == []


def test_the_formatter_leaves_every_real_file_as_it_is(catalogue: Catalogue) -> None:
    assert [fix.path for fix in style.fixes(catalogue)] == []
