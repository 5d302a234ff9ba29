"""Defenses that change the images before training: ATS and InstaHide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients
from inversion_atlas.reference.attacks.linear_layer import analytic
from inversion_atlas.reference.defenses.instahide import instahide, share_encoded
from inversion_atlas.reference.defenses.training import cross_entropy, train
from inversion_atlas.reference.defenses.transformations import (
    TRANSFORMATIONS,
    accuracy_score,
    privacy_score,
    search_policy,
    transform,
)
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import data, models
from inversion_atlas.reference.targets.training import Target


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_transformation_keeps_shape_and_range_and_changes_the_image(name: str) -> None:
    images = data.digits().private.images[:4]
    changed = transform(images, (name,))
    assert changed.shape == images.shape
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 1 + 1e-6
    assert not torch.equal(changed, images)


def test_moves_go_where_they_say_and_turning_back_returns() -> None:
    image = torch.zeros(1, 1, 8, 8)
    image[..., 3, 4] = 1
    assert float(transform(image, ("move down",))[..., 5, 4]) == 1
    assert float(transform(image, ("move left",))[..., 3, 2]) == 1
    assert torch.equal(transform(image, ("mirror", "mirror")), image)
    smooth = torch.ones(1, 1, 8, 8)
    torch.testing.assert_close(transform(smooth, ("turn left", "turn right"))[..., 3:5, 3:5], smooth[..., 3:5, 3:5])
    with pytest.raises(ValueError, match="no transformation 'swirl'"):
        transform(image, ("swirl",))


@pytest.fixture(scope="module")
def networks() -> tuple[nn.Module, nn.Module]:
    """A network half trained, and one as drawn."""
    private = data.digits().private
    with seeded(0):
        half, fresh = (models.convnet((1, 8, 8), 10) for _ in "ab")
    train(half, private.images, private.labels, loss=cross_entropy, defense="", epochs=2, learning_rate=2e-3)
    return half, fresh


def test_the_policy_found_tells_less_and_the_same_search_finds_it_again(networks: tuple[nn.Module, nn.Module]) -> None:
    half, fresh = networks
    public = data.digits().public
    images, labels = public.images[:8], public.labels[:8]
    policy = search_policy(half, fresh, images, labels, tries=20)
    assert len(policy) == 3
    assert privacy_score(half, transform(images, policy), labels) < privacy_score(half, images, labels)
    few = [search_policy(half, fresh, images[:3], labels[:3], tries=3, length=2) for _ in "ab"]
    assert few[0] == few[1]
    same = images[:1] + 1e-4 * torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert accuracy_score(fresh, same) < accuracy_score(fresh, images)


def test_the_attack_finds_the_transformed_image_and_not_the_original(networks: tuple[nn.Module, nn.Module]) -> None:
    """Margins in decibels: 8 lost against the original; what was trained on is still found (balunovic2022bayesian)."""
    half, _ = networks
    private = data.digits().private
    images, labels = private.images[:1], private.labels[:1]
    hidden = transform(images, ("contrast", "move up", "turn far left"))

    def reached(trained_on: Tensor, wanted: Tensor) -> float:
        shared = SharedGradient.of_batch(half, trained_on, labels, mode="eval", labels_known=True)
        found = inverting_gradients(shared, steps=200, tv=0.1).images.clamp(0, 1)
        return float(psnr(found, wanted, data_range=(0.0, 1.0)))

    assert reached(hidden, images) < reached(images, images) - 8
    assert reached(hidden, hidden) > reached(hidden, images) + 5


def private_and_public() -> tuple[Tensor, Tensor, Tensor]:
    split = data.digits()
    return split.private.images[:12], split.private.labels[:12], split.public.images


def test_instahide_mixes_private_with_public_images_under_signs() -> None:
    images, labels, public = private_and_public()
    encoded = instahide(images, labels, public, classes=10, seed=1)
    mixed = instahide(images, labels, public, classes=10, seed=1, signs=False)
    # The masks alone hide nothing: magnitudes are those of the mixture (carlini2021private).
    torch.testing.assert_close(encoded.images.abs(), mixed.images.abs())
    assert 0.4 < float((encoded.images == mixed.images).float().mean()) < 0.6
    assert float(encoded.images.abs().max()) <= 1 + 1e-6
    sums = encoded.labels.sum(dim=1)
    assert bool(((sums > 0) & (sums < 1)).all())
    assert float(encoded.labels.max()) <= 0.65 * 2
    alone = instahide(images, labels, public, classes=10, mixed=1, signs=False)
    torch.testing.assert_close(alone.images, 2 * images - 1)
    assert torch.equal(encoded.images, instahide(images, labels, public, classes=10, seed=1).images)
    with pytest.raises(ValueError, match="able to sum to 1"):
        instahide(images, labels, public, classes=10, mixed=2, most=0.4)


def test_an_attack_on_the_gradient_finds_the_encoding_and_not_the_image(target: Callable[[str], Target]) -> None:
    """Exact recovery returns the encoding; its magnitudes are farther from the image than the mean image is."""
    images, labels, public = private_and_public()
    model = target("digits-mlp").model
    encoded = instahide(images[:1], labels[:1], public, classes=10, seed=1)
    shared = share_encoded(model, encoded, mode="eval")
    assert isinstance(shared, SharedGradient)
    assert shared.describe().endswith("under InstaHide")
    found = analytic(shared).images
    torch.testing.assert_close(found, encoded.images, atol=1e-3, rtol=0)
    seen = (found + 1) / 2
    by_mean = (public.mean(dim=0, keepdim=True) - images[:1]).square().mean()
    assert float((seen - images[:1]).square().mean()) > float(by_mean)
