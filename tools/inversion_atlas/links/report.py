"""What is remembered of the links of a catalogue, as text, Markdown and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inversion_atlas.catalogue import Catalogue, Place
from inversion_atlas.exports.markdown import escape
from inversion_atlas.links.state import Known, State
from inversion_atlas.records.findings import Finding, Severity

# A standing issue that nobody can read to its end helps nobody.
_SHOWN = 200
_SEVERITIES = {"dead": Severity.ERROR, "failing": Severity.WARNING, "moved": Severity.NOTE}


@dataclass(frozen=True, slots=True)
class Link:
    """An address of the catalogue, where it is written, and what is known of it."""

    url: str
    places: tuple[Place, ...]
    known: Known | None

    @property
    def standing(self) -> str:
        """`dead`, `failing` (not yet long enough), `moved`, `blocked`, `ok` or `unknown`."""
        if self.known is None:
            return "unknown"
        if self.known.dead:
            return "dead"
        return "failing" if self.known.kind.failing else self.known.kind.value

    def as_json(self) -> dict[str, Any]:
        """Return the link as an object of the JSON report."""
        shown: dict[str, Any] = {"url": self.url, "standing": self.standing}
        if known := self.known:
            shown |= {
                "class": known.kind.value,
                "checked": known.checked.isoformat(),
                "good": known.good.isoformat() if known.good else None,
                "failing": known.failing.isoformat() if known.failing else None,
                "failures": known.failures,
                "to": known.to or None,
                "said": known.said or None,
            }
        return {**shown, "places": [{"path": place.path, "field": field(place)} for place in self.places]}


def links_of(places: Mapping[str, Sequence[Place]], state: State) -> list[Link]:
    """Return the links of a catalogue with what is remembered of each."""
    return [Link(url, tuple(where), state.of(url)) for url, where in places.items()]


def field(place: Place) -> str:
    """Return the field of a place as one word: `links.code.0`."""
    return ".".join(map(str, place.keys))


def story(known: Known) -> str:
    """Return what is known of a link that is not well, in one line."""
    if known.to:
        return f"moved to {known.to}"
    said = f" ({known.said})" if known.said else ""
    seen = f", last seen alive {known.good}" if known.good else ", never seen alive"
    if known.failing:
        times = (
            f"{known.failures} times in a row since {known.failing}" if known.failures > 1 else f"on {known.failing}"
        )
        return f"{known.kind.value}{said} {times}{seen}"
    return f"{known.kind.value}{said} on {known.checked}{seen}"


def text(links: Iterable[Link]) -> Iterator[str]:
    """Yield the report as lines: what needs a curator, then the counts."""
    found = list(links)
    for standing in ("dead", "failing", "moved"):
        for link in _with(found, standing):
            assert link.known
            yield f"{standing:<8} {link.url}"
            yield f"         {story(link.known)}"
            yield from (f"         {place.path} {field(place)}" for place in link.places)
    yield counted(found)


def counted(links: Iterable[Link]) -> str:
    """Return how many links stand how, in one sentence."""
    counts = Counter(link.standing for link in links)
    order = ("ok", "moved", "blocked", "failing", "dead", "unknown")
    told = [f"{counts[standing]:,} {standing}" for standing in order if counts[standing]]
    return f"{sum(counts.values()):,} links" + (f": {', '.join(told)}." if told else ".")


def markdown(links: Iterable[Link]) -> Iterator[str]:
    """Yield the report as lines of Markdown for a standing issue."""
    found = list(links)
    yield counted(found)
    for standing, heading in (("dead", "Dead"), ("failing", "Failing, not yet given up"), ("moved", "Moved for good")):
        some = _with(found, standing)
        if not some:
            continue
        yield from ("", f"## {heading}", "")
        for link in some[:_SHOWN]:
            assert link.known
            where = ", ".join(f"`{place.path}`" for place in dict.fromkeys(Place(place.path) for place in link.places))
            yield f"- <{_bare(link.url)}>: {escape(story(link.known))}; {where}"
        if len(some) > _SHOWN:
            yield f"- {len(some) - _SHOWN} more: `atlas links report`"
    if not (_with(found, "dead") or _with(found, "failing")):
        yield from ("", "No link fails.")


def findings(catalogue: Catalogue, links: Iterable[Link]) -> Iterator[Finding]:
    """Yield a finding for each place of a link that is dead, fails or has moved, with its line."""
    hints = {
        "dead": "replace it, or give an archived copy in `links.archive`",
        "failing": "nothing yet; it is dead once it has failed for a week",
        "moved": "`atlas links fix --write` follows it",
    }
    for link in links:
        if link.known is None or link.standing not in _SEVERITIES:
            continue
        message = f"{link.url}: {story(link.known)}"
        code, hint = f"links/{link.standing}", hints[link.standing]
        for place in link.places:
            yield catalogue.finding(code, place, message, hint, _SEVERITIES[link.standing])


def _with(links: Iterable[Link], standing: str) -> list[Link]:
    return [link for link in links if link.standing == standing]


def _bare(url: str) -> str:
    """Return an address as it may stand between angle brackets."""
    return url.replace("<", "%3C").replace(">", "%3E")
