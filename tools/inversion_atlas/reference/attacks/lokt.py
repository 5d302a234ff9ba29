"""Images of a class from class labels alone, by a white-box attack on surrogates that learned them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import max_margin, refuse_labels
from inversion_atlas.reference.attacks.latent_search import descend, shifted
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import Discriminator, Generator
from inversion_atlas.reference.generators.training import Gan, endless, frozen, update
from inversion_atlas.reference.observations import LabelOnly, QueryLimitReached, expect
from inversion_atlas.reference.seeding import seeded


def train_tacgan(
    observation: LabelOnly,
    public: Tensor,
    *,
    latent: int = 64,
    width: int = 16,
    steps: int = 500,
    alone: int = 150,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    weight: float = 1.5,
    seed: int = 0,
    progress: Progress = silent,
) -> Gan[Generator]:
    """Train the T-ACGAN of LOKT (nguyen2023label) on public images, which need no labels.

    The discriminator tells real from generated images by its first score; its others name the class of generated
    images and learn from the label that the target gives to each, as the generator learns to be named as it was
    asked. Both parts begin after the first `alone` steps and weigh `weight`, that of the authors' code, which trains
    larger networks for longer, at a lower rate, with spectral normalization and five steps of the discriminator for
    one of the generator. Every step but the first ones asks about a batch. Raises QueryLimitReached where the limit
    does not hold the training.
    """
    observation = expect(observation, LabelOnly, "the T-ACGAN")
    shape, classes = observation.input_shape, observation.classes
    with seeded(seed):
        generator = Generator(shape, latent=latent, width=width, classes=classes, data_range=observation.data_range)
        critic = Discriminator(shape, width=width, outputs=1 + classes)
        for_critic, for_generator = (
            torch.optim.Adam(network.parameters(), learning_rate, (0.5, 0.999)) for network in (critic, generator)
        )
        batches = endless(public, batch_size)
        for step in range(steps):
            labels = torch.randint(classes, (batch_size,))
            with torch.no_grad():
                fake = generator(torch.randn(batch_size, latent), labels)
            scores = critic(fake)
            real = functional.softplus(-critic(next(batches))[:, 0]).mean()
            loss = real + functional.softplus(scores[:, 0]).mean()
            if step >= alone:
                loss = loss + weight * functional.cross_entropy(scores[:, 1:], observation.query(fake))
            update(for_critic, loss)
            labels = torch.randint(classes, (batch_size,))
            scores = critic(generator(torch.randn(batch_size, latent), labels))
            loss = functional.softplus(-scores[:, 0]).mean()
            if step >= alone:
                loss = loss + weight * functional.cross_entropy(scores[:, 1:], labels)
            update(for_generator, loss)
            progress(step + 1, steps)
    return Gan.of(generator, critic)


class NamingHead(nn.Module):
    """The classes that a T-ACGAN's discriminator tells: the surrogate that costs no further query."""

    def __init__(self, discriminator: Discriminator) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(images)
        return scores[:, 1:]


def train_surrogates(
    observation: LabelOnly,
    generator: Generator,
    untrained: Sequence[nn.Module],
    *,
    per_class: int = 500,
    epochs: int = 200,
    batch_size: int = 256,
    learning_rate: float = 0.1,
    seed: int = 0,
    progress: Progress = silent,
) -> list[nn.Module]:
    """Train surrogates on images of a T-ACGAN's generator, `per_class` asked of each class, named by the target.

    Cross entropy on the images and on random crops, by SGD with momentum and a rate that falls as a cosine; defaults
    are those of the authors' code. The modules given are trained in place and returned frozen. Raises
    QueryLimitReached where the limit does not hold the images.
    """
    observation = expect(observation, LabelOnly, "the surrogates")
    random = torch.Generator().manual_seed(seed)
    asked = torch.arange(observation.classes).repeat_interleave(per_class)
    with torch.no_grad():
        images = generator(torch.randn(len(asked), generator.latent, generator=random), asked)
    named = observation.query(images)
    for place, model in enumerate(untrained):
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), learning_rate, momentum=0.9, weight_decay=5e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, epochs))
        for epoch in range(epochs):
            for batch in torch.randperm(len(images), generator=random).split(batch_size):
                views = (images[batch], shifted(images[batch], random, scale=0.2))
                losses = [functional.cross_entropy(model(view), named[batch]) for view in views]
                update(optimizer, (losses[0] + losses[1]) / 2)
            schedule.step()
            progress(place * epochs + epoch + 1, len(untrained) * epochs)
    return [frozen(model) for model in untrained]


def lokt(
    observation: LabelOnly,
    gan: Gan[Generator],
    surrogates: Sequence[nn.Module],
    labels: Tensor,
    *,
    steps: int = 600,
    learning_rate: float = 0.1,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. LOKT (nguyen2023label).

    Latent vectors of the T-ACGAN go down the max-margin loss of two random crops under the surrogates, averaged over
    them, by Adam; defaults are those of the authors' code, which recolors, turns and flips besides. At last the
    target is asked about every image once: the criterion is met where it names them all, and not where the query
    limit keeps it from answering.
    """
    observation = expect(observation, LabelOnly, "lokt")
    refuse_labels(observation, labels)
    if not surrogates:
        raise ValueError("lokt needs a surrogate: train_surrogates gives some, NamingHead makes one of the GAN's own")
    random = torch.Generator().manual_seed(seed)
    latents = torch.randn(len(labels), gan.generator.latent, generator=random)

    def cost() -> Tensor:
        images = gan.generator(latents, labels)
        losses = [max_margin(model(shifted(images, random, scale=0.2)), labels) for model in surrogates for _ in "ab"]
        return torch.stack(losses).sum(dim=0) / len(surrogates)

    descend([latents], cost, partial(torch.optim.Adam, lr=learning_rate), steps=steps, progress=progress)
    with torch.no_grad():
        images, objective = gan.generator(latents, labels), float(cost().mean())
    return Reconstruction(images, labels, objective, steps + 1, 0, _named_so(observation, images, labels))


def _named_so(observation: LabelOnly, images: Tensor, labels: Tensor) -> bool:
    try:
        return bool((observation.query(images) == labels).all())
    except QueryLimitReached:
        return False
