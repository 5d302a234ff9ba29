"""Convolutions by minimal filtering are those of the library, forward and in each derivative."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks import winograd
from inversion_atlas.reference.attacks.layerwise import by_autograd, differentiable
from inversion_atlas.reference.attacks.winograd import WinogradConvolution


def drawn(*shape: int, seed: int, kind: torch.dtype) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=kind)


def convolution(inside: int, outside: int, kind: torch.dtype, *, bias: bool = True) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(inside, outside, 3, padding=1, bias=bias, dtype=kind)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("images", [1, 3])
def test_the_four_passes_are_those_of_autograd(images: int, bias: bool) -> None:
    kind = torch.float64
    module = convolution(3, 5, kind, bias=bias)
    layer, parameters = WinogradConvolution(module), list(module.parameters())
    inputs = drawn(images, 3, 8, 12, seed=1, kind=kind).requires_grad_()
    slope, moved = (drawn(images, 5, 8, 12, seed=seed, kind=kind) for seed in (2, 3))
    pushed = drawn(images, 3, 8, 12, seed=5, kind=kind)
    direction = [drawn(*part.shape, seed=6, kind=kind) for part in parameters]

    outputs = module(inputs)
    to_inputs, *to_parameters = torch.autograd.grad(outputs, [inputs, *parameters], slope)
    close(layer.forward(inputs.detach()), outputs)
    found, parts = layer.backward(slope, onward=True)
    assert found is not None
    for mine, theirs in zip([found, *parts], [to_inputs, *to_parameters], strict=True):
        close(mine, theirs)

    def along(weights: list[Tensor], images: Tensor) -> Tensor:
        return nn.functional.conv2d(images, *weights[: len(parameters)], padding=1)

    expected = along(direction, inputs) + along([module.weight, torch.zeros(5, dtype=kind)], pushed)
    answer = layer.push(pushed, direction)
    assert answer is not None
    close(answer, expected)
    (back,) = torch.autograd.grad(along(direction, inputs), inputs, slope)
    (on,) = torch.autograd.grad(module(inputs), inputs, moved)
    close(layer.pull(moved, direction), back + on)


def test_float32_keeps_six_digits() -> None:
    module = convolution(256, 64, torch.float32)
    inputs = drawn(1, 256, 32, 32, seed=1, kind=torch.float32).relu()
    right = module.double()(inputs.double()).detach()
    found = WinogradConvolution(module.float()).forward(inputs).double()
    assert float((found - right).norm() / right.norm()) < 2e-6


def test_a_wide_network_takes_this_way_and_stays_exact() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 48, 3, padding=1),
        nn.ReLU(),
        convolution(48, 48, torch.float64),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(48 * 256, 3),
    ).double()
    parameters, shape = list(model.parameters()), (1, 16, 16)
    ways = differentiable(model, parameters, shape), by_autograd(model, parameters)
    images, labels = drawn(2, *shape, seed=1, kind=torch.float64), torch.tensor([0, 2])
    direction = [drawn(*part.shape, seed=2, kind=torch.float64) for part in parameters]
    (parts, slopes), (others, expected) = (way(images, labels) for way in ways)
    for mine, theirs in zip([*parts, slopes(direction)[0]], [*others, expected(direction)[0]], strict=True):
        close(mine, theirs)
    assert winograd.suits(model[2], (2, 48, 16, 16))


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(64, 64, 5, padding=2),
        nn.Conv2d(64, 64, 3),
        nn.Conv2d(64, 64, 3, padding=1, stride=2),
        nn.Conv2d(64, 64, 3, padding=2, dilation=2),
        nn.Conv2d(64, 64, 3, padding=1, groups=2),
        nn.Conv2d(64, 8, 3, padding=1),
    ],
)
def test_other_convolutions_do_not_suit(module: nn.Conv2d) -> None:
    assert not winograd.suits(module, (1, 64, 32, 32))


@pytest.mark.parametrize("places", [(30, 32), (32, 33), (8, 8)])
def test_other_sizes_do_not_suit(places: tuple[int, int]) -> None:
    assert not winograd.suits(convolution(64, 64, torch.float32), (1, 64, *places))


def close(found: Tensor, right: Tensor) -> None:
    torch.testing.assert_close(found, right.detach(), rtol=1e-9, atol=1e-11)
