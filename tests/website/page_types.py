"""One address for every type of page: what the tests of the whole site, the screenshots and Lighthouse go through."""

from __future__ import annotations

# A new type of page is a line here.
PAGES = {
    "home": "",
    "papers": "papers/",
    "paper": "papers/zhu2019deep/",
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
    "sources": "sources/",
    "source": "sources/yang-repository/",
    "new": "new/",
    "downloads": "downloads/",
    "cite": "cite/",
    "api": "api/",
    "not-found": "404.html",
}
# Pages that come from elsewhere; they belong above as soon as the site has them.
MAYBE = {
    "explore": "explore/",
    "explore-query": "explore/?q=access%3Dlabel-only",
    "compare": "compare/?ids=zhu2019deep,zhao2020idlg,geiping2020inverting",
    "maps": "maps/",
    "gaps": "maps/gaps/",
    "gap": "maps/gaps/family-access/",
    "years-map": "maps/years/",
    "lineage": "maps/lineage/",
    "usage": "maps/datasets/",
    "capability": "maps/capability/",
    "learn": "learn/",
    "learn-metrics": "learn/metrics/",
    "disputed-paper": "papers/zhang2020secret/",
    "authors": "authors/",
    "letter": "authors/_z/",
    "author": "authors/vechev-martin/",
    "errata": "errata/",
    "errata-of": "errata/yang-survey/",
    "coverage": "coverage/",
    "disagreements": "disagreements/",
    "disagreements-on": "disagreements/family/",
}
CHROMIUM = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
