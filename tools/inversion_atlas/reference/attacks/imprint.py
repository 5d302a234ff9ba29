"""A server that slips a layer in front of the model reads the batch off that layer's gradient."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.observations import SharedGradient, expect

# Below this share of the largest gradient a bin holds rounding errors and no image.
_EMPTY = 1e-5


class Imprint(nn.Module):
    """A linear layer whose rows all measure the mean brightness, each with a threshold of its own, and a ReLU.

    A row is active on images brighter than its threshold. The mean of all rows is added to every pixel, so that the
    layer passes images on, and each active row gets the same gradient from an image.
    """

    def __init__(self, thresholds: Tensor, shape: tuple[int, ...]) -> None:
        super().__init__()
        size = math.prod(shape)
        self.measure = nn.Linear(size, len(thresholds))
        with torch.no_grad():
            self.measure.weight.fill_(1 / size)
            self.measure.bias.copy_(-thresholds)

    def forward(self, inputs: Tensor) -> Tensor:
        passed = self.measure(inputs.flatten(1)).relu().mean(dim=1)
        outputs: Tensor = inputs + passed.view(-1, *[1] * (inputs.ndim - 1))
        return outputs


def planted(model: nn.Module, public: Tensor, *, bins: int) -> nn.Module:
    """Return the model behind an imprint layer whose thresholds cut the public images into bins of equal size.

    `public` has shape (images, channels, height, width); the paper takes the quantiles of a normal distribution with
    the data's mean and deviation where there are too few images.
    """
    if bins < 2:
        raise ValueError(f"bins must be at least 2, not {bins}")
    brightness = public.flatten(1).mean(dim=1).double()
    # Below the first threshold no row is active: it must lie under every image.
    shares = torch.arange(1, bins, dtype=torch.float64) / bins
    normal = torch.distributions.Normal(brightness.mean(), brightness.std())
    thresholds = torch.cat((normal.icdf(shares[:1]) - 10 * brightness.std(), normal.icdf(shares)))
    return nn.Sequential(Imprint(thresholds.float(), tuple(public.shape[1:])), model)


def robbing_the_fed(observation: SharedGradient) -> Reconstruction:
    """Return the images that were alone in their bin, and a mixture for each bin that holds several.

    Robbing the Fed (fowl2022robbing). What a row's gradient has more than that of the next threshold comes from the
    images between both; divided by the same difference of the bias, a single image is read exactly. The batch comes
    in order of brightness, with as many images as bins were hit; labels are not looked for. `objective` is the share
    of the batch that has no bin of its own, as far as the number of bins tells.
    """
    observation = expect(observation, SharedGradient, "robbing the fed")
    name = next((name for name, module in observation.model.named_modules() if isinstance(module, Imprint)), None)
    if name is None:
        raise ValueError(
            "the model holds no imprint layer: plant one with planted(), and let the client use that model"
        )
    weight, bias = (observation.gradient[f"{name}.measure.{part}"].double() for part in ("weight", "bias"))
    energy = float(bias.abs().max())
    if energy == 0:
        raise ValueError("no row of the imprint layer was active: its gradient is zero")
    between = bias - torch.cat((bias[1:], bias.new_zeros(1)))
    images = weight - torch.cat((weight[1:], weight.new_zeros(1, weight.shape[1])))
    hit = (between.abs() > _EMPTY * energy).nonzero()[:, 0]
    # Rounding errors may look like bins that were hit; there are no more than images.
    strongest = between[hit].abs().argsort(descending=True)[: observation.batch_size]
    hit = hit[strongest].sort().values
    found = (images[hit] / between[hit, None]).to(weight.dtype)
    missing = 1 - len(hit) / observation.batch_size
    return Reconstruction(
        images=found.float().reshape(len(hit), *observation.input_shape),
        labels=None,
        objective=missing,
        evaluations=1,
        restarts=0,
        converged=missing == 0,
    )
