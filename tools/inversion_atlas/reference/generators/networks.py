"""Small generators and discriminators; images have sides that are multiples of 4 and lie in a data range."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Styles change features more slowly than convolutions do; at full rate so small a generator collapses.
_STYLE_RATE = 0.1


class Generator(nn.Module):
    """Maps latent vectors (items, latent) to images, by two transposed convolutions as DCGAN does.

    With `classes`, batch normalization takes its scale and shift from the class, as PLG-MI's generator does, and
    `forward` takes classes of shape (items,) besides.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        latent: int = 64,
        width: int = 16,
        classes: int = 0,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__()
        channels, height, breadth = quarters(shape)
        self.latent, self.classes = latent, classes
        self.low, self.high = data_range
        self.start = nn.Sequential(
            nn.Linear(latent, 2 * width * height * breadth), nn.Unflatten(1, (2 * width, height, breadth))
        )
        self.norms = nn.ModuleList(ClassNorm(depth, classes) for depth in (2 * width, width))
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(*depths, 4, stride=2, padding=1) for depths in ((2 * width, width), (width, channels))
        )

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        features: Tensor = self.start(latents)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            features = layer(functional.relu(norm(features, labels)))
        return self.low + (self.high - self.low) * features.sigmoid()


class ClassNorm(nn.Module):
    """Batch normalization whose scale and shift are those of the class, or one for all where there are no classes."""

    def __init__(self, depth: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(depth, affine=False)
        self.scale = nn.Parameter(torch.ones(max(1, classes), depth))
        self.shift = nn.Parameter(torch.zeros(max(1, classes), depth))

    def forward(self, features: Tensor, labels: Tensor | None) -> Tensor:
        rows = torch.zeros(len(features), dtype=torch.long) if labels is None else labels
        normalized: Tensor = self.norm(features)
        return self.scale[rows][:, :, None, None] * normalized + self.shift[rows][:, :, None, None]


class Discriminator(nn.Module):
    """Maps images to `outputs` scores by two convolutions with stride 2; `features` is what lies before the scores.

    With `classes` and one output, the score is that of a projection discriminator: the features' product with a
    vector of the class is added. `spectral` divides each layer by its largest singular value.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        width: int = 16,
        outputs: int = 1,
        classes: int = 0,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        channels, height, breadth = quarters(shape)
        dimensions = 2 * width * height * breadth
        layers: list[nn.Module] = [
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.Linear(dimensions, outputs),
        ]
        first, second, self.last = map(nn.utils.parametrizations.spectral_norm, layers) if spectral else layers
        self.body = nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), nn.Flatten())
        self.embedding = nn.Embedding(classes, dimensions) if classes else None

    def features(self, images: Tensor) -> Tensor:
        """Return features of shape (items, dimensions)."""
        features: Tensor = self.body(images)
        return features

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return scores of shape (items,), or (items, outputs) where there are several."""
        features = self.features(images)
        scores: Tensor = self.last(features)
        if scores.shape[1] > 1:
            return scores
        if self.embedding is not None and labels is not None:
            scores = scores + (self.embedding(labels) * features).sum(dim=1, keepdim=True)
        return scores.squeeze(1)


class StyleGenerator(nn.Module):
    """A small generator in the manner of StyleGAN: a mapping of latent vectors to styles, and blocks styled by them.

    `mapping` returns styles (items, styles) and ends in a leaky ReLU of slope SLOPE. `synthesis` turns styles into
    images, and can begin with the features before any block. Unlike in StyleGAN the first features come from the
    style, less its average, instead of being constant, and blocks normalize over the batch.
    """

    SLOPE = 0.2

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        latent: int = 64,
        styles: int = 64,
        width: int = 16,
        data_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__()
        channels, height, breadth = quarters(shape)
        self.latent, self.styles = latent, styles
        self.low, self.high = data_range
        self.layers = nn.Sequential(
            nn.Linear(latent, styles), nn.LeakyReLU(self.SLOPE), nn.Linear(styles, styles), nn.LeakyReLU(self.SLOPE)
        )
        self.start = nn.Sequential(
            nn.Linear(styles, 2 * width * height * breadth), nn.Unflatten(1, (2 * width, height, breadth))
        )
        self.blocks = nn.ModuleList(StyledBlock(*depths, styles) for depths in ((2 * width, width), (width, channels)))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, self.SLOPE)
        self.average: Tensor
        with torch.no_grad():
            self.register_buffer("average", self.mapping(torch.randn(1000, latent)).mean(dim=0))

    def mapping(self, latents: Tensor) -> Tensor:
        """Return styles (items, styles) of latent vectors (items, latent), which are brought to one length first."""
        styles: Tensor = self.layers(latents / latents.square().mean(dim=1, keepdim=True).add(1e-8).sqrt())
        return styles

    def features(self, styles: Tensor, block: int, *, start: Tensor | None = None, first: int = 0) -> Tensor:
        """Return the features before block `block`, computed from `start`, those before block `first`, where given."""
        features: Tensor = self.start(styles - self.average) if start is None else start
        for styled in list(self.blocks)[first:block]:
            features = styled(features, styles)
        return features

    def synthesis(self, styles: Tensor, *, start: Tensor | None = None, first: int = 0) -> Tensor:
        """Return images of styles (items, styles), beginning with the features `start` before block `first`."""
        image = self.features(styles, len(self.blocks), start=start, first=first)
        return self.low + (self.high - self.low) * image.sigmoid()

    def forward(self, latents: Tensor) -> Tensor:
        return self.synthesis(self.mapping(latents))


class StyledBlock(nn.Module):
    """Normalizes features, scales and shifts them by the style, and convolves them to twice the size."""

    def __init__(self, depth_in: int, depth_out: int, styles: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(depth_in, affine=False)
        self.style = nn.Linear(styles, 2 * depth_in)
        self.convolution = nn.ConvTranspose2d(depth_in, depth_out, 4, stride=2, padding=1)
        nn.init.zeros_(self.style.weight)
        nn.init.zeros_(self.style.bias)

    def forward(self, features: Tensor, styles: Tensor) -> Tensor:
        scale, shift = (_STYLE_RATE * self.style(styles))[:, :, None, None].chunk(2, dim=1)
        convolved: Tensor = self.convolution(functional.relu((1 + scale) * self.norm(features) + shift))
        return convolved


def quarters(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return channels and a quarter of height and width; raises ValueError where that is not whole."""
    channels, height, width = shape
    if height % 4 or width % 4:
        raise ValueError(f"images must have sides that are multiples of 4, not {height} by {width}")
    return channels, height // 4, width // 4
