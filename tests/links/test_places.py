"""Which addresses a catalogue holds, and that none is overlooked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inversion_atlas.catalogue import Catalogue, Place, load
from inversion_atlas.links.places import link_places

ROOT = Path(__file__).resolve().parents[2]
PAPER: dict[str, Any] = {"title": "T", "authors": ["Doe, Jane"], "year": 2020, "kind": "attack"}


def test_links_evidence_and_identifiers(make_catalogue: Callable[..., Catalogue]) -> None:
    catalogue = make_catalogue(
        {
            "doe2020t": PAPER
            | {
                "links": {"doi": "10.1234/x", "arxiv": "1906.08935", "code": ["https://a.org/1", "https://a.org/2"]},
                "evidence": ["https://a.org/1#here"],
                "status": {"state": "retracted", "reason": "r", "evidence": "https://a.org/why"},
                "reported": [{"metric": "psnr", "value": 1, "place": "Table 1", "evidence": "https://a.org/n"}],
            }
        },
    )
    places = link_places(catalogue)
    path = "data/papers/2020/doe2020t.yaml"
    assert places == {
        "https://a.org/1": [Place(path, ("links", "code", 0)), Place(path, ("evidence", 0))],
        "https://a.org/2": [Place(path, ("links", "code", 1))],
        "https://a.org/n": [Place(path, ("reported", 0, "evidence"))],
        "https://a.org/why": [Place(path, ("status", "evidence"))],
        "https://arxiv.org/abs/1906.08935": [Place(path, ("links", "arxiv"))],
        "https://doi.org/10.1234/x": [Place(path, ("links", "doi"))],
    }
    assert list(places) == sorted(places)
    assert link_places(catalogue, []) == {}


def test_no_address_that_stands_in_a_field_of_its_own_is_overlooked() -> None:
    found = {url.partition("#")[0] for url in link_places(load(ROOT))}
    # What a source prints (`says`) is no link of ours.
    keys = "evidence|homepage|url|pdf|project|video|slides|poster|archive"
    alone = re.compile(rf"""^\s*(?:{keys}): ["']?(https?://[^\s"']+)["']?\s*$""", re.MULTILINE)
    for path in [*ROOT.glob("data/**/*.yaml"), *ROOT.glob("taxonomy/*.yaml")]:
        for url in alone.findall(path.read_text(encoding="utf-8")):
            assert url.partition("#")[0] in found, f"{path.name}: {url}"
