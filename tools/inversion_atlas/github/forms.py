"""An issue form as GitHub writes its answers into the issue, read back by the form's own labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inversion_atlas.records.yamlfile import parse, read_text

FOLDER = ".github/ISSUE_TEMPLATE"
ADD_PAPER, FIX_RECORD, BROKEN_LINK = "add-paper", "fix-record", "broken-link"
_EMPTY = frozenset(("_No response_", "None", ""))
_HEADING = "### "


class FormError(Exception):
    """The answers of a form cannot be told apart; the message says why, for the one who filled it."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its name is that of its file, `fields` its labels -> ids in their order."""

    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """What somebody wrote into a form, by the ids of its fields; what was left empty is an empty text."""

    form: str
    values: Mapping[str, str]


def read_forms(root: Path) -> list[Form]:
    """Return the forms of a repository."""
    return [_form(path) for path in sorted((root / FOLDER).glob("*.yml")) if path.stem != "config"]


def read_answers(body: str, forms: list[Form]) -> Answers | None:
    """Return the answers in an issue's text, or None where it was not made by a form.

    Raises FormError where a heading of the form stands twice or out of order, as when an answer holds one.
    """
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    headings = [(at, line[len(_HEADING) :].strip()) for at, line in enumerate(lines) if line.startswith(_HEADING)]
    form = next((form for form in forms if headings and set(form.fields) <= {label for _, label in headings}), None)
    if form is None:
        return None
    places = [(at, label) for at, label in headings if label in form.fields]
    if [label for _, label in places] != list(form.fields):
        raise FormError("a heading of the form stands twice or out of its order; leave the headings as they are")
    ends = [at for at, _ in places[1:]] + [len(lines)]
    found = {form.fields[label]: _answer(lines[at + 1 : end]) for (at, label), end in zip(places, ends, strict=True)}
    return Answers(form.name, found)


def _form(path: Path) -> Form:
    data = parse(read_text(path))
    body = data["body"] if isinstance(data, dict) and isinstance(data.get("body"), list) else []
    fields: dict[str, str] = {}
    for item in body or ():
        attributes = item.get("attributes") if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(attributes, dict) and "id" in item:
            fields[str(attributes["label"])] = str(item["id"])
    return Form(path.stem, fields)


def _answer(lines: list[str]) -> str:
    text = "\n".join(lines).strip()
    return "" if text in _EMPTY else text
