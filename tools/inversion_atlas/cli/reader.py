"""The client of commands that ask services, made as the environment and the catalogue's settings say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from inversion_atlas.records.findings import printable
from inversion_atlas.records.settings import Settings

if TYPE_CHECKING:
    from inversion_atlas.intake.lookup import Services
    from inversion_atlas.network.polite import Reader

_INSTALL = "look-ups need httpx: pip install 'inversion-atlas[intake]' (files are read without it: --offline)"


def open_reader(
    settings: Settings,
    stack: ExitStack,
    *,
    offline: bool = False,
    cache_days: float = 30.0,
    patience: Mapping[str, Any] | None = None,
) -> tuple[Reader, Services, str]:
    """Return a client that `stack` closes, the services it asks, and the address they may write to.

    `patience` sets further fields of Manners. Raises click.UsageError where httpx is not installed.
    """
    try:
        from inversion_atlas.intake.lookup import Services
        from inversion_atlas.network.guard import Guard
        from inversion_atlas.network.polite import Manners, Reader, cache_folder
    except ModuleNotFoundError as error:
        raise click.UsageError(f"{_INSTALL} ({error.name} is missing)") from None
    contact = settings.contact or settings.repository or ""
    manners = Manners(contact, cache_days=cache_days, **(patience or {}))
    if _is_number(delay := os.environ.get("ATLAS_DELAY", "")):
        manners = replace(manners, delay=float(delay), delays={}, backoff=float(delay))
    services = Services.from_environment()
    key = os.environ.get("ATLAS_OPENALEX_KEY", "")
    reader = Reader(
        Guard(allow_private=os.environ.get("ATLAS_ALLOW_PRIVATE") == "1"),
        manners,
        cache=cache_folder(),
        offline=offline,
        tokens={urlsplit(services.openalex).netloc.lower(): key} if key else {},
        tell=whisper,
    )
    return stack.enter_context(reader), services, contact if "@" in contact else ""


def whisper(text: str) -> None:
    """Say on the error channel what a service does, with nothing in it that a terminal obeys."""
    click.echo(printable(text), err=True)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
