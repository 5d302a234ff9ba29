"""Inputs from the features that a client sends at the split of a network, and from what is known of its part."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import SplitFeatures, expect
from inversion_atlas.reference.observations.access import copied
from inversion_atlas.reference.seeding import seeded


def rmle(
    observation: SplitFeatures,
    *,
    steps: int = 500,
    learning_rate: float = 0.01,
    total_variation: float = 0.01,
    progress: Progress = silent,
) -> Reconstruction:
    """Return inputs whose features are those sent; the client's model is known. rMLE (he2019model).

    Adam with AMSGrad, from gray, on the squared distance of features plus total variation, as the authors' code does.
    The distance is taken relative to the features' own size, so that one weight suits every split; their code weighs
    total variation against the plain distance.
    """
    observation = expect(observation, SplitFeatures, "rmle")
    client = observation.granted_model("rmle")
    return _matched(observation, client, steps, learning_rate, total_variation, progress)


def query_free(
    observation: SplitFeatures,
    public: Tensor,
    labels: Tensor,
    shadow: nn.Module,
    *,
    epochs: int = 40,
    steps: int = 300,
    learning_rate: float = 0.01,
    total_variation: float = 0.01,
    batch_size: int = 32,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return inputs whose features under a shadow of the client's part are those sent (he2019model).

    Nothing of the client's part is granted, not even queries: `shadow`, an untrained network that the adversary takes
    for it, learns to classify labeled public inputs together with the server's frozen part; `rmle` on it follows.
    """
    observation = expect(observation, SplitFeatures, "query-free")
    shadow = _trained_shadow(observation, shadow, public, labels, epochs, batch_size, seed)
    return _matched(observation, shadow, steps, learning_rate, total_variation, progress)


def train_inverse_network(
    observation: SplitFeatures,
    public: Tensor,
    *,
    epochs: int = 30,
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    width: int = 32,
    seed: int = 0,
    progress: Progress = silent,
) -> nn.Module:
    """Train a network that returns inputs for features, by queries to the client's part (he2019model).

    Each public input is queried once; the network minimizes the mean squared error to it by Adam with AMSGrad.
    `network(observation.features)` are then the reconstructions. Features are of shape (batch, channels, height,
    width), with sides that the input's are multiples of by powers of two.
    """
    observation = expect(observation, SplitFeatures, "the inverse network")
    features = observation.granted_queries("the inverse network").query(public)
    with seeded(seed):
        network = _inverse(tuple(features.shape[1:]), observation.input_shape, width)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate, eps=1e-3, amsgrad=True)
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        for batch in torch.randperm(len(public), generator=generator).split(batch_size):
            optimizer.zero_grad()
            functional.mse_loss(network(features[batch]), public[batch]).backward()
            optimizer.step()
        progress(epoch + 1, epochs)
    return network.eval()


def unsplit(
    observation: SplitFeatures,
    clone: nn.Module,
    *,
    rounds: int = 30,
    input_steps: int = 20,
    model_steps: int = 20,
    learning_rate: float = 0.01,
    model_learning_rate: float = 1e-3,
    total_variation: float = 0.1,
    l2: float = 0.01,
    progress: Progress = silent,
) -> Reconstruction:
    """Return inputs and, with them, weights of the client's part, from features alone. UnSplit (erdogan2022unsplit).

    Only the architecture is known: `clone` has it, with weights of its own. Inputs and weights take turns in
    minimizing the squared distance of features, each by Adam with AMSGrad; inputs start gray, with total variation
    and their own mean square as priors. The authors' code runs 1,000 rounds of 100 and 100 steps with a learning rate
    of .001 for one image at a time, and stretches color images to the full range afterwards; here a batch shares the
    clone and nothing is stretched.
    """
    observation = expect(observation, SplitFeatures, "unsplit")
    clone = _own(clone)
    size = observation.features.square().mean()
    inputs = _gray(observation).requires_grad_()
    by_input = torch.optim.Adam([inputs], learning_rate, amsgrad=True)
    by_weights = torch.optim.Adam(clone.parameters(), model_learning_rate, amsgrad=True)

    def distance() -> Tensor:
        features: Tensor = clone(inputs)
        return (features - observation.features).square().mean() / size

    for turn in range(rounds):
        clone.requires_grad_(False)
        for _ in range(input_steps):
            prior = total_variation * _total_variation(inputs) + l2 * inputs.square().mean()
            _step(by_input, (distance() + prior) * len(inputs))
        clone.requires_grad_(True)
        inputs.requires_grad_(False)
        for _ in range(model_steps):
            _step(by_weights, distance())
        inputs.requires_grad_(True)
        progress(turn + 1, rounds)
    evaluations = rounds * (input_steps + model_steps)
    with torch.no_grad():
        return Reconstruction(inputs.detach(), None, float(distance()), evaluations, 0, bool(distance() < 0.5))


def _matched(
    observation: SplitFeatures,
    client: nn.Module,
    steps: int,
    learning_rate: float,
    total_variation: float,
    progress: Progress,
) -> Reconstruction:
    """Return inputs that the model maps to the features sent; the least objective of each input decides."""
    size = observation.features.square().flatten(1).mean(dim=1)
    inputs = _gray(observation).requires_grad_()
    optimizer = torch.optim.Adam([inputs], learning_rate, eps=1e-3, amsgrad=True)
    best, least = inputs.detach().clone(), torch.full((len(inputs),), torch.inf)
    for step in range(steps + 1):
        distance = (client(inputs) - observation.features).square().flatten(1).mean(dim=1) / size
        objective = distance + total_variation * _total_variations(inputs)
        better = objective.detach() < least
        best[better], least[better] = inputs.detach()[better], objective.detach()[better]
        if step < steps:
            _step(optimizer, objective.sum())
            progress(step + 1, steps)
    # Features that are off by more than half their own size were not matched.
    return Reconstruction(best, None, float(least.mean()), steps + 1, 0, bool((least < 0.5).all()))


def _trained_shadow(
    observation: SplitFeatures,
    shadow: nn.Module,
    public: Tensor,
    labels: Tensor,
    epochs: int,
    batch_size: int,
    seed: int,
) -> nn.Module:
    shadow = _own(shadow)
    server = _own(observation.server).requires_grad_(False)
    optimizer = torch.optim.Adam(shadow.parameters(), 1e-3, eps=1e-3, amsgrad=True)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in torch.randperm(len(public), generator=generator).split(batch_size):
            _step(optimizer, functional.cross_entropy(server(shadow(public[batch])), labels[batch]))
    return shadow.requires_grad_(False).eval()


def _inverse(features: tuple[int, ...], inputs: tuple[int, ...], width: int) -> nn.Module:
    """Convolutions, each but the last doubling the sides where the split halved them."""
    if len(features) != 3 or len(inputs) != 3:
        raise ValueError(f"features must be of shape (batch, channels, height, width), not (batch, {features})")
    doublings = (inputs[1] // features[1]).bit_length() - 1
    if any(side << doublings != whole for side, whole in zip(features[1:], inputs[1:], strict=True)):
        raise ValueError(f"features of {features[1:]} cannot be doubled to inputs of {inputs[1:]}")
    layers: list[nn.Module] = [nn.Conv2d(features[0], width, 3, padding=1), nn.ReLU()]
    for _ in range(doublings):
        layers += [nn.ConvTranspose2d(width, width, 4, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(width, inputs[0], 3, padding=1))


def _gray(observation: SplitFeatures) -> Tensor:
    return torch.full((len(observation.features), *observation.input_shape), sum(observation.data_range) / 2)


def _own(model: nn.Module) -> nn.Module:
    """Return a copy to train, so that the caller's stays as it was."""
    return copied(model, "train")


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _total_variations(images: Tensor) -> Tensor:
    """Return for each image the mean squared difference of neighbors, down and across."""
    down = (images[..., 1:, :] - images[..., :-1, :]).square().flatten(1).mean(dim=1)
    across = (images[..., 1:] - images[..., :-1]).square().flatten(1).mean(dim=1)
    return down + across


def _total_variation(images: Tensor) -> Tensor:
    return _total_variations(images).mean()
