"""How the bundled network came about: contrastive learning on crops of scikit-image's photographs.

python -m inversion_atlas.reference.metrics.bundled_training FILE

Writes the weights into FILE and prints its SHA-256. On one machine and one version of torch the file is always the
same; elsewhere the last digits differ. Two crops that lie a few pixels apart and differ in light, sharpness and noise
are to be near each other, and far from all other crops (SimCLR's loss).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.atomic import write_atomic
from inversion_atlas.reference.metrics.bundled import AtlasNetwork
from inversion_atlas.reference.seeding import seeded

_PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text",
)  # fmt: skip
_SIDE, _REACH = 32, 3
_BATCH, _STEPS, _TEMPERATURE = 96, 300, 0.2


def train(steps: int = _STEPS, seed: int = 0, progress: Callable[[int], None] = lambda step: None) -> AtlasNetwork:
    """Return a network trained from the seed on; the caller's random state is left alone."""
    photographs = _photographs()
    rng = np.random.default_rng(seed)
    with seeded(seed):
        network, head = AtlasNetwork(), nn.Linear(64, 32)
        optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=2e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
        for step in range(steps):
            first, second = _views(photographs, rng)
            pooled = network(torch.cat((first, second)) * 2 - 1)[-1].mean(dim=(2, 3))
            optimizer.zero_grad()
            _contrast(functional.normalize(head(pooled), dim=1)).backward()
            optimizer.step()
            schedule.step()
            progress(step + 1)
    return network


def _contrast(directions: Tensor) -> Tensor:
    """Cross-entropy of finding the other view of a crop among all other views."""
    number = len(directions)
    alike = directions @ directions.T / _TEMPERATURE
    alike = alike.masked_fill(torch.eye(number, dtype=torch.bool), -torch.inf)
    partners = torch.arange(number).roll(number // 2)
    return functional.cross_entropy(alike, partners)


def _photographs() -> list[Tensor]:
    """Photographs in color from 0 to 1, at about 256 pixels and at half of that."""
    sizes = []
    for name in _PHOTOGRAPHS:
        image = torch.from_numpy(np.atleast_3d(getattr(data, name)())).permute(2, 0, 1).float() / 255
        image = image[:3].expand(3, -1, -1)
        image = functional.avg_pool2d(image, max(1, round(min(image.shape[1:]) / 256)))
        sizes += [image, functional.avg_pool2d(image, 2)]
    return [image for image in sizes if min(image.shape[1:]) > _SIDE + 2 * _REACH]


def _views(photographs: list[Tensor], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    pairs = []
    for number in rng.integers(0, len(photographs), _BATCH):
        image = photographs[number]
        top, left = (int(rng.integers(_REACH, side - _SIDE - _REACH + 1)) for side in image.shape[1:])
        pairs.append((_view(image, top, left, rng), _view(image, top, left, rng)))
    first, second = zip(*pairs, strict=True)
    return torch.stack(first), torch.stack(second)


def _view(image: Tensor, top: int, left: int, rng: np.random.Generator) -> Tensor:
    """A crop near the place, in another light, perhaps blurred, with noise."""
    down, right = rng.integers(-_REACH, _REACH + 1, 2)
    crop = image[:, top + down : top + down + _SIDE, left + right : left + right + _SIDE]
    gains, shift = rng.uniform(0.8, 1.2, (3, 1, 1)), rng.uniform(-0.1, 0.1)
    crop = crop * torch.from_numpy(gains).float() + float(shift)
    if rng.random() < 0.5:
        crop = functional.avg_pool2d(functional.pad(crop, [1] * 4, mode="replicate"), 3, 1)
    noise = rng.standard_normal(crop.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.08))
    return (crop + torch.from_numpy(noise)).clamp(0, 1)


def main() -> None:
    """Train and write the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE", help="where the weights are written")
    path = parser.parse_args().file
    torch.set_num_threads(1)
    buffer = io.BytesIO()
    torch.save(train(progress=_shown).state_dict(), buffer)
    write_atomic(path, buffer.getvalue())
    print(hashlib.sha256(buffer.getvalue()).hexdigest())


def _shown(step: int) -> None:
    if sys.stderr.isatty():
        print(f"\rstep {step} of {_STEPS}", end="\n" if step == _STEPS else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
