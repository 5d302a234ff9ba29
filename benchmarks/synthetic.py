"""Synthetic catalogues of any size: the real taxonomy, datasets, metrics and venues, and invented papers.

python benchmarks/synthetic.py 5000 FOLDER
"""

from __future__ import annotations

import random
import shutil
import sys
from datetime import date
from pathlib import Path

from inversion_atlas.catalogue import Catalogue, load, paper_path
from inversion_atlas.records.identifiers import paper_id
from inversion_atlas.records.paper import Kind, Links, Paper, Relation
from inversion_atlas.records.writing import to_yaml

REPOSITORY = Path(__file__).resolve().parents[1]

_GIVEN = "Ada Bilal Chiara Dũng Élise Fatma Gürkan Håkon Inés Jiří Kenji Łucja Marek Nguyễn Øystein Priya".split()
_SYLLABLES = "an bo cha dé el fu gar hö in ja kov li mé nak ol pé qui ran šte tu vö wang xu yor ze".split()
_WORDS = (
    "adversarial analytic batch boundary calibrated client confidence decoder deep diffusion embedding encoder "
    "ensemble explanation face federated feature fidelity fine-grained generative gradient graph guided hidden "
    "identity image inversion label latent leakage matching memory mixture model network noise normalization patch "
    "perceptual prior privacy private projection prompt pruned query reconstruction recovery representation robust "
    "secure server spectral split statistics surrogate tabular text token transfer update variational vertical"
).split()
# Sentences come from a grammar over these, so that summaries compress and fold like real ones.
_OPENINGS = ("Recovers", "Shows how to recover", "Bounds what leaks of", "Protects", "Measures the leakage of")


def write(folder: Path, size: int, seed: int = 0) -> None:
    """Write a catalogue of `size` papers to `folder`, the same for the same seed."""
    shutil.copytree(REPOSITORY / "taxonomy", folder / "taxonomy")
    (folder / "data" / "sources").mkdir(parents=True)
    for name in ("atlas", "datasets", "metrics", "venues"):
        shutil.copy(REPOSITORY / "data" / f"{name}.yaml", folder / "data")
    real = load(REPOSITORY)
    shutil.copytree(REPOSITORY / "data" / "sources", folder / "data" / "sources", dirs_exist_ok=True)
    taken = set(real.papers)
    # Datasets, metrics and ledgers point at real papers, so those stay part of every synthetic catalogue.
    for paper in list(real.papers.values())[:size]:
        _store(folder, paper)
    rng = random.Random(seed)
    invented: list[str] = []
    while len(invented) < size - len(real.papers):
        paper = _paper(rng, real, taken, invented)
        taken.add(paper.id)
        invented.append(paper.id)
        _store(folder, paper)


def _store(folder: Path, paper: Paper) -> None:
    path = folder / paper_path(paper.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_yaml(paper), encoding="utf-8")


def _paper(rng: random.Random, real: Catalogue, taken: set[str], earlier: list[str]) -> Paper:
    year = rng.randint(2015, 2026)
    authors = tuple(dict.fromkeys(_author(rng) for _ in range(rng.randint(2, 6))))
    title = " ".join(rng.sample(_WORDS, rng.randint(5, 9))).capitalize()
    number = len(earlier)
    arxiv = f"{min(year, 2025) % 100:02d}{number // 9000 % 12 + 1:02d}.{10000 + number % 9000:05d}"
    doi = f"10.5555/{year}.{number}"
    venue = rng.choice(list(real.venues))
    address = f"https://doi.org/{doi}"
    targets = rng.sample(earlier, min(len(earlier), rng.randint(0, 2)))
    return Paper(
        id=paper_id(authors, year, title, taken),
        title=f"{title} {number}",
        authors=authors,
        year=year,
        venue=venue,
        kind=rng.choice((Kind.ATTACK, Kind.ATTACK, Kind.DEFENSE, Kind.SURVEY)),
        methods=(f"M{number}",),
        summary=f"{rng.choice(_OPENINGS)} {' '.join(rng.choices(_WORDS, k=22))}.",
        taxonomy={facet.id: (rng.choice(list(facet.terms)),) for facet in real.facets.values()},
        datasets=tuple(rng.sample(list(real.datasets), min(3, len(real.datasets)))),
        metrics=tuple(rng.sample(list(real.metrics), min(3, len(real.metrics)))),
        links=Links(doi=doi, arxiv=arxiv, paper=address, code=(f"https://github.com/{rng.choice(_WORDS)}/m{number}",)),
        relations=tuple(Relation(verb="improves", target=target, how="Needs fewer queries.") for target in targets),
        added=date(2026, 1, 1),
        evidence=(address,),
    )


def _author(rng: random.Random) -> str:
    family = "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 3))).capitalize()
    return f"{family}, {rng.choice(_GIVEN)}"


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]))
