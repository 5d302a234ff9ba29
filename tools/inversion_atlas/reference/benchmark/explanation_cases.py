"""Attacks on models that explain their answers."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from inversion_atlas.reference.attacks.explanation_inversion import train_explanation_network
from inversion_atlas.reference.attacks.inversion_network import train_inversion_network
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
from inversion_atlas.reference.observations import Explanation
from inversion_atlas.reference.observations.explanations import gradient_times_input


def _explanation_inversion(options: Options) -> Outcome:
    """Private images from scores and maps; without the signal, scores alone through a network of their own."""
    split = options.target.data
    private = chosen(split.private, options.items, options.seed)
    observation = Explanation(options.target.model, gradient_times_input, outputs="logits", input_shape=split.shape)
    arguments = accepted(train_explanation_network, options)
    network = train_explanation_network(observation, split.public.images, **arguments)
    queries = observation.queries
    scores, maps = observation.explain(private.images)
    by_scores = train_inversion_network(observation, split.public.images, **{"epochs": 40} | arguments)
    with torch.no_grad():
        images, alone = network(scores, maps), by_scores(scores)
    return Outcome(
        setting=f"{described(options)}; {observation.describe()}, {queries:,} queries",
        scores=image_scores(images, private.images, {"scores alone": alone, **image_guesses(options, private.images)}),
        originals=private.images,
        images=images,
        converged=options.items,
        items=options.items,
    )


CASES: Mapping[str, Case] = {
    "explanation-inversion": Case(_explanation_inversion, ("digits-mlp", "digits-convnet"), items=100),
}
