"""Defenses that change what a client sends, and the attacks that run on what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.gradient_matching import inverting_updates
from inversion_atlas.reference.attacks.split_inference import rmle
from inversion_atlas.reference.benchmark.runs import Options
from inversion_atlas.reference.benchmark.text_cases import shared_texts
from inversion_atlas.reference.defenses.aggregation import masked, securely_aggregated, unmasked_sum
from inversion_atlas.reference.defenses.clipping import clip
from inversion_atlas.reference.defenses.compression import Compressor
from inversion_atlas.reference.defenses.noise import noise
from inversion_atlas.reference.defenses.pruning import kept, prune, prune_both, prune_largest
from inversion_atlas.reference.defenses.quantization import mixed_quantize, quantize
from inversion_atlas.reference.defenses.sent import length, parts
from inversion_atlas.reference.defenses.soteria import defended_layer, soteria
from inversion_atlas.reference.metrics import psnr
from inversion_atlas.reference.observations import (
    AccessError,
    BlackBox,
    SharedGradient,
    SharedTextGradient,
    SharedUpdate,
    SplitFeatures,
)
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]
Reached = Callable[[SharedGradient], float]
CHANGES: dict[str, Callable[..., object]] = {
    "noise": lambda sent: noise(sent, 0.1, relative=True),
    "laplace": lambda sent: noise(sent, 0.1, distribution="laplace"),
    "clip": lambda sent: clip(sent, 1e-6),
    "prune": lambda sent: prune(sent, 0.9),
    "largest": lambda sent: prune_largest(sent, 0.1),
    "both": lambda sent: prune_both(sent, 0.8, 0.05),
    "quantize": lambda sent: quantize(sent, 4),
    "mixed": lambda sent: mixed_quantize(sent, (2, 8)),
    "compressor": lambda sent: Compressor(0.9).send(sent),
}


@pytest.fixture(scope="session")
def messages(target: Targets, digit: SharedGradient) -> dict[str, object]:
    """One of each kind of message."""
    victim = target("digits-convnet")
    images, labels = victim.data.private.images[:2], victim.data.private.labels[:2]
    update = SharedUpdate.of_client(
        victim.model,
        images,
        labels,
        learning_rate=0.05,
        epochs=1,
        local_batch_size=1,
        shuffle_seed=None,
        mode="eval",
        labels_known=True,
    )
    assert isinstance(victim.model, torch.nn.Sequential)
    features = SplitFeatures.of_inputs(victim.model[:4], victim.model[4:], images, grants="model")
    texts = shared_texts(Options(target("transformer-untrained"), items=1), [0], granted=False)
    return {"gradient": digit, "update": update, "features": features, "gradient of texts": texts}


@pytest.mark.parametrize("kind", ["gradient", "update", "features", "gradient of texts"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_defended_message_keeps_its_type_says_so_and_is_the_same_each_time(
    name: str, kind: str, messages: dict[str, object]
) -> None:
    sent = messages[kind]
    assert isinstance(sent, SharedGradient | SharedTextGradient | SharedUpdate | SplitFeatures)
    before = {part: value.clone() for part, value in parts(sent).items()}
    defended, again = CHANGES[name](sent), CHANGES[name](sent)
    assert isinstance(defended, type(sent))
    assert isinstance(again, type(sent))
    assert defended.describe() == f"{sent.describe()}, under {defended.defenses[0]}"
    assert all(torch.equal(value, parts(again)[part]) for part, value in parts(defended).items())
    assert any(not torch.equal(value, before[part]) for part, value in parts(defended).items())
    assert all(torch.equal(value, before[part]) for part, value in parts(sent).items())
    twice = noise(defended, 0.1)
    assert twice.describe().endswith(f"under {defended.defenses[0]} and normal noise of deviation 0.1")


def test_attacks_run_unchanged_on_defended_updates_and_features(messages: dict[str, object], target: Targets) -> None:
    update, features = messages["update"], messages["features"]
    assert isinstance(update, SharedUpdate)
    assert isinstance(features, SplitFeatures)
    assert inverting_updates(prune(update, 0.5), steps=3).images.shape == (2, 1, 8, 8)
    originals = target("digits-convnet").data.private.images[:2]

    def error(sent: SplitFeatures) -> float:
        return -float(psnr(rmle(sent, steps=150).images.clamp(0, 1), originals, data_range=(0.0, 1.0)).mean())

    plain, little, much = error(features), *(error(noise(features, by, relative=True)) for by in (0.3, 3.0))
    assert plain < little < much


def test_pruning_99_percent_hurts_inverting_gradients_more_than_50(digit: SharedGradient, reached: Reached) -> None:
    """Margins in decibels: 8 between half and 99 percent; half costs nothing."""
    plain, half, nearly_all = reached(digit), reached(prune(digit, 0.5)), reached(prune(digit, 0.99))
    assert half > plain - 1
    assert nearly_all < half - 8


def test_what_is_pruned_is_the_share_of_each_part_that_was_asked_for(digit: SharedGradient) -> None:
    part = torch.tensor([0.1, -4.0, 2.0, -0.5, 3.0])
    assert kept(part, smallest=0.4).tolist() == [0, 1, 1, 0, 1]
    assert kept(part, largest=0.2).tolist() == [1, 0, 1, 1, 1]
    assert kept(part, smallest=0.4, largest=0.2).tolist() == [0, 0, 1, 0, 1]
    assert kept(torch.ones(1), smallest=0.99).tolist() == [1]
    for part in prune(digit, 0.9).gradient.values():
        assert int((part == 0).sum()) >= round(0.9 * part.numel()) - 1
    with pytest.raises(ValueError, match="share must be"):
        prune(digit, 1.0)


def test_the_largest_entries_carry_more_than_the_smallest(digit: SharedGradient, reached: Reached) -> None:
    """Margin: a tenth of the largest entries gone costs 8 dB more than half of the smallest."""
    assert reached(prune_largest(digit, 0.1)) < reached(prune(digit, 0.5)) - 8
    assert reached(prune_both(digit, 0.8, 0.05)) < reached(prune(digit, 0.8)) - 5


def test_what_a_compressor_holds_back_is_sent_later_and_nothing_is_lost(digit: SharedGradient) -> None:
    feedback = Compressor(0.9, momentum=0.0)
    total = {name: torch.zeros_like(part) for name, part in digit.gradient.items()}
    rounds = 60
    for _ in range(rounds):
        for name, part in feedback.send(digit).gradient.items():
            total[name] += part
    for name, part in digit.gradient.items():
        # At most what a fair turn takes is still held back.
        assert (total[name] - rounds * part).norm() < 0.5 * rounds * part.norm()
    one = torch.nn.Linear(2, 1, bias=False)
    shared = SharedGradient.of_batch(
        torch.nn.Sequential(torch.nn.Flatten(), one, torch.nn.Linear(1, 2)),
        torch.ones(1, 2),
        torch.tensor([0]),
        mode="eval",
        labels_known=True,
    )
    parts_of = {name: torch.zeros_like(part) for name, part in shared.gradient.items()}
    parts_of["1.weight"] = torch.tensor([[2.0, 1.0]])
    given, corrected = shared.with_gradient(parts_of), Compressor(0.5, momentum=0.5)
    sent = [corrected.send(given).gradient["1.weight"].tolist()[0] for _ in range(2)]
    # Round 1 sends 2 and keeps velocity 1, sum 1; then velocity 1.5, sum 2.5 beats the fresh 2.
    assert sent == [[2.0, 0.0], [0.0, 2.5]]


def test_more_noise_hides_more_and_clipping_alone_hides_nothing(digit: SharedGradient, reached: Reached) -> None:
    plain = reached(digit)
    levels = [reached(noise(digit, level, relative=True)) for level in (0.3, 1.0, 3.0, 10.0)]
    assert levels == sorted(levels, reverse=True)
    assert plain > levels[-1] + 8
    clipped = clip(digit, 1e-4)
    assert float(length(clipped.gradient)) == pytest.approx(1e-4, rel=1e-4)
    assert reached(clipped) > plain - 1
    longer = clip(digit, 1e6).gradient
    assert all(torch.equal(part, digit.gradient[name]) for name, part in longer.items())


@pytest.mark.parametrize("distribution", ["normal", "laplace"])
def test_noise_has_the_deviation_that_was_asked_for(distribution: str, digit: SharedGradient) -> None:
    noisy = noise(digit, 0.25, distribution=distribution)  # type: ignore[arg-type]
    added = torch.cat([(noisy.gradient[name] - part).flatten() for name, part in digit.gradient.items()])
    assert float(added.std()) == pytest.approx(0.25, rel=0.03)
    assert abs(float(added.mean())) < 0.01
    other = noise(digit, 0.25, seed=1)
    assert not torch.equal(other.gradient["0.weight"], noisy.gradient["0.weight"])


def test_fewer_bits_hide_more_and_random_rounding_is_right_on_average(digit: SharedGradient, reached: Reached) -> None:
    one, four, eight = (reached(quantize(digit, bits)) for bits in (1, 4, 8))
    assert one + 5 < four < eight
    for part in quantize(digit, 3).gradient.values():
        assert len(part.unique()) <= 7
    mean = sum(quantize(digit, 2, stochastic=True, seed=seed).gradient["7.weight"] for seed in range(300)) / 300
    assert isinstance(mean, Tensor)
    torch.testing.assert_close(mean, digit.gradient["7.weight"], atol=0.15 * float(mean.abs().max()), rtol=0)
    assert len({len(part.unique()) <= 3 for part in mixed_quantize(digit, (2, 16)).gradient.values()}) == 2
    with pytest.raises(ValueError, match="1 to 24 bits"):
        quantize(digit, 0)


def test_soteria_stops_the_attack_until_it_leaves_the_defended_layer_out(
    digit: SharedGradient, reached: Reached, target: Targets
) -> None:
    """Margins in decibels: 8 lost to the defense, all of it regained without that layer (balunovic2022bayesian)."""
    defended = soteria(digit, target("digits-convnet").data.private.images[:1], share=0.8)
    layer = defended_layer(digit.model)
    gone = (defended.gradient[f"{layer}.weight"] == 0).all(dim=0)
    assert int(gone.sum()) >= round(0.8 * len(gone))
    assert all(torch.equal(p, digit.gradient[n]) for n, p in defended.gradient.items() if n != f"{layer}.weight")
    plain = reached(digit)
    assert reached(defended) < plain - 8
    assert reached(defended.without(f"{layer}.weight")) > plain - 1
    with pytest.raises(ValueError, match="no gradient of 'head'"):
        defended.without("head")


def test_of_several_clients_the_server_sees_the_mean_alone(target: Targets) -> None:
    victim = target("digits-convnet")
    private = victim.data.private

    def share(start: int, stop: int) -> SharedGradient:
        picked = slice(start, stop)
        return SharedGradient.of_batch(
            victim.model, private.images[picked], private.labels[picked], mode="eval", labels_known=False
        )

    clients = [share(0, 1), share(1, 4), share(4, 6)]
    seen, together = securely_aggregated(clients, seed=3), share(0, 6)
    assert seen.batch_size == 6
    assert "under secure aggregation of 3 clients" in seen.describe()
    for name, part in together.gradient.items():
        torch.testing.assert_close(seen.gradient[name], part, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="same model"):
        securely_aggregated([clients[0], replace(clients[1], mode="train")])


def test_a_masked_message_tells_nothing_and_the_masks_cancel() -> None:
    vectors = torch.randn(3, 5000, generator=torch.Generator().manual_seed(0))
    sent = masked(vectors, seed=1)
    torch.testing.assert_close(unmasked_sum(sent), vectors.double().sum(dim=0), atol=1e-6, rtol=0)
    for one, hidden in zip(vectors, sent, strict=True):
        correlation = torch.corrcoef(torch.stack((one.double(), hidden.double())))[0, 1]
        assert abs(float(correlation)) < 0.06


def test_a_value_of_one_client_alone_is_withheld_where_several_must_contribute(digit: SharedGradient) -> None:
    first = {name: torch.zeros_like(part) for name, part in digit.gradient.items()}
    second = {name: part.clone() for name, part in first.items()}
    first["7.bias"][:2], second["7.bias"][1] = 1.0, 3.0
    clients = [digit.with_gradient(first), digit.with_gradient(second)]
    assert securely_aggregated(clients).gradient["7.bias"][:3].tolist() == [0.5, 2.0, 0.0]
    assert securely_aggregated(clients, least=2).gradient["7.bias"][:3].tolist() == [0.0, 2.0, 0.0]


def test_what_is_no_message_is_refused(target: Targets) -> None:
    box = BlackBox(target("digits-mlp").model, outputs="logits", input_shape=(1, 8, 8))
    with pytest.raises(AccessError, match="a BlackBox is nothing of the kind"):
        noise(box, 0.1)  # type: ignore[type-var]
