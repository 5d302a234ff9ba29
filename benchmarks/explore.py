"""How fast Explore answers a keystroke in a real Chromium, and what it loads until it can be used.

python benchmarks/explore.py [--sizes 1000,20000] [--save]

Keystroke: from the input event to the frame after the hits are painted, 95th percentile over real words, typos and
clauses typed letter by letter and deleted again, in the better of two runs. The budget holds for the CPU time of the
page's main thread in between (its tasks in Chromium's own trace, that of the event and of the frame included); the time
on the clock stands beside it and says the same on a machine that does nothing else. Frames are drawn as they are ready:
with a display's clock up to 16.7 ms come on top of whatever any page does. "With counts" ends at the frame after the
facets beside have their new counts.

Weight: every file that the page of the real catalogue loads, gzip level 9, fonts as they are, until it can be used and
until the summaries that follow are there. Prints figures beside the committed ones (benchmarks/explore.json); --save
writes them anew. Exit code 1 where a budget is exceeded.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

import synthetic
from catalogue import report
from inversion_atlas.catalogue import load
from inversion_atlas.stamp import read_stamp
from inversion_atlas.website.build import themed
from inversion_atlas.website.explore import EXPLORE, explore_files, explore_page
from inversion_atlas.website.pages import renderer_for, stamped
from inversion_atlas.website.publish import write_files
from inversion_atlas.website.server import SiteServer
from inversion_atlas.website.theme import source_folder

COMMITTED = Path(__file__).with_suffix(".json")
CHROMIUM = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
UNCLOCKED = ["--disable-gpu-vsync", "--disable-frame-rate-limit"]
TYPED = (
    "gradient inversion",
    "federated recon",
    "membership",
    "zhang",
    "gradeint",
    "label-only face",
    '"hidden identity"',
    "access=label-only",
    "year>=2022 has:code",
    "family=gradient-inversion -kind:survey",
    "title:leak dataset=celeba",
)
RUNS = 2
PAUSE = 40
KEYSTROKE = {1000: 16, 20000: 50}
WEIGHT = 150
# The frame after the one that paints: a message posted in it arrives when it is drawn.
CLOCK = """() => {
  window.times = [];
  const drawn = (then) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(null);
  });
  document.getElementById("explore-box").addEventListener("input", (event) => {
    const started = event.timeStamp;
    const row = {};
    performance.mark("stroke");
    drawn(() => {
      performance.mark("drawn");
      row.hits = performance.now() - started;
      setTimeout(() => drawn(() => {
        row.counts = performance.now() - started;
        window.times.push(row);
      }));
    });
  }, true);
}"""

DRAWN = """(strokes) => new Promise((done) => {
  const look = () => (window.times.length >= strokes ? done() : setTimeout(look, 10));
  look();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,20000", help="numbers of records, joined by commas")
    parser.add_argument("--save", action="store_true", help="write the figures to benchmarks/explore.json")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="atlas-explore-") as folder, sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM, *UNCLOCKED])
        figures = [figure for size in sizes for figure in measure(browser, Path(folder), size)]
        figures += weigh(browser, Path(folder))
        browser.close()
    exceeded = report(figures, json.loads(COMMITTED.read_text()) if COMMITTED.exists() else [])
    if options.save:
        COMMITTED.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(1 if exceeded else 0)


def measure(browser: Browser, folder: Path, size: int) -> Iterator[dict[str, object]]:
    """Yield what keystrokes take on a synthetic catalogue of `size` papers."""
    print(f"measuring: keystrokes, {size:,} records", file=sys.stderr)
    root = folder / f"catalogue-{size}"
    synthetic.write(root, size)
    with serving(build(root, folder / f"site-{size}")) as base:
        runs = [keystrokes(browser, base) for _ in range(RUNS)]

    def best(name: str, share: float) -> float:
        return min(percentile([row[name] for row in rows], share) for rows in runs)

    yield figure("keystroke: CPU, p95", size, best("cpu", 0.95), "ms", KEYSTROKE.get(size))
    yield figure("keystroke: CPU, median", size, best("cpu", 0.5), "ms")
    yield figure("keystroke: clock, p95", size, best("hits", 0.95), "ms")
    yield figure("keystroke: clock, median", size, best("hits", 0.5), "ms")
    yield figure("with counts: clock, p95", size, best("counts", 0.95), "ms")


def keystrokes(browser: Browser, base: str) -> list[dict[str, float]]:
    """Type every text, delete it again, and return what each input event took."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{base}{EXPLORE}")
    page.wait_for_selector('[data-ready="all"]', timeout=120_000)
    # Until the words in single fields are folded as well.
    page.wait_for_timeout(1500)
    page.evaluate(CLOCK)
    page.focus("#explore-box")
    browser.start_tracing(page=page, categories=["toplevel", "blink.user_timing"])
    strokes = 0
    for text in TYPED:
        for keys in (*((letter,) for letter in text), *[("Backspace",)] * 3, ("Control+A", "Delete")):
            for key in keys:
                page.keyboard.press(key)
            strokes += 1
            page.evaluate(DRAWN, strokes)
            page.wait_for_timeout(PAUSE)
    rows: list[dict[str, float]] = page.evaluate("window.times")
    used = main_thread_times(json.loads(browser.stop_tracing())["traceEvents"])
    page.close()
    return [{**row, "cpu": cpu} for row, cpu in zip(rows, used, strict=True)]


def main_thread_times(events: list[dict[str, Any]]) -> Iterator[float]:
    """Yield the CPU milliseconds of the main thread's tasks from each stroke until it was drawn."""
    marks = [event for event in events if event["name"] in ("stroke", "drawn") and "blink.user_timing" in event["cat"]]
    thread = marks[0]["pid"], marks[0]["tid"]
    tasks = [
        event
        for event in events
        if event["name"].endswith("::RunTask") and (event["pid"], event["tid"]) == thread and "dur" in event
    ]
    marks.sort(key=lambda event: float(event["ts"]))
    for stroke, drawn in zip(marks[::2], marks[1::2], strict=True):
        assert (stroke["name"], drawn["name"]) == ("stroke", "drawn"), "a key was pressed before the last was drawn"
        within = (task for task in tasks if task["ts"] + task["dur"] > stroke["ts"] and task["ts"] < drawn["ts"])
        yield sum(task.get("tdur", 0) for task in within) / 1000


def weigh(browser: Browser, folder: Path) -> Iterator[dict[str, object]]:
    """Yield what the page of the real catalogue loads, in all and by kind of file."""
    print("measuring: weight", file=sys.stderr)
    site = build(synthetic.REPOSITORY, folder / "site")
    size = len(load(synthetic.REPOSITORY).papers)
    with serving(site) as base:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        files = loaded(page, base, "all")
        page.close()
    late = [name for name in files if name.endswith("texts.json")]
    kinds = {"fonts": ".woff2", "styles": ".css", "scripts": ".js", "data": "works.json"}
    used = {name: weight(site, name) for name in files}
    early = sum(kilobytes for name, kilobytes in used.items() if name not in late)
    yield figure("weight until usable", size, early, "kB gzip", WEIGHT)
    for kind, ending in kinds.items():
        part = sum(kilobytes for name, kilobytes in used.items() if name.endswith(ending))
        yield figure(f"of that, {kind}", size, part, "kB gzip")
    yield figure("weight with summaries", size, sum(used.values()), "kB gzip")


def loaded(page: Page, base: str, ready: str) -> list[str]:
    """Return the paths of all files that the page asks for until it is ready."""
    asked: dict[str, None] = {}
    page.on("request", lambda request: asked.setdefault(request.url.removeprefix(base)))
    page.goto(f"{base}{EXPLORE}")
    page.wait_for_selector(f'[data-ready="{ready}"]')
    page.wait_for_load_state("networkidle")
    return list(asked)


def weight(site: Path, name: str) -> float:
    """Return the kilobytes of a file as it travels."""
    path = site / name / "index.html" if name.endswith("/") or not name else site / name
    content = path.read_bytes()
    return len(content if path.suffix == ".woff2" else gzip.compress(content, 9)) / 1000


def build(root: Path, out: Path) -> Path:
    """Build the page, what it reads and its assets; nothing else of the website."""
    catalogue = load(root)
    source = source_folder(root)
    out.mkdir()
    shells = themed(source, out, catalogue)
    renderer = renderer_for(catalogue, source)
    write_files(out, stamped([explore_page(renderer)], shells, renderer, read_stamp(catalogue)))
    write_files(out, explore_files(catalogue))
    return out


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """Serve a folder while it is looked at."""
    server = SiteServer(("127.0.0.1", 0), site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def percentile(values: list[float], share: float) -> float:
    """Return the value that a share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def figure(job: str, size: int, value: float, unit: str, budget: float | None = None) -> dict[str, Any]:
    """Return one line of the report."""
    return {"job": job, "size": size, "value": round(value, 1), "unit": unit, "budget": budget}


if __name__ == "__main__":
    main()
