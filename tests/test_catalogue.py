"""Reading a folder into a catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from inversion_atlas.catalogue import find_root, load, paper_path, read
from inversion_atlas.records.findings import CatalogueError

ROOT = Path(__file__).resolve().parents[1]

DEEP = """\
title: Deep Leakage from Gradients
authors: ["Zhu, Ligeng"]
year: 2019
kind: attack
aliases: [zhu2019leakage]
"""
IDLG = """\
title: "iDLG: Improved Deep Leakage from Gradients"
authors: ["Zhao, Bo"]
year: 2020
kind: attack
relations:
  - {improves: zhu2019leakage, how: reads the label first}
"""


def write(root: Path, **papers: str) -> Path:
    (root / "taxonomy").mkdir(exist_ok=True)
    for id, text in papers.items():
        path = root / paper_path(id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_relation_is_read_from_both_ends_and_through_a_former_id(tmp_path: Path) -> None:
    catalogue = load(write(tmp_path, zhu2019deep=DEEP, zhao2020idlg=IDLG))
    (forward,) = catalogue.edges["zhao2020idlg"]
    (backward,) = catalogue.edges["zhu2019deep"]
    assert (forward.verb, forward.other) == ("improves", "zhu2019deep")
    assert (backward.verb, backward.other, backward.how) == ("improved-by", "zhao2020idlg", "reads the label first")


def test_papers_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    assert list(load(write(tmp_path, zhu2019deep=DEEP, zhao2020idlg=IDLG)).papers) == ["zhao2020idlg", "zhu2019deep"]


def test_an_arxiv_id_keeps_its_last_zero(tmp_path: Path) -> None:
    catalogue = load(write(tmp_path, zhu2019deep=DEEP + "links:\n  arxiv: 2401.01230\n"))
    assert catalogue.papers["zhu2019deep"].links.arxiv == "2401.01230"


@pytest.mark.parametrize(
    ("line", "code", "position", "says"),
    [
        ("yaer: 2019", "record/unknown-key", (6, 1), "did you mean year?"),
        ("venue: Not A Slug", "record/bad-id", (6, 1), "lower-case"),
        ("links: {paper: 'javascript:alert(1)'}", "record/unsafe-url", (6, 9), "https://"),
        ("links: {arxiv: 1906.08935v2}", "record/bad-arxiv-id", (6, 9), "without version"),
        ("links: {doi: https://doi.org/10.1/x}", "record/bad-doi", (6, 9), "bare DOI"),
        ("relations: [{beats: zhu2019deep}]", "record/bad-relation", (6, 13), "improves"),
        ("added: yesterday", "record/not-a-day", (6, 1), "2024-05-31"),
        ("summary: 'a \u202e b'", "record/hidden-character", (6, 1), "U+202E"),
        ("kind: atack", "yaml/duplicate-key", (6, 1), "keep one"),
    ],
)
def test_a_wrong_line_is_named_with_its_place_and_its_mending(
    tmp_path: Path, line: str, code: str, position: tuple[int, int], says: str
) -> None:
    _, (finding,) = read(write(tmp_path, zhu2019deep=f"{DEEP}{line}\n"))
    assert (finding.code, finding.path) == (code, "data/papers/2019/zhu2019deep.yaml")
    assert (finding.line, finding.column) == position
    assert says.lower() in str(finding).lower()


def test_one_broken_file_leaves_the_others_readable(tmp_path: Path) -> None:
    catalogue, findings = read(write(tmp_path, zhu2019deep="title: [", zhao2020idlg=IDLG))
    assert len(findings) == 1
    assert set(catalogue.papers) == {"zhao2020idlg"}
    assert catalogue.broken == {"zhu2019deep"}


def test_loading_a_broken_catalogue_names_every_finding(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(write(tmp_path, zhu2019deep="title: [", zhao2020idlg="kind: atack\n"))
    assert {finding.code for finding in caught.value.findings} >= {"yaml/syntax", "record/missing-key"}


def test_the_version_is_a_digest_of_the_files(tmp_path: Path) -> None:
    first = load(write(tmp_path, zhu2019deep=DEEP)).version
    assert load(tmp_path).version == first
    assert load(write(tmp_path, zhu2019deep=DEEP.replace("2019", "2018"))).version != first


def test_the_root_is_found_from_a_folder_inside_the_catalogue(tmp_path: Path) -> None:
    root = write(tmp_path, zhu2019deep=DEEP)
    assert find_root(root / "data" / "papers" / "2019") == root.resolve()


def test_outside_a_catalogue_the_installed_one_is_used(tmp_path: Path) -> None:
    assert find_root(tmp_path) == ROOT
