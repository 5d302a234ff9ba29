"""What can be said of gradients before they are sent, and of how much is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from inversion_atlas.reference.metrics import arguments


def d_snr(gradients: Mapping[str, Tensor] | Sequence[Tensor]) -> float:
    """Return how far one sample outweighs the rest of its batch in the layer where it does most. Metric `d-snr`.

    Garov and others (2024), as their code computes it, without its small constant: per layer the largest norm of a
    sample's gradient over the sum of the norms of the others, and of layers the largest. `gradients` are those of each
    sample, by layer, of shape (batch, …) with two samples or more; the authors take the weights of convolutions and of
    linear layers, no biases. 0 and up, a high value betrays a server that singles out one sample; infinite where all
    others vanish. A layer without any gradient says nothing and is passed over.
    """
    layers = list(gradients.values() if isinstance(gradients, Mapping) else gradients)
    if not layers or len({len(layer) for layer in layers if layer.ndim}) != 1:
        raise arguments.MetricError("gradients must be given by layer, each of shape (batch, …) with one batch size")
    ratios = []
    for number, layer in enumerate(layers):
        if layer.ndim < 2 or len(layer) < 2 or 0 in layer.shape:
            raise arguments.MetricError(f"layer {number} must be (batch, …) of 2 samples or more, not {layer.shape}")
        arguments.floating(layer, f"layer {number}")
        norms = torch.linalg.vector_norm(layer.double().flatten(1), dim=1)
        most = norms.max()
        if most > 0:
            ratios.append(float(most / (norms.sum() - most)))
    if not ratios:
        raise arguments.MetricError("no sample has a gradient in any layer")
    return max(ratios)


def compression_ratio(
    gradients: Sequence[Tensor], sent: Sequence[Tensor], *, indices_sent: bool = True, index_bytes: int = 4
) -> float:
    """Return the bytes of the gradients over the bytes that are sent instead. Metric `compression-ratio`.

    `sent` is what replaces each gradient: a dense tensor of any type, or a sparse one, of which the values count that
    it holds and, unless `indices_sent` is false, an index of `index_bytes` for each. Zeros of a dense tensor count:
    make it sparse to leave them out. Above 0, higher sends less, 1 saves nothing.
    """
    if not gradients or len(gradients) != len(sent):
        raise arguments.MetricError(f"as many tensors sent as gradients are needed, not {len(sent)}, {len(gradients)}")
    for number, (whole, part) in enumerate(zip(gradients, sent, strict=True)):
        if whole.numel() == 0:
            raise arguments.MetricError(f"gradient {number} is empty")
        if part.is_sparse and part.shape != whole.shape:
            raise arguments.MetricError(f"gradient {number} is {tuple(whole.shape)}, what is sent {tuple(part.shape)}")
    each = index_bytes if indices_sent else 0
    taken = sum(_bytes(part, each) for part in sent)
    if taken == 0:
        raise arguments.MetricError("nothing is sent, so there is no ratio")
    return sum(whole.numel() * whole.element_size() for whole in gradients) / taken


def _bytes(sent: Tensor, index_bytes: int) -> int:
    if sent.layout == torch.strided:
        return sent.numel() * sent.element_size()
    if not sent.is_sparse:
        raise arguments.MetricError(f"a tensor that is sent must be dense or sparse by coordinates, not {sent.layout}")
    values = sent.coalesce().values()
    return values.numel() * (values.element_size() + index_bytes)
