"""What a pull request does to the catalogue: which records change, what the checks say, how it will look.

A Review is data. The run of a pull request, which is not trusted, writes one as JSON; the one that comments reads it
with these limits and writes the Markdown itself, so that the worst a review can do is to be wrong.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from inversion_atlas import checks, generated
from inversion_atlas.catalogue import Catalogue, read
from inversion_atlas.changes import Change, FieldChange, RevisionError, What, changes, read_revision
from inversion_atlas.changes import shown as in_words
from inversion_atlas.github.text import MAX_COMMENT, address, block, code, cut, shown
from inversion_atlas.readme import awesome
from inversion_atlas.records.findings import Finding, Severity
from inversion_atlas.records.paper import Kind, Paper

MARKER = "<!-- inversion-atlas: review -->"
# More than this nobody reads in a comment.
_RECORDS, _FIELDS, _FINDINGS, _PREVIEWS, _LISTED = 60, 40, 50, 8, 30
_LONGEST = 600

_Line = Annotated[str, Field(max_length=_LONGEST)]
_Kind = Literal["paper", "dataset", "metric", "venue", "facet", "term", "source", "row", "settings"]
_Count = Annotated[int, Field(ge=0, le=10**9)]
_KINDS: dict[str, _Kind] = {kind: kind for kind in get_args(_Kind)}


class _Piece(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChangedField(_Piece):
    """One field of a record before and after; None where it was or is not given."""

    name: _Line
    before: _Line | None
    after: _Line | None

    def markdown(self) -> str:
        """Return this as one line."""
        if self.before is None:
            return f"{code(self.name)}: {shown(self.after or '')}"
        if self.after is None:
            return f"{code(self.name)}: removed, was {shown(self.before)}"
        return f"{code(self.name)}: {shown(self.before)} → {shown(self.after)}"


class ChangedRecord(_Piece):
    """What became of one record."""

    kind: _Kind
    id: _Line
    what: What
    label: _Line
    new_id: _Line | None
    fields: Annotated[tuple[ChangedField, ...], Field(max_length=_FIELDS)]
    more_fields: _Count

    def markdown(self) -> Iterator[str]:
        """Yield lines of a list."""
        name = f"{self.kind} {code(self.id)}" if self.kind != "paper" else code(self.id)
        new = f", now {code(self.new_id)}" if self.new_id else ""
        yield f"- **{self.what}** {name}{new}: {shown(self.label)}"
        yield from (f"  - {field.markdown()}" for field in self.fields)
        if self.more_fields:
            yield f"  - and {self.more_fields} more fields"


class Found(_Piece):
    """A finding, at its place."""

    code: _Line
    severity: Severity
    path: _Line
    line: _Count
    message: _Line

    def markdown(self) -> str:
        """Return this as a line of a list."""
        return (
            f"- {self.severity} {code(f'{self.path}:{self.line}')} {code(self.code)}: {shown(self.message, _LONGEST)}"
        )


class Preview(_Piece):
    """How a paper will look: its line in the README, empty for a background work, and what its page says."""

    id: _Line
    line: Annotated[str, Field(max_length=4000)]
    facts: Annotated[tuple[tuple[_Line, _Line], ...], Field(max_length=40)]
    addresses: Annotated[tuple[_Line, ...], Field(max_length=20)]

    def markdown(self) -> str:
        """Return this as a section that opens."""
        rows = "\n".join(f"| {shown(name)} | {shown(value, _LONGEST)} |" for name, value in self.facts)
        links = "".join(f"\n- {address(url)}" for url in self.addresses)
        line = block(self.line, "markdown") if self.line else "It is a background work and stays out of the README."
        return (
            f"<details><summary>How {code_in_html(self.id)} will look</summary>\n\nIn the README:\n\n{line}\n\n"
            f"On its page:\n\n| | |\n| --- | --- |\n{rows}\n{links}\n\n</details>"
        )


class Review(_Piece):
    """The whole review; what is left out for its length is counted."""

    records: Annotated[tuple[ChangedRecord, ...], Field(max_length=_RECORDS)]
    more_records: _Count
    findings: Annotated[tuple[Found, ...], Field(max_length=_FINDINGS)]
    more_findings: _Count
    elsewhere: Annotated[tuple[Found, ...], Field(max_length=_FINDINGS)]
    rest: Annotated[dict[Severity, _Count], Field(max_length=3)]
    previews: Annotated[tuple[Preview, ...], Field(max_length=_PREVIEWS)]
    more_previews: _Count
    generated: Annotated[tuple[_Line, ...], Field(max_length=_LISTED)]

    @property
    def errors(self) -> int:
        """How many errors the review shows."""
        return sum(found.severity is Severity.ERROR for found in (*self.findings, *self.elsewhere))

    def markdown(self) -> str:
        """Return the comment; parts that make it too long for GitHub are left out from the end, and said."""
        parts = ["## What this changes", *self._records(), *self._findings(), *self._generated()]
        parts += [preview.markdown() for preview in self.previews]
        if self.more_previews:
            parts.append(f"{self.more_previews} more papers are not shown.")
        kept: list[str] = []
        length = 0
        for part in parts:
            length += len(part.encode("utf-16-le")) // 2 + 2
            if length > MAX_COMMENT - 1000:
                return "\n\n".join([*kept, "The rest is too long for a comment; `atlas review` shows all of it."])
            kept.append(part)
        return "\n\n".join(kept)

    def _records(self) -> Iterator[str]:
        if not self.records:
            yield "No record changes."
        # Record by record, so that a long review is cut between two of them.
        yield from ("\n".join(record.markdown()) for record in self.records)
        if self.more_records:
            yield f"and {self.more_records} more records"

    def _findings(self) -> Iterator[str]:
        yield "## What `atlas check` finds"
        if self.findings:
            yield "\n".join(found.markdown() for found in self.findings)
        else:
            yield "Nothing to mend in the changed files."
        if self.more_findings:
            yield f"and {self.more_findings} more in the changed files"
        if self.elsewhere:
            yield "New in files that did not change:\n\n" + "\n".join(found.markdown() for found in self.elsewhere)
        if rest := ", ".join(f"{count} {severity}s" for severity, count in self.rest.items() if count):
            yield f"Elsewhere, as before: {rest}."

    def _generated(self) -> Iterator[str]:
        if not self.generated:
            return
        listed = " ".join(code(path) for path in self.generated)
        yield (
            f"## Files that are made on the main branch\n\n{listed}\n\nThese are written from the records after the "
            "merge, and conflict with every other pull request. Leave them out (`upstream/main` where `origin` is a "
            "fork that lags behind):\n\n"
            '```sh\ngit checkout origin/main -- README.md schemas\ngit commit -m "Leave out generated files"\n```'
        )


def review(root: Path, base: str, today: date) -> Review:
    """Return the review of the files at `root` against where they left a revision of git.

    Raises RevisionError where git does not know it.
    """
    start = fork_point(root, base)
    before, unread_before = read_revision(root, start)
    after, unread = read(root)
    changed = changed_files(root, start)
    differences = changes(before, after)
    old = {_key(finding) for finding in (*unread_before, *checks.findings(before, today, unread=unread_before))}
    found = sorted([*unread, *checks.findings(after, today, unread=unread)], key=_rank)
    here = [finding for finding in found if finding.path in changed]
    others = [finding for finding in found if finding.path not in changed]
    new = [finding for finding in others if _key(finding) not in old and finding.severity is not Severity.NOTE]
    papers = [after.papers[change.id] for change in differences if _shows(change) and change.id in after.papers]
    written = sorted(path for path in changed if generated.is_made(path))
    return Review(
        records=tuple(map(_record, differences[:_RECORDS])),
        more_records=max(0, len(differences) - _RECORDS),
        findings=tuple(map(_found, here[:_FINDINGS])),
        more_findings=max(0, len(here) - _FINDINGS),
        elsewhere=tuple(map(_found, new[:_FINDINGS])),
        rest=dict(Counter(finding.severity for finding in others if finding not in new)),
        previews=tuple(preview_of(after, paper) for paper in papers[:_PREVIEWS]),
        more_previews=max(0, len(papers) - _PREVIEWS),
        generated=tuple(written[:_LISTED]),
    )


def preview_of(catalogue: Catalogue, paper: Paper) -> Preview:
    """Return how a paper will look in the README and on its page."""
    return Preview(
        id=paper.id,
        line="" if paper.kind is Kind.BACKGROUND else cut(awesome.line(catalogue, paper), 4000),
        facts=tuple((name, cut(value, _LONGEST)) for name, value in _facts(catalogue, paper) if value)[:40],
        addresses=tuple(url for url in _addresses(paper) if len(url) <= _LONGEST)[:20],
    )


def changed_files(root: Path, base: str) -> frozenset[str]:
    """Return the files that differ from a revision, relative to `root`, with those that git does not know yet."""
    differing = _git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", base, "--")
    unknown = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset(path for path in (differing + unknown).split("\0") if path)


def fork_point(root: Path, base: str) -> str:
    """Return the commit at which the work at `root` left `base`; raises RevisionError."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
    try:
        return _git(root, "merge-base", commit, "HEAD").strip()
    except RevisionError:
        # A clone that holds only the last commits does not know.
        return commit


def code_in_html(text: str) -> str:
    """Return an id inside of HTML; ids hold ASCII letters, digits and little else."""
    return "<code>" + "".join(char for char in text if char.isascii() and (char.isalnum() or char in "-._")) + "</code>"


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise RevisionError(f"git cannot be run: {error.strerror}") from None
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").strip() or "git knows no such revision here"
        raise RevisionError(f"{said} (git {arguments[0]} {arguments[-1]})")
    return answer.stdout.decode("utf-8", "replace")


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.path, finding.message


def _rank(finding: Finding) -> tuple[int, str, int]:
    return list(Severity).index(finding.severity), finding.path, finding.line


def _shows(change: Change) -> bool:
    return change.kind == "paper" and change.what in (What.ADDED, What.CHANGED)


def _record(change: Change) -> ChangedRecord:
    # A new paper is shown whole below.
    fields: Sequence[FieldChange] = () if change.what is What.ADDED and change.kind == "paper" else change.fields
    return ChangedRecord(
        kind=_KINDS[change.kind],
        id=cut(change.id, _LONGEST),
        what=change.what,
        label=cut(change.label, _LONGEST),
        new_id=change.new_id,
        fields=tuple(map(_field, fields[:_FIELDS])),
        more_fields=max(0, len(fields) - _FIELDS),
    )


def _field(change: FieldChange) -> ChangedField:
    before, after = (None if value is None else in_words(value) for value in (change.before, change.after))
    if isinstance(change.before, list) and isinstance(change.after, list):
        # Of a list, what it lost and gained says more than both.
        before, after = in_words(change.lost), in_words(change.gained)
    return ChangedField(
        name=cut(change.field, _LONGEST),
        before=None if before is None else cut(before, 300),
        after=None if after is None else cut(after, 300),
    )


def _found(finding: Finding) -> Found:
    return Found(
        code=cut(finding.code, _LONGEST),
        severity=finding.severity,
        path=cut(finding.path, _LONGEST),
        line=finding.line,
        message=cut(f"{finding.message}.{finding.advice}", _LONGEST),
    )


def _facts(catalogue: Catalogue, paper: Paper) -> Iterator[tuple[str, str]]:
    """Yield what the page of a paper says: a name and its value, empty where nothing is known."""
    venue = catalogue.venues.get(paper.venue or "")
    yield "Title", paper.title
    yield "Authors", "; ".join(paper.authors)
    yield "Appeared", f"{venue.short if venue else 'venue not known'} {paper.year}"
    yield "Kind", str(paper.kind)
    yield "Status", str(paper.status.state) if paper.status else ""
    yield "Methods", ", ".join(paper.methods)
    yield "Summary", paper.summary or ""
    for id, terms in paper.taxonomy.items():
        facet = catalogue.facets.get(id)
        labels = [facet.terms[term].label if facet and term in facet.terms else term for term in terms]
        yield (facet.label if facet else id), ", ".join(labels)
    yield "Datasets", ", ".join(_names(catalogue.datasets, paper.datasets))
    yield "Metrics", ", ".join(_names(catalogue.metrics, paper.metrics))
    yield "Relations", "; ".join(f"{relation.verb} {relation.target}" for relation in paper.relations)
    yield "DOI", paper.links.doi or ""
    yield "arXiv", paper.links.arxiv or ""


def _names(records: object, ids: Iterable[str]) -> Iterator[str]:
    known = records if isinstance(records, dict) else {}
    yield from (known[id].name if id in known else id for id in ids)


def _addresses(paper: Paper) -> Iterator[str]:
    links = paper.links
    named = (links.paper, links.pdf, links.project, *links.code, *links.reimplementation, links.video, links.slides)
    yield from dict.fromkeys(url for url in (*named, links.poster, links.archive, *paper.evidence) if url)
