"""README.md: a quick start, then the catalogue as an awesome list, each paper once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from inversion_atlas.catalogue import Catalogue, broader_terms
from inversion_atlas.query import select
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
atlas check
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
    full = _render(catalogue, summaries=True)
    return full if len(full.encode()) <= MAX_BYTES else _render(catalogue, summaries=False)


def markdown_text(text: str) -> str:
    """Return `text` so that GitHub shows it as it is, and awesome-lint finds its quotes balanced."""
    text = text.replace("\u2018", "'").replace("\u2019", "'")
    if text.count("\u201c") != text.count("\u201d"):
        text = text.replace("\u201c", '"').replace("\u201d", '"')
    if text.count('"') % 2:
        text = text.replace('"', "'")
    text = re.sub(r"[\\`*_{}\[\]<>#|~$!@]", r"\\\g<0>", " ".join(text.split()))
    text = text.replace("&", "&amp;")
    # A bare address or a run of ? would become a link or a lint error; an escape stops both.
    return re.sub(r"(?<=[?！，·？])(?=[?！，·？])", "\u2060", text).replace("://", ":\\//")


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
    for name, section in sections.items():
        blocks.append(f"## {markdown_text(name)}")
        if section.intro:
            blocks.append(markdown_text(section.intro))
        blocks.append(_items(catalogue, section.papers, summaries))
        for label, papers in sorted(section.parts.items()):
            blocks += [f"### {markdown_text(label)}", _items(catalogue, papers, summaries)]
    blocks += list(_datasets(catalogue)) + list(_metrics(catalogue))
    return "\n\n".join(block for block in blocks if block) + "\n"


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
    for paper in sorted(select(catalogue), key=lambda paper: (-paper.year, paper.id)):
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


def _items(catalogue: Catalogue, papers: Sequence[Paper], summaries: bool) -> str:
    return "\n".join(_item(catalogue, paper, summaries) for paper in papers)


def _item(catalogue: Catalogue, paper: Paper, summaries: bool) -> str:
    title, address = markdown_text(paper.title), paper_address(paper)
    head = f"[{title}]({_target(address)})" if address else title
    parts = [_appearance(catalogue, paper)]
    if paper.status:
        parts.append(f"{paper.status.state.capitalize()}.")
    if paper.methods:
        parts.append(f"Methods: {', '.join(map(markdown_text, paper.methods))}.")
    if summaries and paper.summary:
        parts.append(_sentence(paper.summary))
    parts += [f"[Code]({_target(code)})." for code in paper.links.code[:1]]
    return f"- {head} - {' '.join(parts)}"


def paper_address(paper: Paper) -> str | None:
    """Return the best address of a paper: its own page, else its DOI, arXiv page or PDF."""
    links = paper.links
    if links.paper:
        return links.paper
    if links.doi:
        return f"https://doi.org/{links.doi}"
    if links.arxiv:
        return f"https://arxiv.org/abs/{links.arxiv}"
    return links.pdf or links.project


def _appearance(catalogue: Catalogue, paper: Paper) -> str:
    venue = catalogue.venues.get(paper.venue or "")
    where = f"{markdown_text(venue.short)} {paper.year}" if venue else f"Published {paper.year}"
    # awesome-lint wants a description to start with a capital or a digit.
    first = where.split()[0]
    return f"{where}." if first != first.lower() or first[0].isdigit() else f"In {where}."


def _datasets(catalogue: Catalogue) -> Iterator[str]:
    if catalogue.datasets:
        yield "## Datasets"
        yield "\n".join(map(_dataset, catalogue.datasets.values()))


def _dataset(dataset: Dataset) -> str:
    name = markdown_text(dataset.name)
    head = f"[{name}]({_target(dataset.homepage)})" if dataset.homepage else name
    return f"- {head} - {_sentence(dataset.description)}"


def _metrics(catalogue: Catalogue) -> Iterator[str]:
    if catalogue.metrics:
        yield "## Metrics"
        yield "\n".join(map(_metric, catalogue.metrics.values()))


def _metric(metric: Metric) -> str:
    wanted = "" if metric.direction.attacker == "neither" else f" An attacker wants it {metric.direction.attacker}."
    return f"- {markdown_text(metric.name)} - {_sentence(metric.description)}{wanted}"


def _sentence(text: str) -> str:
    text = markdown_text(text)
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else f"{text}."


def _target(address: str) -> str:
    """Return an address so that no character of it ends a Markdown link."""
    return address.replace("(", "%28").replace(")", "%29").replace("\\", "%5C").replace("*", "%2A")
