"""A chain of layers answers as autograd does, to the precision of its numbers, and gives way where it is not sure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks import layerwise
from inversion_atlas.reference.attacks.layerwise import by_autograd, differentiable

SHAPE = (2, 9, 9)


class Centered(nn.Module):
    """Normalization inside the model, which has no parameters."""

    def forward(self, inputs: Tensor) -> Tensor:
        return (inputs - 0.5) / 0.25


def chain(*middle: nn.Module, features: int) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(Centered(), nn.Sequential(*middle), nn.Flatten(), nn.Linear(features, 4)).double().eval()


def normalized() -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(3)
    nn.init.uniform_(layer.weight, 0.5, 2.0)
    nn.init.normal_(layer.bias)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.5, 2.0)
    return layer


MODELS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid, strides": lambda: chain(
        nn.Conv2d(2, 3, 5, 2, 2), nn.Sigmoid(), nn.Conv2d(3, 3, 3, 2, 1), nn.Tanh(), features=27
    ),
    "dilation, no bias": lambda: chain(
        nn.Conv2d(2, 3, 3, dilation=2, bias=False), nn.LeakyReLU(0.2), nn.Conv2d(3, 2, 3), nn.Sigmoid(), features=18
    ),
    "normalization, pools": lambda: chain(
        nn.Conv2d(2, 3, 3, padding=1),
        normalized(),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(3, 3, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        features=12,
    ),
    "groups": lambda: chain(nn.Conv2d(2, 4, 3, groups=2), nn.Tanh(), nn.Conv2d(4, 4, 3, groups=4), features=100),
    "perceptron": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(162, 5), nn.Tanh(), nn.Linear(5, 6, bias=False), nn.ReLU(), nn.Linear(6, 4)
    ).double(),
    "regression": lambda: nn.Sequential(nn.Flatten(), nn.Linear(162, 4)).double(),
}


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_gradient_and_slopes_are_those_of_autograd(
    name: str, soft: bool, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layerwise, "_SMALL", 10**9 if small else 0)
    model = MODELS[name]()
    parameters = list(model.parameters())
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(3, *SHAPE, generator=generator, dtype=torch.float64)
    labels = torch.rand(3, 4, generator=generator, dtype=torch.float64) if soft else torch.tensor([0, 3, 1])
    direction = [torch.randn(part.shape, generator=generator, dtype=torch.float64) for part in parameters]
    ways = differentiable(model, parameters, SHAPE), by_autograd(model, parameters)
    assert "_Chain" in repr(ways[0])
    (parts, slopes), (others, expected) = (way(images, labels) for way in ways)
    for mine, theirs in zip(parts, others, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)
    for found, right in zip(slopes(direction), expected(direction), strict=True):
        assert (found is None) == (right is None)
        if found is not None:
            torch.testing.assert_close(found, right, rtol=1e-9, atol=1e-12)


class Forked(nn.Module):
    """A block of a residual network."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(6, 6)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = inputs + self.inner(inputs).sigmoid()
        return outputs


class Doubled(nn.Linear):
    """A subclass that computes something else."""

    def forward(self, inputs: Tensor) -> Tensor:
        return 2 * super().forward(inputs)


TIED = nn.Linear(6, 6)


@pytest.mark.parametrize(
    "middle",
    [
        [Forked()],
        [Doubled(6, 6)],
        [nn.GELU(), nn.Linear(6, 6)],
        [nn.BatchNorm1d(6)],
        [nn.Dropout(0.5)],
        [TIED, nn.ReLU(), TIED],
        [nn.Linear(6, 6).requires_grad_(False)],
    ],
    ids=["residual", "subclass", "unknown", "training", "dropout", "tied", "frozen"],
)
def test_whatever_is_not_a_chain_of_known_layers_is_left_to_autograd(middle: list[nn.Module]) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(162, 6), *middle, nn.Linear(6, 4))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    way = differentiable(model.train(), trained, SHAPE)
    assert "_Chain" not in repr(way)
    parts, slopes = way(torch.rand(2, *SHAPE), torch.tensor([1, 2]))
    assert slopes(parts)[0].shape == (2, *SHAPE)


def test_a_model_with_hooks_is_run_as_it_is() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(162, 4))
    seen: list[bool] = []
    model[1].register_forward_hook(lambda *_: seen.append(True))
    differentiable(model, list(model.parameters()), SHAPE)(torch.rand(1, *SHAPE), torch.tensor([1]))
    assert seen
