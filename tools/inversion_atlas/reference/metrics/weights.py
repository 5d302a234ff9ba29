"""Weights of published networks, read from a file that the user has and checked by its hash. Nothing is downloaded."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path

import torch
from torch import Tensor

from inversion_atlas.reference.metrics.arguments import MetricError


def read(path: Path | str, sha256: str | None) -> dict[str, Tensor]:
    """Return the tensors of a state dictionary saved by torch, by name.

    `sha256` is what the file's SHA-256 must be or begin with; None leaves it unchecked, for weights of your own. Raises
    MetricError where the file is missing, another, or no state dictionary; code in it is never run.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise MetricError(f"{path} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and not (sha256 and digest.startswith(sha256.lower())):
        raise MetricError(
            f"{path} is another file: its SHA-256 is {digest}, not {sha256}…; sha256=None takes it anyway"
        )
    try:
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0] or "it is empty"
        raise MetricError(f"{path} holds no weights saved by torch: {reason}") from error
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise MetricError(f"{path} holds no state dictionary of tensors")
    return loaded


def fill(module: torch.nn.Module, tensors: dict[str, Tensor], path: Path | str) -> None:
    """Put tensors into a network; raise MetricError where a name or a shape does not fit."""
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise MetricError(f"{path} does not fit the network: {' '.join(str(error).split())[:300]}") from error
    module.eval().requires_grad_(False)
