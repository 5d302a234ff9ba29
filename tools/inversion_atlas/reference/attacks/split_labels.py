"""Labels that a client of split learning keeps with its last layers, from the gradients that it returns."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import SplitLabels, expect
from inversion_atlas.reference.observations.access import copied
from inversion_atlas.reference.observations.split_labels import ReturnedGradient


def unsplit_labels(
    observation: SplitLabels,
    server: nn.Module,
    surrogate: nn.Module,
    *,
    learning_rate: float = 1e-3,
    progress: Progress = silent,
) -> Tensor:
    """Return the label found for each input, of shape (inputs,): UnSplit's label inference (erdogan2022unsplit).

    `surrogate` has the architecture of the client's top and weights of its own. Of each example, the label is taken
    whose gradient under the surrogate is nearest to the one returned, in squared distance; the surrogate then learns
    that label, while `server`, the layers below, takes part honestly. Both are copied.

    That is the authors' code, which matches the gradient in the weight of the client's one layer: its rows are the
    classes, so it names them. Where the observation grants gradients in features alone, those are matched: they do not
    change when classes are renamed together with the top's rows, so they can tell groups but not names. Written after
    the abstract and the code; the paper's text was not seen.
    """
    observation = expect(observation, SplitLabels, "UnSplit's label inference")
    server, surrogate = copied(server, "train"), copied(surrogate, "train")
    optimizers = [torch.optim.Adam(model.parameters(), learning_rate, amsgrad=True) for model in (server, surrogate)]
    labels = torch.empty(len(observation.inputs), dtype=torch.long)
    for place in range(len(labels)):
        features: Tensor = server(observation.inputs[place, None])
        returned = observation.send(features)
        logits, distances = _matched(surrogate, features.detach().requires_grad_(), returned, observation.classes)
        labels[place] = distances.argmin()
        for optimizer in optimizers:
            optimizer.zero_grad()
        functional.cross_entropy(logits, labels[place, None]).backward()
        features.backward(returned.features)
        for optimizer in optimizers:
            optimizer.step()
        progress(place + 1, len(labels))
    return labels


def _matched(surrogate: nn.Module, features: Tensor, returned: ReturnedGradient, classes: int) -> tuple[Tensor, Tensor]:
    """Return the surrogate's logits and, for each label, how far its gradient is from the one returned."""
    logits: Tensor = surrogate(features)
    wanted, matched = returned.features, features
    if returned.weight is not None:
        wanted, matched = returned.weight, next(surrogate.parameters())
    distances = []
    for label in range(classes):
        loss = functional.cross_entropy(logits, torch.tensor([label]))
        gradient = torch.autograd.grad(loss, matched, retain_graph=True)[0]
        distances.append(functional.mse_loss(gradient, wanted))
    return logits, torch.stack(distances)
