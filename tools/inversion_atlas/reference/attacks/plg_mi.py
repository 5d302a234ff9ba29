"""Images of a class from a generator that was told, by the target, which public images look like which class."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import LogitLoss, max_margin, refuse_labels
from inversion_atlas.reference.attacks.latent_search import descend, finished, shifted
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import Discriminator, Generator
from inversion_atlas.reference.generators.training import Gan, endless, update
from inversion_atlas.reference.observations import WhiteBox, expect
from inversion_atlas.reference.seeding import seeded


@torch.no_grad()
def top_n(observation: WhiteBox, public: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Return, for each class, the `number` public images that the target is surest of, and their pseudo labels.

    The pseudo labels of PLG-MI (yuan2023pseudo). An image may serve several classes.
    """
    confidence = torch.cat([observation.log_probabilities(part) for part in public.split(256)])
    picked = confidence.topk(min(number, len(public)), dim=0).indices
    return public[picked.T.flatten()], torch.arange(observation.classes).repeat_interleave(len(picked))


def train_conditional_gan(
    observation: WhiteBox,
    public: Tensor,
    *,
    number: int = 200,
    latent: int = 64,
    width: int = 16,
    steps: int = 300,
    critic_steps: int = 2,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    weight: float = 0.2,
    loss: LogitLoss = max_margin,
    seed: int = 0,
    progress: Progress = silent,
) -> Gan[Generator]:
    """Train the conditional GAN of PLG-MI (yuan2023pseudo) on the `top_n` public images of each class.

    Hinge losses, a projection discriminator with spectral normalization, and `weight` times the target's max-margin
    loss on generated images, cropped at random. The weight is that of the authors' code, which trains larger
    networks for longer, at a lower rate, with five steps of the discriminator for one of the generator.
    """
    observation = expect(observation, WhiteBox, "the conditional GAN")
    images, pseudo = top_n(observation, public, number)
    shape, classes = observation.input_shape, observation.classes
    random = torch.Generator().manual_seed(seed)
    with seeded(seed):
        generator = Generator(shape, latent=latent, width=width, classes=classes, data_range=observation.data_range)
        critic = Discriminator(shape, width=width, classes=classes, spectral=True)
        for_critic, for_generator = (
            torch.optim.Adam(network.parameters(), learning_rate, (0.0, 0.9)) for network in (critic, generator)
        )
        batches = endless(torch.arange(len(images)), batch_size)
        for step in range(steps):
            for _ in range(critic_steps):
                real = next(batches)
                labels = torch.randint(classes, (batch_size,))
                with torch.no_grad():
                    fake = generator(torch.randn(batch_size, latent), labels)
                below = functional.relu(1 - critic(images[real], pseudo[real])).mean()
                above = functional.relu(1 + critic(fake, labels)).mean()
                update(for_critic, below + above)
            labels = torch.randint(classes, (batch_size,))
            fake = generator(torch.randn(batch_size, latent), labels)
            inversion = loss(observation.logits(shifted(fake, random, scale=0.2)), labels).mean()
            update(for_generator, weight * inversion - critic(fake, labels).mean())
            progress(step + 1, steps)
    return Gan.of(generator, critic)


def plg_mi(
    observation: WhiteBox,
    gan: Gan[Generator],
    labels: Tensor,
    *,
    steps: int = 600,
    learning_rate: float = 0.1,
    loss: LogitLoss = max_margin,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. PLG-MI (yuan2023pseudo).

    Latent vectors of the class's own images go down the max-margin loss of two random crops, by Adam. Defaults are
    those of the authors' code, which also turns, flips and recolors; crops alone are used here. `gan` comes from
    `train_conditional_gan`.
    """
    observation = expect(observation, WhiteBox, "plg-mi")
    refuse_labels(observation, labels)
    random = torch.Generator().manual_seed(seed)
    latents = torch.randn(len(labels), gan.generator.latent, generator=random)

    def cost() -> Tensor:
        images = gan.generator(latents, labels)
        views = [loss(observation.logits(shifted(images, random, scale=0.2)), labels) for _ in range(2)]
        return views[0] + views[1]

    descend([latents], cost, partial(torch.optim.Adam, lr=learning_rate), steps=steps, progress=progress)
    with torch.no_grad():
        images, objective = gan.generator(latents, labels), cost()
    return finished(observation, images, labels, objective, steps + 1)
