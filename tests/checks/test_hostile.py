"""Files that are hostile or broken: one clear finding each, at the right place, and none elsewhere."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from inversion_atlas.records import yamlfile

BAD = "data/papers/2020/roe2020work.yaml"
HEAD = 'title: A Title\nauthors: ["Roe, Ann"]\n'
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

TEXTS: dict[str, tuple[str | bytes, str, int, int]] = {
    "an alias bomb": (BOMB, "yaml/alias", 2, 8),
    "an alias to itself": ("a: &a [*a]\n", "yaml/alias", 1, 8),
    "an unknown alias": ("a: *b\n", "yaml/alias", 1, 4),
    "a key twice": (HEAD + "title: B\n", "yaml/duplicate-key", 3, 1),
    "a key twice further in": (HEAD + "links:\n  doi: x\n  doi: y\n", "yaml/duplicate-key", 5, 3),
    "flow nested deep": ("a: " + "[" * 100_000, "yaml/too-deep", 1, 42),
    "blocks nested deep": ("".join(f"{' ' * depth}a:\n" for depth in range(500)), "yaml/too-deep", 40, 40),
    "dashes nested deep": ("- " * 100_000, "yaml/too-deep", 1, 79),
    "very many values": ("a: [" + "b," * 2_000 + "]", "yaml/too-large", 1, 4),
    "a NUL": (b"title: a\nb\0c", "yaml/nul", 2, 2),
    "Latin-1": ("title: Ü\n".encode() + "author: Gürses".encode("latin-1"), "yaml/not-utf8", 2, 10),
    "Latin-1 behind UTF-8": ("title: Ü ".encode() + b"\xfc", "yaml/not-utf8", 1, 10),
    "UTF-16": ("title: a".encode("utf-16-le"), "yaml/nul", 1, 2),
    "UTF-16 with a mark": ("title: a".encode("utf-16"), "yaml/byte-order-mark", 1, 1),
    "a byte order mark": (b"\xef\xbb\xbftitle: a", "yaml/byte-order-mark", 1, 1),
    "random bytes": (bytes(range(128, 256)) * 100, "yaml/not-utf8", 1, 1),
    "a tab as indent": ("links:\n\tdoi: x\n", "yaml/tab", 2, 1),
    "an escape character": ("title: a\x1b[31m\n", "yaml/control-character", 1, 9),
    "half a character, escaped": ('title: "\\ud800"\n', "yaml/syntax", 1, 11),
    "half a character, encoded": (b"title: \xed\xa0\x80\n", "yaml/not-utf8", 1, 8),
    "two documents": (HEAD + "---\ntitle: B\n", "yaml/documents", 3, 1),
    "a tag": ("title: !!python/object/apply:os.system [ls]\n", "yaml/tag", 1, 8),
    "a list as key": ("? [a]\n: b\n", "yaml/bad-key", 1, 3),
    "nothing": ("", "yaml/empty", 1, 1),
    "only a comment": ("# title\n", "yaml/empty", 1, 1),
    "a list": ("- title\n", "record/not-a-mapping", 1, 1),
    "a scalar": ("title\n", "record/not-a-mapping", 1, 1),
    "null": ("~\n", "record/not-a-mapping", 1, 1),
    "an open bracket": ("title: [a\n", "yaml/syntax", 2, 1),
    "a colon too many": ("title: a: b\n", "yaml/syntax", 1, 9),
    "an id inside": ("id: roe2020work\n" + HEAD, "record/id-inside", 1, 1),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_broken_file_is_one_finding_at_its_place(library: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, code, line, column = TEXTS[name]
    monkeypatch.setattr(yamlfile, "MAX_NODES", 1000)
    library.write(BAD, text)
    library.replace("data/papers/2019/zhu2019deep.yaml", "evidence:", "relations: [{improves: roe2020work}]\nevidence:")
    (finding,) = library.findings()
    assert (finding.code, finding.path, finding.line, finding.column) == (code, BAD, line, column)
    assert finding.message
    assert finding.hint


VALUES = {
    "a huge year": ("year: 99999999999999999999\n", "record/not-a-number"),
    "a year as a power": ("year: 1e9\n", "record/not-a-number"),
    "a year in other digits": ("year: ２０１９\n", "record/not-a-number"),
    "a null title": ("title:\nyear: 2020\n", "record/missing-key"),
    "a number as key": ("1: x\nyear: 2020\n", "record/unknown-key"),
    "a line break in a key": ('"a\\nb": x\nyear: 2020\n', "record/unknown-key"),
    "a merge key": ("<<: {a: b}\nyear: 2020\n", "record/unknown-key"),
    "nan": ("reported: [{metric: mse, value: nan, place: p, evidence: 'https://a.org/'}]\n", "record/not-a-number"),
    "infinity": (
        "reported: [{metric: mse, value: inf, place: p, evidence: 'https://a.org/'}]\n",
        "record/not-a-number",
    ),
    "a script as link": ("links: {paper: 'javascript:alert(1)'}\n", "record/unsafe-url"),
    "a password in a link": ("links: {paper: 'https://u:p@a.org/'}\n", "record/url-credentials"),
    "a line separator": ('title: "a\\Lb"\nyear: 2020\n', "record/hidden-character"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_hostile_value_is_named_and_shown_harmless(library: Any, name: str) -> None:
    text, code = VALUES[name]
    sound = 'title: A Title\nauthors: ["Roe, Ann"]\nyear: 2020\nkind: background\nevidence: [https://a.org/]\n'
    changed = {line.split(":")[0] for line in text.splitlines()}
    library.write(BAD, text + "".join(f"{row}\n" for row in sound.splitlines() if row.split(":")[0] not in changed))
    found = [finding for finding in library.findings() if finding.code != "style/canonical"]
    assert [finding.code for finding in found] == [code]
    assert str(found[0]).isprintable()


def test_a_record_with_very_many_errors_lists_some_and_is_quick(library: Any) -> None:
    library.write(BAD, "".join(f"key{number}: x\n" for number in range(20_000)))
    start = time.process_time()
    found = library.findings()
    # Values that multiply would never end; this is no stopwatch.
    assert time.process_time() - start < 60
    assert len(found) < 30
    assert "record/more" in {finding.code for finding in found}


def test_what_is_no_file_is_one_finding_and_never_hangs(library: Any) -> None:
    folder = library.root / "data/papers/2020"
    (folder / "aoe2020folder.yaml").mkdir(parents=True)
    os.mkfifo(folder / "boe2020pipe.yaml")
    (folder / "coe2020zero.yaml").symlink_to("/dev/zero")
    (folder / "doe2020nowhere.yaml").symlink_to("nowhere")
    (folder / "eoe2020circle.yaml").symlink_to("eoe2020circle.yaml")
    with open(folder / "foe2020huge.yaml", "wb") as file:
        file.truncate(100 * 1024 * 1024)
    found = {(finding.path.split("2020")[-1], finding.code) for finding in library.findings()}
    assert found == {
        ("folder.yaml", "yaml/not-a-file"),
        ("pipe.yaml", "yaml/not-a-file"),
        ("zero.yaml", "yaml/not-a-file"),
        ("nowhere.yaml", "yaml/not-a-file"),
        ("circle.yaml", "yaml/not-a-file"),
        ("huge.yaml", "yaml/too-large"),
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_one_finding(library: Any) -> None:
    library.paper("roe2020work")
    (library.root / BAD).chmod(0)
    assert library.codes() == ["file/unreadable"]


@pytest.mark.parametrize("path", ["datasets.yaml", "metrics.yaml", "venues.yaml", "sources/yang-survey.yaml"])
def test_a_broken_collection_makes_no_reference_to_it_wrong(library: Any, path: str) -> None:
    library.write(f"data/{path}", "a: [")
    assert library.codes() == ["yaml/syntax"]


def test_a_broken_facet_makes_no_term_wrong(library: Any) -> None:
    library.replace("taxonomy/access.yaml", "order: 1", "order: one")
    row = "place: r\n    title: t\n    term: white-box\n"
    library.write("data/sources/yang-survey.yaml", f"title: A Survey\nkind: survey\nrows:\n  - {row}")
    assert library.codes() == ["record/not-a-number"]


def test_a_catalogue_broken_in_every_file_is_still_checked(library: Any) -> None:
    files = sorted(path for path in library.root.rglob("*.yaml"))
    for path in files:
        path.write_text("a: [")
    assert library.codes() == ["yaml/syntax"] * len(files)


def test_a_file_name_that_is_no_id_is_one_finding(library: Any) -> None:
    library.paper("roe2020work")
    for name in ["Roe 2020.yaml", "a\nb.yaml", "\x1b[31m.yaml", os.fsdecode(b"\xff.yaml")]:
        (library.root / BAD).with_name(name).write_bytes((library.root / BAD).read_bytes())
    found = library.findings()
    assert {finding.code for finding in found} == {"record/bad-paper-id"}
    assert len(found) == 4
    assert all(str(finding).isprintable() for finding in found)


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_other_line_ends_are_read_with_right_line_numbers(library: Any, end: str) -> None:
    library.write(BAD, f"title: A{end}authors: [x]{end}year: no{end}kind: background{end}evidence: []{end}")
    (finding,) = (finding for finding in library.findings() if finding.code.startswith("record/"))
    assert (finding.code, finding.line, finding.column) == ("record/not-a-number", 3, 1)
