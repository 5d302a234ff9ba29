"""One generator trained against several models that know the same classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import cross_entropy, negative_logit, refuse_labels
from inversion_atlas.reference.attacks.latent_search import finished
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import Discriminator, Generator
from inversion_atlas.reference.generators.training import endless, frozen, update
from inversion_atlas.reference.observations import WhiteBox, expect
from inversion_atlas.reference.seeding import seeded


def ensemble_inversion(
    observations: Sequence[WhiteBox],
    labels: Tensor,
    *,
    public: Tensor | None = None,
    steps: int = 300,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    activation: float = 0.01,
    realism: float = 1.0,
    latent: int = 64,
    width: int = 16,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. Ensemble inversion (wang2022reconstructing).

    A conditional generator is trained so that every model names the class that it was asked for: it minimizes, over
    all models, the mean cross entropy less `activation` times the class's logit. With `public` images it also has to
    deceive a discriminator (hinge losses, weight `realism`); without, no image is used at all. The paper asks as much
    for sharp answers and high activations; the losses' exact form and weights here are ours, and models come from
    different architectures instead of being sought for their difference.
    """
    if not observations:
        raise ValueError("ensemble inversion takes at least one WhiteBox")
    models = [expect(observation, WhiteBox, "ensemble inversion") for observation in observations]
    first = models[0]
    if any((model.classes, model.input_shape) != (first.classes, first.input_shape) for model in models):
        raise ValueError("the models of an ensemble must know the same classes of inputs of one shape")
    refuse_labels(first, labels)

    def named(images: Tensor, wanted: Tensor) -> Tensor:
        logits = [model.logits(images) for model in models]
        losses = [cross_entropy(each, wanted) + activation * negative_logit(each, wanted) for each in logits]
        return torch.stack(losses).mean(dim=0)

    with seeded(seed):
        shape = first.input_shape
        generator = Generator(shape, latent=latent, width=width, classes=first.classes, data_range=first.data_range)
        optimizer = torch.optim.Adam(generator.parameters(), learning_rate, (0.5, 0.999))
        critic = Discriminator(shape, width=width, spectral=True)
        for_critic = torch.optim.Adam(critic.parameters(), learning_rate, (0.5, 0.999))
        batches = None if public is None else endless(public, batch_size)
        for step in range(steps):
            wanted = torch.randint(first.classes, (batch_size,))
            images = generator(torch.randn(batch_size, latent), wanted)
            loss = named(images, wanted).mean()
            if batches is not None:
                below = functional.relu(1 - critic(next(batches))).mean()
                update(for_critic, below + functional.relu(1 + critic(images.detach())).mean())
                loss = loss - realism * critic(images).mean()
            update(optimizer, loss)
            progress(step + 1, steps)
        frozen(generator)
        with torch.no_grad():
            images = generator(torch.randn(len(labels), latent), labels)
            objective = named(images, labels)
    return finished(first, images, labels, objective, steps + 1)
