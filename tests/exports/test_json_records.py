"""Records as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import json_file, json_record
from inversion_atlas.records.paper import Paper


def test_a_paper_names_its_relations_from_both_ends(make_catalogue: Callable[..., Catalogue]) -> None:
    paper = {"title": "T", "authors": ["Doe, Jane"], "year": 2020, "kind": "attack"}
    improved = {**paper, "relations": [{"improves": "doe2019first", "how": "faster"}]}
    catalogue = make_catalogue({"doe2019first": paper, "doe2020second": improved})
    made = json_record.paper_json(catalogue, catalogue.papers["doe2019first"])
    assert made["relations"] == [
        {
            "verb": "improved-by",
            "paper": {"id": "doe2020second", "title": "T", "url": "papers/doe2020second/"},
            "how": "faster",
        }
    ]


def test_a_paper_keeps_every_field_of_its_record(catalogue: Catalogue) -> None:
    for paper in catalogue.papers.values():
        made = json_record.paper_json(catalogue, paper)
        assert made.keys() >= Paper.model_fields.keys()
        assert made["links"].keys() == type(paper.links).model_fields.keys()


def test_a_term_counts_the_papers_of_narrower_ones(make_catalogue: Callable[..., Catalogue]) -> None:
    terms = {
        "wide": {"label": "Wide", "definition": "D", "sources": ["s"]},
        "wide.narrow": {"label": "Narrow", "definition": "D", "broader": "wide", "sources": ["s"]},
    }
    paper = {"title": "T", "authors": ["Doe, J"], "year": 2020, "kind": "attack", "taxonomy": {"f": ["wide.narrow"]}}
    catalogue = make_catalogue(
        {"doe2020first": paper}, facets={"f": {"label": "F", "question": "Q", "order": 1, "terms": terms}}
    )
    facet = catalogue.facets["f"]
    made = json_record.term_json(catalogue, facet, facet.terms["wide"])
    assert made["papers"] == ["doe2020first"]
    assert made["narrower"] == [{"id": "wide.narrow", "label": "Narrow"}]
    paper_made = json_record.paper_json(catalogue, catalogue.papers["doe2020first"])
    assert paper_made["taxonomy"] == {"f": [{"id": "wide.narrow", "label": "Narrow"}]}


def test_every_record_of_the_catalogue_is_json(catalogue: Catalogue) -> None:
    made = [json_record.dataset_json(catalogue, each) for each in catalogue.datasets.values()]
    made += [json_record.metric_json(catalogue, each) for each in catalogue.metrics.values()]
    made += [json_record.venue_json(catalogue, each) for each in catalogue.venues.values()]
    made += [json_record.facet_json(catalogue, each) for each in catalogue.facets.values()]
    made += [json_record.source_json(catalogue, each) for each in catalogue.sources.values()]
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    keys = {}
    for each in made:
        keys.setdefault(each["url"].split("/")[0], set()).add(frozenset(each))
    assert all(len(shapes) == 1 for shapes in keys.values())


def test_the_document_says_which_state_it_was_made_from(catalogue: Catalogue) -> None:
    papers = list(catalogue.papers.values())[:3]
    document = json.loads(json_file.write(catalogue, papers))
    assert document["version"] == catalogue.version
    assert document["count"] == len(document["papers"]) == 3
    named = {id for paper in papers for id in paper.datasets}
    assert {each["id"] for each in document["datasets"]} == named & catalogue.datasets.keys()
