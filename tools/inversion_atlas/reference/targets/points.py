"""Real points in space that an installed package carries, with descriptors, and a public picture of the same place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from skimage import data as skimage_data
from skimage.color import rgb2gray
from skimage.feature import SIFT
from torch import Tensor, nn

from inversion_atlas.reference.attacks.point_recovery import learn_similarity, similar, similarity_network
from inversion_atlas.reference.observations.points import nearest
from inversion_atlas.reference.targets.data import Images, Split

# The camera of the pair, as scikit-image states it: focal length, principal point and its shift in pixels; in meters.
_FOCAL, _CENTER, _SHIFT, _BASELINE = 994.978, (254.877, 311.193), 31.086, 0.193001


@dataclass(frozen=True, slots=True, eq=False)
class PointCloud(Split):
    """Private points (points, 3) in meters; the public part holds descriptors from another picture of the place."""

    descriptors: Tensor  # of the private points
    positions: Tensor  # (points, 2), of the public descriptors, in pixels


@lru_cache(maxsize=1)
def motorcycle() -> PointCloud:
    """A motorcycle in a garage (Middlebury 2014, in scikit-image's wheel): 771 points of the left picture's SIFT.

    Measured disparities give each its place in space. The right picture is public: an adversary who has photographed
    the place before. One class, since there is nothing to classify.
    """
    left, right, disparity = skimage_data.stereo_motorcycle()
    pixels, descriptors = _described(left)
    known = np.isfinite(disparity[tuple(pixels.T)])
    pixels, descriptors = pixels[known], descriptors[torch.from_numpy(known)]
    points = _in_space(pixels, disparity[tuple(pixels.T)])
    places, public = _described(right)
    private = Images(points, torch.zeros(len(points), dtype=torch.long))
    others = Images(public, torch.zeros(len(public), dtype=torch.long))
    positions = torch.from_numpy(places).float()
    return PointCloud("motorcycle", ("point",), private, private, others, descriptors, positions)


def similarity(shape: tuple[int, ...], classes: int) -> nn.Module:
    """An untrained network for descriptors of SIFT."""
    return similarity_network(128)


def fit_similarity(model: nn.Module, split: Split) -> tuple[float, float]:
    """Learn from the public picture which descriptors occur together.

    Returns, for the public and for the private points, the share of the 20 neighbors it finds that are among the 30
    nearest.
    """
    assert isinstance(split, PointCloud)
    learned = learn_similarity(split.public.images, split.positions)
    model.load_state_dict(learned.state_dict())
    return (
        _precision(similar(model, split.public.images), nearest(split.positions, 30)),
        _precision(similar(model, split.descriptors), nearest(split.private.images, 30)),
    )


def _precision(found: Tensor, true: Tensor) -> float:
    return float((found[:, :, None] == true[:, None]).any(dim=2).float().mean())


def _described(picture: np.ndarray) -> tuple[np.ndarray, Tensor]:
    """Row and column of each key point, each pixel once, and its descriptor."""
    sift = SIFT(upsampling=1)
    sift.detect_and_extract(rgb2gray(picture))
    pixels, first = np.unique(np.asarray(sift.keypoints), axis=0, return_index=True)
    return pixels, torch.from_numpy(np.asarray(sift.descriptors)[first]).float()


def _in_space(pixels: np.ndarray, disparities: np.ndarray) -> Tensor:
    """Right, down and ahead of the left camera, in meters."""
    ahead = _FOCAL * _BASELINE / (disparities + _SHIFT)
    down, right = ((pixels - np.array(_CENTER)) * ahead[:, None] / _FOCAL).T
    return torch.from_numpy(np.stack((right, down, ahead), axis=1)).float()
