"""What encoders remember of their training images beyond what the captions tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from inversion_atlas.reference.attacks.deja_vu import deja_vu
from inversion_atlas.reference.benchmark.multimodal_cases import encoders_of, opened
from inversion_atlas.reference.observations import AccessError, ImageTextEncoders
from inversion_atlas.reference.targets.couples import Couples, couples
from inversion_atlas.reference.targets.training import Target


@pytest.fixture(scope="module")
def victim(target: Callable[[str], Target]) -> Target:
    return target("couples-encoders")


@pytest.fixture(scope="module")
def reference(victim: Target) -> ImageTextEncoders:
    return encoders_of(victim, couples().test, 0)


def known(votes: Tensor, part: Couples) -> float:
    return float((votes.argmax(dim=1) == part.labels).double().mean())


def shown() -> Tensor:
    return functional.one_hot(couples().public.labels, 10)


@pytest.mark.slow
def test_a_caption_calls_up_the_digit_that_it_does_not_tell(victim: Target, reference: ImageTextEncoders) -> None:
    """Margins: a tenth of all hidden digits over encoders that never saw the images, over the same encoders on couples
    of the test part, and over captions shuffled among the images; those are below 16 %, where chance is 10 %."""
    split = couples()
    own = deja_vu(opened(victim.model), reference, split.private.tokens, split.public.images, shown())
    fresh = deja_vu(opened(victim.model), reference, split.test.tokens, split.public.images, shown())
    swapped = split.private.tokens.roll(1, dims=0)
    shuffled = deja_vu(opened(victim.model), reference, swapped, split.public.images, shown())
    others = (
        known(own.by_reference, split.private),
        known(fresh.by_target, split.test),
        known(shuffled.by_target, split.private),
    )
    assert known(own.by_target, split.private) > max(others) + 0.1
    assert max(others) < 0.16
    # The reference knows as much of its own couples: it is the training that tells.
    assert known(fresh.by_reference, split.test) > known(fresh.by_target, split.test) + 0.1
    again = deja_vu(opened(victim.model), reference, split.private.tokens, split.public.images, shown())
    assert torch.equal(own.by_target, again.by_target)


@pytest.mark.slow
def test_random_words_in_training_make_encoders_forget(victim: Target, reference: ImageTextEncoders) -> None:
    """Half of all words replaced: the hidden digit is called up less often by a twentieth of all couples."""
    split = couples()
    plain, randomized = (encoders_of(victim, split.private, 0, randomized=share) for share in (0.0, 0.5))
    found = [
        deja_vu(model, reference, split.private.tokens, split.public.images, shown()) for model in (plain, randomized)
    ]
    rates = [known(one.by_target, split.private) for one in found]
    assert rates[1] < rates[0] - 0.05


def test_encoders_are_copies_and_nothing_else_is_taken() -> None:
    images, texts = torch.nn.Linear(2, 3), torch.nn.Embedding(4, 3)
    seen = ImageTextEncoders.of(images.train(), texts)
    assert seen.images is not images
    assert not seen.images.training
    assert images.training
    assert "white box" in seen.describe()
    with pytest.raises(AccessError, match="takes an ImageTextEncoders"):
        deja_vu(images, seen, torch.zeros(1), torch.zeros(1), torch.zeros(1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="neighbors must be from 1 to 1"):
        deja_vu(seen, seen, torch.zeros(1), torch.zeros(1, 2), torch.zeros(1))
