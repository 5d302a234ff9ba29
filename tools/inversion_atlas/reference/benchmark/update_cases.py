"""Attacks on what updates give away: the example of an update, and properties of a client's batch."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.property_inference import property_inference
from inversion_atlas.reference.attacks.updates_leak import UpdateReader, train_update_reader, updates_leak
from inversion_atlas.reference.benchmark.gradient_cases import noise_like
from inversion_atlas.reference.benchmark.runs import (
    Case,
    Options,
    Outcome,
    Score,
    accepted,
    chosen,
    image_guesses,
    image_scores,
)
from inversion_atlas.reference.observations import BlackBox, ModelPair, SharedGradient
from inversion_atlas.reference.targets import data, training


def updated(model: nn.Module, images: Tensor, labels: Tensor) -> nn.Module:
    """Return a copy of the model after five steps of gradient descent on the images, as its owner updates it."""
    model = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    for _ in range(5):
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return model


def shadow_of(target: training.Target, images: data.Images, seed: int) -> nn.Module:
    """Return a model of the target's architecture that the adversary trains on images of its own."""
    recipe = training.RECIPES[target.name]
    shadow = training.untrained(replace(recipe, seed=seed + 1), target.data)
    training.train(shadow, images, replace(recipe, seed=seed))
    return shadow


def reader_of(options: Options) -> UpdateReader:
    """Return a reader trained on a shadow of the target: half of the public images train it, half update it."""
    public = options.target.data.public
    half = len(public) // 2
    shadow = shadow_of(options.target, data.Images(public.images[:half], public.labels[:half]), options.seed)
    return train_update_reader(
        shadow,
        public.images[half:],
        public.labels[half:],
        updated,
        probes=public.images[:100],
        **accepted(train_update_reader, options),
    )


def pair_of(target: training.Target, image: Tensor, label: Tensor) -> ModelPair:
    """Return the target before and after an update with one image, both behind interfaces."""
    models = (target.model, updated(target.model, image[None], label[None]))
    before, after = (BlackBox(model, outputs="logits", input_shape=target.data.shape) for model in models)
    return ModelPair(before, after)


def _updates_leak(options: Options) -> Outcome:
    """Updates with one test image each; without the signal the model before the update is its pair."""
    split = options.target.data
    fresh = chosen(split.test, min(options.items, len(split.test)), options.seed)
    reader = reader_of(options)
    found = []
    for image, label in zip(fresh.images, fresh.labels, strict=True):
        pair = pair_of(options.target, image, label)
        found.append(updates_leak(pair, reader))
    images = torch.cat([one.images for one in found])
    labels = torch.cat([one.labels for one in found if one.labels is not None])
    alone = updates_leak(ModelPair(pair.before, pair.before), reader).images.expand_as(images).contiguous()
    named = float((labels == fresh.labels).double().mean())
    most = float(fresh.labels.bincount().max()) / len(fresh)
    return Outcome(
        setting=f"{len(fresh)} updates of {options.target.name} with one {split.name} image; {pair.describe()}",
        scores=(
            Score("accuracy", named, "", most),
            *image_scores(images, fresh.images, {"no update": alone, **image_guesses(options, fresh.images)}),
        ),
        originals=fresh.images,
        images=images,
        converged=len(fresh),
        items=len(fresh),
    )


def batch_of(
    part: data.Images, digits: Tensor, digit: int | None, generator: torch.Generator, number: int = 8
) -> data.Images:
    """Return a batch of 32 images, half of them odd; so many of the even ones are the digit, none where it is None."""
    even, odd = (torch.nonzero((part.labels == label) & (digits != 2)).flatten() for label in (0, 1))
    with_it = torch.nonzero(digits == digit).flatten() if digit is not None else even
    picked = [
        group[torch.randint(len(group), (count,), generator=generator)]
        for group, count in ((with_it, number), (even, 16 - number), (odd, 16))
    ]
    return data.Images(part.images[torch.cat(picked)], part.labels[torch.cat(picked)])


def _property_inference(options: Options) -> Outcome:
    """Whether a batch of a client that learns parity holds twos; half of the batches do."""
    split, digits = options.target.data, data.digits()
    generator = torch.Generator().manual_seed(options.seed)
    auxiliary = [
        [batch_of(split.public, digits.public.labels, digit, generator) for _ in range(100)] for digit in (2, None)
    ]
    truth = torch.arange(options.items) % 2 == 0
    seen = [
        SharedGradient.of_batch(options.target.model, batch.images, batch.labels, mode="eval", labels_known=False)
        for holds in truth.tolist()
        for batch in [batch_of(split.private, digits.private.labels, 2 if holds else None, generator)]
    ]
    scores = property_inference(seen, auxiliary[0], auxiliary[1], **accepted(property_inference, options))
    blind = [noise_like(one, options.seed + item) for item, one in enumerate(seen)]
    alone = property_inference(blind, auxiliary[0], auxiliary[1], **accepted(property_inference, options))
    asked = f"{options.items} batches of {split.name}, {options.target.name}, is a 2 among them"
    return Outcome(
        setting=f"{asked}; {seen[0].describe()}",
        scores=(Score("auroc", metrics.auroc(scores, truth), "", max(0.5, metrics.auroc(alone, truth))),),
        originals=None,
        images=None,
        converged=options.items,
        items=options.items,
    )


CASES: Mapping[str, Case] = {
    "updates-leak": Case(_updates_leak, ("digits-mlp",), items=100),
    "property-inference": Case(_property_inference, ("parity-mlp",), items=100),
}
