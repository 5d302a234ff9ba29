"""The issue forms themselves, and a form's answers read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from inversion_atlas.github.forms import Form, FormError, read_answers, read_forms
from inversion_atlas.github.proposal import FIELDS
from inversion_atlas.records.paper import Kind, Links, Paper

ROOT = Path(__file__).resolve().parents[2]
FORMS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")}
KNOWN_TYPES = {"markdown", "input", "textarea", "dropdown", "checkboxes"}


def fields(name: str) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in FORMS[name]["body"] if "id" in item}


def write(form: Form, **values: str) -> str:
    return "\n\n".join(f"### {label}\n\n{values.get(id, '_No response_')}" for label, id in form.fields.items())


@pytest.mark.parametrize("name", sorted(set(FORMS) - {"config"}))
def test_a_form_is_as_github_wants_it(name: str) -> None:
    form = FORMS[name]
    assert set(form) <= {"name", "description", "title", "labels", "body", "assignees", "type", "projects"}
    assert form["name"]
    assert form["description"]
    assert {item["type"] for item in form["body"]} <= KNOWN_TYPES
    assert any(item["type"] != "markdown" for item in form["body"])
    named = [item for item in form["body"] if item["type"] != "markdown"]
    assert len({item["id"] for item in named}) == len({item["attributes"]["label"] for item in named}) == len(named)
    for item in form["body"]:
        assert set(item) <= {"type", "id", "attributes", "validations"}
        texts = [value for key, value in item["attributes"].items() if key not in ("options", "default", "multiple")]
        assert all(isinstance(text, str) and text.strip() for text in texts)
        options = item["attributes"].get("options", [])
        assert len(set(options)) == len(options)
        assert all(isinstance(option, str) for option in options)


def test_the_forms_name_no_address_of_ours() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / ".github/ISSUE_TEMPLATE").iterdir())
    assert "github.com" not in text
    assert FORMS["config"] == {"blank_issues_enabled": True}


def test_the_choices_of_a_form_are_those_of_a_record() -> None:
    assert fields("add-paper")["kind"]["attributes"]["options"] == ["not sure", *Kind]
    assert tuple(fields("fix-record")["field"]["attributes"]["options"]) == (*FIELDS, "something else")
    assert set(FIELDS) <= {*Paper.model_fields, *(f"links.{name}" for name in Links.model_fields)}


@pytest.mark.parametrize("form", read_forms(ROOT), ids=lambda form: form.name)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_what_is_written_is_read(form: Form, ending: str) -> None:
    values = {id: f"{id}: one\n\n#### two\n# three ###" for id in form.fields.values()} | {"code": ""}
    values = {id: values[id] for id in form.fields.values()}
    body = write(form, **{id: value for id, value in values.items() if value}).replace("\n", ending)
    answers = read_answers(body, read_forms(ROOT))
    assert answers
    assert (answers.form, answers.values) == (form.name, values)


@pytest.mark.parametrize("body", ["", "### Paper", "A question\n### Record\nx", "### Paper\n### Kind\n### Summary"])
def test_another_issue_is_no_form(body: str) -> None:
    assert read_answers(body, read_forms(ROOT)) is None


@pytest.mark.parametrize("form", read_forms(ROOT), ids=lambda form: form.name)
def test_an_answer_cannot_stand_in_for_another(form: Form) -> None:
    first, *_, last = form.fields
    for label in (first, last):
        body = write(form, **{form.fields[first]: f"x\n\n### {label}\n\ny"})
        with pytest.raises(FormError, match="twice"):
            read_answers(body, read_forms(ROOT))
    with pytest.raises(FormError, match="order"):
        read_answers("\n".join(reversed(write(form).split("\n"))), read_forms(ROOT))
