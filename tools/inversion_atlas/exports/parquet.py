"""Parquet, for those who work in pandas, Polars or DuckDB; it needs the extra `tables`."""

from __future__ import annotations

from collections.abc import Sequence

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports.missing import MissingPackageError
from inversion_atlas.exports.table import columns, list_columns, row
from inversion_atlas.records.paper import Paper


def write(catalogue: Catalogue, papers: Sequence[Paper]) -> bytes:
    """Return one row per paper, lists as lists; raises MissingPackageError without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingPackageError("parquet", "tables") from None
    lists = list_columns(catalogue)
    types = {"year": pa.int16(), **{name: pa.list_(pa.string()) for name in lists}}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns(catalogue)])
    rows = [row(catalogue, paper) for paper in papers]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())
