"""What the budgets are measured with: reading, checking, exports, pages and the whole build, at several sizes.

python benchmarks/catalogue.py [--sizes 1000,5000,20000] [--save]

Prints a table beside the committed figures (benchmarks/catalogue.json); --save writes them anew. Seconds are CPU
seconds of a process of its own, the least of three runs, less what such a process takes to start and, for what is made
from the records, to read them. Files are written to the system's temporary folder (TMPDIR), and what the disk alone
takes for as many files has a line of its own. Exit code 1 where a budget is exceeded.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import synthetic

COMMITTED = Path(__file__).with_suffix(".json")
ATLAS = [sys.executable, "-c", "from inversion_atlas.cli.main import main; main()"]
IMPORTS = """\
import gc, sys
from datetime import date
from pathlib import Path
from inversion_atlas.catalogue import load
from inversion_atlas.checks import check
from inversion_atlas.exports.formats import FORMATS
from inversion_atlas.readme.awesome import render
from inversion_atlas.website.build import stamp_site
from inversion_atlas.website.theme import render_theme, source_folder
gc.disable()
root, shells, out, made = map(Path, sys.argv[1:])

def copy_sizes(made, out):
    seen = set()
    for path in made.rglob("*"):
        info, target = path.stat(), out / path.relative_to(made)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif info.st_ino not in seen:
            seen.add(info.st_ino)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(bytes(info.st_size))

"""
# What is measured -> the code that does it, run on a catalogue in a process of its own.
JOBS = {
    "nothing": "",
    "read": "load(root)",
    "read and check": "check(root, date.today())",
    "bibtex": "c = load(root); out.write_bytes(FORMATS['bibtex'].write(c, list(c.papers.values())))",
    "README, API, pages": "c = load(root); render(c); stamp_site(c, shells, out)",
    "of that, the disk": "copy_sizes(made, out)",
}
# Jobs -> the job that is part of them and has a line of its own.
AFTER = {
    "read": "nothing",
    "read and check": "nothing",
    "bibtex": "read",
    "README, API, pages": "read",
    "of that, the disk": "nothing",
}
RUNS = 3
# CPU seconds per 1,000 records.
BUDGETS = {"read and check": 1.0, "bibtex": 0.5, "README, API, pages": 1.5}
MEMORY_BUDGET = 1000
BUILD_BUDGET = 20
PAGE_BUDGET = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,5000,20000", help="numbers of records, joined by commas")
    parser.add_argument("--save", action="store_true", help="write the figures to benchmarks/catalogue.json")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="atlas-benchmark-") as folder:
        shells = Path(folder) / "shells"
        run(IMPORTS + "render_theme(source_folder(root), shells, load(root).settings)", synthetic.REPOSITORY, shells)
        figures = [figure for size in sizes for figure in measure(Path(folder), shells, size)]
        figures += measure_build(Path(folder))
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else []
    exceeded = report(figures, committed)
    if options.save:
        COMMITTED.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(1 if exceeded else 0)


def measure(folder: Path, shells: Path, size: int) -> Iterator[dict[str, object]]:
    """Yield a figure per job on a synthetic catalogue of `size` papers."""
    root = folder / f"catalogue-{size}"
    synthetic.write(root, size)
    taken: dict[str, float] = {}
    made = folder / f"{size}-README, API, pages-0"
    for job, code in JOBS.items():
        print(f"measuring: {job}, {size:,} records", file=sys.stderr)
        runs = [run(IMPORTS + code, root, shells, folder / f"{size}-{job}-{at}", made) for at in range(RUNS)]
        taken[job], megabytes = min(runs)
        if job == "nothing":
            continue
        per_thousand = round((taken[job] - taken[AFTER[job]]) * 1000 / size, 3)
        yield {"job": job, "size": size, "value": per_thousand, "unit": "s per 1,000", "budget": BUDGETS.get(job)}
        yield {"job": f"{job}: memory", "size": size, "value": round(megabytes), "unit": "MB", "budget": MEMORY_BUDGET}


def run(code: str, *paths: Path) -> tuple[float, float]:
    """Run code in a new process; return its CPU seconds and its greatest memory in MB."""
    arguments = [*map(str, paths), *[os.devnull] * (4 - len(paths))]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the measured code failed with exit code {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure_build(folder: Path) -> Iterator[dict[str, object]]:
    """Yield figures of `atlas build` on the real catalogue: time, page size, and whether two builds are equal."""
    print("measuring: two builds of the real catalogue", file=sys.stderr)
    sites = [folder / "site-1", folder / "site-2"]
    size = sum(1 for _ in (synthetic.REPOSITORY / "data" / "papers").glob("*/*.yaml"))
    for site in sites:
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*ATLAS, "--root", str(synthetic.REPOSITORY), "build", "--out", str(site)], check=True)
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield {"job": "atlas build: CPU", "size": size, "value": round(used, 2), "unit": "s", "budget": BUILD_BUDGET}
    yield {"job": "atlas build: wall", "size": size, "value": round(wall, 2), "unit": "s", "budget": BUILD_BUDGET}
    pages = [page.stat().st_size for page in sites[0].glob("papers/*[a-z]*/index.html")]
    yield {"job": "largest paper page", "size": size, "value": max(pages), "unit": "bytes", "budget": PAGE_BUDGET}
    unequal = len(list(differences(filecmp.dircmp(*sites))))
    yield {"job": "files unequal in two builds", "size": size, "value": unequal, "unit": "files", "budget": 0}


def differences(compared: filecmp.dircmp[str]) -> Iterator[str]:
    """Yield what is not the same, byte for byte, in two folders."""
    _, unequal, failed = filecmp.cmpfiles(compared.left, compared.right, compared.common_files, shallow=False)
    yield from (*unequal, *failed, *compared.left_only, *compared.right_only)
    for inner in compared.subdirs.values():
        yield from differences(inner)


def report(figures: list[dict[str, object]], committed: list[dict[str, object]]) -> bool:
    """Print the figures beside the committed ones; return whether one exceeds its budget."""
    known = {(figure["job"], figure["size"]): figure["value"] for figure in committed}
    print(f"{'job':<34} {'records':>8} {'now':>10} {'committed':>10} {'budget':>8}  unit")
    exceeded = False
    for figure in figures:
        before, budget = known.get((figure["job"], figure["size"]), ""), figure["budget"]
        over = budget is not None and float(str(figure["value"])) > float(str(budget))
        exceeded |= over
        shown = "" if budget is None else budget
        columns = f"{figure['job']:<34} {figure['size']:>8,} {figure['value']:>10} {before:>10} {shown:>8}"
        print(f"{columns}  {figure['unit']}{'  over budget' if over else ''}")
    return exceeded


if __name__ == "__main__":
    main()
