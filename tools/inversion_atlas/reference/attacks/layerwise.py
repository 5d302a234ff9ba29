"""The gradient of a chain of layers, and how it answers to the images, without a graph of a graph.

What matching gradients needs is the slope, in the images x, of the product of a fixed direction v with the gradient
g(x) of the loss. That product is the derivative of the loss along v in the parameters; so its slope is what the usual
backward pass gives, differentiated along v: one more pass forward and one back, with the values at hand. Double
backward through autograd does the same arithmetic with two to three times the calls and shapes that suit it badly.

Chains of the usual layers in evaluation mode go this way; every other model takes autograd's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks import winograd
from inversion_atlas.reference.attacks.winograd import WinogradConvolution

# Multiplications of one convolution up to which a product with unfolded patches is the fastest.
_SMALL = 4_000_000

# A direction in the parameters -> the slopes in images and in soft labels (None for classes) of its product with g.
Slopes = Callable[[Sequence[Tensor]], tuple[Tensor, Tensor | None]]
# Images and labels (classes, or probabilities of each class) -> the gradient of the mean cross entropy, its slopes.
Differentiable = Callable[[Tensor, Tensor], tuple[list[Tensor], Slopes]]


def differentiable(model: nn.Module, parameters: Sequence[Tensor], input_shape: tuple[int, ...]) -> Differentiable:
    """Return the fastest way to get the gradient in `parameters` and its slopes for this model."""
    chain = _chain(model, parameters, input_shape)
    return by_autograd(model, parameters) if chain is None else chain.gradient


def by_autograd(model: nn.Module, parameters: Sequence[Tensor]) -> Differentiable:
    """Return the way that suits every model: backward twice."""

    def gradient(images: Tensor, labels: Tensor) -> tuple[list[Tensor], Slopes]:
        images, soft = images.detach().requires_grad_(), labels.is_floating_point()
        labels = labels.detach().requires_grad_(soft)
        with torch.enable_grad():
            loss = functional.cross_entropy(model(images), labels)
            parts = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
        searched = [images, labels] if soft else [images]
        # A part that does not depend on the images has no slope.
        answering = [place for place, part in enumerate(parts) if part.requires_grad]

        def slopes(direction: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
            found = torch.autograd.grad(
                [parts[place] for place in answering],
                searched,
                [direction[place] for place in answering],
                materialize_grads=True,
            )
            return found[0], found[1] if soft else None

        return [part.detach() for part in parts], slopes

    return gradient


class _Layer(Protocol):
    """A layer that keeps what its four passes share; `direction` has a part for each of its parameters."""

    parameters: int

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs."""

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        """Return the slope in the inputs, where it goes onward, and those in the parameters."""

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        """Return how the outputs move along the direction, when the inputs move by `moved`."""

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        """Return how the slope in the inputs moves, when the slope in the outputs moves by `moved`."""


class _Chain:
    """Leading modules without parameters, which autograd handles, then layers."""

    def __init__(self, leading: nn.Module, layers: Sequence[_Layer]) -> None:
        self.leading, self.layers = leading, layers

    def gradient(self, images: Tensor, labels: Tensor) -> tuple[list[Tensor], Slopes]:
        images = images.detach().requires_grad_()
        with torch.enable_grad():
            entering = self.leading(images)
        with torch.no_grad():
            values = entering.detach()
            for layer in self.layers:
                values = layer.forward(values)
            probabilities = values.softmax(dim=1)
            soft = labels.is_floating_point()
            targets = labels if soft else functional.one_hot(labels, values.shape[1]).to(values.dtype)
            slope = (probabilities * targets.sum(dim=1, keepdim=True) - targets).div_(len(images))
            parts = self._backward(slope)

        @torch.no_grad()
        def slopes(direction: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
            logits, shares = self._push(direction)
            # How the logarithms of the probabilities move.
            logs = logits - (probabilities * logits).sum(dim=1, keepdim=True)
            moved = (probabilities * logs * targets.sum(dim=1, keepdim=True)).div_(len(images))
            found = self._pull(moved, shares)
            if entering is not images:
                (found,) = torch.autograd.grad(entering, images, found)
            return found, logs.div_(-len(images)) if soft else None

        return parts, slopes

    def _backward(self, slope: Tensor) -> list[Tensor]:
        parts: list[Tensor] = []
        going: Tensor | None = slope
        for place in range(len(self.layers) - 1, -1, -1):
            assert going is not None
            going, own = self.layers[place].backward(going, onward=place > 0)
            parts = own + parts
        return parts

    def _push(self, direction: Sequence[Tensor]) -> tuple[Tensor, list[Sequence[Tensor]]]:
        moved, shares, first = None, [], 0
        for layer in self.layers:
            shares.append(direction[first : first + layer.parameters])
            first += layer.parameters
            moved = layer.push(moved, shares[-1])
        assert moved is not None
        return moved, shares

    def _pull(self, moved: Tensor, shares: list[Sequence[Tensor]]) -> Tensor:
        for layer, share in zip(reversed(self.layers), reversed(shares), strict=True):
            moved = layer.pull(moved, share)
        return moved


class _Linear:
    """Outputs are inputs times the transposed weight plus bias."""

    def __init__(self, module: nn.Linear) -> None:
        self.weight = module.weight.detach()
        self.bias = None if module.bias is None else module.bias.detach()
        self.parameters = 1 if self.bias is None else 2

    def forward(self, inputs: Tensor) -> Tensor:
        self.inputs = inputs
        return functional.linear(inputs, self.weight, self.bias)

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        self.slope = slope
        parts = [slope.T @ self.inputs] if self.bias is None else [slope.T @ self.inputs, slope.sum(dim=0)]
        return slope @ self.weight if onward else None, parts

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        outputs = functional.linear(self.inputs, direction[0], direction[1] if len(direction) > 1 else None)
        return outputs if moved is None else outputs.addmm_(moved, self.weight.T)

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        return torch.addmm(moved @ self.weight, self.slope, direction[0])


class _SmallConvolution:
    """Weight times unfolded patches: matrices of (channels, images times places)."""

    def __init__(self, module: nn.Conv2d, image: torch.Size) -> None:
        self.weight = module.weight.detach().flatten(1)
        self.shape = module.weight.shape
        self.bias = None if module.bias is None else module.bias.detach()[:, None]
        self.parameters = 1 if self.bias is None else 2
        self.image = tuple(image[2:])
        self.moves = (module.kernel_size, module.dilation, _padding(module), module.stride)
        self.places = _places(module, image)

    def _unfolded(self, images: Tensor) -> Tensor:
        patches = functional.unfold(images, *self.moves)
        return patches.transpose(0, 1).reshape(len(patches[0]), -1)

    def _folded(self, patches: Tensor) -> Tensor:
        batched = patches.view(len(patches), -1, self.places[0] * self.places[1]).transpose(0, 1)
        return functional.fold(batched, self.image, *self.moves)

    def _images(self, outputs: Tensor) -> Tensor:
        return outputs.view(len(outputs), -1, *self.places).transpose(0, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        self.patches = self._unfolded(inputs)
        outputs = self.weight @ self.patches
        return self._images(outputs if self.bias is None else outputs.add_(self.bias))

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        self.slope = slope.transpose(0, 1).reshape(len(self.weight), -1)
        parts = [(self.slope @ self.patches.T).view(self.shape)]
        if self.bias is not None:
            parts.append(self.slope.sum(dim=1))
        return self._folded(self.weight.T @ self.slope) if onward else None, parts

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        outputs = direction[0].flatten(1) @ self.patches
        if moved is not None:
            outputs.addmm_(self.weight, self._unfolded(moved))
        return self._images(outputs.add_(direction[1][:, None]) if len(direction) > 1 else outputs)

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        patches = self.weight.T @ moved.transpose(0, 1).reshape(len(self.weight), -1)
        return self._folded(patches.addmm_(direction[0].flatten(1).T, self.slope))


class _Convolution:
    """A convolution by the library's own forward and first derivative."""

    def __init__(self, module: nn.Conv2d) -> None:
        self.weight = module.weight.detach()
        self.bias = None if module.bias is None else module.bias.detach()
        self.parameters = 1 if self.bias is None else 2
        self.moves = (module.stride, _padding(module), module.dilation, module.groups)

    def _first(self, slope: Tensor, weight: Tensor, wanted: tuple[bool, bool]) -> tuple[Tensor, Tensor]:
        stride, padding, dilation, groups = self.moves
        found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
            slope, self.inputs, weight, None, stride, padding, dilation, False, (0, 0), groups, (*wanted, False)
        )
        return found[0], found[1]

    def forward(self, inputs: Tensor) -> Tensor:
        self.inputs = inputs
        return functional.conv2d(inputs, self.weight, self.bias, *self.moves)

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        self.slope = slope
        to_inputs, to_weight = self._first(slope, self.weight, (onward, True))
        return to_inputs, [to_weight] if self.bias is None else [to_weight, slope.sum(dim=(0, 2, 3))]

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        outputs = functional.conv2d(
            self.inputs, direction[0], direction[1] if len(direction) > 1 else None, *self.moves
        )
        return outputs if moved is None else outputs.add_(functional.conv2d(moved, self.weight, None, *self.moves))

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        return self._first(moved, self.weight, (True, False))[0].add_(
            self._first(self.slope, direction[0], (True, False))[0]
        )


class _BatchNorm:
    """Normalization by running statistics: a factor and an addend per channel."""

    def __init__(self, module: nn.BatchNorm1d | nn.BatchNorm2d, dimensions: int) -> None:
        assert module.running_mean is not None
        assert module.running_var is not None
        self.across = [axis for axis in range(dimensions) if axis != 1]
        self.mean = self._wide(module.running_mean)
        self.scale = self._wide((module.running_var + module.eps).rsqrt())
        self.weight, self.bias = self._wide(module.weight.detach()), self._wide(module.bias.detach())
        self.factor = self.weight * self.scale
        self.parameters = 2

    def _wide(self, values: Tensor) -> Tensor:
        return values.view(1, -1, *[1] * (len(self.across) - 1))

    def forward(self, inputs: Tensor) -> Tensor:
        self.normal = (inputs - self.mean).mul_(self.scale)
        return torch.addcmul(self.bias, self.normal, self.weight)

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        self.slope = slope
        parts = [(slope * self.normal).sum(dim=self.across), slope.sum(dim=self.across)]
        return slope * self.factor if onward else None, parts

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        outputs = torch.addcmul(self._wide(direction[1]), self.normal, self._wide(direction[0]))
        return outputs if moved is None else outputs.addcmul_(moved, self.factor)

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        return (moved * self.factor).addcmul_(self.slope, self._wide(direction[0]) * self.scale)


class _Activation:
    """A function of each number: its first derivative, and the second as a multiple of the first, from the outputs."""

    parameters = 0

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor
        self.bend: Tensor | None
        match self.module:
            case nn.Sigmoid():
                outputs = inputs.sigmoid()
                self.first, self.bend = outputs * (1 - outputs), 1 - 2 * outputs
            case nn.Tanh():
                outputs = inputs.tanh()
                self.first, self.bend = 1 - outputs.square(), -2 * outputs
            case nn.LeakyReLU(negative_slope=slope):
                outputs, self.bend = functional.leaky_relu(inputs, slope), None
                self.first = torch.where(inputs > 0, inputs.new_tensor(1.0), inputs.new_tensor(slope))
            case _:
                outputs, self.bend = inputs.relu(), None
                self.first = (inputs > 0).to(inputs.dtype)
        return outputs

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        self.slope = slope * self.first
        return self.slope, []

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        self.moved = moved
        return None if moved is None else moved * self.first

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        found = moved * self.first
        if self.bend is None or self.moved is None:
            return found
        return found.addcmul_(self.slope * self.bend, self.moved)


class _MaxPool:
    """The largest of each window, whose place is kept."""

    parameters = 0

    def __init__(self, module: nn.MaxPool2d) -> None:
        self.moves = (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode)

    def forward(self, inputs: Tensor) -> Tensor:
        self.inputs = inputs
        outputs, self.places = functional.max_pool2d(inputs, *self.moves, return_indices=True)
        return outputs

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        return self.pull(slope, ()), []

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        return None if moved is None else moved.flatten(2).gather(2, self.places.flatten(2)).view(self.places.shape)

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        # Windows may overlap: what they share is summed.
        flat = torch.zeros_like(self.inputs).flatten(2)
        return flat.scatter_add_(2, self.places.flatten(2), moved.flatten(2)).view(self.inputs.shape)


class _AveragePool:
    """The mean of each window."""

    parameters = 0

    def __init__(self, module: nn.AvgPool2d) -> None:
        self.module = module

    def forward(self, inputs: Tensor) -> Tensor:
        self.inputs = inputs
        outputs: Tensor = self.module(inputs)
        return outputs

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        return self.pull(slope, ()), []

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        return None if moved is None else self.module(moved)

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        with torch.enable_grad():
            inputs = self.inputs.requires_grad_()
            (found,) = torch.autograd.grad(self.module(inputs), inputs, moved)
        return found


class _Flatten:
    """Another shape of the same numbers."""

    parameters = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.shape = inputs.shape
        return inputs.flatten(1)

    def backward(self, slope: Tensor, *, onward: bool) -> tuple[Tensor | None, list[Tensor]]:
        return slope.reshape(self.shape), []

    def push(self, moved: Tensor | None, direction: Sequence[Tensor]) -> Tensor | None:
        return None if moved is None else moved.flatten(1)

    def pull(self, moved: Tensor, direction: Sequence[Tensor]) -> Tensor:
        return moved.reshape(self.shape)


@torch.no_grad()
def _chain(model: nn.Module, parameters: Sequence[Tensor], input_shape: tuple[int, ...]) -> _Chain | None:
    """Return the model as a chain of known layers, or None."""
    modules = [module for module in _modules(model) if not _passes(module)]
    held = [parameter for module in modules for parameter in module.parameters()]
    if [id(parameter) for parameter in held] != [id(parameter) for parameter in parameters] or _watched(model):
        return None
    start = next((place for place, module in enumerate(modules) if any(True for _ in module.parameters())), None)
    if start is None:
        return None
    values = nn.Sequential(*modules[:start])(parameters[0].new_zeros((1, *input_shape)))
    layers: list[_Layer] = []
    for module in modules[start:]:
        layer = _layer(module, values)
        if layer is None:
            return None
        layers.append(layer)
        values = layer.forward(values)
    leading = nn.Sequential(*modules[:start])
    return _Chain(leading, layers) if values.ndim == 2 else None


def _modules(module: nn.Module) -> list[nn.Module]:
    """Return the modules that a chain runs one after the other."""
    if type(module) is not nn.Sequential:
        return [module]
    return [inner for child in module for inner in _modules(child)]


def _passes(module: nn.Module) -> bool:
    return isinstance(module, nn.Identity) or (isinstance(module, nn.Dropout) and not module.training)


def _watched(model: nn.Module) -> bool:
    """Whether hooks of the user's hang on a module, which this way would not call."""
    return any(
        module._forward_hooks or module._forward_pre_hooks or module._backward_hooks for module in model.modules()
    )


def _layer(module: nn.Module, inputs: Tensor) -> _Layer | None:
    """Return the layer that computes what the module does, or None for a module that is not known."""
    kind = type(module)
    # Subclasses may compute anything.
    if module.training and kind in (nn.BatchNorm1d, nn.BatchNorm2d):
        return None
    match module:
        case nn.Linear() if kind is nn.Linear and inputs.ndim == 2:
            return _Linear(module)
        case nn.Conv2d(padding_mode="zeros") if kind is nn.Conv2d and not isinstance(module.padding, str):
            return _convolution(module, inputs.shape)
        case nn.BatchNorm1d() | nn.BatchNorm2d() if module.affine and module.track_running_stats:
            return _BatchNorm(module, inputs.ndim)
        case nn.ReLU() | nn.Sigmoid() | nn.Tanh() | nn.LeakyReLU():
            return _Activation(module)
        case nn.MaxPool2d() if kind is nn.MaxPool2d:
            return _MaxPool(module)
        case nn.AvgPool2d() if kind is nn.AvgPool2d:
            return _AveragePool(module)
        case nn.Flatten(start_dim=1, end_dim=-1):
            return _Flatten()
    return None


def _convolution(module: nn.Conv2d, image: torch.Size) -> _Layer:
    """Return the fastest layer for this convolution."""
    places = _places(module, image)
    if module.weight.numel() * places[0] * places[1] <= _SMALL and module.groups == 1:
        return _SmallConvolution(module, image)
    return WinogradConvolution(module) if winograd.suits(module, image) else _Convolution(module)


def _padding(module: nn.Conv2d) -> tuple[int, ...]:
    assert not isinstance(module.padding, str)
    return module.padding


def _places(module: nn.Conv2d, image: torch.Size) -> tuple[int, int]:
    """Return height and width of a convolution's output."""
    padding = _padding(module)
    height, width = (
        (image[2 + axis] + 2 * padding[axis] - module.dilation[axis] * (module.kernel_size[axis] - 1) - 1)
        // module.stride[axis]
        + 1
        for axis in (0, 1)
    )
    return height, width
