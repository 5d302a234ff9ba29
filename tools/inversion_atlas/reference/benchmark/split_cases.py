"""Attacks on networks that are split between a client and a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.fsha import fsha
from inversion_atlas.reference.attacks.split_inference import query_free, rmle, train_inverse_network, unsplit
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.runs import (
    Case,
    Options,
    Outcome,
    accepted,
    chosen,
    described,
    image_guesses,
    image_scores,
)
from inversion_atlas.reference.defenses.training import marked
from inversion_atlas.reference.observations import SplitFeatures, SplitTraining
from inversion_atlas.reference.observations.access import defenses_of
from inversion_atlas.reference.observations.split import Grants
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import data, training

# Layers of the client: a convolution and its ReLU, or two of them.
_SHALLOW, _DEEP = 2, 4


def parts(model: nn.Module, layers: int) -> tuple[nn.Module, nn.Module]:
    """Return the client's part, the first layers of a sequence, and the server's."""
    assert isinstance(model, nn.Sequential)
    client = model[:layers]
    # A slice of a model that was trained under a defense was so, too.
    for defense in defenses_of(model):
        marked(client, defense)
    return client, model[layers:]


def untrained(target: training.Target, layers: int, seed: int) -> nn.Module:
    """Return a client's part of the same architecture with weights of its own."""
    recipe = replace(training.RECIPES[target.name], seed=seed + 1)
    return parts(training.untrained(recipe, target.data), layers)[0]


def noise_like(observation: SplitFeatures, seed: int) -> SplitFeatures:
    """Return the observation with its features replaced by noise of their size, channel by channel."""
    features = observation.features
    shuffled = features.flatten(2)[:, :, torch.randperm(features.flatten(2).shape[2], generator=_from(seed))]
    drawn = torch.rand(features.shape, generator=_from(seed + 1)) * 2 * shuffled.mean(dim=2)[:, :, None, None]
    return observation.with_features(drawn)


_Attack = Callable[[SplitFeatures, Options], Tensor]


def _by_features(attack: _Attack, grants: Grants, layers: int) -> Callable[[Options], Outcome]:
    def run(options: Options) -> Outcome:
        private = chosen(options.target.data.private, options.items, options.seed)
        client, server = parts(options.target.model, layers)
        observation = SplitFeatures.of_inputs(client, server, private.images, grants=grants)
        observation = defending.sent(options, observation, private)
        images = attack(observation, options).clamp(*data.DATA_RANGE)
        alone = attack(noise_like(observation, options.seed), options).clamp(*data.DATA_RANGE)
        guesses = {"prior alone": alone, **image_guesses(options, private.images)}
        return Outcome(
            setting=f"{described(options)}, split after layer {layers}; {observation.describe()}",
            scores=image_scores(images, private.images, guesses),
            originals=private.images,
            images=images,
            converged=options.items,
            items=options.items,
        )

    return run


def _rmle(observation: SplitFeatures, options: Options) -> Tensor:
    return rmle(observation, **accepted(rmle, options)).images


def _query_free(observation: SplitFeatures, options: Options) -> Tensor:
    public = options.target.data.public
    shadow = untrained(options.target, _SHALLOW, options.seed)
    return query_free(observation, public.images, public.labels, shadow, **accepted(query_free, options)).images


def _inverse_network(observation: SplitFeatures, options: Options) -> Tensor:
    public = options.target.data.public.images
    network = train_inverse_network(observation, public, **accepted(train_inverse_network, options))
    with torch.no_grad():
        images: Tensor = network(observation.features)
    return images


def _unsplit(observation: SplitFeatures, options: Options) -> Tensor:
    return unsplit(observation, untrained(options.target, _SHALLOW, options.seed), **accepted(unsplit, options)).images


def batches(images: Tensor, number: int, size: int, seed: int) -> list[Tensor]:
    """Return the private batches that a client trains on, drawn at random; of the last one the images are known."""
    generator = _from(seed)
    return [images[torch.randperm(len(images), generator=generator)[:size]] for _ in range(number)]


def client_in_training(shape: tuple[int, ...], seed: int) -> nn.Module:
    """Return an untrained client's part: two convolutions, the second with stride 2 and four channels."""
    with seeded(seed):
        return nn.Sequential(nn.Conv2d(shape[0], 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 4, 3, stride=2, padding=1))


def _fsha(options: Options) -> Outcome:
    """The last batch of a client in training; without the hijacking, of a client that does not follow."""
    split, arguments = options.target.data, accepted(fsha, options)
    steps = arguments.setdefault("steps", 1500)
    sent = batches(split.private.images, steps + 1, max(options.items, 2), options.seed)

    def attacked(learning_rate: float) -> tuple[Tensor, str]:
        client = SplitTraining(
            client_in_training(split.shape, options.seed), sent, input_shape=split.shape, learning_rate=learning_rate
        )
        return fsha(client, split.public.images, **arguments).images, client.describe()

    (images, told), (alone, _) = attacked(1e-3), attacked(0.0)
    guesses = {"client that does not follow": alone, **image_guesses(options, sent[-1])}
    return Outcome(
        setting=f"{len(sent[-1])} of {split.name}, {steps} batches; {told}",
        scores=image_scores(images, sent[-1], guesses),
        originals=sent[-1],
        images=images,
        converged=options.items,
        items=options.items,
    )


def _from(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


CASES: Mapping[str, Case] = {
    "rmle": Case(
        _by_features(_rmle, "model", _DEEP),
        ("digits-convnet", "convnet"),
        items=8,
        bench_steps=300,
        sees=("messages", "training"),
    ),
    "inverse-network": Case(
        _by_features(_inverse_network, "queries", _DEEP),
        ("digits-convnet", "convnet"),
        items=100,
        sees=("messages", "training"),
    ),
    "query-free": Case(
        _by_features(_query_free, "nothing", _SHALLOW), ("digits-convnet",), items=10, sees=("messages", "training")
    ),
    "unsplit": Case(
        _by_features(_unsplit, "nothing", _SHALLOW), ("digits-convnet",), items=10, sees=("messages", "training")
    ),
    "fsha": Case(_fsha, ("digits-convnet",), items=64, bench_steps=1000),
}
