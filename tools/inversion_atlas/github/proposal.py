"""A form as the change of one record: what is to be written, what a pull request says of it, what the issue is told.

`proposed` reads and looks up and holds no token; `Proposal` is all that goes on to the job that may write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inversion_atlas import checks
from inversion_atlas.catalogue import Catalogue, paper_path
from inversion_atlas.github.forms import ADD_PAPER, FIX_RECORD, Answers
from inversion_atlas.github.review import preview_of
from inversion_atlas.github.text import block, code, cut, shown
from inversion_atlas.intake import files, update
from inversion_atlas.intake.adding import DUPLICATE, NEW, REFUSED, Adding, Outcome, network_failed
from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.venues import find_venue
from inversion_atlas.records.explain import describe, did_you_mean
from inversion_atlas.records.fields import PAPER_ID
from inversion_atlas.records.findings import Finding, Severity
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.yamlfile import YamlError, parse, read_text

# An issue holds no more characters.
MAX_BODY = 65_536
_LONGEST_TITLE = 200
_NOT_SURE, _SOMETHING_ELSE = "not sure", "something else"
# What the form “Fix a record” may change; other fields need a curator.
FIELDS = (
    "title",
    "authors",
    "year",
    "venue",
    "volume",
    "issue",
    "pages",
    "kind",
    "methods",
    "summary",
    "datasets",
    "metrics",
    "links.doi",
    "links.arxiv",
    "links.paper",
    "links.pdf",
    "links.project",
    "links.code",
    "links.reimplementation",
    "links.video",
    "links.slides",
    "links.poster",
)
# Fields that hold several values, written one a line.
_LISTS = frozenset(("authors", "methods", "datasets", "metrics", "links.code", "links.reimplementation"))
_AGAIN = "Nothing was written. Edit the form above and it is read again."
_FENCE = re.compile(r"^\s*(?:```|~~~)[a-zA-Z]*\s*$", re.MULTILINE)
# Names, numbers of issues, addresses and code, and the words that close an issue.
_ACTS = re.compile(r"[@#`<>\[\]]|://|\bgh-[0-9]|\b(?:close|fix|resolve)[sd]?\b", re.IGNORECASE)
_SUMMARY_TO_WRITE = re.compile(r"^# summary: >-\n#   One or two sentences .*\n", re.MULTILINE)


class Proposal(BaseModel):
    """What becomes of a form: an answer on the issue, and with a path the file, title and text of a pull request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[int, Field(ge=1)]
    reply: Annotated[str, Field(max_length=60_000)]
    path: Annotated[str, Field(max_length=200)] = ""
    text: Annotated[str, Field(max_length=200_000)] = ""
    title: Annotated[str, Field(max_length=300)] = ""
    body: Annotated[str, Field(max_length=60_000)] = ""

    @model_validator(mode="after")
    def _is_one_record(self) -> Proposal:
        """Refuse anything but the record of one paper, at the place of that record."""
        if self.path:
            id = self.path.rpartition("/")[2].removesuffix(".yaml")
            if not PAPER_ID.fullmatch(id) or self.path != paper_path(id):
                raise ValueError("the path is not that of a paper's record")
            try:
                data = parse(self.text)
            except YamlError as error:
                raise ValueError(f"the text is no YAML: {error}") from None
            if not isinstance(data, dict):
                raise ValueError("the text is no record")
            Paper.model_validate({**data, "id": id})
        return self

    @property
    def branch(self) -> str:
        """The branch that a form of this issue is proposed on."""
        return f"form/issue-{self.number}"


class _RefusedError(Exception):
    """The form leads to no change; the message is Markdown for its author."""


@dataclass(frozen=True)
class _Edit:
    """A record as it would be, in a file, with what is to be said of it."""

    paper: Paper
    path: str
    text: str
    verb: str
    notes: Sequence[str]


class Asks(Protocol):
    """Looks works up, as `atlas add` does."""

    def later(self, thing: str) -> Callable[[], Entry]:
        """Return what looks up an identifier or address."""

    def complete(self, entry: Entry) -> Entry:
        """Return an entry with what its identifiers lead to."""

    def archived(self, entry: Entry, adding: Adding) -> Entry:
        """Return an entry that will be a new record with the address of an archived copy."""


def proposed(
    number: int,
    answers: Answers,
    catalogue: Catalogue,
    asking: Asks,
    today: date,
) -> Proposal | None:
    """Return what becomes of the answers of a form, or None where a curator reads it."""
    try:
        if answers.form == ADD_PAPER:
            edit = _added(answers, catalogue, asking, today)
        elif answers.form == FIX_RECORD and answers.values["field"] != _SOMETHING_ELSE:
            edit = _fixed(answers, catalogue)
        else:
            return None
        return _proposal(number, edit, catalogue, today)
    except _RefusedError as error:
        return Proposal(number=number, reply=cut(str(error), 60_000))


def refused(number: int, message: str) -> Proposal:
    """Return the answer to a form that cannot be read."""
    return Proposal(number=number, reply=f"{shown(message)}. {_AGAIN}")


# Adding a paper


def _one_entry(text: str, asking: Asks) -> Entry:
    """Return the one work that was named; raises _RefusedError where there are several or none."""
    data = _FENCE.sub("", text).strip().encode("utf-8", "replace")
    if not data:
        raise _RefusedError(f"The form names no paper. {_AGAIN}")
    things = list(files.pasted_things(data))
    if len(things) == 1:
        return asking.later(things[0])()
    entries = files.read(data, "the form") if not things else []
    if len(entries) == 1:
        return asking.complete(entries[0])
    count = len(things) or len(entries)
    raise _RefusedError(
        f"The form names {count} papers, or {count} lines that may be some; a form is for one paper. For several, "
        f"`atlas add` takes a whole file of BibTeX, RIS or CSL-JSON. {_AGAIN}"
    )


def _added(answers: Answers, catalogue: Catalogue, asking: Asks, today: date) -> _Edit:
    adding = Adding(catalogue, today, dry_run=True)
    outcome = adding.take(asking.archived(_one_entry(answers.values["paper"], asking), adding))
    paper = outcome.paper
    notes = [shown(problem.message) for problem in outcome.entry.problems]
    if outcome.status == REFUSED or paper is None:
        later = " A service did not answer; edit the form later to try again." if network_failed(outcome.entry) else ""
        raise _RefusedError(f"No record can be made of this:\n\n{_listed(notes)}\n\n{_AGAIN}{later}")
    if outcome.status == DUPLICATE:
        raise _RefusedError(
            f"The catalogue has this paper: {code(outcome.path)} ({shown(outcome.why)}). Nothing was written. "
            f"If something is wrong there, use the form “Fix a record”.\n\n{_listed(notes)}"
        )
    if outcome.status == NEW:
        wanted, given = _curated(answers, paper)
        said = [f"The form gives {code(name)}." for name in given]
        text = _SUMMARY_TO_WRITE.sub("", outcome.text) if wanted.summary else outcome.text
        return _Edit(wanted, outcome.path, _written(text, paper, wanted), "Add", [*notes, *said, _todo(outcome, given)])
    text = _written(read_text(catalogue.root / outcome.path), catalogue.papers[paper.id], paper)
    changes = [f"{code(change.field)}: {shown(change.old) or 'nothing'} becomes {shown(change.new)}"
               for change in outcome.changes]  # fmt: skip
    return _Edit(paper, outcome.path, text, "Update", [shown(outcome.why), *changes, *notes])


def _curated(answers: Answers, paper: Paper) -> tuple[Paper, list[str]]:
    """Return the record with what the form says of kind, summary and code, and which of them it says."""
    values = answers.values
    given: dict[str, Any] = {}
    if values["kind"] not in ("", _NOT_SURE):
        given["kind"] = values["kind"]
    if values["summary"]:
        given["summary"] = " ".join(values["summary"].split())
    if values["code"]:
        given["links"] = {**paper.links.model_dump(exclude_defaults=True), "code": values["code"].split()}
    return _validated(paper, given), ["links.code" if name == "links" else name for name in given]


def _todo(outcome: Outcome, given: Sequence[str]) -> str:
    done = {f"{verb} `{name}`" for verb in ("choose", "write") for name in given}
    rest = [item.replace("`", "") for item in outcome.todo if item not in done]
    return f"Remains to be done in the file: {shown('; '.join(rest), 1000)}."


# Fixing a record


def _fixed(answers: Answers, catalogue: Catalogue) -> _Edit:
    values = answers.values
    record = _record_named(values["record"], catalogue)
    field, evidence = values["field"], values["evidence"]
    given = _given(record, field, values["value"], catalogue)
    if not evidence:
        raise _RefusedError(f"The form names no page that shows it. {_AGAIN}")
    changed = _validated(record, given)
    if changed == record:
        raise _RefusedError(f"{code(record.id)} says this already. Nothing was written.")
    wanted = _validated(changed, {"evidence": list(dict.fromkeys((*record.evidence, evidence)))})
    path = catalogue.place(record).path
    text = _written(read_text(catalogue.root / path), record, wanted)
    return _Edit(wanted, path, text, "Fix", [f"Changes {code(field)}.", f"Shown at {code(evidence)}."])


def _record_named(text: str, catalogue: Catalogue) -> Paper:
    """Return the record that an id or the address of its page names; raises _RefusedError."""
    path = urlsplit(text.strip()).path if "://" in text else text.strip()
    id = path.rstrip("/").rpartition("/")[2].removesuffix(".yaml").lower()
    id = catalogue.redirects.get(id, id)
    if id not in catalogue.papers:
        hint = did_you_mean(id, catalogue.papers) if PAPER_ID.fullmatch(id) else "an id looks like zhu2019deep"
        raise _RefusedError(f"No paper has the id {code(id, 80)} ({shown(hint)}). {_AGAIN}")
    return catalogue.papers[id]


def _given(record: Paper, field: str, text: str, catalogue: Catalogue) -> dict[str, Any]:
    """Return the new value under its key, as a record's file would hold it; raises _RefusedError."""
    outer, _, inner = field.partition(".")
    if field not in FIELDS:
        raise _RefusedError(f"{code(field, 80)} is no field that this form changes. {_AGAIN}")
    value: Any = [line.strip() for line in text.splitlines() if line.strip()] if field in _LISTS else text.strip()
    if field == "venue":
        value = find_venue(value, catalogue) or value
    elif field == "summary":
        value = " ".join(value.split())
    if not value:
        raise _RefusedError(f"The form does not say what is right. {_AGAIN}")
    return {"links": {**record.links.model_dump(exclude_defaults=True), inner: value}} if inner else {outer: value}


# What both share


def _validated(paper: Paper, given: dict[str, Any]) -> Paper:
    """Return a record with further values; raises _RefusedError where one does not fit."""
    try:
        return Paper.model_validate({**paper.model_dump(exclude_defaults=True), "id": paper.id, **given})
    except ValidationError as error:
        said = [describe(detail, Paper) for detail in error.errors(include_url=False)]
        lines = [f"{shown(message)}: {shown(hint)}" for _, message, hint in said]
        raise _RefusedError(
            f"What the form gives does not fit into a record:\n\n{_listed(lines)}\n\n{_AGAIN}"
        ) from None


def _written(text: str, before: Paper, after: Paper) -> str:
    """Return the file of a record with the changed fields in it; raises _RefusedError."""
    try:
        return update.edited(text, before, after) if after != before else text
    except (ValueError, OSError) as error:
        raise _RefusedError(f"The record must be edited by hand: {shown(str(error))}. Nothing was written.") from None


def _proposal(number: int, edit: _Edit, catalogue: Catalogue, today: date) -> Proposal:
    grown = replace(
        catalogue,
        papers=dict(sorted({**catalogue.papers, edit.paper.id: edit.paper}.items())),
        paths={**catalogue.paths, edit.paper.id: edit.path},
    )
    findings = [f"{finding.severity} {code(finding.code)} " + shown(f"{finding.message}.{finding.advice}")
                for finding in _findings(grown, edit.path, today)]  # fmt: skip
    parts = [
        f"Closes #{number}.",
        _listed(edit.notes),
        "`atlas check` finds:\n\n" + _listed(findings) if findings else "`atlas check` finds nothing to mend.",
        preview_of(grown, edit.paper).markdown(),
        f"<details><summary>The file</summary>\n\n{block(edit.text, 'yaml')}\n\n</details>",
        "Push to this branch, or close this pull request and open it again, to run the checks of pull requests.",
    ]
    return Proposal(
        number=number,
        path=edit.path,
        text=edit.text,
        title=_title(edit),
        body=cut("\n\n".join(part for part in parts if part), 60_000),
        reply="\n\n".join([f"{edit.verb} {code(edit.path)}", _listed(edit.notes)]),
    )


def _title(edit: _Edit) -> str:
    """Return the title of the pull request and of its commit, without the paper's if GitHub might act on that."""
    plain = f"{edit.verb} {edit.paper.id}"
    acts = _ACTS.search(edit.paper.title)
    return plain if acts else cut(f"{plain}: {edit.paper.title}", _LONGEST_TITLE)


def _findings(catalogue: Catalogue, path: str, today: date) -> list[Finding]:
    found = checks.problems(checks.RULES, catalogue, today)
    here = [Finding(rule.code, path, 1, 1, problem.message, problem.hint, rule.severity)
            for rule, problem in found if problem.place.path == path]  # fmt: skip
    return sorted(here, key=lambda finding: list(Severity).index(finding.severity))


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
