"""Which group of nodes prevails in the graph that a graph network was trained on, from the scores that it gives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import GraphScores, expect


def group_property(
    observations: Sequence[GraphScores],
    graph: Tensor,
    with_property: Sequence[GraphScores],
    without_property: Sequence[GraphScores],
    *,
    progress: Progress = silent,
) -> Tensor:
    """Return for each network how likely its training graph has the property, from 0 to 1 (wang2022group, GPIA).

    A black-box attack with shadow networks, which the adversary trained on graphs of its own with and without the
    property. All are asked once about the same nodes, joined as in `graph` of shape (nodes, nodes); a classifier
    learns from the shadows' answers. Only the paper's abstract was at hand: that the classifier is a logistic
    regression on logarithms of probabilities, each brought to mean 0 and variance 1, strongly regularized since
    shadows are few, is ours. One attack of the paper's six; no embeddings, no parameters.
    """
    asked = [expect(each, GraphScores, "group-property") for each in (*with_property, *without_property, *observations)]
    if not observations or not with_property or not without_property:
        raise ValueError("group-property needs networks to judge, and shadows with and without the property")
    if any(not torch.equal(each.features, asked[0].features) for each in asked):
        raise ValueError("all networks must be asked about the same nodes")
    answers = []
    for number, each in enumerate(asked):
        answers.append(each.query(graph[None]).clamp_min(1e-6).log().flatten())
        progress(number + 1, len(asked))
    shadows = len(asked) - len(observations)
    known, judged = torch.stack(answers).double().split([shadows, len(observations)])
    mean, deviation = known.mean(dim=0), known.std(dim=0).clamp_min(1e-9)
    classifier = LogisticRegression(C=0.01, max_iter=1000)
    classifier.fit(((known - mean) / deviation).numpy(), [1] * len(with_property) + [0] * len(without_property))
    chances = classifier.predict_proba(((judged - mean) / deviation).numpy())[:, 1]
    return torch.from_numpy(chances.copy())
