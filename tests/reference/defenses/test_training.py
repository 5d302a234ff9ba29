"""Defenses of training: what they cost in accuracy, and what the attack loses."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.gradient_matching import inverting_gradients
from inversion_atlas.reference.attacks.inversion_network import train_inversion_network
from inversion_atlas.reference.attacks.linear_layer import analytic
from inversion_atlas.reference.attacks.mi_face import mi_face
from inversion_atlas.reference.defenses.bido import bido, coco, gaussian, hidden_outputs, hsic
from inversion_atlas.reference.defenses.bottleneck import bottleneck_layer, bottleneck_loss, mid, precode
from inversion_atlas.reference.defenses.smoothing import label_smoothing
from inversion_atlas.reference.defenses.training import Loss, cross_entropy, train
from inversion_atlas.reference.defenses.transfer import transfer_learned
from inversion_atlas.reference.metrics import attack_accuracy, psnr
from inversion_atlas.reference.observations import BlackBox, SharedGradient, WhiteBox
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import data, models
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
CLASSES = torch.arange(10)


def untrained(seed: int = 0) -> nn.Sequential:
    with seeded(seed):
        model = models.mlp((1, 8, 8), 10)
    assert isinstance(model, nn.Sequential)
    return model


def trained(loss: Loss, model: nn.Sequential | None = None, epochs: int = 40) -> nn.Module:
    private = data.digits().private
    return train(
        untrained() if model is None else model,
        private.images,
        private.labels,
        loss=loss,
        defense="a defense",
        epochs=epochs,
        learning_rate=3e-3,
    )


def accuracy(model: nn.Module) -> float:
    test = data.digits().test
    with seeded(0):
        return float((model(test.images).argmax(dim=1) == test.labels).float().mean())


def attacked(model: nn.Module, judge: nn.Module) -> float:
    """The share of classes that MI-Face finds, judged by another network."""
    with seeded(1):
        found = mi_face(WhiteBox(model, outputs="logits", input_shape=(1, 8, 8)), CLASSES, steps=400)
    with torch.no_grad():
        return float(attack_accuracy(judge(found.images), CLASSES).mean())


def test_negative_smoothing_stops_mi_face_at_little_cost(target: Targets) -> None:
    """Margins: 50 points of attack accuracy against the model without it, for 5 points of test accuracy."""
    plain, judge = target("digits-mlp").model, target("digits-convnet").model
    defended = trained(label_smoothing(-0.05))
    assert accuracy(defended) > accuracy(plain) - 0.05
    assert attacked(defended, judge) < attacked(plain, judge) - 0.5
    assert WhiteBox(defended, outputs="logits", input_shape=(1, 8, 8)).describe().endswith("under a defense")


def test_smoothed_labels_are_those_of_torch_where_it_has_them() -> None:
    model, images, labels = nn.Flatten(), torch.randn(5, 1, 1, 4), torch.tensor([0, 1, 2, 3, 0])
    expected = functional.cross_entropy(images.flatten(1), labels, label_smoothing=0.3)
    torch.testing.assert_close(label_smoothing(0.3)(model, images, labels), expected)
    torch.testing.assert_close(label_smoothing(0.0)(model, images, labels), cross_entropy(model, images, labels))
    with pytest.raises(ValueError, match="less than 1"):
        label_smoothing(1.0)


@pytest.mark.slow
def test_mid_lowers_what_mi_face_finds_at_little_cost(target: Targets) -> None:
    """Margins: 20 points of attack accuracy for 3 points of test accuracy."""
    plain, judge = target("digits-mlp").model, target("digits-convnet").model
    defended = trained(bottleneck_loss(3e-3), mid(untrained(), latent=32))
    assert accuracy(defended) > accuracy(plain) - 0.03
    assert attacked(defended, judge) <= attacked(plain, judge) - 0.2


def inversion_error(model: nn.Module) -> float:
    """The mean squared error of a network that inverts the model's scores of private images."""
    split = data.digits()
    box = BlackBox(model, outputs="logits", input_shape=(1, 8, 8))
    network = train_inversion_network(box, split.public.images, epochs=15)
    originals = split.private.images[:200]
    with torch.no_grad():
        return float((network(box.query(originals)) - originals).square().mean())


def on_input(measure: Callable[[Tensor, Tensor], Tensor], model: nn.Module) -> float:
    """How the hidden layer depends on the input, on a batch that was not trained on."""
    images = data.digits().test.images[:64]
    with torch.no_grad():
        return float(measure(hidden_outputs(model, images)[1][0], images.flatten(1)))


@pytest.mark.slow
def test_bido_with_hsic_weakens_the_inversion_of_scores_at_little_cost(target: Targets) -> None:
    """Margins: a quarter more error, half of the dependency, 3 points of test accuracy."""
    plain = target("digits-mlp").model
    defended = trained(bido("hsic", on_input=0.1, on_label=0.1))
    assert accuracy(defended) > accuracy(plain) - 0.03
    assert on_input(hsic, defended) < 0.5 * on_input(hsic, plain)
    assert inversion_error(defended) > 1.25 * inversion_error(plain)


@pytest.mark.slow
def test_bido_with_coco_does_so_by_the_dependency_that_it_measures(target: Targets) -> None:
    """Margins: 15 percent more error, half of the dependency, 3 points of test accuracy."""
    plain = target("digits-mlp").model
    defended = trained(bido("coco", on_input=500, on_label=0))
    assert accuracy(defended) > accuracy(plain) - 0.03
    assert on_input(coco, defended) < 0.5 * on_input(coco, plain)
    assert inversion_error(defended) > 1.15 * inversion_error(plain)


def test_dependencies_are_small_between_what_is_independent_and_large_between_equals() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(60, 4, generator=generator) * 5 for _ in "ab")
    for measure in (coco, hsic):
        assert float(measure(one, one)) > float(measure(one, other)) + 1e-4
        torch.testing.assert_close(measure(one, other), measure(other, one), rtol=1e-2, atol=1e-4)
    torch.testing.assert_close(gaussian(one).diagonal(), torch.ones(60), atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="no ReLU"):
        hidden_outputs(nn.Flatten(), torch.rand(2, 1, 2, 2))
    with pytest.raises(ValueError, match="measure must be"):
        bido("mi", on_input=1, on_label=1)  # type: ignore[arg-type]


def test_precode_hinders_matching_until_its_layers_are_left_out(target: Targets) -> None:
    """Margins in decibels: 2 lost, 5 more than ever without what was drawn; a linear layer is read exactly, above 60.

    Both ways around it: balunovic2022bayesian, scheliga2022combining.
    """
    private = data.digits().private
    images, labels = private.images[:1], private.labels[:1]
    defended = trained(bottleneck_loss(1e-3), precode(untrained(), latent=64), epochs=20)
    assert accuracy(defended) > 0.9

    def share(model: nn.Module) -> SharedGradient:
        return SharedGradient.of_batch(model, images, labels, mode="eval", labels_known=True)

    def reached(shared: SharedGradient) -> float:
        found = inverting_gradients(shared, steps=200, tv=0.1).images.clamp(0, 1)
        return float(psnr(found, images, data_range=(0.0, 1.0)))

    with seeded(3):
        plain, shared = reached(share(target("digits-mlp").model)), share(defended)
        assert reached(shared) < plain - 2
        assert isinstance(shared.model, nn.Sequential)
        assert reached(shared.without(bottleneck_layer(shared.model), "4")) > plain + 5
    assert float(psnr(analytic(shared).images, images, data_range=(0.0, 1.0))) > 60
    assert "under PRECODE of 64 numbers" in shared.describe()


def test_a_bottleneck_draws_anew_each_time_and_refuses_what_it_cannot_extend() -> None:
    model, images = precode(untrained(), latent=8), torch.rand(2, 1, 8, 8)
    with seeded(0):
        first, second = model(images), model(images)
        torch.manual_seed(0)
        assert torch.equal(model(images), first)
    assert not torch.equal(first, second)
    with pytest.raises(ValueError, match="train mode alone"):
        bottleneck_loss()(model.eval(), images, torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="must be linear"):
        precode(nn.Sequential(nn.Flatten(), nn.ReLU()))


def test_a_trained_bottleneck_carries_nothing_of_its_last_batch() -> None:
    model = trained(bottleneck_loss(1e-3), mid(untrained(), latent=8), epochs=1)
    victim = WhiteBox(model, outputs="logits", input_shape=(1, 8, 8))
    assert all(getattr(layer, "spread", None) is None for layer in victim.model.modules())
    assert "under MID of 8 numbers and a defense" in victim.describe()


def test_transfer_learning_leaves_the_frozen_layers_free_of_the_private_data() -> None:
    split = data.digits()
    public = (split.public.images, split.public.labels)

    def learned(private: Tensor, labels: Tensor) -> nn.Sequential:
        return transfer_learned(untrained(), public, (private, labels), frozen=2, epochs=15, learning_rate=3e-3)

    one = learned(split.private.images[:400], split.private.labels[:400])
    other = learned(split.private.images[400:], split.private.labels[400:])
    assert torch.equal(one[1].weight, other[1].weight)
    assert not torch.equal(one[3].weight, other[3].weight)
    assert accuracy(one) > 0.9
    assert "TL-DMI with 2 modules" in WhiteBox(one, outputs="logits", input_shape=(1, 8, 8)).describe()
    with pytest.raises(ValueError, match="leave a module"):
        transfer_learned(untrained(), public, public, frozen=4, epochs=1, learning_rate=1e-3)


def test_transfer_learning_from_other_classes_stops_mi_face(target: Targets) -> None:
    """Margins: 50 points of attack accuracy for 10 points of test accuracy; public digits 5 to 9, private 0 to 4."""
    split, judge = data.digits(), target("digits-convnet").model

    def only(part: data.Images, low: int) -> tuple[Tensor, Tensor]:
        chosen = (part.labels >= low) & (part.labels < low + 5)
        return part.images[chosen], part.labels[chosen] - low

    def drawn() -> nn.Sequential:
        with seeded(0):
            return nn.Sequential(*models.mlp((1, 8, 8), 5).children())

    public, private, test = only(split.public, 5), only(split.private, 0), only(split.test, 0)
    options = {"epochs": 30, "learning_rate": 3e-3}
    plain = train(drawn(), *private, loss=cross_entropy, defense="", **options)  # type: ignore[arg-type]
    defended = transfer_learned(drawn(), public, private, frozen=2, **options)  # type: ignore[arg-type]

    def results(model: nn.Module) -> tuple[float, float]:
        found = mi_face(WhiteBox(model, outputs="logits", input_shape=(1, 8, 8)), CLASSES[:5], steps=400)
        with torch.no_grad():
            right = (model(test[0]).argmax(dim=1) == test[1]).float().mean()
            return float(attack_accuracy(judge(found.images), CLASSES[:5]).mean()), float(right)

    assert results(defended)[0] <= results(plain)[0] - 0.5
    assert results(defended)[1] > results(plain)[1] - 0.1


def test_training_under_a_defense_is_the_same_each_time_and_leaves_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    models_ = [trained(bottleneck_loss(1e-3), copy.deepcopy(mid(untrained(), latent=8)), epochs=1) for _ in "ab"]
    assert torch.equal(torch.rand(2), expected)
    assert all(torch.equal(p, q) for p, q in zip(*(m.parameters() for m in models_), strict=True))
