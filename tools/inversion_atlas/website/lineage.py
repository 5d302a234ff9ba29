"""The lineage of attacks and defenses: which works improve, extend, break or defend against which, drawn by year.

A panel holds the relations of one family. Years are columns, works are boxes in them, and a relation that crosses
years runs through a lane of its own in each; relations of one kind to one work share their lanes. The order within a
column follows the neighbors (barycenters), and heights are the nearest to those of the neighbors that keep the order.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from inversion_atlas.addresses import FAMILY, address
from inversion_atlas.catalogue import Catalogue, broader_terms
from inversion_atlas.exports.citation import short_authors
from inversion_atlas.records.paper import Kind, Paper
from inversion_atlas.website import svg

# What a lineage is made of, as the newer work says it; the order is that of the legend and of the ends of lines.
VERBS = ("improves", "extends", "attacks", "defends-against")
SAYS = {
    "improves": "improves",
    "extends": "extends",
    "attacks": "breaks",
    "defends-against": "defends against",
}
_DEFENSE = "defense"
_WORKS = frozenset((Kind.ATTACK, Kind.DEFENSE))
# A panel with more works is cut into attacks and defenses; one with more works or relations than the second figure by
# narrower family, and then to its best-connected works.
READABLE = 48
MOST = 60
# A narrower family with fewer relations shares a panel with others.
_FEW = 8
_WIDTH, _COLUMNS = 1104, 9
_BOX_HEIGHT, _BOX_GAP, _LANE = 36, 10, 9
_HEAD, _BETWEEN = 34, 18
_SWEEPS = 16
# Where a sweep in either direction moves nothing, no later one does.
_SETTLED = 2
_PORTS = {verb: 7.0 * (at - 1.5) for at, verb in enumerate(VERBS)}


@dataclass(frozen=True, slots=True)
class Step:
    """One relation: the newer or acting work, what it does, the work it acts on."""

    source: str
    verb: str
    target: str
    how: str | None


@dataclass(frozen=True, slots=True)
class Panel:
    """The relations that one picture shows, out of `works` works that it might."""

    id: str
    title: str
    steps: tuple[Step, ...]
    works: int
    shown: int


def steps_of(catalogue: Catalogue) -> list[Step]:
    """Return the relations of the lineage: between works of which at least one is an attack or a defense."""
    found = []
    for id, edges in sorted(catalogue.edges.items()):
        source = catalogue.papers.get(id)
        for edge in edges:
            target = catalogue.papers.get(edge.other)
            if edge.verb in VERBS and source and target and _told(source, target):
                found.append(Step(id, edge.verb, edge.other, edge.how))
    return found


def _told(source: Paper, target: Paper) -> bool:
    kinds = {source.kind, target.kind}
    return source.id != target.id and Kind.BACKGROUND not in kinds and not kinds.isdisjoint(_WORKS)


def panels(catalogue: Catalogue, steps: Sequence[Step]) -> list[Panel]:
    """Cut a lineage into pictures one can read, each relation in one of them."""
    facet = catalogue.facets.get(FAMILY)
    labels = {id: term.label for id, term in facet.terms.items()} if facet else {}
    order = {id: at for at, id in enumerate(labels)}
    by_family: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        by_family[_family(catalogue, step, top=True)].append(step)
    found: list[Panel] = []
    for family in sorted(by_family, key=lambda id: (order.get(id, len(order)), id)):
        name = labels.get(family, "Works without a family")
        found += _split(catalogue, family or "other", name, by_family[family], labels)
    return found


def _family(catalogue: Catalogue, step: Step, *, top: bool) -> str:
    """Return the family a relation belongs to: that of the attack in it, of the older work where both are."""
    facet = catalogue.facets.get(FAMILY)
    held = [*catalogue.papers[step.target].taxonomy.get(FAMILY, ())]
    held += catalogue.papers[step.source].taxonomy.get(FAMILY, ())
    chains = [list(broader_terms(facet, term)) for term in held if facet and term in facet.terms]
    chains = [chain for chain in chains if chain[-1] != _DEFENSE] or chains
    return chains[0][-1 if top else 0] if chains else ""


def _split(catalogue: Catalogue, id: str, title: str, steps: list[Step], labels: Mapping[str, str]) -> Iterator[Panel]:
    if len(_ends(steps)) <= READABLE:
        yield _panel(id, title, steps)
        return
    parts: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        defended = Kind.DEFENSE in (catalogue.papers[step.source].kind, catalogue.papers[step.target].kind)
        key = ("defenses", "defenses and what breaks them") if defended else ("attacks", "what builds on what")
        parts.setdefault(key, []).append(step)
    for (name, says), found in sorted(parts.items()):
        if len(_ends(found)) <= MOST and len(found) <= MOST:
            yield _panel(f"{id}-{name}", f"{title}: {says}", found)
            continue
        narrow: dict[str, list[Step]] = defaultdict(list)
        for step in found:
            narrow[_family(catalogue, step, top=False)].append(step)
        few = [family for family, held in narrow.items() if len(held) < _FEW]
        rest = [step for step in found if _family(catalogue, step, top=False) in few]
        for family in sorted(narrow.keys() - set(few)):
            held = narrow[family]
            yield _panel(f"{id}-{name}-{family.replace('.', '-')}", f"{labels.get(family, title)}: {says}", held)
        if rest:
            yield _panel(f"{id}-{name}-rest", f"{title}, other techniques: {says}", rest)


def _panel(id: str, title: str, steps: list[Step]) -> Panel:
    """Return the panel of some relations, of the best-connected works alone where there are too many to read."""
    ends = _ends(steps)
    degree = Counter(end for step in steps for end in (step.source, step.target))
    kept = set(sorted(ends, key=lambda end: (-degree[end], end))[:MOST])
    shown = [step for step in steps if step.source in kept and step.target in kept]
    return Panel(id, title, tuple(shown), len(ends), len(_ends(shown)))


def _ends(steps: Iterable[Step]) -> dict[str, None]:
    """Return the works of some relations, each once, in order."""
    return dict.fromkeys(end for step in steps for end in (step.source, step.target))


@dataclass(slots=True, eq=False)
class Item:
    """What takes room in a column: the box of a work, or the lane through which lines pass it."""

    key: tuple[str, ...]
    column: int
    height: float
    y: float = 0.0
    near: list[Item] = field(default_factory=list)
    rank: int = 0

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands: columns of years, boxes by paper, lanes by (target, verb, column)."""

    columns: tuple[tuple[int, int], ...]
    boxes: dict[str, Item]
    lanes: dict[tuple[str, str, int], Item]
    height: float


def columns_of(years: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """Return the years that have works as columns; where there are too many, the emptiest neighbors are joined."""
    found = [(year, year, count) for year, count in sorted(years.items())]
    while len(found) > _COLUMNS:
        at = min(range(len(found) - 1), key=lambda at: (found[at][2] + found[at + 1][2], at))
        joined = (found[at][0], found[at + 1][1], found[at][2] + found[at + 1][2])
        found[at : at + 2] = [joined]
    return tuple((first, last) for first, last, _ in found)


def layout(steps: Sequence[Step], year_of: Mapping[str, int]) -> Layout:
    """Return places for the works and lines of some relations; the same for the same relations."""
    columns = columns_of(Counter(year_of[end] for end in _ends(steps)))
    column_of = {year: at for at, (first, last) in enumerate(columns) for year in range(first, last + 1)}
    boxes: dict[str, Item] = {}
    lanes: dict[tuple[str, str, int], Item] = {}
    floor = [float(_HEAD)] * len(columns)
    for part in _components(steps):
        items = _items(part, boxes, lanes, {end: column_of[year_of[end]] for end in _ends(part)})
        _place(items)
        _set_down(items, floor)
    return Layout(columns, boxes, lanes, max(floor, default=0))


def _components(steps: Sequence[Step]) -> list[list[Step]]:
    """Return the relations of each connected group of works, the largest group first."""
    group: dict[str, str] = {}

    def root(end: str) -> str:
        while group.setdefault(end, end) != end:
            group[end] = group[group[end]]
            end = group[end]
        return end

    for step in steps:
        first, second = sorted((root(step.source), root(step.target)))
        group[second] = first
    parts: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        parts[root(step.source)].append(step)
    return sorted(parts.values(), key=lambda part: (-len(_ends(part)), part[0].source))


def _items(
    steps: Sequence[Step],
    boxes: dict[str, Item],
    lanes: dict[tuple[str, str, int], Item],
    column_of: Mapping[str, int],
) -> list[Item]:
    items: list[Item] = []
    for work in _ends(steps):
        boxes[work] = Item((work,), column_of[work], _BOX_HEIGHT)
        items.append(boxes[work])
    for step in steps:
        last, first, end = boxes[step.target], column_of[step.target], column_of[step.source]
        way = range(first + 1, end) if end > first else range(first - 1, end, -1)
        for column in way:
            key = (step.target, step.verb, column)
            if key not in lanes:
                lanes[key] = Item((step.target, step.verb), column, _LANE)
                items.append(lanes[key])
            _join(last, lanes[key])
            last = lanes[key]
        _join(last, boxes[step.source])
    return items


def _join(one: Item, other: Item) -> None:
    if other not in one.near:
        one.near.append(other)
        other.near.append(one)


def _place(items: Sequence[Item]) -> None:
    """Give every item a height: first the order with the fewest crossings found, then heights that keep it."""
    by_column: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        by_column[item.column].append(item)
    columns = [by_column[column] for column in sorted(by_column)]
    _order(columns)
    for members in columns:
        _stack(members, [0.0] * len(members))
    still = 0
    for sweep in range(_SWEEPS):
        before = [item.y for item in items]
        for members in columns if sweep % 2 == 0 else columns[::-1]:
            wished = [_mean([other.middle for other in item.near], item.middle) for item in members]
            _stack(members, [wish - item.height / 2 for wish, item in zip(wished, members, strict=True)])
        still = still + 1 if before == [item.y for item in items] else 0
        if still == _SETTLED:
            break
    least = min(item.y for item in items)
    for item in items:
        item.y -= least


def _order(columns: Sequence[list[Item]]) -> None:
    """Sort every column by the barycenters of its neighbors, to and fro, and keep the best order met."""
    for members in columns:
        _rank(members)
    items = [item for members in columns for item in members]
    behind = {item: [other for other in item.near if other.column < item.column] for item in items}
    ahead = {item: [other for other in item.near if other.column >= item.column] for item in items}
    best, fewest = [list(members) for members in columns], _crossings(columns)
    still = 0
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        near = behind if forward else ahead
        moved = False
        for members in columns if forward else columns[::-1]:
            wish = {item: _mean([other.rank for other in near[item]], item.rank) for item in members}
            # Sorting keeps the order of those that wish the same.
            ordered = sorted(members, key=wish.__getitem__)
            if ordered != members:
                moved, members[:] = True, ordered
                _rank(members)
        still = 0 if moved else still + 1
        if still == _SETTLED:
            break
        if moved and (count := _crossings(columns)) < fewest:
            best, fewest = [list(members) for members in columns], count
    for members, kept in zip(columns, best, strict=True):
        members[:] = kept


def _rank(members: Sequence[Item]) -> None:
    for at, item in enumerate(members):
        item.rank = at


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(columns: Sequence[Sequence[Item]]) -> int:
    """Return how many pairs of lines between neighboring columns cross."""
    count = 0
    for members in columns:
        ends: list[int] = []
        for item in members:
            beside = item.column + 1
            here = sorted([other.rank for other in item.near if other.column == beside])
            count += sum([len(ends) - bisect_right(ends, end) for end in here])
            for end in here:
                insort(ends, end)
    return count


def _stack(items: Sequence[Item], wished: Sequence[float]) -> None:
    """Set items in order, none over another, as near to their wishes as squares measure (pool adjacent violators)."""
    offsets, total = [], 0.0
    for item in items:
        offsets.append(total)
        total += item.height + _BOX_GAP
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=True):
        mean, count = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, held = blocks.pop()
            mean, count = (before * held + mean * count) / (held + count), held + count
        blocks.append((mean, count))
    places = [mean for mean, count in blocks for _ in range(count)]
    for item, place, offset in zip(items, places, offsets, strict=True):
        item.y = place + offset


def _set_down(items: Sequence[Item], floor: list[float]) -> None:
    """Move a group of works as far up as the groups before it leave room in its columns."""
    first = min(item.column for item in items)
    last = max(item.column for item in items)
    tops: dict[int, float] = {}
    for item in items:
        tops[item.column] = min(tops.get(item.column, item.y), item.y)
    span = range(first, last + 1)
    shift = max(floor[column] - tops.get(column, 0.0) for column in span)
    for item in items:
        item.y += shift
    low = max(item.y + item.height for item in items)
    for column in span:
        floor[column] = low + _BETWEEN


def picture(catalogue: Catalogue, panel: Panel, root: str) -> Markup:
    """Return a panel as a drawing: lines first, then boxes that lead to the pages of the works."""
    papers = catalogue.papers
    made = layout(panel.steps, {end: papers[end].year for end in _ends(panel.steps)})
    pitch = min(190.0, _WIDTH / max(1, len(made.columns)))
    box = pitch - max(26.0, pitch * 0.26)
    marks = list(_years(made, pitch, box))
    marks += _lines(panel.steps, made, pitch, box)
    for end, item in made.boxes.items():
        marks.append(_box(catalogue, papers[end], item, pitch, box, root))
    about = (
        f"{len(made.boxes)} works in columns by year and {len(panel.steps)} relations between them. "
        "The list below says the same in words."
    )
    width = pitch * len(made.columns)
    return svg.drawing(f"lineage-{panel.id}", width, made.height, panel.title, about, marks)


def _years(made: Layout, pitch: float, box: float) -> Iterator[str]:
    for at, (first, last) in enumerate(made.columns):
        years = str(first) if first == last else f"{first}–{last}"
        if at % 2 == 0:
            x = at * pitch - (pitch - box) / 2
            yield svg.rectangle(max(0.0, x), 0, pitch + min(0.0, x), made.height, "band")
        yield svg.label(at * pitch + box / 2, 18, years, "year middle")


def _lines(steps: Sequence[Step], made: Layout, pitch: float, box: float) -> Iterator[str]:
    """Yield a line per relation. Those of one verb and target lie upon each other until they part."""
    heads: dict[tuple[str, float, float, int], None] = {}
    for step in steps:
        start, end, port = made.boxes[step.target], made.boxes[step.source], _PORTS[step.verb]
        side = -1 if end.column < start.column else 1
        x, y = start.column * pitch + (box if side > 0 else 0), start.middle + port
        heads[step.verb, x, y, side] = None
        pieces: list[str] = []
        if start.column == end.column:
            bend = min(pitch - box - 4, 12 + abs(end.middle - start.middle) / 14)
            pieces.append(_arc(x, y, end.middle + port, bend))
        else:
            for column in range(start.column + side, end.column, side):
                lane = made.lanes[step.target, step.verb, column].middle
                near, far = column * pitch, column * pitch + box
                if side < 0:
                    near, far = far, near
                pieces += (_curve(x, y, near, lane), f"M{svg.number(near)} {svg.number(lane)}H{svg.number(far)}")
                x, y = far, lane
            pieces.append(_curve(x, y, end.column * pitch + (0 if side > 0 else box), end.middle + port))
        yield svg.path("".join(pieces), f"line {step.verb}", {"ends": f"{step.source} {step.target}"})
    for verb, x, y, side in heads:
        yield svg.path(_head(x, y, side), f"head {verb}")


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    bend = (x + to_x) / 2
    n = svg.number
    return f"M{n(x)} {n(y)}C{n(bend)} {n(y)} {n(bend)} {n(to_y)} {n(to_x)} {n(to_y)}"


def _arc(x: float, y: float, to_y: float, bend: float) -> str:
    n = svg.number
    return f"M{n(x)} {n(y)}C{n(x + bend)} {n(y)} {n(x + bend)} {n(to_y)} {n(x)} {n(to_y)}"


def _head(x: float, y: float, side: int) -> str:
    """Return an arrow's head that touches a box at a point."""
    n = svg.number
    return f"M{n(x)} {n(y)}l{7 * side} -3.5v7z"


def _box(catalogue: Catalogue, paper: Paper, item: Item, pitch: float, box: float, root: str) -> str:
    x, room = item.column * pitch, box - 10
    who = short_authors(paper)
    brief = who if svg.text_width(who, 13) <= room else f"{who.split(',')[0]} et al."
    name = paper.methods[0] if paper.methods else ""
    title = f"{paper.title} ({who}, {paper.year}), {paper.kind}"
    kind = str(paper.kind) if paper.kind in _WORKS else "other"
    first = svg.shorten(name or brief, 13, room)
    second = svg.shorten(brief if name else paper.title, 11.5, room)
    return svg.link(
        root + address(paper),
        title,
        svg.rectangle(x, item.y, box, _BOX_HEIGHT, "box", 4),
        svg.label(x + 6, item.y + 15, first, "name"),
        svg.label(x + 6, item.y + 29, second, "who"),
        kind=f"work {kind}",
        data={"id": paper.id},
    )
