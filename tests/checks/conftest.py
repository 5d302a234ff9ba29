"""A small catalogue of real files, sound until a test breaks something in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from inversion_atlas.catalogue import paper_path
from inversion_atlas.checks import check
from inversion_atlas.records.findings import Finding, Severity

TODAY = date(2026, 6, 1)
PAPER = """\
title: Deep Leakage from Gradients
authors: ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"]
year: 2019
venue: neurips
kind: attack
summary: Optimizes dummy inputs until their gradient equals the shared one.
taxonomy:
  access: [white-box]
  family: [gradient-inversion.optimization]
datasets: [mnist]
metrics: [mse]
links:
  arxiv: "1906.08935"
  paper: https://proceedings.neurips.cc/paper/2019/hash/60a6
  code: [https://github.com/mit-han-lab/dlg]
evidence: [https://proceedings.neurips.cc/paper/2019/hash/60a6]
"""
FILES = {
    paper_path("zhu2019deep"): PAPER,
    "data/venues.yaml": "neurips:\n  name: Advances in NeurIPS\n  short: NeurIPS\n  type: conference\n"
    "  aliases: [NIPS]\n",
    "data/datasets.yaml": "mnist:\n  name: MNIST\n  description: Handwritten digits.\n",
    "data/metrics.yaml": "mse:\n  name: MSE\n  group: pixel\n  description: Mean squared error.\n"
    "  direction: {attacker: lower, defender: higher}\n  blind_to: Structure.\n",
    "data/sources/yang-survey.yaml": "title: A Survey\nkind: survey\n",
    "taxonomy/access.yaml": "label: Access\nquestion: What?\norder: 1\nterms:\n"
    "  white-box:\n    label: White box\n    definition: Sees all.\n    aliases: [full access]\n"
    "    sources: [yang-survey]\n",
    "taxonomy/family.yaml": "label: Family\nquestion: How?\norder: 2\nterms:\n"
    "  gradient-inversion:\n    label: Gradient inversion\n    definition: d.\n    sources: [yang-survey]\n"
    "  gradient-inversion.optimization:\n    label: By optimization\n    definition: d.\n"
    "    broader: gradient-inversion\n    sources: [yang-survey]\n",
}


class Library:
    """The catalogue's folder, and what the checks say of it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str | bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)

    def paper(self, id: str, **keys: str | None) -> None:
        """Write another sound paper with some keys changed, given as YAML; None leaves one out."""
        lines = {
            "title": f"Work {id} on the leakage of training data",
            "authors": f'["{id[:3].title()}, Ann"]',
            "year": "2020",
            "kind": "background",
            "evidence": "[https://a.org/x]",
        } | keys
        order = ["title", "authors", "year", "venue", "kind", "status", "summary", "taxonomy", "datasets", "metrics"]
        order += ["links", "relations", "reported", "other_titles", "aliases", "not_duplicate_of", "unconfirmed"]
        order += ["added", "evidence"]
        written = [f"{key}: {lines[key]}\n" for key in order if lines.get(key) is not None]
        self.write(paper_path(id), "".join(written))

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def findings(self) -> list[Finding]:
        return check(self.root, TODAY)

    def codes(self) -> list[str]:
        """Codes of errors and warnings."""
        return [finding.code for finding in self.findings() if finding.severity is not Severity.NOTE]

    def all_codes(self) -> list[str]:
        return [finding.code for finding in self.findings()]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path)
    for path, text in FILES.items():
        made.write(path, text)
    return made
