"""Distance between the activations of a network: LPIPS on its own networks, another score on any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def lpips(
    reconstruction: Tensor,
    original: Tensor,
    *,
    data_range: tuple[float, float],
    trunk: Callable[[Tensor], Sequence[Tensor]],
    heads: Sequence[Tensor] | None,
) -> Tensor:
    """Return the distance of each image to its original in a network's activations. Metric `lpips`.

    0 and up, lower is closer. Zhang and others (2018) as version 0.1 of their package computes it: each activation is
    scaled to length 1 across channels, squared differences are weighted per channel, summed over channels, averaged
    over positions, summed over layers. `trunk` takes images from -1 to 1, into which `data_range` is scaled here, and
    returns activations (batch, channels, height, width); `heads` are the weights of each layer, (channels,), or None
    for 1 everywhere. It is LPIPS with `trunks.load_trunk(name, path)` and `trunks.load_heads(name)` alone: name the
    network. On others say which; the bundled one is `bundled.atlas_distance`.
    """
    arguments.images(reconstruction, original, data_range, smallest=1)
    low, high = data_range
    given, true = (trunk((images - low) * (2 / (high - low)) - 1) for images in (reconstruction, original))
    if heads is not None and [len(head) for head in heads] != [layer.shape[1] for layer in true]:
        raise arguments.MetricError(
            f"heads of {[len(head) for head in heads]} channels do not fit layers of {[a.shape[1] for a in true]}"
        )
    distance = torch.zeros(len(original), dtype=original.dtype, device=original.device)
    for number, (first, second) in enumerate(zip(given, true, strict=True)):
        apart = (_directions(first) - _directions(second)).square()
        if heads is not None:
            apart = apart * heads[number].to(apart)[:, None, None]
        distance = distance + apart.sum(dim=1).mean(dim=(1, 2))
    return distance


def _directions(activations: Tensor) -> Tensor:
    # The constant is the package's: where nothing is active the direction stays 0.
    lengths: Tensor = torch.linalg.vector_norm(activations, dim=1, keepdim=True)
    return activations / (lengths + 1e-10)
