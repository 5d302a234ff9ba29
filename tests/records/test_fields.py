"""The kinds of value a field may hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from inversion_atlas.records import fields


def accepts(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "url",
    ["https://a.org", "http://a.org/x?y=z#f", "https://a.org:8080/", "https://[2001:db8::1]/x", "https://ü.org/ä"],
)
def test_a_web_address_is_accepted(url: str) -> None:
    assert accepts(fields.Url, url)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//a.org", "a.org", "https://", "https:///x",
        "https://a.org/a b", 'https://a.org/"x', "https://a.org/<x>", "https://u:p@a.org", "https://a.org:99999/",
        "https://[::1", "ftp://a.org", "https://a.org/\u202e", "https://a.org/\nx", "https://a.org/" + "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert not accepts(fields.Url, url)


@given(st.text())
def test_any_text_is_accepted_or_refused_and_never_breaks_the_check(text: str) -> None:
    kinds = [fields.Text, fields.Line, fields.Url, fields.Doi, fields.ArxivId, fields.Slug, fields.TermId]
    for kind in [
        *kinds,
        fields.PaperId,
        fields.Whole,
        fields.Year,
        fields.Number,
        fields.Bound,
        fields.Day,
        fields.Flag,
    ]:
        accepts(kind, text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_that_python_writes_is_read(number: float) -> None:
    assert TypeAdapter(fields.Number).validate_python(repr(number)) == number


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "1e999", "1_000", "０.5", "0x10", "1e", ".5", "+1", " 1", "", "true"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert not accepts(fields.Number, text)


def test_infinity_is_a_bound_and_nan_is_none() -> None:
    assert accepts(fields.Bound, "inf")
    assert accepts(fields.Bound, "-inf")
    assert not accepts(fields.Bound, "nan")
    assert not accepts(fields.Bound, float("nan"))


@pytest.mark.parametrize("text", ["1704067200", "2024-1-1", "2024-02-30", "2024-01-01T00:00:00", "01.01.2024"])
def test_what_is_no_day_is_refused(text: str) -> None:
    assert not accepts(fields.Day, text)


@pytest.mark.parametrize("value", ["yes", "True", "1", "no"])
def test_a_flag_is_true_or_false_and_nothing_else(value: str) -> None:
    assert accepts(fields.Flag, "true")
    assert not accepts(fields.Flag, value)


@pytest.mark.parametrize("text", ["", " a", "a ", "a\u200bb", "a\u202eb", "a\x07b", "a\u2028b", "e\u0301", "a\tb"])
def test_text_that_hides_something_is_refused(text: str) -> None:
    assert not accepts(fields.Text, text)
    assert not accepts(fields.Line, text)
