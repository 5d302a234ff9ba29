"""What tells programs about the website as a whole: its map, its search, and where the data are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from html import escape

from inversion_atlas.records.settings import Settings
from inversion_atlas.website.rendering import Renderer, plural

# A sitemap holds no more addresses than this; where there are more, sitemap.xml lists the parts.
MAX_ADDRESSES = 50_000
_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
# OpenSearch allows a short name no more.
_SHORT = 16
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def discovery_files(
    renderer: Renderer, addresses: Collection[str], changed: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield llms.txt and, where the site has an address, what must name it: sitemap, robots.txt, OpenSearch.

    `changed` has the day of the last change of the pages that have one.
    """
    settings = renderer.catalogue.settings
    yield "llms.txt", llms(renderer)
    if settings.site:
        yield from sitemap(settings.site, sorted(addresses), changed)
        yield "robots.txt", f"User-agent: *\nAllow: /\n\nSitemap: {settings.site}/sitemap.xml\n"
        yield "opensearch.xml", opensearch(settings)


def sitemap(site: str, addresses: list[str], changed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield sitemap.xml, and the parts it lists where it would be too long."""
    parts = [addresses[start : start + MAX_ADDRESSES] for start in range(0, len(addresses), MAX_ADDRESSES)]
    if len(parts) == 1:
        yield "sitemap.xml", _urls(site, parts[0], changed)
        return
    names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    for name, part in zip(names, parts, strict=True):
        yield name, _urls(site, part, changed)
    listed = "".join(f"<sitemap><loc>{escape(f'{site}/{name}')}</loc></sitemap>\n" for name in names)
    yield "sitemap.xml", f"{_XML}<sitemapindex {_SITEMAP}>\n{listed}</sitemapindex>\n"


def _urls(site: str, addresses: list[str], changed: Mapping[str, str]) -> str:
    lines = [f"{_XML}<urlset {_SITEMAP}>\n"]
    for address in addresses:
        day = f"<lastmod>{changed[address]}</lastmod>" if address in changed else ""
        lines.append(f"<url><loc>{escape(f'{site}/{address}')}</loc>{day}</url>\n")
    return "".join([*lines, "</urlset>\n"])


def opensearch(settings: Settings) -> str:
    """Return the description by which a browser offers our search; it must name the site's address."""
    site, title = escape(settings.site or ""), escape(settings.title)
    return f"""{_XML}<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
<ShortName>{escape(settings.title[:_SHORT])}</ShortName>
<LongName>{title}</LongName>
<Description>Works on model inversion, by words or by the filter language</Description>
<InputEncoding>UTF-8</InputEncoding>
<Image width="32" height="32" type="image/svg+xml">{site}/assets/mark.svg</Image>
<Url type="text/html" template="{site}/explore/?q={{searchTerms}}"/>
<Url type="application/opensearchdescription+xml" rel="self" template="{site}/opensearch.xml"/>
</OpenSearchDescription>
"""


def llms(renderer: Renderer) -> str:
    """Return what a program that reads for somebody should know: what this is, and where the data are (llmstxt.org)."""
    catalogue = renderer.catalogue
    settings = catalogue.settings
    base = f"{settings.site}/" if settings.site else ""
    works = plural(len(renderer.newest_first), "work")
    return f"""# {settings.title}

> {" ".join(settings.description.split())}

Every fact names the page on which it was seen; a field that nobody could confirm is empty. Surveys disagree in places,
and each paper's page says where. The data are under CC BY 4.0: name the {settings.title} as their source. Rather than
reading the pages one by one, take the data below; they hold everything the pages say.

## Data

- [Everything in one JSON file]({base}downloads/inversion-atlas.json): {works} and those cited as background
- [API]({base}api/v1/openapi.json): one JSON file per paper, by id, DOI or arXiv id; OpenAPI 3.1
- [Downloads]({base}downloads/): the catalogue as JSON, CSV, SQLite, Parquet, BibTeX, RIS and CSL-JSON, with checksums
- [What is new]({base}feeds/all.xml): Atom feed

## Pages

- [Papers]({base}papers/): {works}, by year
- [Method families]({base}families/): attacks and defenses, defined
- [Facets]({base}terms/): access, signal, objective, adversary and the other questions a threat model answers
- [Datasets]({base}datasets/): {plural(len(catalogue.datasets), "dataset")}, what each holds and who measured on it
- [Metrics]({base}metrics/): {plural(len(catalogue.metrics), "metric")}, each with its formula and what it cannot see
- [Sources]({base}sources/): the surveys and lists, row by row

## Optional

- [How to cite the atlas]({base}cite/)
"""
