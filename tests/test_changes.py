"""What two states of a catalogue differ in, between files and between revisions of git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from inversion_atlas.catalogue import Catalogue, load, paper_path, read
from inversion_atlas.changes import Change, RevisionError, What, changes, changes_between, read_revision

ZHU = {
    "title": "Deep Leakage from Gradients",
    "authors": ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"],
    "year": 2019,
    "kind": "attack",
    "links": {"arxiv": "1906.08935"},
}
GEIPING = {"title": "Inverting Gradients", "authors": ["Geiping, Jonas"], "year": 2020, "kind": "attack"}
VENUE = {"name": "Advances in Neural Information Processing Systems", "short": "NeurIPS", "type": "conference"}
FACET = {
    "label": "Access",
    "question": "What can the adversary reach?",
    "order": 1,
    "terms": {"white-box": {"label": "White box", "definition": "Everything.", "sources": ["a-survey"]}},
}
SOURCE = {
    "title": "A survey",
    "kind": "survey",
    "rows": [
        {"place": "Table 1", "title": "DLG", "paper": "zhu2019deep"},
        {"place": "Table 1", "title": "DLG", "unresolved": "printed twice"},
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes files, given as path -> data, or None to remove one, into one folder."""
    (tmp_path / "taxonomy").mkdir()

    def written(files: Mapping[str, Any]) -> Path:
        for path, data in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if data is None:
                file.unlink()
            else:
                file.write_text(data if isinstance(data, str) else yaml.safe_dump(data), encoding="utf-8")
        return tmp_path

    return written


@pytest.fixture
def first(write: Callable[..., Path]) -> Catalogue:
    """A catalogue with something of every kind."""
    return load(
        write(
            {
                paper_path("zhu2019deep"): ZHU,
                paper_path("geiping2020inverting"): GEIPING,
                "data/venues.yaml": {"neurips": VENUE},
                "data/datasets.yaml": {"mnist": {"name": "MNIST", "description": "Digits."}},
                "data/metrics.yaml": {
                    "psnr": {
                        "name": "PSNR",
                        "group": "pixel",
                        "description": "Signal to noise.",
                        "direction": {"attacker": "higher", "defender": "lower"},
                        "blind_to": "What is seen.",
                    }
                },
                "taxonomy/access.yaml": FACET,
                "data/sources/a-survey.yaml": SOURCE,
            }
        )
    )


def told(found: tuple[Change, ...]) -> list[str]:
    return [" ".join((each.kind, each.id, each.what, *map(str, each.fields))) for each in found]


def test_a_state_does_not_differ_from_itself(first: Catalogue, catalogue: Catalogue) -> None:
    assert changes(first, first) == ()
    assert changes(catalogue, catalogue) == ()


def test_every_record_of_the_catalogue_is_added_to_an_empty_one(
    catalogue: Catalogue, make_catalogue: Callable[..., Catalogue]
) -> None:
    found = changes(make_catalogue({"zhu2019deep": ZHU}), catalogue)
    added = [(each.kind, each.id) for each in found if each.what is What.ADDED]
    assert len(added) == len(set(added))
    kinds = {kind: sum(each == kind for each, _ in added) for kind, _ in added}
    assert kinds == {
        "paper": len(catalogue.papers) - ("zhu2019deep" in catalogue.papers),
        "dataset": len(catalogue.datasets),
        "metric": len(catalogue.metrics),
        "venue": len(catalogue.venues),
        "facet": len(catalogue.facets),
        "term": sum(len(facet.terms) for facet in catalogue.facets.values()),
        "source": len(catalogue.sources),
        "row": sum(len(source.rows) for source in catalogue.sources.values()),
    }


def test_a_changed_record_says_which_fields_and_how(first: Catalogue, write: Callable[..., Path]) -> None:
    changed = {**ZHU, "venue": "neurips", "authors": ["Zhu, Ligeng", "Han, Song"], "links": {"doi": "10.1000/1"}}
    after = load(write({paper_path("zhu2019deep"): changed}))
    assert told(changes(first, after)) == [
        "paper zhu2019deep changed authors: - Liu, Zhijian venue: neurips links.doi: 10.1000/1 "
        "links.arxiv: 1906.08935 removed"
    ]
    (back,) = changes(after, first)
    assert next(map(str, back.fields)) == "authors: + Liu, Zhijian"


def test_a_list_in_another_order_is_a_change(first: Catalogue, write: Callable[..., Path]) -> None:
    after = load(write({paper_path("zhu2019deep"): {**ZHU, "authors": ZHU["authors"][::-1]}}))
    assert told(changes(first, after)) == ["paper zhu2019deep changed authors: in another order"]


def test_changes_of_terms_datasets_metrics_venues_rows_and_settings_are_told(
    first: Catalogue, write: Callable[..., Path]
) -> None:
    terms = {
        "white-box": {**FACET["terms"]["white-box"], "aliases": ["open"]},
        "black-box": {"label": "Black box", "definition": "Queries.", "sources": ["a-survey"]},
    }
    rows = [SOURCE["rows"][0], {**SOURCE["rows"][1], "unresolved": "printed again"}]
    after = load(
        write(
            {
                "taxonomy/access.yaml": {**FACET, "terms": terms, "order": 2},
                "data/sources/a-survey.yaml": {**SOURCE, "rows": rows},
                "data/venues.yaml": {"neurips": {**VENUE, "aliases": ["NIPS"]}},
                "data/datasets.yaml": {"digits": {"name": "MNIST", "description": "Digits.", "aliases": ["mnist"]}},
                "data/metrics.yaml": None,
                "data/atlas.yaml": {"title": "An atlas", "description": "Of something."},
            }
        )
    )
    found = changes(first, after)
    assert [(each.kind, each.id, each.what) for each in found] == [
        ("dataset", "digits", What.ADDED),
        ("dataset", "mnist", What.RENAMED),
        ("metric", "psnr", What.RETIRED),
        ("venue", "neurips", What.CHANGED),
        ("facet", "access", What.CHANGED),
        ("term", "access/black-box", What.ADDED),
        ("term", "access/white-box", What.CHANGED),
        ("row", "a-survey: Table 1, DLG (2)", What.CHANGED),
        ("settings", "atlas", What.CHANGED),
    ]
    assert {each.new_id for each in found} == {None, "digits"}
    assert [str(field) for field in found[-2].fields] == ["unresolved: printed twice → printed again"]


def test_a_record_that_cannot_be_read_is_neither_added_nor_retired(
    first: Catalogue, write: Callable[..., Path]
) -> None:
    broken, findings = read(write({paper_path("zhu2019deep"): "title: [", "taxonomy/access.yaml": "label: ["}))
    assert findings
    assert [(each.kind, each.what) for each in changes(first, broken)] == [
        ("paper", What.UNREADABLE),
        ("facet", What.UNREADABLE),
        ("term", What.UNREADABLE),
    ]
    assert changes(broken, first) == ()


def test_a_collection_that_cannot_be_read_retires_nothing(first: Catalogue, write: Callable[..., Path]) -> None:
    broken, _ = read(write({"data/venues.yaml": "- ["}))
    assert changes(first, broken) == ()


def git(root: Path, *arguments: str) -> None:
    named = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *named, *arguments], check=True, capture_output=True)


def test_two_revisions_are_compared_whatever_git_attributes_say(first: Catalogue, write: Callable[..., Path]) -> None:
    git(first.root, "init", "-q")
    git(first.root, "add", "-A")
    git(first.root, "commit", "-qm", "one")
    write(
        {
            ".gitattributes": "data/** export-ignore\n",
            paper_path("geiping2020inverting"): None,
            paper_path("zhu2019deep"): {**ZHU, "year": 2020},
        }
    )
    (first.root / "data" / "papers" / "2019" / "link.yaml").symlink_to("/etc/hostname")
    git(first.root, "add", "-A")
    git(first.root, "commit", "-qm", "two")
    expected = ["paper geiping2020inverting retired", "paper zhu2019deep changed year: 2019 → 2020"]
    assert told(changes_between(first.root, "HEAD^", "HEAD")) == expected
    git(first.root, "checkout", "-q", "HEAD^")
    write({paper_path("zhu2019deep"): {**ZHU, "year": 2018}})
    assert told(changes_between(first.root, "HEAD")) == ["paper zhu2019deep changed year: 2019 → 2018"]


@pytest.mark.parametrize("revision", ["nowhere", "--help", "", "HEAD:data", "a b"])
def test_a_revision_that_git_does_not_know_is_said(first: Catalogue, revision: str) -> None:
    git(first.root, "init", "-q")
    with pytest.raises(RevisionError, match="git"):
        read_revision(first.root, revision)


def test_changes_are_plain_data_for_json(first: Catalogue, write: Callable[..., Path]) -> None:
    after = load(write({paper_path("zhu2019deep"): {**ZHU, "summary": "Two\nlines."}}))
    (change,) = changes(first, after)
    assert change.as_json() == {
        "kind": "paper",
        "id": "zhu2019deep",
        "what": "changed",
        "label": "Deep Leakage from Gradients",
        "path": "data/papers/2019/zhu2019deep.yaml",
        "fields": [{"field": "summary", "before": None, "after": "Two\nlines."}],
        "new_id": None,
    }
    assert str(change.fields[0]) == "summary: Two lines."
