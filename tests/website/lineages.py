"""The real catalogue with more relations than it has, to see that the lineage stays readable."""

from __future__ import annotations

import random
from dataclasses import replace

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.paper import Kind, Paper, Relation


def with_relations(catalogue: Catalogue, count: int, seed: int = 0) -> Catalogue:
    """Return the catalogue with about `count` relations as papers have them: newer to older, to few well-known ones."""
    rng = random.Random(seed)
    works = [paper for paper in catalogue.papers.values() if paper.kind in (Kind.ATTACK, Kind.DEFENSE)]
    by_family: dict[str, list[Paper]] = {}
    for paper in works:
        for term in paper.taxonomy.get("family", ())[:1]:
            by_family.setdefault(term.split(".")[0], []).append(paper)
    added: dict[str, list[Relation]] = {}
    seen: set[tuple[str, str]] = set()
    while len(seen) < count:
        paper = rng.choice(works)
        family = next((term.split(".")[0] for term in paper.taxonomy.get("family", ())), "gradient-inversion")
        if family == "defense":
            family = rng.choice(["gradient-inversion", "gradient-inversion", "model-inversion", "feature-inversion"])
        older = sorted(
            (other for other in by_family.get(family, []) if other.year < paper.year), key=lambda other: other.year
        )
        if not older:
            continue
        target = older[min(int(rng.expovariate(1 / 6)), len(older) - 1)]
        if (paper.id, target.id) in seen or target.id == paper.id:
            continue
        seen.add((paper.id, target.id))
        if paper.kind is Kind.DEFENSE:
            verb = "improves" if target.kind is Kind.DEFENSE else "defends-against"
        else:
            verb = "attacks" if target.kind is Kind.DEFENSE else rng.choice(["improves", "improves", "extends"])
        added.setdefault(paper.id, []).append(Relation(verb=verb, target=target.id, how="as one says"))
    papers = {
        id: paper.model_copy(update={"relations": tuple(added.get(id, ()))}) for id, paper in catalogue.papers.items()
    }
    return replace(catalogue, papers=papers)
