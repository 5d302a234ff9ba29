"""The defenses that `atlas attack --defense` knows: where each acts, and what its one number means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from torch import nn

from inversion_atlas.reference.benchmark.runs import Options
from inversion_atlas.reference.defenses import bottleneck, training
from inversion_atlas.reference.defenses.bido import bido
from inversion_atlas.reference.defenses.clipping import clip
from inversion_atlas.reference.defenses.compression import Compressor
from inversion_atlas.reference.defenses.dp_sgd import dp_gradient
from inversion_atlas.reference.defenses.noise import noise
from inversion_atlas.reference.defenses.pruning import prune, prune_both, prune_largest
from inversion_atlas.reference.defenses.purifier import purify
from inversion_atlas.reference.defenses.quantization import mixed_quantize, quantize
from inversion_atlas.reference.defenses.sent import Sent
from inversion_atlas.reference.defenses.smoothing import label_smoothing
from inversion_atlas.reference.defenses.soteria import soteria
from inversion_atlas.reference.defenses.sparse_coding import sparse_coded
from inversion_atlas.reference.defenses.transfer import transfer_learned
from inversion_atlas.reference.defenses.transformations import search_policy, transform
from inversion_atlas.reference.observations import (
    BlackBox,
    SharedGradient,
    expect,
)
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import mnist
from inversion_atlas.reference.targets.data import Images
from inversion_atlas.reference.targets.training import RECIPES, Recipe, Target, accuracy, untrained

Place = Literal["messages", "gradients", "answers", "training", "data"]


@dataclass(frozen=True, slots=True)
class Defense:
    """Where a defense acts, what its number means and is unless told otherwise, and what applies it."""

    place: Place
    number: str
    usual: float
    apply: Callable[..., Any]


def _fitted(
    loss: Callable[[float], training.Loss], told: str, *, passes: int = 1
) -> Callable[[Recipe, nn.Module, Any, float], nn.Module]:
    """Training with another loss, for `passes` times the epochs where the loss is slow to learn."""
    return lambda recipe, model, split, value: _train(
        replace(recipe, epochs=passes * recipe.epochs), model, split, loss(value), f"{told} {value:g}"
    )


def _train(recipe: Recipe, model: nn.Module, split: Any, loss: training.Loss, defense: str) -> nn.Module:
    return training.train(
        model,
        split.private.images,
        split.private.labels,
        loss=loss,
        defense=defense,
        epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
    )


def _with_mid(recipe: Recipe, model: nn.Module, split: Any, value: float) -> nn.Module:
    loss = bottleneck.bottleneck_loss(value)
    return _train(recipe, bottleneck.mid(_chain(model), latent=32), split, loss, f"weight {value:g}")


def _with_precode(recipe: Recipe, model: nn.Module, split: Any, value: float) -> nn.Module:
    extended = bottleneck.precode(_chain(model), latent=int(value))
    return _train(recipe, extended, split, bottleneck.bottleneck_loss(1e-3), "")


def _with_sparse_coding(recipe: Recipe, model: nn.Module, split: Any, value: float) -> nn.Module:
    return _train(recipe, sparse_coded(_chain(model), threshold=value), split, training.cross_entropy, "")


def _with_transfer(recipe: Recipe, model: nn.Module, split: Any, value: float) -> nn.Module:
    public, chain = mnist.labeled_public() if split.name == "mnist" else split.public, _chain(model)
    return transfer_learned(
        chain,
        (public.images, public.labels),
        (split.private.images, split.private.labels),
        frozen=len(chain) - int(value),
        epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
    )


def _chain(model: nn.Module) -> nn.Sequential:
    return expect(model, nn.Sequential, "this defense")


def _purified(model: nn.Module, split: Any, outputs: Any, value: float) -> nn.Module:
    return purify(model, split.test.images, outputs=outputs, divergence=value)


DEFENSES: Mapping[str, Defense] = {
    "noise": Defense(
        "messages", "deviation, in root mean squares", 1.0, lambda sent, value: noise(sent, value, relative=True)
    ),
    "clip": Defense("messages", "length at most", 1e-3, clip),
    "prune": Defense("messages", "share of the smallest entries", 0.9, prune),
    "prune-largest": Defense("messages", "share of the largest entries", 0.1, prune_largest),
    "dgp": Defense("messages", "share of the smallest entries", 0.8, lambda sent, value: prune_both(sent, value, 0.05)),
    "dgc": Defense("messages", "share kept for later", 0.99, lambda sent, value: Compressor(value).send(sent)),
    "quantize": Defense("messages", "bits", 4, lambda sent, value: quantize(sent, int(value))),
    "mixed-quantization": Defense(
        "messages", "most bits", 8, lambda sent, value: mixed_quantize(sent, (2, 4, int(value)))
    ),
    "soteria": Defense(
        "gradients",
        "share of features",
        0.8,
        lambda sent, batch, value: soteria(expect(sent, SharedGradient, "Soteria"), batch.images, share=value),
    ),
    "dp-sgd": Defense(
        "gradients",
        "noise multiplier, at bound 1e-3",
        0.1,
        lambda sent, batch, value: dp_gradient(
            expect(sent, SharedGradient, "DP-SGD"), batch.images, batch.labels, bound=1e-3, noise_multiplier=value
        ),
    ),
    "ats": Defense("data", "transformations in a row", 3, int),
    "score-noise": Defense("answers", "deviation", 0.05, lambda value: {"noise": value}),
    "top-k": Defense("answers", "scores kept", 1, lambda value: {"top_k": int(value)}),
    "rounding": Defense("answers", "decimals kept", 1, lambda value: {"round_to": int(value)}),
    "purifier": Defense("answers", "weight of the divergence", 1.0, _purified),
    "negative-smoothing": Defense("training", "factor", -0.05, _fitted(label_smoothing, "label smoothing")),
    "bido-hsic": Defense(
        "training",
        "weight on inputs",
        0.05,
        _fitted(lambda value: bido("hsic", on_input=value, on_label=value), "BiDO with HSIC", passes=2),
    ),
    "bido-coco": Defense(
        "training",
        "weight on inputs",
        500.0,
        _fitted(lambda value: bido("coco", on_input=value, on_label=value / 100), "BiDO with COCO"),
    ),
    "mid": Defense("training", "weight of the divergence", 3e-3, _with_mid),
    "precode": Defense("training", "numbers", 64, _with_precode),
    "tl-dmi": Defense("training", "last modules that private data train", 1, _with_transfer),
    "sparse-coding": Defense("training", "threshold", 0.5, _with_sparse_coding),
}


def refuse(names: Sequence[str], sees: Sequence[str], attack: str) -> None:
    """Raise ValueError for defenses of what the attack does not see."""
    for name in names:
        if DEFENSES[name].place not in sees:
            fitting = [known for known, defense in DEFENSES.items() if defense.place in sees]
            raise ValueError(f"{attack} does not see what {name} changes; {', '.join(fitting)} do change it")


@lru_cache(maxsize=4)
def defended_target(target: Target, defenses: tuple[tuple[str, float], ...]) -> Target:
    """Return the target trained anew under the defenses of training, one at most, or as it is.

    The last ones are kept: several attacks on them need one training.
    """
    chosen = [(DEFENSES[name], value) for name, value in defenses if DEFENSES[name].place == "training"]
    if not chosen:
        return target
    if len(chosen) > 1:
        raise ValueError("a target is trained under one defense of training")
    (defense, value), recipe = chosen[0], RECIPES[target.name]
    if recipe.fit:
        raise ValueError(f"{target.name} is fitted at once; no defense of training applies")
    model, split = defense.apply(recipe, untrained(recipe, target.data), target.data, value), target.data
    # What a model draws in eval mode comes from the numbers of everybody.
    with seeded(recipe.seed):
        known, new = accuracy(model, split.private), accuracy(model, split.test)
    return replace(target, model=model, train_accuracy=known, test_accuracy=new)


def sent(options: Options, observation: Sent, batch: Images | None = None) -> Sent:
    """Return what the server sees once the client, who knows its batch, has applied the defenses chosen."""
    for name, value in options.defenses:
        defense = DEFENSES[name]
        if defense.place == "messages":
            observation = defense.apply(observation, value)
        elif defense.place == "gradients":
            observation = defense.apply(observation, batch, value)
    return observation


def before_training(options: Options, batch: Images) -> tuple[Images, tuple[str, ...]]:
    """Return the batch as the client trains on it, transformed by a policy found on public images, and so in words."""
    told: tuple[str, ...] = ()
    for name, value in options.defenses:
        if DEFENSES[name].place == "data":
            public, model = options.target.data.public, options.target.model
            fresh = untrained(RECIPES[options.target.name], options.target.data)
            policy = search_policy(model, fresh, public.images[:8], public.labels[:8].clamp_min(0), length=int(value))
            batch = Images(transform(batch.images, policy), batch.labels)
            told = (*told, f"ATS ({', '.join(policy)})")
    return batch, told


def black_box(options: Options) -> BlackBox:
    """Return the target behind an interface that defends its answers as chosen."""
    model, outputs = options.target.model, "logits"
    limits: dict[str, Any] = {}
    for name, value in options.defenses:
        if name == "purifier":
            model, outputs = _purified(model, options.target.data, outputs, value), "probabilities"
        elif DEFENSES[name].place == "answers":
            limits |= DEFENSES[name].apply(value)
    return BlackBox(model, outputs=outputs, input_shape=options.target.data.shape, **limits)  # type: ignore[arg-type]
