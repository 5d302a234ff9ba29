"""One address for every type of page: what the tests of the whole site, the screenshots and Lighthouse go through."""

from __future__ import annotations

# A new type of page is a line here.
PAGES = {
    "home": "",
    "explore": "explore/",
    "explore-query": "explore/?q=access%3Dlabel-only",
    "explore-table": "explore/?q=access%3Dwhite-box%20-kind%3Asurvey%20leakage&view=table",
    "papers": "papers/",
    "paper": "papers/zhu2019deep/",
    "disputed-paper": "papers/zhang2020secret/",
    "background": "papers/deng2009imagenet/",
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
    "venues": "venues/",
    "venue": "venues/neurips/",
    "authors": "authors/",
    "letter": "authors/_z/",
    "author": "authors/vechev-martin/",
    "maps": "maps/",
    "gaps": "maps/gaps/",
    "matrix": "maps/gaps/family-access/",
    "map-of-years": "maps/years/",
    "lineage": "maps/lineage/",
    "map-of-datasets": "maps/datasets/",
    "capability": "maps/capability/",
    "compare": "compare/?ids=zhu2019deep,zhao2020idlg,geiping2020inverting",
    "learn": "learn/",
    "learn-page": "learn/threat-models/",
    "learn-metrics": "learn/metrics/",
    "sources": "sources/",
    "source": "sources/yang-repository/",
    "errata": "errata/",
    "errata-of": "errata/yang-survey/",
    "disagreements": "disagreements/",
    "disagreements-on": "disagreements/family/",
    "coverage": "coverage/",
    "new": "new/",
    "downloads": "downloads/",
    "cite": "cite/",
    "api": "api/",
    "not-found": "404.html",
}
# Without hinting the shell measures text as Chromium with a window does.
CHROMIUM = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --font-render-hinting=none"
).split()
