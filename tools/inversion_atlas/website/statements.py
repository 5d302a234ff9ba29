"""Who says what of a work, in short: the curator, and each source in its own spelling."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.disagreements import Claim, Disagreement, Stance
from inversion_atlas.records.erratum import Erratum
from inversion_atlas.records.paper import Paper
from inversion_atlas.records.source import Row
from inversion_atlas.website.threat_model import Part

_DIFFERS = ' <b class="bad">differs</b>'
_CURATOR = Markup('<a href="#seen">curator</a>')
_STANCES = {
    Stance.SAME: "the same",
    Stance.WIDER: "wider",
    Stance.NARROWER: "narrower",
    Stance.OTHER: "differs",
    Stance.ALONE: "",
}
# Of a long list of names or an address, a row on a page shows the start; the source's own page has it all.
_NAMES = 3
_LONGEST = 60
_IN_TABLE = re.compile(r"[Tt]able [^,]+, row \d+")


def origin(part: Part, paper: Paper) -> Markup:
    """Return who says the terms of a part: the curator or one source alone, then what each source says."""
    own: str = _CURATOR if paper.evidence else "curator"
    if part.alone:
        own = f'<a class="unsure" href="#unconfirmed">{part.alone} alone</a>'
    elif not part.terms:
        own = "no value here"
    if not part.said:
        return Markup(own)
    told = [own]
    for said in part.said:
        quoted = ", ".join(f"<q>{html.escape(text)}</q>" for text in said.printed)
        stance = _STANCES[said.stance]
        link = f'<a href="#from-{said.source}">{said.source}</a>'
        if said.stance is Stance.SAME:
            told.append(f"{link} {stance}")
        elif said.stance is Stance.OTHER:
            told.append(f'{link} <b class="bad">{stance}</b>: {quoted}')
        else:
            told.append(f"{link} {stance + ': ' if stance else ''}{quoted}")
    return Markup("; ".join(told))


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one source that print the same name in one place: what they say together, and their errata."""

    place: str
    printed: Markup
    errata: tuple[Erratum, ...]
    notes: tuple[str, ...]


def listings(rows: Sequence[Row], paper: Paper) -> list[Listing]:
    """Return the rows of a source in short: cells of one row of a table, which a ledger lists one by one, together."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        grouped.setdefault((_table_row(row.place), row.title), []).append(row)
    return [_listing(found, paper) for found in grouped.values()]


def _table_row(place: str) -> str:
    """Return a place without the column it names: `Table I, row 12, Access` -> `Table I, row 12`."""
    found = _IN_TABLE.match(place)
    return found[0] if found else place


def _listing(rows: Sequence[Row], paper: Paper) -> Listing:
    columns: dict[str, dict[str, None]] = {}
    for row in rows:
        for column, values in row.says.items():
            columns.setdefault(column, {}).update(dict.fromkeys(values))
    shown = [f"<q>{html.escape(rows[0].title)}</q>"] if rows[0].title != paper.title else []
    shown += [
        f"<i>{html.escape(column)}</i> {html.escape(_short(tuple(values)))}" for column, values in columns.items()
    ]
    return Listing(
        rows[0].place if len(rows) == 1 else _table_row(rows[0].place),
        Markup(" · ".join(shown)),
        tuple(erratum for row in rows for erratum in row.errata),
        tuple(row.note for row in rows if row.note),
    )


def positions(found: Disagreement, root: str) -> Markup:
    """Return what each source says where they disagree, a line each, then the errata that settle it.

    Sources lead to what they say on the same page, or to their own pages if `root` leads to the top of the website.
    """
    settled = {(each.source.id, each.row.place, each.erratum.says) for each in found.errata}
    by_source: dict[str, list[Claim]] = {}
    for claim in found.claims:
        if (claim.source.id, claim.row.place, claim.printed) not in settled:
            by_source.setdefault(claim.source.id, []).append(claim)
    told = [_position(source, claims, root) for source, claims in by_source.items()]
    for each in found.errata:
        link, erratum = _source_link(each.source.id, root), each.erratum
        place = html.escape(each.row.place)
        told.append(f"{link} ({place}) prints <q>{html.escape(erratum.says)}</q>; {html.escape(erratum.correct)}")
    return Markup("<br>".join(told))


def _position(source: str, claims: Sequence[Claim], root: str) -> str:
    """Return what one source says, each of its words once, and in which places."""
    words = {claim.printed: claim.stance is Stance.OTHER for claim in claims}
    quoted = [f"<q>{html.escape(word)}</q>{_DIFFERS if differs else ''}" for word, differs in words.items()]
    places = dict.fromkeys(_table_row(claim.row.place) for claim in claims)
    return f"{_source_link(source, root)}: {', '.join(quoted)} ({html.escape('; '.join(places))})"


def _source_link(id: str, root: str) -> str:
    return f'<a href="{root}sources/{id}/">{id}</a>' if root else f'<a href="#from-{id}">{id}</a>'


def field_label(catalogue: Catalogue, field: str) -> str:
    """Return what a facet or field is called."""
    return catalogue.facets[field].label if field in catalogue.facets else field.capitalize()


def recorded(catalogue: Catalogue, found: Disagreement) -> str:
    """Return what the record holds of the field of a disagreement."""
    if found.field == "venue":
        return ", ".join(catalogue.venues[id].short if id in catalogue.venues else id for id in found.record)
    if found.field in ("title", "authors"):
        return _short(found.record) if found.field == "authors" else ""
    terms = catalogue.facets[found.field].terms if found.field in catalogue.facets else {}
    return ", ".join(terms[term].label if term in terms else term for term in found.record)


def _short(values: tuple[str, ...]) -> str:
    shown = [_cut(value) for value in values[:_NAMES]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _cut(text: str) -> str:
    if text.startswith(("http://", "https://")):
        return text.split("/")[2]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}…"
