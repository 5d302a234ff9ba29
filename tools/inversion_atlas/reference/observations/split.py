"""A network that is split between a client, who has the inputs, and a server, who is sent their features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from inversion_atlas.reference.observations.access import (
    AccessError,
    Model,
    QueryLimitReached,
    also,
    copied,
    defenses_of,
    refuse_range,
    under,
)
from inversion_atlas.reference.observations.interface import Interface, limited

Grants = Literal["model", "queries", "nothing"]


class ClientInterface(Interface):
    """The client's part behind an interface that returns the features of any input, counted and limited."""

    __slots__ = ()

    def __init__(
        self,
        client: Model,
        *,
        input_shape: tuple[int, ...],
        data_range: tuple[float, float] = (0.0, 1.0),
        limit: int | None = None,
    ) -> None:
        model = copied(client, "eval") if isinstance(client, nn.Module) else client
        super().__init__(
            lambda inputs: model(inputs).clone(), input_shape=input_shape, data_range=data_range, limit=limit
        )

    def query(self, inputs: Tensor) -> Tensor:
        """Return the features of the inputs; raises QueryLimitReached, then answers none of them."""
        return self._ask(inputs)


@dataclass(frozen=True, slots=True, eq=False)
class SplitFeatures:
    """Features that a client sent to the server, the server's own part, and what the server has of the client's part.

    `client` is the model itself, an interface to it, or None. `server` takes features and returns logits.
    """

    features: Tensor
    server: nn.Module
    client: nn.Module | ClientInterface | None
    input_shape: tuple[int, ...]
    data_range: tuple[float, float]
    defenses: tuple[str, ...] = ()  # in words, in the order in which they acted

    @classmethod
    def of_inputs(
        cls,
        client: nn.Module,
        server: nn.Module,
        inputs: Tensor,
        *,
        grants: Grants,
        limit: int | None = None,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> SplitFeatures:
        """Run, as a client would, its part on the inputs, and send their features; both parts run in eval mode.

        `grants` belongs to the threat model and is never guessed: the client's model, queries to it, or nothing.
        """
        if grants not in ("model", "queries", "nothing"):
            raise ValueError(f"grants must be 'model', 'queries' or 'nothing', not {grants!r}")
        refuse_range(inputs, data_range)
        shape = tuple(inputs.shape[1:])
        granted: nn.Module | ClientInterface | None = None
        # Copies for the server are made before the private inputs pass, lest a layer remember what it saw.
        if grants == "model":
            granted = copied(client, "eval")
        elif grants == "queries":
            granted = ClientInterface(client, input_shape=shape, data_range=data_range, limit=limit)
        with torch.no_grad():
            features: Tensor = copied(client, "eval")(inputs.detach())
        return cls(features.clone(), copied(server, "eval"), granted, shape, data_range, defenses_of(client))

    def with_features(self, features: Tensor, *, defense: str = "") -> SplitFeatures:
        """Return the same observation with other features; `defense` says in words what changed them."""
        if features.shape != self.features.shape:
            raise ValueError(f"features must be of shape {tuple(self.features.shape)}, not {tuple(features.shape)}")
        return replace(self, features=features.detach().clone(), defenses=also(self.defenses, defense))

    def granted_model(self, attack: str) -> nn.Module:
        """Return the client's model; raises AccessError where it was not granted."""
        if not isinstance(self.client, nn.Module):
            raise AccessError(f"{attack} needs the client's model; granted are {self.describe()}")
        return self.client

    def granted_queries(self, attack: str) -> ClientInterface:
        """Return the interface to the client's model; raises AccessError where it was not granted."""
        if not isinstance(self.client, ClientInterface):
            raise AccessError(f"{attack} needs queries to the client's model; granted are {self.describe()}")
        return self.client

    def describe(self) -> str:
        """Return the threat model in a line."""
        sent = f"features of {len(self.features)} inputs at the split, the server's part"
        if isinstance(self.client, nn.Module):
            granted: tuple[str, ...] = ("the client's model",)
        elif isinstance(self.client, ClientInterface):
            granted = ("queries to the client's model", *limited(self.client))
        else:
            granted = ("nothing of the client's model",)
        return ", ".join([sent, *granted, *under(self.defenses)])


class SplitTraining:
    """A client in split learning: it sends features of its next private batch and steps along the gradient it gets.

    The server decides what the gradient is of; the client cannot tell. Each batch is of shape (batch, *input_shape).
    The client's model is trained in place on a copy, by Adam with `learning_rate`.
    """

    __slots__ = ("__weakref__", "data_range", "input_shape")

    def __init__(
        self,
        client: nn.Module,
        batches: Iterable[Tensor],
        *,
        input_shape: tuple[int, ...],
        learning_rate: float,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.input_shape, self.data_range = input_shape, data_range
        model = copied(client, "train")
        _CLIENTS[self] = _Client(model, iter(batches), torch.optim.Adam(model.parameters(), learning_rate))

    @property
    def rounds(self) -> int:
        """How many batches were sent."""
        return _CLIENTS[self].rounds

    def receive(self) -> Tensor:
        """Return the features of the client's next batch; raises QueryLimitReached when it has no more."""
        client = _CLIENTS[self]
        batch = next(client.batches, None)
        if batch is None:
            raise QueryLimitReached(f"the client has sent all of its {client.rounds} batches")
        client.rounds += 1
        client.sent = client.model(batch.detach())
        return client.sent.detach().clone()

    def send(self, gradient: Tensor) -> None:
        """Give the client a gradient of its last features, along which it trains its part once."""
        client = _CLIENTS[self]
        if client.sent is None or gradient.shape != client.sent.shape:
            raise ValueError("send a gradient of the shape of the features received last, once for each batch")
        client.optimizer.zero_grad()
        client.sent.backward(gradient.detach().clone())
        client.optimizer.step()
        client.sent = None

    def describe(self) -> str:
        """Return the threat model in a line."""
        return "features of each private batch in split learning; the server chooses the gradients it sends back"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a client cannot be copied or pickled: its data stay where they are")


@dataclass(slots=True)
class _Client:
    model: nn.Module
    batches: Iterator[Tensor]
    optimizer: torch.optim.Optimizer
    sent: Tensor | None = None
    rounds: int = 0


_CLIENTS: WeakKeyDictionary[SplitTraining, _Client] = WeakKeyDictionary()
