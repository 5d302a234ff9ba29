"""Identity losses, projections and densities that attacks with a generator are made of."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.identity import cross_entropy, max_margin, negative_logit, poincare
from inversion_atlas.reference.attacks.if_gmi import l1_ball
from inversion_atlas.reference.attacks.latent_search import shifted
from inversion_atlas.reference.attacks.lomma import lomma_identity
from inversion_atlas.reference.attacks.vmi import FlowMiner, NormalMiner
from inversion_atlas.reference.features import penultimate
from inversion_atlas.reference.observations import WhiteBox
from inversion_atlas.reference.seeding import seeded

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
CLASSES = torch.tensor([0, 2])


def test_losses_are_those_of_their_papers_by_hand() -> None:
    assert negative_logit(LOGITS, CLASSES).tolist() == [-2.0, -1.0]
    assert max_margin(LOGITS, CLASSES).tolist() == [0.5 - 2.0, 3.0 - 1.0]
    expected = [math.log(math.exp(2) + math.exp(-1) + math.exp(0.5)) - 2, math.log(1 + math.exp(3) + math.e) - 1]
    assert cross_entropy(LOGITS, CLASSES).tolist() == pytest.approx(expected)
    # First row over its length 3.5: (4, -2, 1) / 7, against (.9999, 0, 0).
    u, v = (4 / 7, -2 / 7, 1 / 7), (0.9999, 0.0, 0.0)
    apart = sum((a - b) ** 2 for a, b in zip(u, v, strict=True))
    delta = 2 * apart / ((1 - sum(a * a for a in u)) * (1 - 0.9999**2))
    assert float(poincare(LOGITS, CLASSES)[0]) == pytest.approx(math.acosh(1 + delta), rel=1e-4)


@pytest.mark.parametrize("loss", [negative_logit, max_margin, poincare])
def test_where_cross_entropy_is_flat_the_others_are_not(loss: object) -> None:
    """Why PPA, PLG-MI and LOMMA replace it: a model that is sure gives it no slope."""
    sure = torch.tensor([[40.0, 0.0, -3.0]], requires_grad=True)
    (flat,) = torch.autograd.grad(cross_entropy(sure, torch.tensor([0])).sum(), sure)
    (steep,) = torch.autograd.grad(loss(sure, torch.tensor([0])).sum(), sure)  # type: ignore[operator]
    assert flat.abs().max() < 1e-12
    assert steep.abs().max() > 1e-3


@pytest.mark.parametrize("radius", [0.5, 3.0, 100.0])
def test_the_nearest_point_of_an_l1_ball(radius: float) -> None:
    with seeded(0):
        moves = torch.randn(6, 2, 4)
        inside = l1_ball(moves, radius)
        assert (inside.flatten(1).abs().sum(dim=1) <= radius + 1e-4).all()
        within = moves.flatten(1).abs().sum(dim=1) <= radius
        assert torch.equal(inside[within], moves[within])
        # No other point of the ball is nearer: on average over many drawn ones, for each item.
        others = torch.randn(500, 1, 2, 4)
        others = others / others.abs().sum(dim=(2, 3), keepdim=True) * radius * torch.rand(500, 1, 1, 1)
    distance = (inside - moves).flatten(1).norm(dim=1)
    assert ((others - moves).flatten(2).norm(dim=2) >= distance - 1e-5).all()


@pytest.mark.parametrize("miner", [NormalMiner, FlowMiner])
def test_a_miner_knows_its_density(miner: type[nn.Module]) -> None:
    """By the change of variables: the surplus over the standard normal, from the Jacobian that autograd gives."""
    with seeded(1):
        made = miner(4)
        for parameter in made.parameters():
            nn.init.normal_(parameter, std=0.3)
        noise = torch.randn(1, 4)
    latents, surplus = made(noise)
    jacobian = torch.autograd.functional.jacobian(lambda given: made(given)[0], noise).reshape(4, 4)
    standard = torch.distributions.Normal(0, 1)
    expected = standard.log_prob(noise).sum() - jacobian.det().abs().log() - standard.log_prob(latents).sum()
    assert float(surplus.detach()) == pytest.approx(float(expected.detach()), abs=1e-4)


@pytest.mark.parametrize("miner", [NormalMiner, FlowMiner])
def test_a_miner_begins_as_the_generator_s_own_distribution(miner: type[nn.Module]) -> None:
    with seeded(1):
        made, noise = miner(5), torch.randn(3, 5)
    latents, surplus = made(noise)
    assert torch.allclose(latents.sort(dim=1).values, noise.sort(dim=1).values, atol=1e-6)
    assert surplus.abs().max() < 1e-5


def test_crops_stay_within_the_image_and_none_leaves_it_as_it_was() -> None:
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    random = torch.Generator().manual_seed(0)
    torch.testing.assert_close(shifted(images, random, scale=0.0), images)
    cropped = shifted(images, random, scale=0.3)
    assert cropped.shape == images.shape
    assert cropped.min() >= images.min()
    assert cropped.max() <= images.max()
    assert not torch.allclose(cropped, images, atol=0.01)


def test_features_are_what_the_last_linear_layer_is_given() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    inputs = torch.rand(5, 1, 2, 2)
    features, outputs = penultimate(model, inputs)
    torch.testing.assert_close(model[3](features), outputs)
    assert not model[3]._forward_pre_hooks
    with pytest.raises(ValueError, match="no linear layer"):
        penultimate(nn.Flatten(), inputs)


def test_lomma_averages_logits_and_pulls_features_to_their_public_mean() -> None:
    with seeded(0):
        target, student = (nn.Sequential(nn.Flatten(), nn.Linear(4, 3)) for _ in "ab")
    public, images, labels = torch.rand(6, 1, 2, 2), torch.rand(2, 1, 2, 2), torch.tensor([0, 2])
    box = WhiteBox(target, outputs="logits", input_shape=(1, 2, 2))

    def own(model: nn.Module) -> Tensor:
        logits: Tensor = model(images)
        return logits.gather(1, labels[:, None]).squeeze(1)

    pull = (images.flatten(1) - public.flatten(1).mean(dim=0)).square().mean(dim=1)
    expected = -(own(target) + own(student)) / 2 + 0.7 * pull
    torch.testing.assert_close(lomma_identity(box, public, [student], weight=0.7)(images, labels), expected)


def test_a_model_that_returns_probabilities_gives_their_logarithms() -> None:
    with seeded(0):
        logits = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    images = torch.rand(2, 1, 2, 2)
    given = WhiteBox(nn.Sequential(logits, nn.Softmax(dim=1)), outputs="probabilities", input_shape=(1, 2, 2))
    plain = WhiteBox(logits, outputs="logits", input_shape=(1, 2, 2))
    torch.testing.assert_close(given.logits(images), plain.log_probabilities(images))
    torch.testing.assert_close(given.log_probabilities(images), plain.log_probabilities(images))
