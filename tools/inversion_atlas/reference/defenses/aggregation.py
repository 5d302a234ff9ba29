"""Secure aggregation: of many clients the server sees the sum alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from inversion_atlas.reference.observations import SharedGradient

# Numbers become integers in units of 2**-40; sums up to 2**22 fit.
_SCALE = float(2**40)


def securely_aggregated(clients: Sequence[SharedGradient], *, least: int = 1, seed: int = 0) -> SharedGradient:
    """Return what the server sees of several clients: the mean gradient over all of their examples.

    Entries that fewer than `least` clients contribute to are withheld as zero (suimon2025per); sparse gradients would
    otherwise show them in the clear. The sum is taken over masked integers, each pair of clients sharing a mask that
    one adds and the other subtracts; keys and clients that drop out are left to a protocol.
    """
    if len(clients) < 2 or least < 1:
        raise ValueError(f"give at least two clients, and least from 1, not {len(clients)} and {least}")
    first = clients[0]
    if any(not _alike(first, client) for client in clients[1:]):
        raise ValueError("the clients did not share gradients of the same model and mode")
    examples = sum(client.batch_size for client in clients)
    summed = {}
    for number, name in enumerate(first.gradient):
        own = torch.stack([client.gradient[name] * client.batch_size for client in clients])
        enough = (own != 0).sum(dim=0) >= least
        mean = (unmasked_sum(masked(own, seed + number)) / examples).to(own.dtype)
        summed[name] = mean * enough
    known = [client.labels for client in clients]
    labels = None if any(each is None for each in known) else torch.cat([each for each in known if each is not None])
    told = f"secure aggregation of {len(clients)} clients"
    told += f", at least {least} of them at each entry" if least > 1 else ""
    return replace(first, batch_size=examples, labels=labels).with_gradient(summed, defense=told)


def masked(vectors: Tensor, seed: int) -> Tensor:
    """Return what each client sends, of shape (clients, ...): integers modulo 2**64 under pairwise masks."""
    sent = (vectors.double() * _SCALE).round().long()
    generator = torch.Generator().manual_seed(seed)
    for one in range(len(vectors)):
        for other in range(one + 1, len(vectors)):
            mask = _integers(vectors[0].shape, generator)
            sent[one] += mask
            sent[other] -= mask
    return sent


def unmasked_sum(sent: Tensor) -> Tensor:
    """Return the sum of the clients' vectors in float64: the masks cancel."""
    return sent.sum(dim=0).double() / _SCALE


def _integers(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return integers from the whole range of 64 bits."""
    high, low = (torch.randint(-(2**31), 2**31, shape, generator=generator) for _ in "hl")
    return high * 2**32 + low


def _alike(one: SharedGradient, other: SharedGradient) -> bool:
    first, second = one.model.state_dict(), other.model.state_dict()
    return (
        one.mode == other.mode
        and list(one.gradient) == list(other.gradient)
        and first.keys() == second.keys()
        and all(torch.equal(first[name], second[name]) for name in first)
    )
