"""Training of generators on public images alone, against a Wasserstein critic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.generators.networks import Discriminator, Generator, StyleGenerator
from inversion_atlas.reference.seeding import seeded

_Network = TypeVar("_Network", bound=nn.Module)
Kind = TypeVar("Kind", Generator, StyleGenerator)


@dataclass(frozen=True, slots=True, eq=False)
class Gan(Generic[Kind]):
    """A generator and the discriminator that it was trained against, both in eval mode and frozen."""

    generator: Kind
    discriminator: Discriminator

    @classmethod
    def of(cls, generator: Kind, discriminator: Discriminator) -> Gan[Kind]:
        """Freeze both and return them together."""
        return cls(frozen(generator), frozen(discriminator))


def train_gan(
    public: Tensor,
    *,
    data_range: tuple[float, float] = (0.0, 1.0),
    latent: int = 64,
    width: int = 16,
    steps: int = 300,
    batch_size: int = 64,
    seed: int = 0,
    progress: Progress = silent,
) -> Gan[Generator]:
    """Train a generator and a critic on public images (items, channels, height, width), as GMI does (zhang2020secret).

    The critic's score of an image is the prior of GMI. Loss and gradient penalty of 10 are those of the authors'
    code; networks, steps and the two steps of the critic for one of the generator are smaller.
    """
    made = partial(Generator, latent=latent, width=width, data_range=data_range)
    return _against_critic(made, public, width, steps, batch_size, seed, progress)


def train_style_gan(
    public: Tensor,
    *,
    data_range: tuple[float, float] = (0.0, 1.0),
    latent: int = 64,
    width: int = 16,
    steps: int = 300,
    batch_size: int = 64,
    seed: int = 0,
    progress: Progress = silent,
) -> Gan[StyleGenerator]:
    """Train a small generator with a space of styles on public images (items, channels, height, width).

    It stands for the pretrained StyleGAN of PPA, MIRROR and IF-GMI and is trained as `train_gan` is.
    """
    made = partial(StyleGenerator, latent=latent, width=width, data_range=data_range)
    return _against_critic(made, public, width, steps, batch_size, seed, progress)


def endless(images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Yield full batches of the images, all of them once in each order drawn; raises ValueError if they are too few."""
    if len(images) < batch_size:
        raise ValueError(f"{len(images)} public images do not fill a batch of {batch_size}")
    while True:
        for batch in torch.randperm(len(images)).split(batch_size):
            if len(batch) == batch_size:
                yield images[batch]


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step down the loss, with gradients of the optimizer's own parameters alone."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = slope
    optimizer.step()


def frozen(network: _Network) -> _Network:
    """Return the network in eval mode; its parameters take no gradient any more."""
    network.eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.grad = None
    return network


def _against_critic(
    made: Callable[[tuple[int, ...]], Kind],
    public: Tensor,
    width: int,
    steps: int,
    batch_size: int,
    seed: int,
    progress: Progress,
) -> Gan[Kind]:
    shape = tuple(public.shape[1:])
    with seeded(seed):
        generator, critic = made(shape), Discriminator(shape, width=width)
        _compete(generator, critic, public, steps, batch_size, progress)
    return Gan.of(generator, critic)


def _compete(
    generator: Generator | StyleGenerator,
    critic: Discriminator,
    public: Tensor,
    steps: int,
    batch_size: int,
    progress: Progress,
    *,
    critic_steps: int = 2,
    learning_rate: float = 1e-3,
    penalty: float = 10.0,
) -> None:
    """Train both by the Wasserstein distance with gradient penalty, by Adam with betas .5 and .999."""
    slow = list(generator.layers.parameters()) if isinstance(generator, StyleGenerator) else []
    fast = [weight for weight in generator.parameters() if all(weight is not other for other in slow)]
    # The mapping to styles learns a hundred times slower, as StyleGAN's does.
    groups = [{"params": fast, "lr": learning_rate}, {"params": slow, "lr": learning_rate / 100}]
    for_generator = torch.optim.Adam(groups, betas=(0.5, 0.999))
    for_critic = torch.optim.Adam(critic.parameters(), learning_rate, (0.5, 0.999))
    batches = endless(public, batch_size)
    for step in range(steps):
        for _ in range(critic_steps):
            real = next(batches)
            with torch.no_grad():
                fake = generator(torch.randn(batch_size, generator.latent))
            distance = critic(real).mean() - critic(fake).mean()
            update(for_critic, penalty * _gradient_penalty(critic, real, fake) - distance)
        update(for_generator, -critic(generator(torch.randn(batch_size, generator.latent))).mean())
        progress(step + 1, steps)


def _gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Penalize lengths of the critic's gradient other than 1, between real and generated images."""
    share = torch.rand(len(real), 1, 1, 1)
    between = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    excess: Tensor = slope.flatten(1).norm(dim=1) - 1
    return excess.square().mean()
