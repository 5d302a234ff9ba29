"""What a paper's page says of its links, from what a real check of a farm remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from tests.servers.farm import Farm, serve, status, titled, to

from inversion_atlas.catalogue import Catalogue, load
from inversion_atlas.cli.main import atlas
from inversion_atlas.links.places import link_places
from inversion_atlas.links.state import Class, Known, State, read_state
from inversion_atlas.records.findings import CatalogueError
from inversion_atlas.stamp import Stamp
from inversion_atlas.website.api import api_files
from inversion_atlas.website.pages import renderer_for, stamped
from inversion_atlas.website.paper_pages import paper_page
from inversion_atlas.website.shells import Shell

from .conftest import ROOT, Parsed, parse

pytestmark = pytest.mark.usefixtures("own_loop")
PAPER: dict[str, Any] = {"title": "T", "authors": ["Doe, Jane"], "year": 2020, "kind": "attack"}
DAY = date(2026, 11, 1)


@pytest.fixture
def farm() -> Iterator[Farm]:
    with serve() as found:
        found.pages |= {"/well": status(200), "/old": to("/well"), "/soft": titled("404"), "/wall": status(403)}
        yield found


def checked(catalogue: Catalogue, *days: int) -> None:
    for day in days:
        words = ["links", "check", "--allow-private", "--delay", "0", "--today", str(DAY + timedelta(days=day))]
        result = CliRunner().invoke(atlas, ["--root", str(catalogue.root), *words])
        assert result.exit_code in (0, 1), result.output


def shown(catalogue: Catalogue) -> Parsed:
    return parse(paper_page(renderer_for(catalogue, ROOT), catalogue.papers["doe2020t"]).body)


def test_a_page_says_in_words_how_links_stand(make_catalogue: Callable[..., Catalogue], farm: Farm) -> None:
    links = {"paper": f"{farm.base}/well", "pdf": f"{farm.base}/old", "project": f"{farm.base}/soft"}
    links["video"] = f"{farm.base}/wall"
    catalogue = make_catalogue({"doe2020t": PAPER | {"links": links}})
    assert not [word for word in ("seen alive", "dead", "moved") if word in shown(catalogue).words]
    checked(catalogue, 0, 3)
    words = shown(catalogue).words
    assert "Paper seen alive 2026-11-04 PDF moved, seen alive 2026-11-04 Project Video" in words
    checked(catalogue, 8)
    words = shown(catalogue).words
    assert "Project dead since 2026-11-01 Video" in words, "a wall says nothing"


def test_a_link_that_failed_lately_was_last_seen_alive(make_catalogue: Callable[..., Catalogue], farm: Farm) -> None:
    catalogue = make_catalogue({"doe2020t": PAPER | {"links": {"paper": f"{farm.base}/well"}}})
    checked(catalogue, 0)
    del farm.pages["/well"]
    checked(catalogue, 2)
    assert "Paper last seen alive 2026-11-01" in shown(catalogue).words


@pytest.mark.parametrize(
    ("archive", "led"),
    [
        ("https://web.archive.org/web/2020/{base}/gone", {"paper"}),
        ("https://web.archive.org/web/2020/{base}/other", {"code"}),
        ("https://web.archive.org/web/2020/{base}/elsewhere", set()),
        ("https://archive.ph/AbCd1", {"paper"}),
    ],
)
def test_a_dead_link_leads_to_its_copy(
    make_catalogue: Callable[..., Catalogue], farm: Farm, archive: str, led: set[str]
) -> None:
    archive = archive.format(base=farm.base)
    links = {"paper": f"{farm.base}/gone", "code": [f"{farm.base}/other"], "archive": archive}
    catalogue = make_catalogue({"doe2020t": PAPER | {"links": links}})
    # The archive itself is not asked: no test reaches a real host.
    words = ["--root", str(catalogue.root), "links", "check", "--allow-private", "--delay", "0", "--host", "127.0.0.1"]
    for day in ("2026-11-01", "2026-11-04", "2026-11-08"):
        CliRunner().invoke(atlas, [*words, "--today", day])
    page = shown(catalogue)
    hrefs = [tag["href"] for name, tag in page.tags if name == "a" and str(tag.get("href")).startswith("http")]
    assert (links["paper"] not in hrefs) == ("paper" in led)
    assert (f"{farm.base}/other" not in hrefs) == ("code" in led)
    assert page.words.count("leads to the archived copy") == len(led)
    assert page.words.count("dead since 2026-11-01") == 2


def test_the_api_is_as_before(make_catalogue: Callable[..., Catalogue], farm: Farm) -> None:
    catalogue = make_catalogue({"doe2020t": PAPER | {"links": {"paper": f"{farm.base}/well"}}})
    before = dict(api_files(catalogue, Stamp("0")))
    checked(catalogue, 0)
    assert read_state(catalogue.root / "data/links.json")
    assert dict(api_files(load(catalogue.root), Stamp("0"))) == before


def test_pages_stay_small_where_every_link_is_known(catalogue: Catalogue, shells: dict[str, Shell]) -> None:
    renderer = renderer_for(catalogue, ROOT)
    dead = Known(Class.GONE, DAY, None, 3, DAY - timedelta(days=8))
    renderer.__dict__["links"] = State(dict.fromkeys(link_places(catalogue), dead))
    heavy = sorted(catalogue.papers.values(), key=lambda paper: -len(paper_page(renderer, paper).body))[:20]
    for _, html in stamped([paper_page(renderer, paper) for paper in heavy], shells, renderer, Stamp("0")):
        assert "dead since 2026-10-24" in html
        assert len(html.encode()) <= 20_000


def test_a_broken_memory_stops_the_build(make_catalogue: Callable[..., Catalogue]) -> None:
    catalogue = make_catalogue({"doe2020t": PAPER})
    (catalogue.root / "data/links.json").write_text("{")
    with pytest.raises(CatalogueError):
        renderer_for(catalogue, ROOT).links  # noqa: B018
