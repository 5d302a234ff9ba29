"""The catalogue as one JSON document: papers in full, and the things they name."""

from __future__ import annotations

import json
from collections.abc import Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import json_record
from inversion_atlas.records.paper import Paper
from inversion_atlas.stamp import read_stamp

LICENSE = "CC-BY-4.0"


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return the document; datasets, metrics and venues are those the papers name, facets are all."""
    stamp = read_stamp(catalogue)
    datasets = {id for paper in papers for id in paper.datasets}
    metrics = {id for paper in papers for id in paper.metrics}
    venues = {paper.venue for paper in papers}
    document = {
        "schema_version": json_record.SCHEMA_VERSION,
        "title": catalogue.settings.title,
        "license": LICENSE,
        "version": stamp.version,
        "commit": stamp.commit,
        "date": stamp.date,
        "count": len(papers),
        "papers": [json_record.paper_json(catalogue, paper) for paper in papers],
        "datasets": [
            json_record.dataset_json(catalogue, each) for each in catalogue.datasets.values() if each.id in datasets
        ],
        "metrics": [
            json_record.metric_json(catalogue, each) for each in catalogue.metrics.values() if each.id in metrics
        ],
        "venues": [json_record.venue_json(catalogue, each) for each in catalogue.venues.values() if each.id in venues],
        "facets": [json_record.facet_json(catalogue, facet) for facet in catalogue.facets.values()],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
