"""The slice of spoken digits: real features, under their license, cut as it is said."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from inversion_atlas.reference.targets import speech


def test_the_recordings_are_split_and_within_their_range() -> None:
    split = speech.spoken_digits()
    assert [len(part) for part in (split.private, split.test, split.public)] == [700, 200, 300]
    assert split.shape == (1, 13, 16)
    for part in (split.private, split.test, split.public):
        assert 0 <= float(part.images.min()) < float(part.images.max()) <= 1
        assert torch.equal(part.labels.unique(), torch.arange(10))
    everything = torch.cat((split.private.images, split.test.images, split.public.images))
    assert len(everything.unique(dim=0)) == len(everything)


def test_source_and_license_stand_beside_the_slice() -> None:
    told = speech.KEPT.with_suffix(".txt").read_text(encoding="utf-8")
    assert "Attribution-ShareAlike 4.0" in told
    assert speech.SOURCE_SHA256 in told
    assert speech.KEPT.stat().st_size < 300_000


def test_a_slice_holds_the_first_frames_and_repeats_the_last_of_short_ones(tmp_path: Path) -> None:
    lengths = np.array([11, 13, 20])
    rows = np.arange(44, dtype=np.float32)[:, None].repeat(13, axis=1)
    source = io.BytesIO()
    np.savez(source, X=rows, y=np.array([1, 2, 3]), lengths=lengths)
    with np.load(io.BytesIO(speech.cut(source.getvalue()))) as kept:
        features, labels = kept["features"], kept["labels"]
    assert labels.tolist() == [2, 3]
    assert features.shape == (2, 13, 16)
    low, high = np.percentile(rows[:, 0], (0.5, 99.5))
    values = features[:, 0] / 255 * (high - low) + low
    np.testing.assert_allclose(values[0], [*range(11, 24), 23, 23, 23], atol=0.1)
    np.testing.assert_allclose(values[1], range(24, 40), atol=0.1)
    other = tmp_path / "digits.npz"
    other.write_bytes(source.getvalue())
    with pytest.raises(SystemExit, match="its SHA-256 differs"):
        speech.main(str(other))
