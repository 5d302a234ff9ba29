"""Tables with a sensitive answer, graphs, and the models fitted to them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inversion_atlas.reference.targets import data, graphs, tables, training


@pytest.mark.parametrize(
    ("table", "people", "share"),
    [(tables.affairs(), 6366, 0.32), (tables.votes(), 944, 0.42)],
    ids=["affairs", "votes"],
)
def test_a_table_holds_everybody_once_and_a_sensitive_answer(table: tables.Table, people: int, share: float) -> None:
    parts = [table.private, table.test, table.public]
    assert sum(map(len, parts)) == people
    rows = torch.cat([torch.cat((part.records, part.labels[:, None].float()), dim=1) for part in parts])
    assert rows.isfinite().all()
    assert len(table.features) == table.shape[0]
    for part in parts:
        assert set(part.records[:, table.sensitive].tolist()) == set(table.values)
        frequencies = table.frequencies(table.sensitive, part)
        assert sum(frequencies.values()) == pytest.approx(1)
        assert frequencies[1.0] == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize(("name", "least"), [("affairs-tree", 0.3), ("votes-linear", 0.25), ("miserables-gcn", 0.7)])
def test_a_model_that_is_fitted_at_once_is_the_same_each_time(name: str, least: float, cache: Path) -> None:
    one, two = (training.load(name, cache) for _ in "ab")
    assert one.test_accuracy == two.test_accuracy > least
    for key, value in one.model.state_dict().items():
        assert torch.equal(value, two.model.state_dict()[key])


def test_the_graph_is_that_of_the_novel() -> None:
    graph = graphs.miserables()
    assert graph.adjacency.shape == (77, 77)
    assert torch.equal(graph.adjacency, graph.adjacency.T)
    assert int(graph.adjacency.sum()) == 2 * 254
    assert graph.adjacency.diagonal().sum() == 0


def test_a_graph_convolution_spreads_along_edges_alone() -> None:
    network = graphs.GraphConvolution(3, 2).eval()
    features = torch.eye(3)
    joined = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    changed = features.clone()
    changed[0] = 5.0
    difference = (network(changed, joined) - network(features, joined)).abs().sum(dim=1)
    assert (difference[:2] > 0).all()
    assert difference[2] == 0
    roots = graphs.normalized(joined)
    torch.testing.assert_close(roots, torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))


def test_parity_is_that_of_the_digits_in_their_order() -> None:
    assert torch.equal(data.parity().private.labels, data.digits().private.labels % 2)
    assert torch.equal(data.parity().public.images, data.digits().public.images)
