"""Pictures of every kind of page, on a desk and on a phone, light and dark, to look at.

python tests/website/screenshots.py FOLDER [SITE]      (SITE: a built website, default build/site)
"""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from inversion_atlas.website.server import SiteServer

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "home": "",
    "explore": "explore/",
    "explore-table": "explore/?q=access%3Dwhite-box%20-kind%3Asurvey%20leakage&view=table",
    "papers": "papers/",
    "paper": "papers/zhu2019deep/",
    "year": "papers/2023/",
    "datasets": "datasets/",
    "dataset": "datasets/celeba/",
    "metrics": "metrics/",
    "metric": "metrics/psnr/",
    "families": "families/",
    "family": "families/gradient-inversion/",
    "taxonomy": "terms/",
    "facet": "terms/access/",
    "term": "terms/access/white-box/",
    "venue": "venues/neurips/",
    "sources": "sources/",
    "source": "sources/yang-repository/",
    "downloads": "downloads/",
    "api": "api/",
    "not-found": "404.html",
}
CHROMIUM = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()


def take(folder: Path, site: Path) -> None:
    """Write `<page>-<scheme>-<width>.png` for every kind of page."""
    folder.mkdir(parents=True, exist_ok=True)
    server = SiteServer(("127.0.0.1", 0), site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                for name, address in PAGES.items():
                    page.goto(f"http://127.0.0.1:{server.server_port}/{address}", wait_until="networkidle")
                    page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                page.close()
        browser.close()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "build" / "site")
