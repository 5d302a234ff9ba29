"""Images of classes whose statistics inside the model are those that it remembers of its training images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.identity import cross_entropy, refuse_labels
from inversion_atlas.reference.attacks.latent_search import finished
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import WhiteBox, expect


def deep_inversion(
    observation: WhiteBox,
    labels: Tensor,
    *,
    steps: int = 2000,
    learning_rate: float = 0.1,
    statistics: float = 100.0,
    variation: float = 2.5e-5,
    length: float = 0.0,
    jitter: int = 2,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`, made together as one batch. DeepInversion (yin2020dreaming).

    Pixels go down the mean cross entropy, `statistics` times the distance of the batch's mean and variance before
    each batch normalization from those that the layer remembers, `variation` times the total variation and `length`
    times the images' length, by Adam, through images rolled by up to `jitter` pixels. With `statistics` 0 it is
    DeepDream, the paper's baseline. Defaults are those of the authors' code on CIFAR-10; images begin as noise around
    the middle of the data's range and are kept in it. The batch with the least loss is returned.
    """
    observation = expect(observation, WhiteBox, "deep-inversion")
    refuse_labels(observation, labels)
    random = torch.Generator().manual_seed(seed)
    low, high = observation.data_range
    noise = torch.randn(len(labels), *observation.input_shape, generator=random)
    images = ((low + high) / 2 + (high - low) / 4 * noise).clamp_(low, high)
    best, least = images.clone(), torch.tensor(torch.inf)
    optimizer = torch.optim.Adam([images.requires_grad_()], learning_rate)
    with _distances(observation.model) as distances:
        for step in range(steps):
            distances.clear()
            down, right = torch.randint(-jitter, jitter + 1, (2,), generator=random).tolist()
            rolled = images.roll((down, right), dims=(2, 3))
            loss = cross_entropy(observation.logits(rolled), labels).mean()
            loss = loss + statistics * torch.stack(distances).sum() + variation * _variation(rolled)
            loss = loss + length * rolled.norm()
            if bool(loss < least):
                best, least = images.detach().clone(), loss.detach()
            (images.grad,) = torch.autograd.grad(loss, images)
            optimizer.step()
            with torch.no_grad():
                images.clamp_(low, high)
            progress(step + 1, steps)
    return finished(observation, best, labels, least, steps)


@contextmanager
def _distances(model: nn.Module) -> Iterator[list[Tensor]]:
    """Yield a list that each run of the model fills with one distance per batch normalization."""
    layers = [
        layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None
    ]
    if not layers:
        raise ValueError("DeepInversion reads statistics of batch normalization, and the model has none that it keeps")
    found: list[Tensor] = []

    def measure(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        mean, variance = given[0].mean(dim=(0, 2, 3)), given[0].var(dim=(0, 2, 3), correction=0)
        found.append(
            (layer.get_buffer("running_mean") - mean).norm() + (layer.get_buffer("running_var") - variance).norm()
        )

    hooks = [layer.register_forward_pre_hook(measure) for layer in layers]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def _variation(images: Tensor) -> Tensor:
    """Lengths of the differences to the neighbors at the right, below, and on both diagonals, summed."""
    differences = (
        images[..., :, :-1] - images[..., :, 1:],
        images[..., :-1, :] - images[..., 1:, :],
        images[..., 1:, :-1] - images[..., :-1, 1:],
        images[..., :-1, :-1] - images[..., 1:, 1:],
    )
    return torch.stack([difference.norm() for difference in differences]).sum()
