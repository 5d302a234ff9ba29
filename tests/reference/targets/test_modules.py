"""The graph of modules that import one another."""

from __future__ import annotations

import torch

from inversion_atlas.reference.targets.modules import _imported, modules


def test_halves_share_no_module_and_links_run_both_ways() -> None:
    graph = modules()
    for half, adjacency, groups in (
        (graph.private, graph.adjacency, graph.groups),
        (graph.public, graph.public_adjacency, graph.public_groups),
    ):
        assert adjacency.shape == (len(half), len(half))
        assert torch.equal(adjacency, adjacency.T)
        assert adjacency.diagonal().sum() == 0
        assert 300 < int(adjacency.sum()) / 2 < 2000
        assert 0.3 < float(groups.double().mean()) < 0.7
        assert set(half.images.unique().tolist()) == {0.0, 1.0}
        assert len(half.labels.unique()) == len(graph.classes)


def test_imports_are_read_as_python_reads_them() -> None:
    text = (
        "from ..base import Thing\nfrom . import one, two\n    from sklearn.utils import (\n    check,\n)\nimport os\n"
    )
    found = _imported("sklearn.cluster._birch", text)
    assert {"sklearn.base", "sklearn.cluster.one", "sklearn.cluster.two", "sklearn.utils.check"} <= found
    assert not any(name.startswith((".", "os")) for name in found)
