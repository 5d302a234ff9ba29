"""The atlas's own name and addresses: one setting each, and everything works while they are not set."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from inversion_atlas.records.fields import Line, Record, Text, Url


def _without_slash(value: str) -> str:
    return value.rstrip("/")


Base = Annotated[Url, AfterValidator(_without_slash)]


class Settings(Record):
    """What `data/atlas.yaml` holds. `site` and `repository` are addresses without a slash at the end."""

    title: Line
    description: Text
    site: Base | None = None
    repository: Base | None = None
    contact: Line | None = None
