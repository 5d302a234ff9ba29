"""The example that a model was updated with, from how its answers to a fixed set of probes changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.reconstruction import Progress, Reconstruction, silent
from inversion_atlas.reference.observations import ModelPair, expect
from inversion_atlas.reference.observations.access import copied
from inversion_atlas.reference.seeding import seeded

# Given a model, images and labels, returns the model after an update with them; the one given stays as it was.
Update = Callable[[nn.Module, Tensor, Tensor], nn.Module]


@dataclass(frozen=True, slots=True, eq=False)
class UpdateReader:
    """What the adversary trained on updates of its own: an encoder of changes, readers of label and image."""

    probes: Tensor
    encoder: nn.Module
    labels: nn.Module
    decoder: nn.Module


def train_update_reader(
    shadow: nn.Module,
    public: Tensor,
    labels: Tensor,
    update: Update,
    *,
    probes: Tensor,
    epochs: int = 60,
    batch_size: int = 32,
    seed: int = 0,
    progress: Progress = silent,
) -> UpdateReader:
    """Learn to read updates from a shadow model, each of whose updates takes one public image (salem2020updates).

    `shadow` returns logits and was trained by the adversary as the target was; `public` images of shape (items,
    channels, height, width), from 0 to 1, update it one at a time, `probes` are what target and shadow are asked
    before and after. One encoder serves both of the paper's single-sample attacks, label inference and
    reconstruction, which train together here; the paper takes its decoder from an autoencoder.
    """
    changes = _changes_of_shadow(shadow, public, labels, update, probes)
    with seeded(seed):
        reader = _untrained(probes, changes.shape[1], int(labels.max()) + 1, public.shape[1:])
        parts = (reader.encoder, reader.labels, reader.decoder)
        optimizer = torch.optim.Adam([p for part in parts for p in part.parameters()], 1e-3)
        reader.encoder.train()
        for epoch in range(epochs):
            for batch in torch.randperm(len(public)).split(batch_size):
                code = reader.encoder(changes[batch])
                named = functional.cross_entropy(reader.labels(code), labels[batch])
                drawn = functional.mse_loss(reader.decoder(code), public[batch])
                optimizer.zero_grad()
                (named + 5 * drawn).backward()
                optimizer.step()
            progress(epoch + 1, epochs)
        reader.encoder.eval()
    return reader


@torch.no_grad()
def updates_leak(observation: ModelPair, reader: UpdateReader) -> Reconstruction:
    """Return label and image of the one example that the model was updated with. Updates-Leak (salem2020updates).

    Both models are asked once about each probe.
    """
    pair = expect(observation, ModelPair, "updates-leak")
    before, after = pair.scores(reader.probes)
    code = reader.encoder(_direction((after - before).flatten()[None]))
    label = reader.labels(code).argmax(dim=1)
    return Reconstruction(reader.decoder(code), label, 0.0, 2 * len(reader.probes), 0, True)


def _changes_of_shadow(shadow: nn.Module, public: Tensor, labels: Tensor, update: Update, probes: Tensor) -> Tensor:
    shadow = copied(shadow, "eval")
    with torch.no_grad():
        before = shadow(probes).softmax(dim=1)
    changes = []
    for item in range(len(public)):
        updated = update(shadow, public[item : item + 1], labels[item : item + 1])
        with torch.no_grad():
            changes.append((updated(probes).softmax(dim=1) - before).flatten())
    return _direction(torch.stack(changes))


def _direction(changes: Tensor) -> Tensor:
    """Return changes of one length: how far a model moves differs between shadow and target."""
    directions: Tensor = 10 * changes / changes.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return directions


def _untrained(probes: Tensor, size: int, classes: int, shape: tuple[int, ...]) -> UpdateReader:
    encoder = nn.Sequential(
        nn.Linear(size, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(128, 64), nn.LeakyReLU(0.2)
    )
    pixels = int(torch.tensor(shape).prod())
    decoder = nn.Sequential(
        nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, pixels), nn.Sigmoid(), nn.Unflatten(1, shape)
    )
    return UpdateReader(probes.detach().clone(), encoder, nn.Linear(64, classes), decoder)
