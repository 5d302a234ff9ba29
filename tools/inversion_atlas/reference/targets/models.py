"""Architectures of the targets; each takes images from 0 to 1 and returns logits."""

from __future__ import annotations

from torch import nn


def lenet(shape: tuple[int, ...], classes: int) -> nn.Module:
    """The sigmoid network that Deep Leakage from Gradients attacks: three convolutions and a linear layer.

    Weights start uniform from -0.5 to 0.5, as there; with the usual smaller ones its sigmoids pass no signal.
    """
    channels, height, width = shape
    model = nn.Sequential(
        nn.Conv2d(channels, 12, 5, stride=2, padding=2),
        nn.Sigmoid(),
        nn.Conv2d(12, 12, 5, stride=2, padding=2),
        nn.Sigmoid(),
        nn.Conv2d(12, 12, 5, stride=1, padding=2),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Linear(12 * _halved(height, 2) * _halved(width, 2), classes),
    )
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5)
    return model


def convnet(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Three ReLU convolutions without normalization, two of them with stride 2, and a linear layer."""
    return _plain_convnet(shape, classes, 32)


def narrow_convnet(shape: tuple[int, ...], classes: int) -> nn.Module:
    """The same with half the channels."""
    return _plain_convnet(shape, classes, 16)


def _plain_convnet(shape: tuple[int, ...], classes: int, width_of_layers: int) -> nn.Module:
    channels, height, width = shape
    return nn.Sequential(
        nn.Conv2d(channels, width_of_layers, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width_of_layers, width_of_layers, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width_of_layers, width_of_layers, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(width_of_layers * _halved(height, 2) * _halved(width, 2), classes),
    )


def batchnorm_convnet(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Three ReLU convolutions, each normalized over the batch, two of them with stride 2, and a linear layer."""
    channels, height, width = shape
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * _halved(height, 2) * _halved(width, 2), classes),
    )


def pooled_convnet(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Two ReLU convolutions of 5 by 5, each followed by pooling, a hidden layer with dropout and a linear layer."""
    channels, height, width = shape
    return nn.Sequential(
        nn.Conv2d(channels, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), 64),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(64, classes),
    )


def leaky_convnet(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Two convolutions and a linear layer without a bias, with leaky ReLUs that can be undone."""
    channels, height, width = shape
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1, bias=False),
        nn.LeakyReLU(0.2),
        nn.Conv2d(6, 8, 3, padding=1, bias=False),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(8 * height * width, classes, bias=False),
    )


def mlp(shape: tuple[int, ...], classes: int) -> nn.Module:
    """A perceptron with one hidden layer of 64 ReLU units."""
    channels, height, width = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 64), nn.ReLU(), nn.Linear(64, classes))


def softmax_regression(shape: tuple[int, ...], classes: int) -> nn.Module:
    """A linear layer alone."""
    channels, height, width = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))


def _halved(side: int, times: int) -> int:
    for _ in range(times):
        side = (side + 1) // 2
    return side
