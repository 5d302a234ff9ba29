"""Images with captions from one shared gradient, each alone and both together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.mmgia import RecoveredPairs, mmgia
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.multimodal_cases import blurred, pairs_shared
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import AccessError
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets.captions import Captions, captioned, train_shared_space
from inversion_atlas.reference.targets.data import Images
from inversion_atlas.reference.targets.models import mlp
from inversion_atlas.reference.targets.training import Recipe, Target, train

ITEMS = 40


@pytest.fixture(scope="module")
def victim(target: Callable[[str], Target]) -> Target:
    return target("captions-parity")


@pytest.fixture(scope="module")
def encoders() -> tuple[nn.Module, nn.Module]:
    return train_shared_space(captioned().public, seed=1)


@pytest.fixture(scope="module")
def judge() -> nn.Module:
    """A perceptron that knows digits of public images, with noise, and none of the attack's encoders."""
    public = captioned().public
    with seeded(3):
        model = mlp((1, 16, 16), 10)
        noisy = public.images + 0.1 * torch.randn_like(public.images)
    train(model, Images(noisy, public.tokens[:, 3] - 10), Recipe(mlp, captioned, epochs=6, learning_rate=2e-3))
    return model.eval()


def true(items: int = ITEMS) -> Captions:
    private = captioned().private
    return Captions(private.images[:items], private.labels[:items], private.tokens[:items])


def told(tokens: Tensor) -> float:
    return float((tokens == true(len(tokens)).tokens).double().mean())


def quality(found: RecoveredPairs) -> float:
    return float(psnr(found.images, true(len(found.images)).images, data_range=(0.0, 1.0)).mean())


@pytest.mark.slow
def test_an_image_helps_a_text_whose_gradient_is_hidden_in_noise(
    victim: Target, encoders: tuple[nn.Module, nn.Module]
) -> None:
    """Margins: a tenth of all words over the text alone; better than the public caption nearest to the image; images
    6 dB above the mean image."""
    seen = [blurred(one, one.text_branch, 8, item) for item, one in enumerate(pairs_shared(victim, range(ITEMS)))]
    alone, both = (mmgia(seen, *encoders, steps=150, agreement=weight) for weight in (0, 0.03))
    assert told(both.tokens) > told(alone.tokens) + 0.1
    public = captioned().public
    with torch.no_grad():
        places = functional.normalize(encoders[1](public.tokens), dim=1)
        nearest = (encoders[0](both.images) @ places.T).argmax(dim=1)
    assert told(both.tokens) > told(public.tokens[nearest])
    assert told(both.tokens) > told(public.tokens.mode(dim=0).values.expand(ITEMS, -1)) + 0.3
    mean = public.images.mean(dim=0, keepdim=True).expand_as(both.images).contiguous()
    assert quality(both) > float(psnr(mean, true().images, data_range=(0.0, 1.0)).mean()) + 6


@pytest.mark.slow
def test_a_text_helps_an_image_whose_gradient_is_hidden_in_noise(
    victim: Target, encoders: tuple[nn.Module, nn.Module], judge: nn.Module
) -> None:
    """Margins: a tenth more of the images show their digit to a judge; by PSNR they are no better, less than 0.5 dB
    worse."""
    seen = [blurred(one, one.image_branch, 4, item) for item, one in enumerate(pairs_shared(victim, range(ITEMS)))]
    alone, both = (mmgia(seen, *encoders, steps=150, agreement=weight) for weight in (0, 0.03))
    digits = true().tokens[:, 3] - 10
    shown = [float((judge(found.images).argmax(dim=1) == digits).double().mean()) for found in (alone, both)]
    assert shown[1] > shown[0] + 0.1
    assert quality(both) > quality(alone) - 0.5
    assert told(both.tokens) > 0.95


@pytest.mark.slow
def test_noise_in_place_of_both_gradients_tells_nothing(victim: Target, encoders: tuple[nn.Module, nn.Module]) -> None:
    """Words as often as by guessing, where each place has 3 to 10 words; images worse than the mean one."""
    seen = [noise_like(one, item) for item, one in enumerate(pairs_shared(victim, range(ITEMS)))]
    found = mmgia(seen, *encoders, steps=60)
    assert told(found.tokens) < 0.3
    mean = captioned().public.images.mean(dim=0, keepdim=True).expand_as(found.images).contiguous()
    assert quality(found) < float(psnr(mean, true().images, data_range=(0.0, 1.0)).mean())


def test_pairs_attacked_side_by_side_do_not_touch_and_come_out_the_same_each_time(victim: Target) -> None:
    encoders = train_shared_space(true(200), epochs=1, seed=1)
    seen = pairs_shared(victim, range(3))
    one, two = (mmgia(seen, *encoders, steps=4, seed=5) for _ in "ab")
    assert torch.equal(one.images, two.images)
    assert torch.equal(one.tokens, two.tokens)
    changed = mmgia([*seen[:2], noise_like(seen[2], 1)], *encoders, steps=4, seed=5)
    torch.testing.assert_close(changed.images[:2], one.images[:2], atol=1e-4, rtol=0)
    assert torch.equal(changed.tokens[:2], one.tokens[:2])


def test_what_is_no_pair_of_one_model_is_refused(victim: Target) -> None:
    encoders = train_shared_space(true(64), epochs=1, seed=1)
    seen = pairs_shared(victim, range(1))
    with pytest.raises(ValueError, match="at least one"):
        mmgia([], *encoders)
    with pytest.raises(AccessError, match="mmgia takes a SharedPairGradient"):
        mmgia([encoders[0]], *encoders)  # type: ignore[list-item]
    other = Target("other", type(victim.model)(2), victim.data, 0, 0)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="of one model"):
        mmgia([*seen, *pairs_shared(other, range(1))], *encoders)


def test_captions_tell_what_is_measured() -> None:
    """Thick digits hold more ink than thin ones, wide ones are broader, and each third of all images has its word."""
    part = captioned().public
    ink = part.images.sum(dim=(1, 2, 3))
    assert float(ink[part.tokens[:, 0] == 3].min()) > float(ink[part.tokens[:, 0] == 1].max())
    breadth = (part.images.amax(dim=(1, 2)) > 0.3).sum(dim=1).double()
    assert float(breadth[part.tokens[:, 1] == 6].mean()) > float(breadth[part.tokens[:, 1] == 4].mean()) + 2
    assert captioned().text(part.tokens[0]).split()[3] in ("zero one two three four five six seven eight nine").split()
    counts = torch.stack([(part.tokens[:, 2] == word).sum() for word in (7, 8, 9)])
    assert int(counts.min()) > len(part) / 4
