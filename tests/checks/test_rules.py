"""Every rule on a catalogue that breaks it, and on one that does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from inversion_atlas.checks import RULES
from inversion_atlas.cli.check import ALL_RULES

ZHU = "data/papers/2019/zhu2019deep.yaml"
ROOT = Path(__file__).parents[2]


def test_a_sound_catalogue_has_no_findings(library: Any) -> None:
    assert library.findings() == []


def test_codes_are_unique_and_in_words_of_group_and_slug() -> None:
    codes = [rule.code for rule in ALL_RULES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+/[a-z0-9]+(-[a-z0-9]+)*", code) for code in codes)


def test_the_documentation_lists_every_code_as_the_table_does() -> None:
    listed = re.findall(
        r"^\| `([^`]+/[^`]+)` \| (\w+) \| (.+) \|$", (ROOT / "docs/checks.md").read_text(), re.MULTILINE
    )
    assert listed == [(rule.code, rule.severity, rule.says) for rule in ALL_RULES]


def test_every_code_the_reader_may_give_stands_in_the_table() -> None:
    known = {rule.code for rule in RULES}
    records = ROOT / "tools/inversion_atlas/records"
    source = "".join(path.read_text() for path in records.glob("*.py"))
    given = {f"record/{code}" for code in re.findall(r'PydanticCustomError\(\s*"([a-z-]+)"', source)}
    given |= {f"record/{code}" for code in re.findall(r'_matching\(\s*\w+,\s*"([a-z-]+)"', source)}
    given |= {f"yaml/{code}" for code in re.findall(r'(?:YamlError|_at)\(\s*(?:[\w.]+,\s*)?"([a-z0-9-]+)"', source)}
    reader = (ROOT / "tools/inversion_atlas/catalogue.py").read_text()
    given |= set(re.findall(r'"((?:record|file|yaml)/[a-z0-9-]+)"', reader))
    assert len(given) > 35
    assert given <= known


# What is changed in the sound catalogue, and the one code that it brings.
PAPERS = {
    "reference/unknown-venue": {"venue": "icml"},
    "reference/venue-alias": {"venue": "nips"},
    "reference/unknown-dataset": {"datasets": "[mnits]"},
    "reference/unknown-metric": {"metrics": "[mes]"},
    "reference/unknown-facet": {"taxonomy": "{acces: [white-box]}"},
    "reference/unknown-term": {"taxonomy": "{access: [black-box]}"},
    "reference/unknown-source": {"unconfirmed": "{title: yang-surveys}"},
    "reference/unknown-field": {"unconfirmed": "{tilte: yang-survey}"},
    "reference/unknown-paper": {"relations": "[{improves: zhu2019depe}]"},
    "reference/claimed-id": {"aliases": "[zhu2019deep]"},
    "relation/self": {"relations": "[{improves: zoe2020work}]"},
    "relation/twice": {"relations": "[{improves: zhu2019deep}, {improves: zhu2019deep}]"},
    "duplicate/arxiv": {"links": '{arxiv: "1906.08935"}'},
    "duplicate/title": {"title": "DEEP leakage – from  gradients", "authors": '["Zhu, Ligeng"]'},
    "duplicate/in-list": {"datasets": "[mnist, mnist]"},
    "year/future": {"year": "2028"},
    "year/early": {"year": "1899"},
    "year/future-day": {"added": "2026-06-02"},
    "arxiv/impossible": {"links": '{arxiv: "2013.00001"}'},
    "arxiv/late": {"links": '{arxiv: "2212.00001"}'},
    "arxiv/doi": {"links": '{doi: "10.48550/arXiv.2003.00001"}'},
    "link/session-token": {"links": "{pdf: 'https://a.org/x?casa_token=a'}"},
    "link/tracking": {"links": "{pdf: 'https://a.org/x?utm_source=a'}"},
    "link/private-host": {"links": "{pdf: 'http://127.0.0.1/x'}"},
    "link/http": {"links": "{pdf: 'http://a.org/x'}"},
    "link/code-is-paper": {"links": "{paper: 'https://a.org/x', code: ['https://www.a.org/x/']}"},
    "link/paper-of-another": {"links": "{paper: 'http://proceedings.neurips.cc/paper/2019/hash/60a6/'}"},
    "link/code-of-another": {"links": "{code: ['https://github.com/MIT-han-lab/dlg/']}"},
    "link/arxiv-of-another": {"links": "{pdf: 'https://arxiv.org/pdf/1906.08935v2.pdf'}"},
    "link/doi-of-another": {"links": '{doi: "10.1145/1", paper: "https://doi.org/10.1145/2"}'},
    "link/missing-id": {"links": '{paper: "https://doi.org/10.1145/2"}'},
    "link/github-form": {"links": "{code: ['https://github.com/a/b/blob/main/c.py']}"},
    "text/loose-accent": {"authors": '["Gu¨rses, Seda"]'},
    "text/ligature": {"title": "Conﬁdence of many things"},
    "text/lost-character": {"title": "Con\ufffddence of many things"},
    "text/mojibake": {"authors": '["MÃ¼ller, Ann"]'},
    "text/markup": {"title": "Cats &amp; dogs"},
    "text/double-space": {"title": "Cats  and dogs"},
    "text/full-stop": {"title": "Cats and dogs."},
    "text/capitals": {"title": "CATS AND DOGS AND MICE"},
    "author/et-al": {"authors": '["Zhu, Ligeng", "et al."]'},
    "author/order": {"authors": '["Ligeng Zhu"]'},
    "author/split": {"authors": '["Zhu", "Ligeng"]'},
    "complete/evidence": {"evidence": None},
    "complete/idle-status": {"venue": "neurips", "status": "{state: rejected, reason: r, evidence: 'https://a.org/'}"},
    "style/canonical": {"authors": "['Roe, Ann']"},
    "duplicate/near-title": {"title": "Deep leakages from the gradients", "authors": '["Zhu, Ligeng"]'},
    "file/wrong-folder": {},
    "record/hidden-character": {"title": '"a\\u202eb"'},
    "record/not-a-number": {"year": "1e9"},
    "record/bad-relation": {"relations": "[{verb: hurts, target: zhu2019deep}]"},
    "record/not-a-day": {"added": "1700000000"},
}


@pytest.mark.parametrize("code", PAPERS)
def test_a_rule_finds_what_breaks_it_in_a_paper(library: Any, code: str) -> None:
    library.paper("zoe2020work", **PAPERS[code])
    if code == "file/wrong-folder":
        (library.root / "data/papers/2021").mkdir()
        (library.root / "data/papers/2020/zoe2020work.yaml").rename(library.root / "data/papers/2021/zoe2020work.yaml")
    found = library.findings()
    ignored = {"text/double-space"} if code == "duplicate/title" else {"link/http"}
    codes = {finding.code for finding in found} - (ignored - {code})
    assert codes == {code}
    assert all(finding.path.endswith("zoe2020work.yaml") for finding in found)
    assert all(finding.line > 1 or code in ("file/wrong-folder", *STARTS) for finding in found)


def test_two_authors_may_share_their_initials(library: Any) -> None:
    library.paper("zoe2020work", authors='["Roe, X.-Y.", "Roe, X.-Y.", "Doe, Ann"]')
    assert not library.findings()
    library.paper("zoe2020work", authors='["Roe, Xi", "Roe, Xi", "Doe, Ann"]')
    assert [finding.code for finding in library.findings()] == ["duplicate/in-list"]


# Rules about the title, which is the first line, or about the record as a whole.
STARTS = [code for code in PAPERS if "title" in PAPERS[code]] + ["complete/evidence"]

OTHERS = {
    "taxonomy/unknown-broader": ("taxonomy/access.yaml", "    aliases", "    broader: grey\n    aliases"),
    "taxonomy/cycle": ("taxonomy/access.yaml", "    aliases", "    broader: white-box\n    aliases"),
    "taxonomy/dotted-id": ("taxonomy/family.yaml", "    broader: gradient-inversion\n", ""),
    "taxonomy/shared-spelling": ("taxonomy/family.yaml", "    label: By opt", "    label: Gradient INVERSION #"),
    "reference/unknown-source": ("taxonomy/access.yaml", "[yang-survey]", "[yang-servey]"),
    "reference/unknown-paper": ("data/metrics.yaml", "Structure.\n", "Structure.\n  introduced_by: bauer2001mse\n"),
    "record/bad-range": ("data/metrics.yaml", "  blind_to", "  range: [inf, 0]\n  blind_to"),
    "record/not-a-number": ("data/metrics.yaml", "  blind_to", "  range: [0, nan]\n  blind_to"),
    "record/bad-id": ("data/datasets.yaml", "description: Handwritten digits.\n", "description: d\nmnist 2: {}\n"),
    "taxonomy/implied-term": (
        ZHU,
        "[gradient-inversion.optimization]",
        "[gradient-inversion, gradient-inversion.optimization]",
    ),
    "complete/summary": (ZHU, "summary:", "# summary:"),
    "complete/family": (ZHU, "  family:", "  # family:"),
}


@pytest.mark.parametrize("code", OTHERS)
def test_a_rule_finds_what_breaks_it_elsewhere(library: Any, code: str) -> None:
    library.replace(*OTHERS[code])
    codes = set(library.codes())
    assert code in codes
    assert codes <= {code, "record/missing-key"}


def test_a_misspelt_name_brings_the_right_one_to_mind(library: Any) -> None:
    library.paper(
        "roe2020work", datasets="[mnits]", relations="[{improves: zhu2019depe}]", taxonomy="{access: [full-access]}"
    )
    hints = {finding.code: finding.hint for finding in library.findings()}
    assert hints["reference/unknown-dataset"] == "did you mean mnist?"
    assert hints["reference/unknown-paper"] == "did you mean zhu2019deep?"
    assert hints["reference/unknown-term"] == "did you mean white-box?"


def test_a_name_missing_in_many_places_is_one_finding(library: Any) -> None:
    for number in range(9):
        library.paper(f"roe{2001 + number}work", unconfirmed="{title: dibbo-sok}")
    assert library.codes().count("reference/unknown-source") == 1


def test_a_paper_named_by_a_former_id_is_found_and_the_new_one_named(library: Any) -> None:
    library.replace(ZHU, "evidence:", "aliases: [zhu2019old]\nevidence:")
    library.paper("roe2020work", relations="[{improves: zhu2019old}]")
    (finding,) = library.findings()
    assert (finding.code, finding.hint) == ("reference/former-id", "write zhu2019deep")


def test_a_relation_written_at_both_ends_is_found_once(library: Any) -> None:
    library.paper("roe2020work", relations="[{improves: zhu2019deep}]")
    library.replace(ZHU, "evidence:", "relations: [{improved-by: roe2020work}]\nevidence:")
    assert library.codes() == ["relation/twice"]


def test_an_alias_claimed_twice_is_found(library: Any) -> None:
    library.paper("roe2020work", aliases="[poe2020work]")
    library.paper("xoe2020work", aliases="[poe2020work]", title="Another thing altogether")
    assert library.codes() == ["reference/claimed-id"]


def test_a_dataset_and_a_metric_of_one_id_are_found(library: Any) -> None:
    text = (library.root / "data/metrics.yaml").read_text()
    library.write("data/metrics.yaml", text.replace("mse:", "mnist:", 1) + text)
    assert library.codes() == ["reference/shared-id"]


@pytest.mark.parametrize("side", ["roe2020work", "zhu2019deep"])
def test_not_duplicate_of_on_either_side_keeps_two_works_apart(library: Any, side: str) -> None:
    silence = {"not_duplicate_of": "[zhu2019deep]"} if side == "roe2020work" else {}
    library.paper("roe2020work", title="Deep Leakage from Gradients", authors='["Zhu, Ligeng"]', **silence)
    if not silence:
        assert library.codes() == ["duplicate/title"]
        library.replace(ZHU, "evidence:", "not_duplicate_of: [roe2020work]\nevidence:")
    assert library.codes() == []


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("Label-Only Model Inversion Attacks", "Label Only Model Inversion Attack", True),
        ("Blackbox attacks on federated learning", "Black-Box Attacks on Federated Learning", True),
        ("GAMIN: An adversarial approach to model inversion", "An Adversarial Approach to Model Inversion", True),
        ("An adversarial approach to model inversion", "Model Inversion: an adversarial approach", True),
        ("Gradient invertion attacks in federated lerning", "Gradient inversion attacks in federated lerning", True),
        ("Attacks on federated learning of images", "Defenses of federated learning on images", False),
        ("Model inversion of deep networks, part 1", "Model inversion of deep networks, part 2", False),
        ("Improved deep leakage from gradients", "Deep leakage from gradients", False),
        ("Model Inversion", "The Model Inversion", False),
    ],
)
def test_titles_that_differ_by_spelling_are_near_and_those_that_differ_in_meaning_are_not(
    library: Any, one: str, other: str, near: bool
) -> None:
    library.paper("roe2020one", title=f'"{one}"', authors='["Roe, A."]')
    library.paper("roe2020two", title=f'"{other}"', authors='["Roe, A.", "Poe, B."]')
    assert library.codes() == (["duplicate/near-title"] if near else [])


def test_near_titles_of_unrelated_authors_are_two_works(library: Any) -> None:
    library.paper("roe2020one", title="Attacks on federated learning of images")
    library.paper("poe2020two", title="Attack on the federated learning of image")
    assert library.codes() == []


def test_a_preprint_title_counts_as_the_title(library: Any) -> None:
    library.paper("roe2020one", title="Quite another name", other_titles="[Deep leakage from gradients]", year="2019")
    assert library.codes() == ["duplicate/title"]


@pytest.mark.parametrize(
    ("id", "possible"),
    [
        ("0704.0001", True),
        ("1412.9999", True),
        ("1501.00001", True),
        ("2606.00001", True),
        ("cs/0701001", True),
        ("cs/9901001", True),
        ("math.GT/0309136", True),
        ("1412.00001", False),
        ("1501.0001", False),
        ("2600.00001", False),
        ("2607.00001", False),
        ("0703.0001", False),
        ("cs/0704001", False),
        ("cs/9100001", False),
        ("2001.00000", False),
    ],
)
def test_arxiv_ids_are_dates_that_must_have_been(library: Any, id: str, possible: bool) -> None:
    library.paper("roe2020work", links=f'{{arxiv: "{id}"}}', year="2026")
    assert ("arxiv/impossible" in library.codes()) is not possible


def test_collective_authors_need_no_comma(library: Any) -> None:
    library.paper("roe2020work", authors='["European Parliament", "IEEE Standards Association", "OpenAI"]')
    assert library.codes() == []


def test_a_source_may_quote_what_we_may_not_write(library: Any) -> None:
    row = (
        "place: row 1\n    title: Gu¨rses.\n    paper: zhu2019deep\n    says: {link: ['https://a.org/?utm_source=a']}\n"
    )
    library.write("data/sources/yang-survey.yaml", f"title: A Survey\nkind: survey\nrows:\n  - {row}")
    assert library.findings() == []


def test_what_lies_among_the_records_and_is_none_is_found(library: Any) -> None:
    for path in ("data/papers/2019/a.yml", "data/papers/x.yaml", "data/papers/notes/a.yaml", "taxonomy/a.txt"):
        library.write(path, "a: b\n")
    library.write("data/papers/2019/deep/zhu2020deep.yaml", "a: b\n")
    library.write("data/dataset.yaml", "a: b\n")
    library.write("data/papers/1999/.gitkeep", "")
    (library.root / "taxonomy/b.yaml").symlink_to(library.root / "taxonomy/access.yaml")
    (library.root / "data/papers/2018").symlink_to(library.root / "data/papers/1999")
    found = {
        (finding.path, finding.code) for finding in library.findings() if finding.code.startswith(("file/", "yaml/"))
    }
    assert found == {
        ("data/dataset.yaml", "file/unexpected"),
        ("data/papers/2018", "file/symlink"),
        ("data/papers/2019/a.yml", "file/unexpected"),
        ("data/papers/2019/deep", "file/unexpected"),
        ("data/papers/notes", "file/unexpected"),
        ("data/papers/x.yaml", "file/unexpected"),
        ("taxonomy/a.txt", "file/unexpected"),
        ("taxonomy/b.yaml", "yaml/not-a-file"),
    }


def test_one_paper_in_two_folders_is_found(library: Any) -> None:
    library.write("data/papers/2020/zhu2019deep.yaml", (library.root / ZHU).read_text())
    assert library.codes() == ["file/twice"]


def test_a_missing_access_is_a_note(library: Any) -> None:
    library.replace(ZHU, "  access:", "  # access:")
    assert library.codes() == []
    assert "complete/access" in library.all_codes()


def test_what_nothing_uses_is_a_note(library: Any) -> None:
    library.replace("data/venues.yaml", "neurips:", "icml:\n  name: I\n  short: ICML\n  type: conference\nneurips:")
    library.replace("data/datasets.yaml", "mnist:", "lfw:\n  name: L\n  description: d\nmnist:")
    library.replace(
        "taxonomy/access.yaml",
        "terms:\n",
        "terms:\n  oracle:\n    label: O\n    definition: d\n    sources: [yang-survey]\n",
    )
    assert sorted(library.all_codes()) == ["taxonomy/unused-term", "unused/measure", "unused/venue"]
    assert library.codes() == []


def test_findings_are_sorted_by_place(library: Any) -> None:
    library.paper("roe2020work", venue="icml", datasets="[x]", metrics="[y]")
    library.replace(ZHU, "mnist", "mnits")
    places = [(finding.path, finding.line, finding.column) for finding in library.findings()]
    assert len(places) == 5
    assert places == sorted(places)
