"""Numbers sent with few bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from inversion_atlas.reference.defenses.sent import Sent, changed


def quantize(observation: Sent, bits: int, *, stochastic: bool = False, seed: int = 0) -> Sent:
    """Round each part to 2**bits - 1 even steps about 0, up to its largest magnitude (zhu2019deep tries 16 and 8).

    With 1 bit only signs are sent, times the mean magnitude of the part. `stochastic` rounds up or down at random, so
    that the mean of many rounds is exact.
    """
    return mixed_quantize(observation, (bits,), stochastic=stochastic, seed=seed)


def mixed_quantize(
    observation: Sent, widths: Sequence[int] = (4, 8, 16), *, stochastic: bool = False, seed: int = 0
) -> Sent:
    """Round each part with a width drawn from `widths`. Mixed quantization (ovi2023mixed).

    There, layers of the shared model are quantized with widths of their own; here it is what the client sends.
    """
    if not widths or not all(1 <= width <= 24 for width in widths):
        raise ValueError(f"widths must be from 1 to 24 bits, not {tuple(widths)}")

    def change(sent: Mapping[str, Tensor]) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randint(len(widths), (len(sent),), generator=generator)
        widened = zip(sent.items(), drawn, strict=True)
        return {name: _rounded(part, widths[int(at)], stochastic, generator) for (name, part), at in widened}

    told = " or ".join(map(str, widths))
    return changed(observation, change, f"quantization to {told} bits")


def _rounded(part: Tensor, bits: int, stochastic: bool, generator: torch.Generator) -> Tensor:
    if bits == 1:
        return part.sign() * part.abs().mean()
    steps = 2 ** (bits - 1) - 1
    largest = part.abs().max()
    if float(largest) == 0:
        return part
    scaled = part / largest * steps
    if stochastic:
        scaled = scaled + torch.rand(part.shape, generator=generator, dtype=part.dtype) - 0.5
    rounded: Tensor = scaled.round() * largest / steps
    return rounded
