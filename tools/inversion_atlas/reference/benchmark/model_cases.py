"""Attacks on a trained model, with its parameters or behind an interface."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.inversion_network import train_inversion_network
from inversion_atlas.reference.attacks.mi_face import mi_face
from inversion_atlas.reference.benchmark import defending
from inversion_atlas.reference.benchmark.runs import (
    Case,
    Options,
    Outcome,
    Score,
    accepted,
    chosen,
    described,
    image_guesses,
    image_scores,
    scores_of,
)
from inversion_atlas.reference.observations import WhiteBox
from inversion_atlas.reference.targets import training


def _mi_face(options: Options) -> Outcome:
    """One image per class, judged by a convolutional network that was trained on the same private images."""
    split = options.target.data
    labels = torch.arange(len(split.classes))[: options.items]
    observation = WhiteBox(options.target.model, outputs="logits", input_shape=split.shape)
    reconstruction = mi_face(observation, labels, **accepted(mi_face, options))
    judge = training.load("digits-convnet", options.cache)
    means = torch.stack([split.private.images[split.private.labels == label].mean(dim=0) for label in labels])
    guesses = image_guesses(options, means)
    value, *baselines = (
        float(metrics.attack_accuracy(scores_of(judge, images), labels).mean())
        for images in (reconstruction.images, *guesses.values())
    )
    return Outcome(
        setting=f"{described(options)}; {observation.describe()}; judged by {judge.name}",
        scores=(Score("attack-accuracy", value, "", max(baselines)),),
        originals=means,
        images=reconstruction.images,
        converged=len(labels) if reconstruction.converged else 0,
        items=len(labels),
    )


def _inversion_network(options: Options) -> Outcome:
    """Private images from the scores that the black box gave them, after training on public ones."""
    split = options.target.data
    private = chosen(split.private, options.items, options.seed)
    observation = defending.black_box(options)
    arguments = accepted(train_inversion_network, options)
    network = train_inversion_network(observation, split.public.images, **arguments)
    scores = observation.query(private.images)
    with torch.no_grad():
        images = network(scores)
        prior = network(scores.mean(dim=0, keepdim=True)).expand_as(images).contiguous()
    named = scores.argmax(dim=1)
    public = split.public
    means = torch.stack([public.images[public.labels == label].mean(dim=0) for label in range(len(split.classes))])
    guesses = {"prior alone": prior, "mean of the named class": means[named], **image_guesses(options, private.images)}
    return Outcome(
        setting=f"{described(options)}; {observation.describe()}, {observation.queries:,} queries",
        scores=image_scores(images, private.images, guesses),
        originals=private.images,
        images=images,
        converged=options.items,
        items=options.items,
    )


CASES: Mapping[str, Case] = {
    "mi-face": Case(_mi_face, ("digits-softmax", "digits-mlp"), items=10),
    "inversion-network": Case(
        _inversion_network, ("digits-mlp", "digits-softmax"), items=100, sees=("answers", "training")
    ),
}
