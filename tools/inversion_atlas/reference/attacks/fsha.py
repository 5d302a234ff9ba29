"""A malicious server of split learning that steers the client's network into a feature space it can decode."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import SplitTraining, expect
from inversion_atlas.reference.seeding import seeded


@dataclass(frozen=True, slots=True, eq=False)
class Pilot:
    """The server's own networks: public inputs to features, features back to inputs, features to a realness score."""

    encoder: nn.Module
    decoder: nn.Module
    critic: nn.Module


def fsha(
    observation: SplitTraining,
    public: Tensor,
    *,
    steps: int = 1500,
    learning_rate: float = 1e-3,
    gradient_penalty: float = 10.0,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return the inputs of the client's last batch. Feature-space hijacking attack (pasquini2021unleashing).

    A pilot autoencoder learns public inputs; a critic learns to tell the client's features from the pilot's, and the
    client is sent the gradient that makes its features look like the pilot's, whatever its task. In the end the
    pilot's decoder reads the client's features. The loss is the Wasserstein one with a gradient penalty, as in the
    authors' code. Theirs are ResNets trained for 10,000 steps and more with learning rates of 1e-5 and 1e-4 and a
    penalty weight of 500; the defaults here suit small networks. `steps` is how many batches the client sends.
    """
    observation = expect(observation, SplitTraining, "fsha")
    generator = torch.Generator().manual_seed(seed)
    features = observation.receive()
    with seeded(seed):
        pilot = _pilot(observation.input_shape, tuple(features.shape[1:]))
    autoencoder = torch.optim.Adam([*pilot.encoder.parameters(), *pilot.decoder.parameters()], learning_rate)
    critic = torch.optim.Adam(pilot.critic.parameters(), learning_rate, betas=(0.5, 0.9))
    loss = torch.tensor(torch.inf)
    for step in range(steps):
        observation.send(_hijacking(pilot.critic, features))
        batch = public[torch.randint(len(public), (len(features),), generator=generator)]
        encoded = pilot.encoder(batch)
        loss = functional.mse_loss(_decoded(pilot, encoded, observation.data_range), batch)
        _step(autoencoder, loss)
        _step(critic, _critic_loss(pilot.critic, encoded.detach(), features, gradient_penalty, generator))
        progress(step + 1, steps)
        features = observation.receive()
    with torch.no_grad():
        images = _decoded(pilot, features, observation.data_range)
    return Reconstruction(images, None, float(loss.detach()), steps, 0, bool(loss < 0.05))


def _decoded(pilot: Pilot, features: Tensor, data_range: tuple[float, float]) -> Tensor:
    low, high = data_range
    shares: Tensor = pilot.decoder(features)
    return low + (high - low) * shares


def _hijacking(critic: nn.Module, features: Tensor) -> Tensor:
    """Return the gradient that makes features look like the pilot's; the critic scores those of the pilot lower."""
    features = features.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(features).mean(), features)
    return gradient


def _critic_loss(
    critic: nn.Module, pilots: Tensor, clients: Tensor, gradient_penalty: float, generator: torch.Generator
) -> Tensor:
    share = torch.rand(len(clients), *[1] * (clients.ndim - 1), generator=generator)
    between = (share * clients + (1 - share) * pilots).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    loss: Tensor = critic(pilots).mean() - critic(clients).mean() + gradient_penalty * penalty
    return loss


def _pilot(inputs: tuple[int, ...], features: tuple[int, ...]) -> Pilot:
    """Small convolutional networks; features are of shape (channels, height, width), the input's sides halved."""
    halvings = (inputs[1] // features[1]).bit_length() - 1
    if any(side << halvings != whole for side, whole in zip(features[1:], inputs[1:], strict=True)):
        raise ValueError(f"features of shape {features} are not those of an input of {inputs} halved some times")
    width = 32
    encoder: list[nn.Module] = [nn.Conv2d(inputs[0], width, 3, padding=1), nn.ReLU()]
    decoder: list[nn.Module] = [nn.Conv2d(features[0], width, 3, padding=1), nn.ReLU()]
    for _ in range(halvings):
        encoder += [nn.Conv2d(width, width, 3, stride=2, padding=1), nn.ReLU()]
        decoder += [nn.ConvTranspose2d(width, width, 4, stride=2, padding=1), nn.ReLU()]
    size = features[0] * features[1] * features[2]
    hidden = 128
    return Pilot(
        nn.Sequential(*encoder, nn.Conv2d(width, features[0], 3, padding=1)),
        nn.Sequential(*decoder, nn.Conv2d(width, inputs[0], 3, padding=1), nn.Sigmoid()),
        nn.Sequential(
            nn.Flatten(),
            nn.Linear(size, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, 1),
        ),
    )


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
