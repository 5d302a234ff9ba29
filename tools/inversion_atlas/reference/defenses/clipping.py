"""A bound on the length of what a client sends."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from inversion_atlas.reference.defenses.sent import Sent, changed, length


def clip(observation: Sent, bound: float) -> Sent:
    """Shorten what is sent, as one vector, to Euclidean length `bound` where it is longer (li2022auditing).

    One of the defenses that are audited there. The direction stays, which is all that an attack by cosine looks at. It
    is not the clipping of DP-SGD, which shortens the gradient of each example: `dp_gradient`.
    """
    if not bound > 0:
        raise ValueError(f"bound must be positive, not {bound}")

    def change(sent: Mapping[str, Tensor]) -> dict[str, Tensor]:
        factor = (bound / length(sent)).clamp(max=1)
        return {name: part * factor for name, part in sent.items()}

    return changed(observation, change, f"clipping to length {bound:g}")
