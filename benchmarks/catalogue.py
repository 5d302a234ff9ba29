"""What the budgets are measured with: reading, checking, exports, pages and the whole build, at several sizes.

python benchmarks/catalogue.py [--sizes 1000,5000,20000] [--save]

Prints a table beside the committed figures (benchmarks/catalogue.json); --save writes them anew.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import synthetic

COMMITTED = Path(__file__).with_suffix(".json")
# What is measured -> the code that does it, run in a process of its own on the catalogue in the first argument.
JOBS = {
    "nothing": "",
    "read": "load(root)",
    "read and check": "check(root, date.today())",
    "export bibtex": "papers = list((c := load(root)).papers.values()); FORMATS['bibtex'].write(c, papers)",
    "readme, api, pages": "c = load(root); render(c); stamp_site(c, shells, out)",
}
IMPORTS = """\
import sys, tempfile
from datetime import date
from pathlib import Path
from inversion_atlas.catalogue import load
from inversion_atlas.checks import check
from inversion_atlas.exports.formats import FORMATS
from inversion_atlas.readme.awesome import render
from inversion_atlas.website.build import stamp_site
root, shells, out = map(Path, sys.argv[1:4])
"""
# Budgets per 1,000 records in CPU seconds; memory in MB for any size.
BUDGETS = {"read and check": 1.0, "export bibtex": 0.5, "readme, api, pages": 1.5}
MEMORY_BUDGET = 1000


@dataclass(frozen=True)
class Figure:
    """One measurement: CPU seconds (start-up taken off) and the greatest memory in MB."""

    job: str
    size: int
    seconds: float
    megabytes: float

    @property
    def per_thousand(self) -> float:
        """CPU seconds for 1,000 records."""
        return self.seconds * 1000 / self.size
