"""A distribution of latent vectors per class, under a generator that learned with the target's help."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import Identity, cross_entropy, identity_of, refuse_labels
from inversion_atlas.reference.attacks.latent_search import descend, finished
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.features import penultimate
from inversion_atlas.reference.generators.networks import Discriminator, Generator
from inversion_atlas.reference.generators.training import Gan, endless, update
from inversion_atlas.reference.observations import WhiteBox, expect
from inversion_atlas.reference.seeding import seeded


def train_inversion_gan(
    observation: WhiteBox,
    public: Tensor,
    *,
    latent: int = 64,
    width: int = 16,
    steps: int = 500,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    discriminator_rate: float = 3e-4,
    entropy_weight: float = 1e-4,
    seed: int = 0,
    progress: Progress = silent,
) -> Gan[Generator]:
    """Train the inversion-specific GAN of KEDMI (chen2021knowledge) on public images.

    The discriminator learns the probabilities that the target gives to public images, and to tell real from
    generated ones by the sum of its exponentiated scores; the generator matches the mean of its features on real
    images and makes its answers sharp. The minibatch discrimination of the authors' code is left out, and
    the rates are for small networks.
    """
    observation = expect(observation, WhiteBox, "the inversion-specific GAN")
    shape = observation.input_shape
    with seeded(seed):
        generator = Generator(shape, latent=latent, width=width, data_range=observation.data_range)
        discriminator = Discriminator(shape, width=width, outputs=observation.classes)
        with torch.no_grad():
            soft = torch.cat([observation.log_probabilities(part).exp() for part in public.split(256)])
        for_discriminator = torch.optim.Adam(discriminator.parameters(), discriminator_rate, (0.5, 0.999))
        for_generator = torch.optim.Adam(generator.parameters(), learning_rate, (0.5, 0.999))
        batches = endless(torch.arange(len(public)), batch_size)
        for step in range(steps):
            batch, other = public[labeled := next(batches)], public[next(batches)]
            with torch.no_grad():
                fake = generator(torch.randn(batch_size, latent))
            given = functional.log_softmax(discriminator(batch), dim=1)
            agreement = -(soft[labeled] * given).sum(dim=1).mean()
            told_apart = _unreal(discriminator(other)) + functional.softplus(_realness(discriminator(fake)))
            update(for_discriminator, agreement + told_apart.mean() / 2)
            fake = generator(torch.randn(batch_size, latent))
            features, scores = penultimate(discriminator, fake)
            with torch.no_grad():
                wanted = discriminator.features(other).mean(dim=0)
            entropy = -(scores.softmax(dim=1) * scores.log_softmax(dim=1)).sum()
            update(for_generator, (features.mean(dim=0) - wanted).abs().mean() + entropy_weight * entropy)
            progress(step + 1, steps)
    return Gan.of(generator, discriminator)


def kedmi(
    observation: WhiteBox,
    gan: Gan[Generator],
    labels: Tensor,
    *,
    steps: int = 2400,
    learning_rate: float = 2e-2,
    weight: float = 100.0,
    identity: Identity | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. KEDMI (chen2021knowledge).

    A normal distribution of latent vectors for each goes down `weight` times the identity loss plus the
    discriminator's doubt, by Adam, through one draw each step; the image of one more draw is returned. Draws are kept
    from -1 to 1 in each entry. Defaults are those of the authors' code. `identity` replaces the cross entropy, as
    LOMMA does. `gan` comes from `train_inversion_gan`.
    """
    observation = expect(observation, WhiteBox, "kedmi")
    refuse_labels(observation, labels)
    identity = identity or identity_of(observation, cross_entropy)
    means, log_variances = (torch.full((len(labels), gan.generator.latent), float(value)) for value in (0, 1))
    generator = torch.Generator().manual_seed(seed)

    def draw() -> Tensor:
        noise = torch.randn(means.shape, generator=generator)
        images: Tensor = gan.generator((means + noise * (log_variances / 2).exp()).clamp(-1, 1))
        return images

    def loss(images: Tensor) -> Tensor:
        return weight * identity(images, labels) + _unreal(gan.discriminator(images))

    optimizer = partial(torch.optim.Adam, lr=learning_rate)
    descend([means, log_variances], lambda: loss(draw()), optimizer, steps=steps, progress=progress)
    with torch.no_grad():
        images = draw()
        objective = loss(images)
    return finished(observation, images, labels, objective, steps + 1)


def _realness(scores: Tensor) -> Tensor:
    """The discriminator's score of being real: the logarithm of the sum of its exponentiated scores."""
    return scores.logsumexp(dim=1)


def _unreal(scores: Tensor) -> Tensor:
    """The negative logarithm of the probability of being real."""
    return functional.softplus(-_realness(scores))
