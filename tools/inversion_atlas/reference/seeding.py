"""Random numbers from a seed that nobody else draws from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random numbers from a seed, and leave those of others alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
