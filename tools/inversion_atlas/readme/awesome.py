"""README.md: a quick start, then the catalogue as an awesome list, each paper once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from inversion_atlas.catalogue import Catalogue, broader_terms
from inversion_atlas.exports.citation import arxiv_address, status_note, web_address
from inversion_atlas.exports.markdown import escape, escape_label, link, target
from inversion_atlas.query import newest_first, select
from inversion_atlas.records.dataset import Dataset
from inversion_atlas.records.facet import Facet
from inversion_atlas.records.metric import Metric
from inversion_atlas.records.paper import Kind, Paper

# GitHub stops rendering a README at 512,000 bytes.
MAX_BYTES = 450_000

_OWN_SECTIONS = {
    Kind.SURVEY: "Surveys",
    Kind.BENCHMARK: "Benchmarks and tools",
    Kind.TOOL: "Benchmarks and tools",
    Kind.METRIC: "Works that define a metric",
    Kind.DATASET: "Works that introduce a dataset",
}
# Opening and closing mark, and what stands for them where they do not balance.
_PAIRS = (
    ("\u201c", "\u201d", '""'),
    ("\uff08", "\uff09", "()"),
    ("\u300e", "\u300f", "[]"),
    ("\u300a", "\u300b", "[]"),
    ("\u300c", "\u300d", "[]"),
    ("\u3010", "\u3011", "[]"),
)
_REPEATED = re.compile("(?<=[\uff01!~\uff5e,\uff0c\xb7?\uff1f])(?=\\\\?[\uff01!~\uff5e,\uff0c\xb7?\uff1f])")
# What opens a list at the start of a text: `- x`, `1. x`.
_LIST_MARKER = re.compile(r"^([-+=]|\d+(?=[.)]))")
_BADGE = "[![Awesome](https://awesome.re/badge.svg)](https://awesome.re)"
_QUICK_START = """\
With Python 3.11 or newer, two commands do everything; each makes its own `.venv`:

```sh
make site  # build the README, the exports and the website, and serve it on localhost
make test  # run every test
```

In the shell, after `make build` (or `pip install` of the wheel, which carries the records):

```sh
atlas search access=label-only domain=face "year>=2022" has:code
atlas show zhu2019deep
atlas export bibtex family=gradient-inversion -o gradient-inversion.bib
atlas coverage
atlas check
```

Attacks of these papers run, against bundled models or your own (`pip install 'inversion-atlas[reference]'`):
`atlas attack list` names them. Wrap your model, a `torch.nn.Module` or any function, in what the attacker gets:

```python
from inversion_atlas.reference.observations import BlackBox  # or WhiteBox, LabelOnly, SharedGradient, ...

victim = BlackBox(model, outputs="logits", input_shape=(3, 32, 32), limit=10_000)
scores = victim.query(images)
```

A fact is wrong or a paper is missing? See [CONTRIBUTING.md](CONTRIBUTING.md): a record is one short YAML file, and
`atlas check` says what to mend. This list is written by `atlas build`; change the records, not this file.
"""


@dataclass
class _Section:
    """A heading, the papers that stand directly below it, and its subsections by label."""

    intro: str = ""
    papers: list[Paper] = field(default_factory=list)
    parts: dict[str, list[Paper]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.papers) + sum(map(len, self.parts.values()))


def render(catalogue: Catalogue) -> str:
    """Return the text of README.md; summaries are left out where it would grow over `MAX_BYTES`."""
    # Summaries that are too long by themselves need not be tried.
    if sum(len(paper.summary or "") for paper in select(catalogue)) < MAX_BYTES:
        full = _render(catalogue, summaries=True)
        if len(full.encode()) <= MAX_BYTES:
            return full
    return _render(catalogue, summaries=False)


def line(catalogue: Catalogue, paper: Paper) -> str:
    """Return the item of one paper, as a README that has room for summaries shows it."""
    return _item(catalogue, paper, _Links(), summaries=True)


def markdown_text(text: str) -> str:
    """Return `text` so that GitHub shows it as it is, and awesome-lint finds its punctuation in order."""
    return _LIST_MARKER.sub(_escape_marker, _apart(escape(_balanced(text))))


def _balanced(text: str) -> str:
    text = text.replace("\u2018", "'").replace("\u2019", "'")
    for left, right, plain in _PAIRS:
        if text.count(left) != text.count(right):
            text = text.replace(left, plain[0]).replace(right, plain[1])
    if text.count('"') % 2:
        text = text.replace('"', "'")
    return text


def _apart(text: str) -> str:
    """Keep repeated punctuation as it is written, and apart for the linter by an invisible joiner."""
    return _REPEATED.sub("\u2060", text)


def _escape_marker(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def _render(catalogue: Catalogue, summaries: bool) -> str:
    sections = {name: section for name, section in _sections(catalogue).items() if len(section)}
    blocks = [
        f"# {markdown_text(catalogue.settings.title)} {_BADGE}",
        f"> {markdown_text(catalogue.settings.description)}",
        _QUICK_START.rstrip(),
        _site_line(catalogue),
        "## Contents",
        _contents(sections, catalogue),
    ]
    links = _Links()
    for name, section in sections.items():
        blocks += [f"## {markdown_text(name)}", markdown_text(section.intro)]
        for label, papers in [("", section.papers), *sorted(section.parts.items())]:
            blocks.append(f"### {markdown_text(label)}" if label else "")
            blocks.append("\n".join(_item(catalogue, paper, links, summaries) for paper in papers))
    blocks += _named("Datasets", [_dataset(dataset, links) for dataset in catalogue.datasets.values()])
    blocks += _named("Metrics", list(map(_metric, catalogue.metrics.values())))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _named(heading: str, items: list[str]) -> list[str]:
    return [f"## {heading}", "\n".join(items)] if items else []


def _site_line(catalogue: Catalogue) -> str:
    return f"The searchable website: <{catalogue.settings.site}/>." if catalogue.settings.site else ""


def _sections(catalogue: Catalogue) -> dict[str, _Section]:
    """Return heading -> section: families first, in the order of the taxonomy, then the kinds of their own."""
    sections: dict[str, _Section] = {}
    family = catalogue.facets.get("family")
    for term in family.terms.values() if family else ():
        if term.broader is None:
            sections[term.label] = _Section(intro=term.definition)
    sections |= {"Attacks of other families": _Section(), "Defenses of other families": _Section()}
    sections |= {name: _Section() for name in _OWN_SECTIONS.values()}
    for paper in newest_first(select(catalogue)):
        _file(paper, sections, family)
    return sections


def _file(paper: Paper, sections: dict[str, _Section], family: Facet | None) -> None:
    terms = [term for term in paper.taxonomy.get("family", ()) if family and term in family.terms]
    if paper.kind in _OWN_SECTIONS:
        sections[_OWN_SECTIONS[paper.kind]].papers.append(paper)
    elif terms and family:
        # Two levels of headings: the widest term, and the one just below it.
        *_, top = path = list(broader_terms(family, terms[0]))
        section = sections[family.terms[top].label]
        part = section.parts.setdefault(family.terms[path[-2]].label, []) if len(path) > 1 else section.papers
        part.append(paper)
    else:
        other = "Defenses of other families" if paper.kind is Kind.DEFENSE else "Attacks of other families"
        sections[other].papers.append(paper)


def _contents(sections: dict[str, _Section], catalogue: Catalogue) -> str:
    anchors = _Anchors()
    lines = []
    for name, section in sections.items():
        lines.append(f"- {anchors.link(name)}")
        lines += [f"  - {anchors.link(label)}" for label in sorted(section.parts)]
    lines += [f"- {anchors.link('Datasets')}"] if catalogue.datasets else []
    lines += [f"- {anchors.link('Metrics')}"] if catalogue.metrics else []
    return "\n".join(lines)


class _Anchors:
    """Gives each heading the anchor that GitHub gives it, which counts headings of one name."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def link(self, heading: str) -> str:
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = self.seen[anchor]
        self.seen[anchor] += 1
        return f"[{markdown_text(heading)}](#{anchor}{f'-{number}' if number else ''})"


class _Links:
    """Writes the link that heads an item; an address heads one item only, as awesome-lint wants it."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def head(self, name: str, addresses: Iterable[str | None]) -> str:
        for address in filter(None, addresses):
            key = re.sub(r"^https?://(www\.)?|/(index\.\w+)?$", "", address.lower())
            if key not in self.used:
                self.used.add(key)
                return f"[{_apart(escape_label(_balanced(name)))}]({target(address)})"
        return markdown_text(name)


def _item(catalogue: Catalogue, paper: Paper, links: _Links, summaries: bool) -> str:
    addresses = (web_address(paper), paper.links.arxiv and arxiv_address(paper.links.arxiv), paper.links.pdf)
    parts = [_appearance(catalogue, paper)]
    if paper.status:
        parts.append(f"{status_note(paper)}.")
    if paper.methods:
        parts.append(f"Methods: {', '.join(map(markdown_text, paper.methods))}.")
    if summaries and paper.summary:
        parts.append(_sentence(paper.summary))
    parts += [f"{link('Code', code)}." for code in paper.links.code[:1]]
    return f"- {links.head(paper.title, addresses)} - {' '.join(parts)}"


def _appearance(catalogue: Catalogue, paper: Paper) -> str:
    venue = catalogue.venues.get(paper.venue or "")
    where = f"{markdown_text(venue.short)} {paper.year}" if venue else f"Published {paper.year}"
    # awesome-lint wants a description to start with a capital or a digit.
    first = where.split()[0]
    return f"{where}." if first != first.lower() or first[0].isdigit() else f"In {where}."


def _dataset(dataset: Dataset, links: _Links) -> str:
    return f"- {links.head(dataset.name, [dataset.homepage])} - {_sentence(dataset.description)}"


def _metric(metric: Metric) -> str:
    wanted = "" if metric.direction.attacker == "neither" else f" An attacker wants it {metric.direction.attacker}."
    return f"- {markdown_text(metric.name)} - {_sentence(metric.description)}{wanted}"


def _sentence(text: str) -> str:
    text = markdown_text(text)
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else f"{text}."
