"""An input in closed form, from the last layer back to the first: R-GAP, and what its rank analysis promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.labels import only_label
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.observations import SharedGradient, expect

# A layer whose equations are off by more than this share of their right side was not solved.
_SOLVED = 1e-3


def rgap(observation: SharedGradient) -> Reconstruction:
    """Return the single example that was given to a chain of layers whose activations can be undone.

    R-GAP (zhu2021rgap). The slope of the loss in the last layer's outputs comes from its bias, else from the one scale
    that makes softmax agree with the gradient. Then, layer by layer: the slope and the gradient of a weight are linear
    equations in the layer's inputs, and so are its outputs, known from the layer behind; least squares in double
    precision solves both together. `objective` is the largest relative error of any layer's equations; converged means
    that all were solved and of full rank. See `rank_deficits` for what can be promised beforehand.

    The authors treat two classes with a logistic loss and models without biases; here the loss is cross entropy over
    any number of classes, and biases are used where there are some.
    """
    observation = expect(observation, SharedGradient, "r-gap")
    if observation.batch_size != 1:
        raise ValueError(f"the recursion holds for one example, not for a batch of {observation.batch_size}")
    chain = _chain(observation.model, observation.input_shape)
    label = int(observation.labels[0]) if observation.labels is not None else only_label(observation)
    gradients = [_held(observation, layer) for layer in chain]
    inputs, slope = _last(chain[-1], gradients[-1], label)
    worst, deficit = 0.0, 0
    for behind, layer, gradient in zip(chain[:0:-1], chain[-2::-1], gradients[-2::-1], strict=True):
        slope = (behind.matrix.T @ slope) * _steepness(layer.activation, inputs)
        outputs = _undone(layer.activation, inputs)
        inputs, error, missing = _solved(layer, slope, outputs, gradient)
        worst, deficit = max(worst, error), deficit + missing
    return Reconstruction(
        images=inputs.to(observation.gradient[chain[0].name + ".weight"].dtype).reshape(1, *observation.input_shape),
        labels=torch.tensor([label]),
        objective=worst,
        evaluations=1,
        restarts=0,
        converged=deficit == 0 and worst < _SOLVED,
    )


def rank_deficits(model: nn.Module, input_shape: tuple[int, ...], *, seed: int = 0) -> list[int]:
    """Return, for each layer from the first, how many unknowns its equations leave open; all 0 promises exactness.

    The rank analysis of R-GAP (zhu2021rgap), computed on random inputs and slopes: ranks are the same for almost all.
    """
    chain = _chain(model, input_shape)
    generator = torch.Generator().manual_seed(seed)
    deficits = []
    for layer in chain[:-1]:
        slope = torch.randn(len(layer.matrix), generator=generator, dtype=torch.float64)
        rank = int(torch.linalg.matrix_rank(torch.cat((_gradient_equations(layer, slope), layer.matrix))))
        deficits.append(layer.matrix.shape[1] - rank)
    return [*deficits, 0]


@dataclass(frozen=True, slots=True, eq=False)
class _Affine:
    """A convolution or linear layer as a matrix, and the activation behind it."""

    name: str
    module: nn.Conv2d | nn.Linear
    matrix: Tensor  # outputs by inputs, both flat
    bias: Tensor  # of each output
    input_shape: tuple[int, ...]
    activation: nn.Module


def _chain(model: nn.Module, input_shape: tuple[int, ...]) -> list[_Affine]:
    """Return the layers of the model in order; raises ValueError for what cannot be undone."""
    leaves = [
        (name, module) for name, module in model.named_modules(remove_duplicate=False) if not list(module.children())
    ]
    chain: list[_Affine] = []
    shape = input_shape
    for place, (name, module) in enumerate(leaves):
        if isinstance(module, nn.Conv2d | nn.Linear):
            behind = [inner for _, inner in leaves[place + 1 :] if not isinstance(inner, nn.Flatten)]
            layer = _affine(name, module, shape, behind[0] if behind else nn.Identity())
            shape = tuple(module(torch.zeros(1, *layer.input_shape, dtype=module.weight.dtype)).shape[1:])
            chain.append(layer)
        elif not isinstance(module, nn.Flatten | nn.LeakyReLU | nn.Sigmoid | nn.Tanh | nn.Identity):
            raise ValueError(f"{type(module).__name__} cannot be undone: R-GAP takes leaky ReLU, sigmoid or tanh")
    if not chain or not isinstance(chain[-1].module, nn.Linear):
        raise ValueError("R-GAP starts at a last linear layer, which this model lacks")
    return chain


@torch.no_grad()
def _affine(name: str, module: nn.Conv2d | nn.Linear, shape: tuple[int, ...], behind: nn.Module) -> _Affine:
    flat = torch.Size(shape).numel()
    entering = (flat,) if isinstance(module, nn.Linear) else shape
    units = torch.eye(flat, dtype=torch.float64).view(flat, *entering)
    weight = module.weight.double()
    if isinstance(module, nn.Linear):
        matrix = weight
    else:
        moves = module.stride, _numbers(module.padding), module.dilation, module.groups
        matrix = functional.conv2d(units, weight, None, *moves).flatten(1).T
    places = len(matrix) // len(module.weight)
    bias = module.weight.new_zeros(len(module.weight)) if module.bias is None else module.bias
    activation = nn.Identity() if isinstance(behind, nn.Conv2d | nn.Linear) else behind
    return _Affine(name, module, matrix, bias.double().repeat_interleave(places), entering, activation)


def _held(observation: SharedGradient, layer: _Affine) -> tuple[Tensor, Tensor | None]:
    bias = observation.gradient.get(f"{layer.name}.bias")
    return observation.gradient[f"{layer.name}.weight"].double(), None if bias is None else bias.double()


def _last(layer: _Affine, gradient: tuple[Tensor, Tensor | None], label: int) -> tuple[Tensor, Tensor]:
    """Return inputs of the last layer and slopes in its outputs, both flat."""
    weight, bias = gradient
    if bias is not None:
        return (bias @ weight) / bias.square().sum(), bias
    # Of rank one: slopes times inputs, the scale of each unknown.
    left, sizes, right = torch.linalg.svd(weight, full_matrices=False)
    slope, inputs = left[:, 0], right[0] * sizes[0]
    # Under cross entropy the slope is negative at the label alone.
    if float(slope[label]) > 0:
        slope, inputs = -slope, -inputs
    scale = _scale(layer.matrix @ inputs, slope, label)
    return inputs / scale, slope * scale


def _scale(logits: Tensor, slope: Tensor, label: int) -> float:
    """Return the number s for which softmax(logits / s), less one at the label, is closest to s times the slope."""
    target = functional.one_hot(torch.tensor(label), len(logits)).double()

    def error(scales: Tensor) -> Tensor:
        given = (logits / scales[:, None]).softmax(dim=1) - target
        return (given / scales[:, None] - slope).square().sum(dim=1)

    low, high = -12.0, 1.0
    for _ in range(8):
        scales = torch.logspace(low, high, 2000, dtype=torch.float64)
        found = int(error(scales).argmin())
        width = (high - low) / 1999
        middle = low + found * width
        low, high = middle - 2 * width, middle + 2 * width
    return float(10**middle)


def _solved(
    layer: _Affine, slope: Tensor, outputs: Tensor, gradient: tuple[Tensor, Tensor | None]
) -> tuple[Tensor, float, int]:
    """Return the inputs that fit outputs and gradient best, the relative error, and how many stay open."""
    equations = _gradient_equations(layer, slope)
    right = gradient[0].flatten()
    # Gradients may be tiny beside outputs; each kind of equation is to count.
    size = right.norm().clamp_min(torch.finfo(right.dtype).tiny) / outputs.norm().clamp_min(1e-30)
    system = torch.cat((equations / size, layer.matrix))
    right = torch.cat((right / size, outputs - layer.bias))
    inputs: Tensor = torch.linalg.lstsq(system, right[:, None], driver="gelsd").solution[:, 0]
    error = float((system @ inputs - right).norm() / right.norm())
    return inputs, error, system.shape[1] - int(torch.linalg.matrix_rank(system))


def _gradient_equations(layer: _Affine, slope: Tensor) -> Tensor:
    """Return the matrix that takes the layer's flat inputs to the flat gradient of its weight, for these slopes."""
    size = torch.Size(layer.input_shape).numel()
    units = torch.eye(size, dtype=torch.float64)
    if isinstance(layer.module, nn.Linear):
        return torch.einsum("o,in->oni", slope, units).reshape(-1, size)
    patches = functional.unfold(
        units.view(size, *layer.input_shape),
        layer.module.kernel_size,
        layer.module.dilation,
        _numbers(layer.module.padding),
        layer.module.stride,
    )
    slopes = slope.view(len(layer.module.weight), -1)
    return torch.einsum("op,ikp->oki", slopes, patches).reshape(-1, size)


def _numbers(padding: str | Sequence[int]) -> tuple[int, ...]:
    if isinstance(padding, str):
        raise ValueError("padding by name is not supported: give it in pixels")
    return tuple(padding)


def _undone(activation: nn.Module, outputs: Tensor) -> Tensor:
    """Return what the activation was given."""
    match activation:
        case nn.LeakyReLU(negative_slope=slope):
            return torch.where(outputs < 0, outputs / slope, outputs)
        case nn.Sigmoid():
            return outputs.clamp(1e-12, 1 - 1e-12).logit()
        case nn.Tanh():
            return outputs.clamp(-1 + 1e-12, 1 - 1e-12).atanh()
    return outputs


def _steepness(activation: nn.Module, outputs: Tensor) -> Tensor:
    """Return the activation's derivative, from its outputs."""
    match activation:
        case nn.LeakyReLU(negative_slope=slope):
            return torch.where(outputs < 0, outputs.new_tensor(slope), outputs.new_tensor(1.0))
        case nn.Sigmoid():
            return outputs * (1 - outputs)
        case nn.Tanh():
            return 1 - outputs.square()
    return torch.ones_like(outputs)
