"""Images of a class from scores alone: an agent learns where in the latent space the target is sure."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.identity import refuse_labels
from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.generators.networks import Generator
from inversion_atlas.reference.generators.training import update
from inversion_atlas.reference.observations import BlackBox, QueryLimitReached, expect
from inversion_atlas.reference.seeding import seeded

# Weights of the three rewards in the authors' code, and the least margin that the third one takes the logarithm of.
_REWARDS = (2.0, 2.0, 8.0)
_LEAST = 1e-7


def rlb_mi(
    observation: BlackBox,
    generator: Generator,
    labels: Tensor,
    *,
    steps: int = 40000,
    episodes: int = 1,
    diversity: float = 0.0,
    hidden: int = 256,
    batch_size: int = 256,
    learning_rate: float = 5e-4,
    seed: int = 0,
    progress: Progress = silent,
) -> Reconstruction:
    """Return an image for each of `labels`. RLB-MI (han2023reinforcement).

    For each class an agent is trained by soft actor-critic: it sees a random latent vector and answers with one whose
    entries lie from -1 to 1; the share `diversity` of the first stays, and the agent is rewarded by what the target
    says of the image. Each of `steps` is one update, after so many `episodes` side by side, which the authors' code
    has one of. An episode is a single move, as there: no later reward has to be valued, so one critic is enough.
    Defaults are those of that code. Of the images that the agent tried for a class, those that the target was surest
    of are returned, and the objective is the negative mean logarithm of its probabilities.

    Where the query limit is reached on the way, what was found is returned and `converged` is False; raises
    QueryLimitReached where a class has nothing yet.
    """
    observation = expect(observation, BlackBox, "rlb-mi")
    refuse_labels(observation, labels)
    if not 0 <= diversity < 1:
        raise ValueError(f"diversity must be from 0 to less than 1, not {diversity}")
    images = torch.empty(len(labels), *observation.input_shape)
    surety = torch.empty(len(labels))
    classes = labels.unique().tolist()
    done = 0
    for place, label in enumerate(classes):
        own = (labels == label).nonzero().squeeze(1)
        with seeded(seed + place):
            agent = _Agent(generator.latent, hidden, learning_rate)
            hunt = _Hunt(observation, generator, label, diversity, len(own))
            for step in range(steps):
                try:
                    hunt.play(agent, episodes)
                except QueryLimitReached:
                    if not hunt.full:
                        raise
                    break
                agent.learn(*hunt.sample(batch_size))
                done += 1
                progress(place * steps + step + 1, len(classes) * steps)
        images[own], surety[own] = hunt.images, hunt.surety
    return Reconstruction(
        images, labels, -float(surety.clamp_min(_LEAST).log().mean()), done, 0, done == len(classes) * steps
    )


class _Agent:
    """A soft actor and its critic, who values moves; states and actions are latent vectors."""

    def __init__(self, latent: int, hidden: int, learning_rate: float) -> None:
        self.latent = latent
        self.actor, self.critic = _perceptron(latent, hidden, 2 * latent), _perceptron(2 * latent, hidden, 1)
        self.temperature = torch.zeros(1, requires_grad=True)  # its logarithm
        self.for_actor, self.for_critic, self.for_temperature = (
            torch.optim.Adam(parameters, learning_rate)
            for parameters in (self.actor.parameters(), self.critic.parameters(), [self.temperature])
        )

    def act(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return actions drawn for the states, each entry between -1 and 1, and the mean of their log densities."""
        mean, log_deviation = self.actor(states).chunk(2, dim=1)
        log_deviation = log_deviation.clamp(-20, 2)
        noise = torch.randn(mean.shape)
        actions = (mean + noise * log_deviation.exp()).tanh()
        density = -0.5 * noise.square() - log_deviation - (1 - actions.square() + 1e-6).log()
        return actions, density.mean(dim=1) - 0.5 * math.log(2 * math.pi)

    def learn(self, states: Tensor, actions: Tensor, rewards: Tensor) -> None:
        """Take one step with critic, temperature and actor."""
        valued = self.critic(torch.cat((states, actions), dim=1)).squeeze(1)
        update(self.for_critic, 0.5 * functional.mse_loss(valued, rewards))
        actions, density = self.act(states)
        update(self.for_temperature, -(self.temperature * (density.detach() - self.latent)).mean())
        valued = self.critic(torch.cat((states, actions), dim=1)).squeeze(1)
        update(self.for_actor, (self.temperature.exp().detach() * density - valued).mean())


class _Hunt:
    """The episodes of one class: what was tried and how it was rewarded, and the surest images."""

    def __init__(self, observation: BlackBox, generator: Generator, label: int, diversity: float, wanted: int) -> None:
        self.observation, self.generator, self.label = observation, generator, label
        self.diversity, self.wanted = diversity, wanted
        self.images, self.surety = torch.empty(0, *observation.input_shape), torch.empty(0)
        self.states, self.actions = torch.empty(0, generator.latent), torch.empty(0, generator.latent)
        self.rewards = torch.empty(0)

    @property
    def full(self) -> bool:
        """Whether there is an image for each item."""
        return len(self.images) == self.wanted

    @torch.no_grad()
    def play(self, agent: _Agent, episodes: int) -> None:
        """Ask the target about one move for each of so many random latent vectors, and remember."""
        states = torch.randn(episodes, agent.latent)
        actions, _ = agent.act(states)
        # Without diversity the state after the move is the action, and one image shows both.
        latents = [self.diversity * states + (1 - self.diversity) * actions, *([actions] if self.diversity else [])]
        images = self.generator(torch.cat(latents))
        scores = self.observation.query(images)
        own = scores[:, self.label]
        logarithms = own.clamp_min(_LEAST).log()
        others = scores[:episodes].index_fill(1, torch.tensor([self.label]), -torch.inf).max(dim=1).values
        margin = (own[:episodes] - others).clamp_min(_LEAST).log()
        rewards = _REWARDS[0] * logarithms[:episodes] + _REWARDS[1] * logarithms[-episodes:] + _REWARDS[2] * margin
        self.states, self.actions = torch.cat((self.states, states)), torch.cat((self.actions, actions))
        self.rewards = torch.cat((self.rewards, rewards))
        surest = torch.cat((self.surety, own[:episodes])).topk(min(self.wanted, len(self.surety) + episodes))
        self.images, self.surety = torch.cat((self.images, images[:episodes]))[surest.indices], surest.values

    def sample(self, batch_size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return states, actions and rewards of moves drawn at random."""
        drawn = torch.randint(len(self.rewards), (batch_size,))
        return self.states[drawn], self.actions[drawn], self.rewards[drawn]


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )
