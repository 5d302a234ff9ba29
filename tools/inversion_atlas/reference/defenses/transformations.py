"""Images transformed before training, by a policy whose gradients tell little. ATS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Transformation = Callable[[Tensor], Tensor]


def _turned(images: Tensor, degrees: float) -> Tensor:
    angle = torch.tensor(degrees).deg2rad()
    matrix = torch.tensor([[angle.cos(), -angle.sin(), 0.0], [angle.sin(), angle.cos(), 0.0]], dtype=images.dtype)
    grid = functional.affine_grid(matrix.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def _moved(images: Tensor, down: int, right: int) -> Tensor:
    moved = torch.zeros_like(images)
    height, width = images.shape[-2:]
    rows, columns = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
    from_rows = slice(max(-down, 0), height + min(-down, 0))
    from_columns = slice(max(-right, 0), width + min(-right, 0))
    moved[..., rows, columns] = images[..., from_rows, from_columns]
    return moved


# By name, on images from 0 to 1; the shares of a side are rounded to pixels.
TRANSFORMATIONS: dict[str, Transformation] = {
    "move down": lambda images: _moved(images, images.shape[-2] // 4, 0),
    "move up": lambda images: _moved(images, -(images.shape[-2] // 4), 0),
    "move right": lambda images: _moved(images, 0, images.shape[-1] // 4),
    "move left": lambda images: _moved(images, 0, -(images.shape[-1] // 4)),
    "turn left": lambda images: _turned(images, -20),
    "turn right": lambda images: _turned(images, 20),
    "turn far left": lambda images: _turned(images, -45),
    "mirror": lambda images: images.flip(-1),
    "brighten": lambda images: (1.6 * images).clamp(0, 1),
    "darken": lambda images: 0.5 * images,
    "contrast": lambda images: (images.mean((1, 2, 3), keepdim=True) * -0.7 + 1.7 * images).clamp(0, 1),
    "flatten contrast": lambda images: 0.6 * images.mean((1, 2, 3), keepdim=True) + 0.4 * images,
    "invert": lambda images: 1 - images,
    "solarize": lambda images: torch.where(images < 0.5, images, 1 - images),
    "posterize": lambda images: (images * 3).round() / 3,
    "blur": lambda images: functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False),
}


def transform(images: Tensor, policy: Sequence[str]) -> Tensor:
    """Return the images, of shape (items, channels, height, width) from 0 to 1, after each transformation in turn."""
    for name in policy:
        if name not in TRANSFORMATIONS:
            raise ValueError(f"no transformation {name!r}: there are {', '.join(TRANSFORMATIONS)}")
        images = TRANSFORMATIONS[name](images)
    return images


def search_policy(
    privacy_model: nn.Module,
    accuracy_model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    tries: int = 30,
    length: int = 3,
    accepted: float = 0.5,
    seed: int = 0,
) -> tuple[str, ...]:
    """Return the policy that hides the images best among the useful ones. ATS (gao2021privacy).

    Of `tries` policies of `length` transformations, drawn at random, the `accepted` share with the best accuracy score
    is kept, and of those the one with the least privacy score wins. Where a model stands in training decides what a
    gradient tells: the authors take one half trained for privacy and one untrained for accuracy.
    """
    generator = torch.Generator().manual_seed(seed)
    names = list(TRANSFORMATIONS)
    policies = [
        tuple(names[int(at)] for at in torch.randint(len(names), (length,), generator=generator)) for _ in range(tries)
    ]
    useful = sorted(policies, key=lambda policy: -accuracy_score(accuracy_model, transform(images, policy)))
    kept = useful[: max(1, round(accepted * tries))]
    return min(kept, key=lambda policy: privacy_score(privacy_model, transform(images, policy), labels, seed=seed))


def privacy_score(model: nn.Module, images: Tensor, labels: Tensor, *, points: int = 5, seed: int = 0) -> float:
    """Return how soon a gradient shows that a search nears the images, from -1 to 1: less is better.

    The mean cosine between the gradient of an image and those of points on the way to it from random pixels.
    """
    start = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed), dtype=images.dtype)
    similar = []
    for image, origin, label in zip(images, start, labels, strict=True):
        reached = _gradient(model, image, label)
        for point in torch.arange(points, dtype=images.dtype) / points:
            on_the_way = _gradient(model, (1 - point) * origin + point * image, label)
            similar.append(functional.cosine_similarity(on_the_way, reached, dim=0))
    return float(torch.stack(similar).mean())


def accuracy_score(model: nn.Module, images: Tensor) -> float:
    """Return how well a network would tell the images apart before it is trained: more is better.

    From the eigenvalues v of the correlations between the slopes of the logits' sum in each image: minus the sum of
    log(v + k) + 1 / (v + k), with k 1e-5.
    """
    inputs = images.detach().clone().requires_grad_()
    (slopes,) = torch.autograd.grad(model(inputs).sum(), inputs)
    values = torch.linalg.eigvalsh(torch.corrcoef(slopes.flatten(1).double())) + 1e-5
    # Rounding can leave an eigenvalue below zero.
    values = values.clamp_min(1e-5)
    return -float((values.log() + 1 / values).sum())


def _gradient(model: nn.Module, image: Tensor, label: Tensor) -> Tensor:
    loss = functional.cross_entropy(model(image[None]), label[None])
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))])
