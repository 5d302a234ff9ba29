"""What Lighthouse says of the home page, Explore and a paper: accessibility, best practices, SEO, performance, weight.

python benchmarks/lighthouse.py [--site FOLDER] [--runs 3] [--device phone] [--save]

Serves a built website (default build/site) and drives the system's chromium with the Lighthouse that .ci/run installs.
Two devices: Lighthouse's phone (a slow network and a processor four times slower, both simulated) and its desk.
Performance is a timing: the best of the runs counts, since what else the machine does only ever takes away. Prints a
table; --save writes it to benchmarks/lighthouse.json. Exit code 1 where one of the other three is below 100.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from inversion_atlas.website.server import SiteServer

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = Path(__file__).with_suffix(".json")
PROGRAM = ROOT / "build" / "node" / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES = {"home": "", "explore": "explore/", "paper": "papers/zhu2019deep/"}
DEVICES = {"phone": (), "desk": ("--preset=desktop",)}
FIRM = ("accessibility", "best-practices", "seo")
CHROMIUM = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="a built website")
    parser.add_argument("--runs", type=int, default=3, help="runs of each page, of which the best counts")
    parser.add_argument("--device", choices=DEVICES, help="this one alone")
    parser.add_argument("--save", action="store_true", help="write the figures to benchmarks/lighthouse.json")
    options = parser.parse_args()
    if not PROGRAM.is_file():
        sys.exit(f"{PROGRAM} is missing; .ci/run says how to install it")
    if not shutil.which("chromium"):
        sys.exit("chromium is not installed")
    figures = list(measure(options.site, options.runs, [options.device] if options.device else list(DEVICES)))
    if options.save:
        COMMITTED.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(any(figure[name] != 100 for figure in figures for name in FIRM))


def measure(site: Path, runs: int, devices: list[str]) -> Iterator[dict[str, object]]:
    """Yield the figures of each page on each device, printing them as they come."""
    server = SiteServer(("127.0.0.1", 0), site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    titles = ("access.", "best pr.", "SEO", "perform.", "kB")
    print(f"{'page':<8} {'device':<6} " + " ".join(f"{title:>8}" for title in titles) + "  failed audits")
    for name, address in PAGES.items():
        if not (site / address / "index.html").is_file():
            print(f"{name:<8} not built")
            continue
        for device in devices:
            url = f"http://127.0.0.1:{server.server_port}/{address}"
            figure = {"page": name, "device": device, **best([run(url, DEVICES[device]) for _ in range(runs)])}
            columns = " ".join(f"{figure[key]:>8}" for key in (*FIRM, "performance", "kilobytes"))
            print(f"{name:<8} {device:<6} {columns}  {figure['failed'] or ''}")
            yield figure
    server.shutdown()
    server.server_close()


def run(url: str, flags: tuple[str, ...]) -> dict[str, object]:
    """Return what Lighthouse says of a page in one run."""
    with tempfile.TemporaryDirectory(prefix="atlas-lighthouse-") as folder:
        out = Path(folder) / "report.json"
        command = ["node", str(PROGRAM), url, "--quiet", "--output=json", f"--output-path={out}", *flags]
        environment = {**os.environ, "CHROME_PATH": str(shutil.which("chromium"))}
        subprocess.run([*command, f"--chrome-flags={CHROMIUM}"], env=environment, check=True, stdout=subprocess.DEVNULL)
        report = json.loads(out.read_text())
    if error := report.get("runtimeError"):
        sys.exit(f"Lighthouse could not load {url}: {error['message']}")
    scores = {name: round(100 * category["score"]) for name, category in report["categories"].items()}
    counted = {ref["id"] for name in FIRM for ref in report["categories"][name]["auditRefs"] if ref["weight"]}
    failed = sorted(id for id in counted if (report["audits"][id]["score"] or 0) < 1 and _applies(report["audits"][id]))
    kilobytes = round(report["audits"]["total-byte-weight"]["numericValue"] / 1000, 1)
    return {**scores, "kilobytes": kilobytes, "failed": failed}


def best(runs: list[dict[str, object]]) -> dict[str, object]:
    """Return the run with the best performance; what is not a timing is the same in all."""
    return max(runs, key=lambda found: int(str(found["performance"])))


def _applies(audit: dict[str, object]) -> bool:
    return audit["scoreDisplayMode"] in ("binary", "numeric", "metricSavings")


if __name__ == "__main__":
    main()
