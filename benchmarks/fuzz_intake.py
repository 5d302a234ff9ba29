"""The readers of BibTeX, RIS and CSL-JSON against mutated files: nothing raises, nothing is lost, nothing is slow.

python benchmarks/fuzz_intake.py [--cases 1000000] [--seed 1] [--processes 1] [--save FOLDER]

A case takes one or two real-looking entries, changes them (bytes flipped, pieces cut, doubled, swapped or taken from
another entry, marks of the syntax put in, encodings mixed), reads the bytes as `atlas add` does, and makes records of
what was read. It fails where something raises; where a text gives no entry at all; where an entry that is not refused
makes no record; where a record's BibTeX, read again, gives another title, year or number of authors (tried in every
fourth case); or where it takes more than two CPU seconds. Each process has its own seed (seed, seed + 1, …). What fails
is written to FOLDER, shortened, and printed. Exit code 1 where something failed.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import sys
import time
import traceback
import unicodedata
from pathlib import Path

from inversion_atlas.catalogue import Catalogue, load
from inversion_atlas.exports.bibtex import entry as bibtex_entry
from inversion_atlas.exports.tex import escape
from inversion_atlas.intake import draft, files
from inversion_atlas.intake.latex import to_unicode
from inversion_atlas.records.folding import fold
from inversion_atlas.records.paper import Paper

ROOT = Path(__file__).resolve().parents[1]
SLOW = 2.0
SHOWN = 3
SEEDS = [
    rb"""@inproceedings{zhu2019deep,
  title = {Deep {L}eakage from {G}radients}, author = {Zhu, Ligeng and Liu, Zhijian and Han, Song},
  booktitle = "Advances in Neural Information Processing Systems", year = 2019, volume = 32, pages = {14747--14756},
}""",
    rb"""@string{ccs = "Proceedings of the 22nd {ACM} {CCS}"}
@inproceedings{key:1+x/y, author="Matt Fredrikson and Somesh Jha and {van der Ristenpart}, Thomas",
title="Model Inversion Attacks that Exploit Confidence Information \& Basic Countermeasures",
booktitle=ccs # " '15",
month = oct, year = {2015}, doi = {10.1145/2810103.2813677}}""",
    rb"""@article{geiping, title={Inverting Gradients -- How easy is it to break privacy in federated learning?},
  author={Jonas Geiping and Hartmut Bauermeister and Hannah Dr{\"o}ge and Michael Moeller and others},
  journal={arXiv preprint arXiv:2003.14053v2}, year={2020}, url={https://arxiv.org/abs/2003.14053}}""",
    "@misc{müller, title={Größe – ‘quoted’ $\\ell_2$ &amp; ^{2}}， author={Erd{\\H o}s, P{\\'a}l and {Team, Inc.}}，"
    " year={2021}, eprint={2101.00001}, archivePrefix={arXiv}}".encode(),
    rb"""@proceedings{p, title = {Proceedings of X}, year = 2020}
@inproceedings{c, crossref = {p}, author = {A. B. and C D, and E F}, title = {On $\epsilon$-{DP} 50% of the time}}
@comment{jabref-meta: databaseType:bibtex;}
@preamble{"\newcommand{\noopsort}[1]{}"}""",
    b"TY  - JOUR\r\nAU  - Zhao, Bo\r\nAU  - Mopuri, Konda Reddy\r\nTI  - iDLG: Improved Deep Leakage\r\n"
    b"  from Gradients\r\nT2  - arXiv\r\nPY  - 2020/01/08\r\nSP  - 1\r\nEP  - 9\r\nDO  - 10.1/x\r\nER  - \r\n",
    b"TY  - CONF\nA1  - Gr\xfcn, J.\nT1  - Two records\nY1  - 2019\nTY  - CHAP\nAU  - Liu, Z.\nTI  - without an end\n"
    b"PY  - 2018\n",
    b'[{"type": "paper-conference", "title": "A <i>title</i> &amp; more", "author": [{"family": "Gogh", "given": "V.", '
    b'"non-dropping-particle": "van"}, {"literal": "Team"}], "issued": {"date-parts": [[2019, 5]]}, '
    b'"DOI": "10.1145/1"}]',
]
# fmt: off
MARKS = [
    b"{", b"}", b'"', b",", b"=", b"#", b"@", b"(", b")", b"\\", b"$", b"%", b"&", b"~", b"^", b"_", b"\n", b"\r",
    b"\0",     b"\xff", b"\xfc",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xae", b"\xef\xbc\x8c", b"\xcc\x81", b"\xf0\x9f\x98\x80",
    b" and ", b" and others", b"et al.", b"@article{", b"@string{x=", b"crossref={p}", b"\\\"{", b"{\\'", b"year=",
    b"TY  - ",
    b"ER  - ", b"AU  - ", b"  - ", b"\n@", b"--", b"}}", b"},", b"{{", b"[", b"]", b"null", b"1e999", b"\\u0000",
    b"\\ud800",
    b"&#0;", b"&#x110000;", b"\xc2\xa0", b"\xe2\x80\xa8", b"9" * 50, b"a" * 300, b",,,", b"; ", b"http://", b"10.1/",
]
# fmt: on


def mutated(chance: random.Random) -> bytes:
    """Return one case."""
    data = bytearray(b"\n".join(chance.choice(SEEDS) for _ in range(chance.choice((1, 1, 1, 2)))))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8, 20))):
        at, kind = chance.randrange(len(data) + 1), chance.randrange(8)
        to = min(len(data), at + chance.choice((1, 1, 2, 5, 20, 80)))
        if kind <= 1:
            data[at:at] = chance.choice(MARKS)
        elif kind == 2:
            del data[at:to]
        elif kind == 3:
            data[at:at] = data[at:to] * chance.choice((1, 1, 2, 10))
        elif kind == 4 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 5:
            other = chance.choice(SEEDS)
            start = chance.randrange(len(other))
            data[at:to] = other[start : start + chance.choice((1, 5, 30, 100))]
        elif kind == 6:
            data[at:to] = chance.choice(MARKS)
        else:
            there = chance.randrange(len(data) + 1)
            data[there:there] = data[at:to]
    return bytes(data)


def failure(data: bytes, catalogue: Catalogue, *, again: bool = True) -> str:
    """Return what is wrong with how a case is read, and with `again` how its records are, or nothing."""
    started = time.process_time()
    try:
        entries = files.read(data, "case")
        for found in entries:
            paper, read = draft.paper_of(found, catalogue)
            if paper is None and not read.refused:
                return "no record, and not refused"
            if paper is not None:
                paper = draft.with_id(paper, ())
                if again:
                    draft.text_of(paper, read, catalogue, [])
                if again and (wrong := _other_when_read_again(paper, catalogue)):
                    return wrong
        if not entries and data.strip():
            return "nothing was read, and nothing was said"
    except Exception:
        return traceback.format_exc()
    taken = time.process_time() - started
    return f"slow: {taken:.1f} s for {len(data):,} bytes" if taken > SLOW else ""


def _other_when_read_again(paper: Paper, catalogue: Catalogue) -> str:
    written = bibtex_entry(catalogue, paper)
    again = files.read(written.encode(), "again")
    if len(again) != 1:
        return f"other entries: {len(again)} where one was written:\n{written}"
    # BibTeX has no way to write accents on nothing and emoji: where the letters alone change, nothing else is compared.
    said = "".join((paper.title, *paper.authors))
    if any(map(unicodedata.combining, said)) or fold(to_unicode(escape(said))) != fold(said):
        return ""
    if fold(again[0].title) != fold(paper.title):
        return f"another title: {paper.title!r} came back as {again[0].title!r}:\n{written}"
    if again[0].year != paper.year:
        return f"another year: {paper.year} came back as {again[0].year}:\n{written}"
    if len(again[0].authors) != len(paper.authors):
        return f"other authors: {paper.authors} came back as {again[0].authors}:\n{written}"
    return ""


def kind_of(wrong: str) -> str:
    """Return what failures have in common: the exception, or the words before the colon."""
    lines = wrong.rstrip().split("\n")
    return lines[-1][:60] if lines[0].startswith("Traceback") else lines[0].partition(":")[0]


def shortened(data: bytes, catalogue: Catalogue, budget: int = 400) -> bytes:
    """Return a smaller case that fails alike."""
    kind = kind_of(failure(data, catalogue))
    size = len(data) // 2
    while size and budget:
        at = 0
        while at < len(data) and budget:
            smaller = data[:at] + data[at + size :]
            budget -= 1
            if kind_of(failure(smaller, catalogue)) == kind:
                data = smaller
            else:
                at += size
        size //= 2
    return data


def run(arguments: tuple[int, int, Path | None]) -> tuple[int, dict[str, int]]:
    """Try so many cases of a seed; return how many bytes they held and how often each failure came."""
    seed, cases, folder = arguments
    catalogue, chance, total = load(ROOT), random.Random(seed), 0
    found: dict[str, int] = {}
    for number in range(cases):
        data = mutated(chance)
        total += len(data)
        if wrong := failure(data, catalogue, again=number % 4 == 0):
            kind = kind_of(wrong)
            found[kind] = found.get(kind, 0) + 1
            if found[kind] <= SHOWN:
                small = shortened(data, catalogue)
                print(f"seed {seed}, case {number}: {failure(small, catalogue)}\n{small!r}", flush=True)
                if folder:
                    (folder / f"{hashlib.sha256(small).hexdigest()[:12]}.bin").write_bytes(small)
    return total, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--save", type=Path)
    given = parser.parse_args()
    if given.save:
        given.save.mkdir(parents=True, exist_ok=True)
    parts = [given.cases // given.processes + (at < given.cases % given.processes) for at in range(given.processes)]
    jobs = [(given.seed + at, cases, given.save) for at, cases in enumerate(parts)]
    started = time.monotonic()
    with multiprocessing.Pool(given.processes) as pool:
        results = pool.map(run, jobs)
    seconds = time.monotonic() - started
    failed = sum(count for _, found in results for count in found.values())
    size = sum(total for total, _ in results)
    seeds = f"seeds {given.seed} to {given.seed + given.processes - 1}"
    print(f"{given.cases:,} cases, {size:,} bytes, {seeds}: {failed} failed")
    print(f"{seconds:.0f} s, {given.cases / seconds:.0f} cases a second")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
