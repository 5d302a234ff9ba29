"""Pictures of every kind of page, on a desk and on a phone, light and dark, to look at.

python tests/website/screenshots.py FOLDER [--site SITE] [--only NAME,NAME] [--whole]

SITE is a built website, by default build/site. Pictures are at most 3,000 pixels tall without --whole.
"""

from __future__ import annotations

import argparse
import shutil
import threading
from pathlib import Path

from page_types import CHROMIUM, PAGES
from playwright.sync_api import sync_playwright

from inversion_atlas.website.server import SiteServer

ROOT = Path(__file__).resolve().parents[2]
TALLEST = 3000


def take(folder: Path, site: Path, only: set[str], tallest: int) -> None:
    """Write `<page>-<scheme>-<width>.png` for every kind of page, naming those the site does not have."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {name: at for name, at in PAGES.items() if not only or name in only}
    for name, address in wanted.items():
        if not exists(site, address):
            print(f"no {name}: {site} has no {address}")
    server = SiteServer(("127.0.0.1", 0), site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                for name, address in wanted.items():
                    if exists(site, address):
                        page.goto(f"http://127.0.0.1:{server.server_port}/{address}", wait_until="networkidle")
                        height = min(tallest, page.evaluate("document.documentElement.scrollHeight"))
                        clip = {"x": 0, "y": 0, "width": width, "height": height}
                        page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True, clip=clip)
                page.close()
        browser.close()
    server.shutdown()
    server.server_close()


def exists(site: Path, address: str) -> bool:
    """Whether a built site has a page at an address."""
    path = site / address.partition("?")[0].partition("#")[0]
    return (path / "index.html").is_file() if path.suffix != ".html" else path.is_file()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--only", default="", help="names of pages, joined by commas")
    parser.add_argument("--whole", action="store_true", help="however tall a page is")
    options = parser.parse_args()
    names = set(filter(None, options.only.split(",")))
    take(options.folder, options.site, names, 100_000 if options.whole else TALLEST)
