"""Defenses of what a black box answers, and of what features hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.inversion_network import train_inversion_network
from inversion_atlas.reference.attacks.split_inference import train_inverse_network
from inversion_atlas.reference.defenses.purifier import purify
from inversion_atlas.reference.defenses.sparse_coding import SparseCoding, sparse_coded
from inversion_atlas.reference.defenses.training import cross_entropy, train
from inversion_atlas.reference.observations import BlackBox, LabelOnly, SplitFeatures
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import data, models
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


def inversion_error(box: BlackBox) -> float:
    """The mean squared error of a network that inverts the answers to private images."""
    split = data.digits()
    network = train_inversion_network(box, split.public.images, epochs=12)
    originals = split.private.images[:200]
    with torch.no_grad():
        return float((network(box.query(originals)) - originals).square().mean())


@pytest.mark.slow
def test_rounding_top_k_noise_and_purifier_weaken_the_inversion_network(target: Targets) -> None:
    """Margin: half more error for each; the class that is named never changes, but under noise."""
    model, test = target("digits-mlp").model, data.digits().test.images

    def box(behind: nn.Module = model, outputs: str = "logits", **options: object) -> BlackBox:
        return BlackBox(behind, outputs=outputs, input_shape=(1, 8, 8), **options)  # type: ignore[arg-type]

    purified = purify(model, test, outputs="logits")
    plain, named = inversion_error(box()), model(test).argmax(dim=1)
    assert inversion_error(box(noise=0.05)) > 1.5 * plain
    for defended in ({"top_k": 1}, {"round_to": 1}, {"behind": purified, "outputs": "probabilities"}):
        assert inversion_error(box(**defended)) > 1.5 * plain  # type: ignore[arg-type]
        agreeing = box(**defended).query(test).argmax(dim=1) == named  # type: ignore[arg-type]
        assert float(agreeing.float().mean()) > 0.99


def test_a_purified_model_answers_with_probabilities_and_says_so(target: Targets) -> None:
    model, test = target("digits-mlp").model, data.digits().test.images
    purified, again = (purify(model, test[:64], outputs="logits", epochs=2) for _ in "ab")
    box = BlackBox(purified, outputs="probabilities", input_shape=(1, 8, 8), limit=50)
    answers = box.query(test[:40])
    torch.testing.assert_close(answers.sum(dim=1), torch.ones(40))
    assert torch.equal(answers, again(test[:40]))
    assert "under Purifier, at most 50 queries" in box.describe()
    oracle = LabelOnly(purified, input_shape=(1, 8, 8))
    assert torch.equal(oracle.query(test), model(test).argmax(dim=1))
    assert "under Purifier" in oracle.describe()


def test_a_code_is_sparse_explains_its_input_and_its_features_have_length_one() -> None:
    with seeded(0):
        layer = SparseCoding(1, 16, threshold=0.1, steps=60)
    images = data.digits().private.images[:4]

    def explained(code: Tensor) -> float:
        drawn = nn.functional.conv_transpose2d(code, layer.unit_dictionary(), padding=2)
        return float((drawn - images).square().mean() / images.square().mean())

    with torch.no_grad():
        code = layer(images)
        assert float((code > 0).float().mean()) < 0.4
        assert explained(code) < 0.3
        layer.threshold = 1.0
        assert float((layer(images) > 0).float().mean()) < float((code > 0).float().mean())
    torch.testing.assert_close(layer.unit_dictionary().flatten(1).norm(dim=1), torch.ones(16))
    with pytest.raises(ValueError, match="stride 1"):
        sparse_coded(nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(2, 2)))


@pytest.mark.slow
def test_sparse_coding_weakens_the_inverse_of_features_at_little_cost() -> None:
    """Margins: twice the error of the inverse network for 3 points of accuracy."""
    split = data.digits()
    with seeded(0):
        convolutional = models.convnet(split.shape, 10)
    assert isinstance(convolutional, nn.Sequential)

    def results(model: nn.Sequential) -> tuple[float, float, SplitFeatures]:
        private = split.private
        train(
            model,
            private.images,
            private.labels,
            loss=cross_entropy,
            defense="",
            epochs=6,
            learning_rate=2e-3,
        )
        seen = SplitFeatures.of_inputs(model[:2], model[2:], private.images[:50], grants="queries")
        network = train_inverse_network(seen, split.public.images, epochs=6)
        with torch.no_grad():
            error = float((network(seen.features) - private.images[:50]).square().mean())
            right = float((model(split.test.images).argmax(dim=1) == split.test.labels).float().mean())
        return error, right, seen

    coded = sparse_coded(convolutional)
    plain, defended = results(convolutional), results(coded)
    assert defended[0] > 2 * plain[0]
    assert defended[1] > plain[1] - 0.03
