"""MNIST as model inversion splits it, and generators trained on the classes that the target does not know."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inversion_atlas.reference.generators import training as gan_training
from inversion_atlas.reference.targets import generators, mnist, training


def test_the_public_images_show_none_of_the_private_classes() -> None:
    split = mnist.mnist()
    assert split.classes == ("5", "6", "7", "8", "9")
    assert split.shape == (1, 16, 16)
    assert [len(part) for part in (split.private, split.test, split.public)] == [2000, 500, 2500]
    for part in (split.private, split.test):
        assert sorted(set(part.labels.tolist())) == [0, 1, 2, 3, 4]
    assert set(split.public.labels.tolist()) == {mnist.NO_CLASS}
    for part in (split.private, split.test, split.public):
        assert part.images.dtype == torch.float32
        assert 0 <= part.images.min() < part.images.max() <= 1
    # No two of the 5,000 are the same picture.
    every = torch.cat([part.images.flatten(1) for part in (split.private, split.test, split.public)])
    assert len(torch.unique(every, dim=0)) == len(every)


@pytest.mark.parametrize("name", ["mnist-convnet", "mnist-mlp", "mnist-evaluation"])
def test_the_targets_have_learned_the_private_digits(name: str, cache: Path) -> None:
    assert training.load(name, cache).test_accuracy > 0.92


@pytest.mark.slow
@pytest.mark.parametrize("name", generators.RECIPES)
def test_a_generator_draws_images_like_the_public_ones(name: str, cache: Path) -> None:
    """Margin: its mean and its spread come within a third of the public ones, and images differ from each other."""
    gan = generators.load(name, cache)
    public = mnist.mnist().public.images
    with gan_training.seeded(0), torch.no_grad():
        classes = getattr(gan.generator, "classes", 0)
        labels = (torch.randint(classes, (500,)),) if classes else ()
        drawn = gan.generator(torch.randn(500, gan.generator.latent), *labels)
    assert drawn.shape[1:] == public.shape[1:]
    assert 0 <= drawn.min() < drawn.max() <= 1
    assert drawn.mean() == pytest.approx(float(public.mean()), rel=1 / 3)
    assert drawn.std(dim=0).mean() == pytest.approx(float(public.std(dim=0).mean()), rel=1 / 3)
    # Apart from each other as public images are: no collapse onto a few.
    apart, expected = (torch.pdist(images[:500].flatten(1)).median() for images in (drawn, public))
    assert apart > 0.6 * expected


def test_a_generator_is_the_same_trained_again_and_leaves_random_numbers_alone() -> None:
    public = mnist.mnist().public.images[:128]
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    one, two = (gan_training.train_gan(public, steps=2, seed=3) for _ in "ab")
    other = gan_training.train_gan(public, steps=2, seed=4)
    assert torch.equal(torch.rand(2), expected)
    latents = torch.zeros(1, one.generator.latent)
    assert torch.equal(one.generator(latents), two.generator(latents))
    assert not torch.equal(one.generator(latents), other.generator(latents))
    assert not any(weight.requires_grad for weight in one.generator.parameters())


@pytest.mark.slow
def test_a_generator_is_read_from_the_cache_as_it_was_trained(cache: Path) -> None:
    first, again = (generators.load("mnist-style-gan", cache) for _ in "ab")
    latents = torch.ones(2, first.generator.latent)
    assert torch.equal(first.generator(latents), again.generator(latents))
    styles = first.generator.mapping(latents)
    features = first.generator.features(styles, 1)
    assert torch.equal(first.generator.synthesis(styles, start=features, first=1), first.generator(latents))


def test_too_few_or_odd_public_images_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fill a batch of 64"):
        gan_training.train_gan(torch.rand(10, 1, 16, 16), steps=1)
    with pytest.raises(ValueError, match="multiples of 4"):
        gan_training.train_gan(torch.rand(100, 1, 15, 16), steps=1)
