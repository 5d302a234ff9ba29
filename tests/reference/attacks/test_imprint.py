"""A malicious server reads images off its own layer where matching gradients finds none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients
from inversion_atlas.reference.attacks.imprint import planted, robbing_the_fed
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.metrics import match, psnr
from inversion_atlas.reference.observations import SharedGradient
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


def batch(victim: Target, size: int, bins: int) -> tuple[SharedGradient, Tensor]:
    picked = torch.randperm(420, generator=torch.Generator().manual_seed(1))[:size]
    private = victim.data.private
    model = planted(victim.model, victim.data.public.images, bins=bins)
    images = private.images[picked]
    return SharedGradient.of_batch(model, images, private.labels[picked], mode="eval", labels_known=False), images


def recovered(found: Tensor, originals: Tensor, above: float) -> int:
    """How many originals have a reconstruction of their own above a PSNR."""
    found = torch.cat((found.clamp(0, 1), torch.full_like(originals, 0.5)))[: len(originals)]
    return int((psnr(found[match(found, originals)], originals, data_range=(0.0, 1.0)) > above).sum())


def test_most_of_a_large_batch_is_read_exactly_where_matching_recovers_nothing(target: Targets) -> None:
    """32 images: more than 80 % above 40 dB; Inverting Gradients brings none above 20 dB."""
    observation, originals = batch(target("convnet"), 32, bins=256)
    found = robbing_the_fed(observation)
    assert recovered(found.images, originals, 40) > 0.8 * 32
    assert len(found.images) <= 32
    plain = SharedGradient.of_batch(
        target("convnet").model,
        originals,
        torch.zeros(32, dtype=torch.long),
        mode="eval",
        labels_known=True,
    )
    assert recovered(inverting_gradients(plain, steps=10).images, originals, 20) == 0


def test_more_bins_recover_more_and_noise_recovers_nothing(target: Targets) -> None:
    shares = []
    for bins in (4, 32, 256):
        observation, originals = batch(target("convnet"), 16, bins)
        found = robbing_the_fed(observation)
        shares.append(recovered(found.images, originals, 40))
        assert found.converged == (len(found.images) == 16)
    assert shares[0] < shares[1] < shares[2]
    assert recovered(robbing_the_fed(noise_like(observation, 1)).images, originals, 20) == 0


def test_the_planted_model_still_tells_classes_apart(target: Targets) -> None:
    victim = target("convnet")
    model = planted(victim.model, victim.data.public.images, bins=256)
    test = victim.data.test
    with torch.no_grad():
        accuracy = float((model(test.images).argmax(dim=1) == test.labels).double().mean())
    assert accuracy > 0.6


def test_a_model_without_the_layer_is_refused(target: Targets, share: Callable[..., SharedGradient]) -> None:
    with pytest.raises(ValueError, match="holds no imprint layer"):
        robbing_the_fed(share(target("convnet"), 1, 2))
    with pytest.raises(ValueError, match="bins must be"):
        planted(target("convnet").model, torch.rand(4, 3, 32, 32), bins=1)
