"""Images and their texts from one shared gradient: each by itself, then both by what they agree on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from inversion_atlas.reference.attacks.descent import stepped
from inversion_atlas.reference.attacks.labels import only_label
from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import SharedPairGradient, expect

# How much a difference in the distances of gradients counts for which of two reconstructions is followed.
_SHARPNESS = 10
# Weights of words are made so much flatter before they are refined: those of one word alone turn no more.
_FLATTENED = 0.1
# How often each place of a text tries every word at the end.
_SWEEPS = 2


@dataclass(frozen=True, slots=True, eq=False)
class RecoveredPairs:
    """Images (items, channels, height, width) with texts (items, length), and both distances of gradients (items,)."""

    images: Tensor
    tokens: Tensor
    image_distances: Tensor
    text_distances: Tensor
    evaluations: int


def mmgia(
    observations: Sequence[SharedPairGradient],
    image_features: nn.Module,
    text_features: nn.Module,
    *,
    steps: int = 200,
    alone: float = 0.5,
    agreement: float = 0.03,
    tv: float = 0.1,
    seed: int = 0,
    progress: Progress = silent,
) -> RecoveredPairs:
    """Invert the gradient of each modality, then refine both by their agreement. MMGIA (zheng2025mmgia).

    For the share `alone` of all steps an image is searched whose gradient in the image branch, and a text whose
    gradient in the text branch, has the largest cosine with the shared one. Then `image_features` and `text_features`,
    encoders into one space that the adversary trained on public pairs, place both there; the mean of both places,
    weighed by how well each gradient is matched, draws either reconstruction by `agreement`, the worse one more.
    With 0 each modality stays alone. A text is searched as weights of all words at each place; at the end each place in
    turn takes the word of least distance and disagreement. Each observation is of one pair; several of one model are
    attacked side by side and do not touch.

    Of the paper the abstract alone was read: two stages, pre-trained extractors, a shared space in which better
    reconstructions guide. Losses, weights, optimizer (Adam, for images on the slope's sign, as
    `inverting_gradients`) and the representation of texts are ours.
    """
    search = _Search.of(observations)
    images, words = search.start(seed)
    rates = (0.1 * search.unit, 0.1)
    optimizers = [torch.optim.Adam([free], rate) for free, rate in zip((images, words), rates, strict=True)]
    refine = round(alone * steps)
    for step in range(steps):
        if step == refine:
            words.data *= _FLATTENED
        stage = (step, refine) if step < refine else (step - refine, steps - refine)
        soft = words.softmax(dim=2)
        apart = search.distances(images, soft)
        loss = apart.sum() + tv * _variation(images)
        if agreement and step >= refine:
            features = _features(image_features(images), _placed(text_features, soft))
            loss = loss + agreement * _disagreement(features, apart)
        slopes = torch.autograd.grad(loss, (images, words))
        images.grad, words.grad = slopes[0].sign(), slopes[1]
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = stepped(rate, *stage)
            optimizer.step()
        with torch.no_grad():
            images.clamp_(*search.first.data_range)
        progress(step + 1, steps)
    images = images.detach()
    with torch.no_grad():
        tokens, tried = search.spelled(images, words, image_features, text_features, agreement)
        one, other = search.distances(images, search.hard(tokens))
    return RecoveredPairs(images, tokens, one, other, steps + tried + 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The gradients of one model's branches on dummy pairs, one of each observation, beside the shared ones."""

    first: SharedPairGradient
    labels: Tensor
    branches: tuple[dict[str, Tensor], dict[str, Tensor]]  # parameters
    shared: tuple[Tensor, Tensor]  # of shape (items, numbers of the branch)

    @classmethod
    def of(cls, observations: Sequence[SharedPairGradient]) -> _Search:
        seen = [expect(given, SharedPairGradient, "mmgia") for given in observations]
        if not seen or any(one.batch_size != 1 for one in seen):
            raise ValueError("mmgia takes observations of one pair each, and at least one")
        weights = [list(one.model.parameters()) for one in seen]
        if any(not all(map(torch.equal, weights[0], other)) for other in weights[1:]):
            raise ValueError("mmgia takes observations of one model")
        first = seen[0]
        known = [int(one.labels[0]) if one.labels is not None else only_label(one) for one in seen]
        named = dict(first.model.named_parameters())
        names = [[n for n in first.gradient if n.startswith(b)] for b in (first.image_branch, first.text_branch)]
        shared = [torch.stack([_flat([one.gradient[n] for n in part]) for one in seen]) for part in names]
        branches = [{name: named[name].detach() for name in part} for part in names]
        return cls(first, torch.tensor(known), (branches[0], branches[1]), (shared[0], shared[1]))

    @property
    def unit(self) -> float:
        """A quarter of the data's range."""
        low, high = self.first.data_range
        return (high - low) / 4

    def start(self, seed: int) -> tuple[Tensor, Tensor]:
        """Return images around the middle of the range, and words of nearly equal weights; the padding has none."""
        generator = torch.Generator().manual_seed(seed)
        items, low_high = len(self.labels), self.first.data_range
        images = torch.randn(items, *self.first.input_shape, generator=generator) * self.unit + sum(low_high) / 2
        words = torch.randn(items, self.first.length, self.first.vocabulary, generator=generator) * 0.1
        words[:, :, 0] = -math.inf
        return images.clamp_(*low_high).requires_grad_(), words.requires_grad_()

    def distances(self, images: Tensor, soft: Tensor) -> Tensor:
        """One minus the cosine of both gradients, of shape (2, items): in the image branch, and in the text branch.

        What one modality makes of the other's gradient is not followed.
        """
        given = ((images, soft.detach()), (images.detach(), soft))
        return torch.stack([self._distance(branch, *pair) for branch, pair in enumerate(given)])

    def hard(self, tokens: Tensor) -> Tensor:
        """Return the weights that single words have."""
        return functional.one_hot(tokens, self.first.vocabulary).to(self.shared[0].dtype)

    def spelled(
        self, images: Tensor, words: Tensor, image_features: nn.Module, text_features: nn.Module, agreement: float
    ) -> tuple[Tensor, int]:
        """Return texts of single words, and how many were tried: each place takes the word of least objective."""
        tokens, items = words.argmax(dim=2), torch.arange(len(words))
        apart = self.distances(images, words.softmax(dim=2))
        features = _features(image_features(images), _placed(text_features, words.softmax(dim=2)))
        mean = _weighed(features, apart)[1]
        choices = torch.arange(1, self.first.vocabulary)
        for place in list(range(self.first.length)) * _SWEEPS:
            tried = tokens[:, None].repeat(1, len(choices), 1)
            tried[:, :, place] = choices
            flat, repeated = tried.flatten(0, 1), items.repeat_interleave(len(choices))
            objective = self._distance(1, images[repeated], self.hard(flat), repeated)
            if agreement:
                told = functional.normalize(text_features(flat), dim=1)
                objective = objective + agreement * (1 - (told * mean[repeated]).sum(dim=1))
            tokens[:, place] = choices[objective.view(len(items), -1).argmin(dim=1)]
        return tokens, _SWEEPS * self.first.length * len(choices)

    def _distance(self, branch: int, images: Tensor, soft: Tensor, items: Tensor | None = None) -> Tensor:
        """One minus the cosine of a branch's gradient with the shared one, for the items given or for all."""
        items = torch.arange(len(self.labels)) if items is None else items
        dummy = self._gradients(self.branches[branch], images, soft, self.labels[items])
        distance: Tensor = 1 - functional.cosine_similarity(dummy, self.shared[branch][items], dim=1)
        return distance

    def _gradients(self, branch: dict[str, Tensor], images: Tensor, soft: Tensor, labels: Tensor) -> Tensor:
        model = self.first.model
        tokens = torch.ones(1, self.first.length, dtype=torch.long)

        def loss(parameters: dict[str, Tensor], image: Tensor, text: Tensor, label: Tensor) -> Tensor:
            with _Softened(model, text[None]):
                logits = functional_call(model, parameters, (image[None], tokens))
            return functional.cross_entropy(logits, label[None])

        parts = vmap(grad(loss), in_dims=(None, 0, 0, 0))(branch, images, soft, labels)
        return torch.cat([part.flatten(1) for part in parts.values()], dim=1)


class _Softened:
    """While it lasts, a model's embedding answers with the weighted mean of all words at each place."""

    def __init__(self, model: nn.Module, soft: Tensor) -> None:
        tables = [module for module in model.modules() if isinstance(module, nn.Embedding)]
        if len(tables) != 1 or tables[0].num_embeddings != soft.shape[-1]:
            raise ValueError(f"a model with one embedding, of {soft.shape[-1]} words, is needed")
        self.table, self.soft = tables[0], soft

    def __enter__(self) -> None:
        mean = self.soft @ self.table.weight.detach()
        self.hook = self.table.register_forward_hook(lambda module, arguments, answer: mean)

    def __exit__(self, *raised: object) -> None:
        self.hook.remove()


def _placed(text_features: nn.Module, soft: Tensor) -> Tensor:
    with _Softened(text_features, soft):
        features: Tensor = text_features(torch.ones(soft.shape[:2], dtype=torch.long))
    return features


def _features(images: Tensor, texts: Tensor) -> Tensor:
    """Both modalities' places in the shared space, of shape (2, items, features) and length one."""
    return torch.stack((functional.normalize(images, dim=1), functional.normalize(texts, dim=1)))


def _weighed(features: Tensor, apart: Tensor) -> tuple[Tensor, Tensor]:
    """How far each modality is trusted, of shape (2, items), and the mean place that this gives."""
    trust = (-_SHARPNESS * apart.detach()).softmax(dim=0)
    return trust, functional.normalize((trust[:, :, None] * features).sum(dim=0), dim=1).detach()


def _disagreement(features: Tensor, apart: Tensor) -> Tensor:
    """How far each modality points from the mean, the less trusted one counting more."""
    trust, mean = _weighed(features, apart)
    return ((1 - trust) * (1 - (features * mean).sum(dim=2))).sum()


def _variation(images: Tensor) -> Tensor:
    """The sum over images of the mean absolute differences between neighbors."""
    rises = [images.diff(dim=axis).abs().flatten(1).mean(dim=1) for axis in (-2, -1)]
    return torch.stack(rises).sum()


def _flat(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in parts])
