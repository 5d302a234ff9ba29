"""Versions are days."""

from __future__ import annotations

import pytest

from inversion_atlas.release.version import ReleaseError, read_version


@pytest.mark.parametrize("text", ["2026.11.21", "2026.01.02.1", "2026.11.21.12"])
def test_a_version_reads_as_it_is_written(text: str) -> None:
    assert str(read_version(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026.13.01", "2026.02.30", "2026.1.2", "2026.11.21.0", "v2026.11.21", "2026.11.21\n", "٢٠٢٦.11.21"],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="write the day as"):
        read_version(text)


def test_versions_sort_by_day_and_number() -> None:
    written = ["2026.11.21.2", "2027.01.01", "2026.11.21", "2026.11.21.10", "2026.09.30"]
    assert [str(each) for each in sorted(map(read_version, written))] == [
        "2026.09.30",
        "2026.11.21",
        "2026.11.21.2",
        "2026.11.21.10",
        "2027.01.01",
    ]
