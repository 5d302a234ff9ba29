"""Searching texts whose gradient equals the shared one: TAG, and LAMP with a language model as prior."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.attacks.labels import only_label
from inversion_atlas.reference.attacks.reconstruction import Progress, RecoveredTexts, silent
from inversion_atlas.reference.observations import SharedTextGradient, expect

# Mean negative log-likelihood per token of texts (texts, length) as token numbers without padding, of shape (texts,).
LanguageModel = Callable[[Tensor], Tensor]
_Distance = Callable[[list[Tensor], list[Tensor]], Tensor]


def tag(
    observation: SharedTextGradient,
    *,
    steps: int = 2500,
    learning_rate: float = 0.1,
    factor: float = 0.01,
    seed: int = 0,
    progress: Progress = silent,
) -> RecoveredTexts:
    """Search embeddings by the squared and absolute distance of gradients. TAG (deng2021tag).

    Adam on embeddings from a normal distribution, then for each the token whose embedding has the largest cosine. The
    squared distance, over the squared length of the shared gradient, plus `factor` times the absolute distance over the
    absolute length: relative, where the paper's are not, so that one factor serves models with gradients of any size.
    Steps, rate and factor are those with which LAMP's authors run it (balunovic2022lamp); the paper searches the label
    too, here it is read off or known as for `lamp`. Start embeddings have the variance of the model's own. Lengths must
    be known. `converged` says that the objective was finite.
    """
    search = _Search.of(observation, "tag", lambda dummy, shared: _tag_distance(dummy, shared, factor))
    embeddings = search.start(seed).requires_grad_()
    optimizer = torch.optim.Adam([embeddings], learning_rate)
    best = _Best(embeddings)
    for step in range(steps):
        objective = search.objective(embeddings, graph=True)
        (embeddings.grad,) = torch.autograd.grad(objective, embeddings)
        best.offer(float(objective.detach()), embeddings)
        optimizer.step()
        progress(step + 1, steps)
    best.offer(float(search.objective(embeddings).detach()), embeddings)
    return search.recovered(best, steps + 1)


def lamp(
    observation: SharedTextGradient,
    language_model: LanguageModel,
    *,
    steps: int = 2000,
    learning_rate: float = 0.01,
    decay: float = 0.89,
    norm_weight: float = 1.0,
    prior_weight: float = 0.2,
    starts: int = 500,
    change_every: int = 75,
    changes: int = 200,
    burn_in: float = 0.1,
    seed: int = 0,
    progress: Progress = silent,
) -> RecoveredTexts:
    """Turns of continuous search and of reordering words, guided by a language model. LAMP (balunovic2022lamp).

    The variant with the cosine: one minus the mean over parameters of the cosine of both gradients, plus `norm_weight`
    times the squared difference of the embeddings' mean length from that of the vocabulary (the authors write BERT's,
    1.4). The best of `starts` random starts and as many orders of it is refined by Adam, whose rate shrinks by `decay`
    each 50 steps. After `burn_in`, each `change_every` steps `changes` changed orders of each text are tried (two words
    swapped, one moved, a run moved, a beginning put at the end) and the best kept by cosine plus `prior_weight` times
    what `language_model` gives for the nearest words. Lengths must be known, and labels but for one text, whose label
    is read off. The defaults are those of the authors' command for the cosine, for BERT and a large language model; on
    the bundled transformer `prior_weight` 0 was as good. `converged` says that the objective was finite.
    """
    search = _Search.of(observation, "lamp", _cosine_distance)
    generator = torch.Generator().manual_seed(seed + 2**32)
    begin = _best_start(search, starts, seed, generator)
    embeddings = (begin * (search.length / begin.norm(dim=-1, keepdim=True))).requires_grad_()
    optimizer = torch.optim.Adam([embeddings], learning_rate)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 50, decay)
    best, evaluations = _Best(embeddings), 2 * starts
    for step in range(steps):
        matching = search.objective(embeddings, graph=True)
        length = embeddings[search.present].norm(dim=-1).mean()
        objective = matching + norm_weight * (length - search.length).square()
        (embeddings.grad,) = torch.autograd.grad(objective, embeddings)
        best.offer(float(objective.detach()), embeddings)
        optimizer.step()
        schedule.step()
        if step >= burn_in * steps and step % change_every == 1:
            evaluations += _reorder(search, embeddings, language_model, prior_weight, changes, generator)
        progress(step + 1, steps)
    return search.recovered(best, evaluations + steps)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The model's gradient on dummy embeddings in place of those of its tokens, compared with the shared one."""

    observation: SharedTextGradient
    table: nn.Embedding
    parameters: list[Tensor]
    shared: list[Tensor]
    present: Tensor  # (batch, length), where a text has a token
    labels: Tensor
    distance: _Distance

    @classmethod
    def of(cls, observation: SharedTextGradient, name: str, distance: _Distance) -> _Search:
        observation = expect(observation, SharedTextGradient, name)
        if observation.lengths is None:
            raise ValueError(f"{name} searches as many tokens as a text has: lengths must be known")
        labels = observation.labels
        if labels is None:
            labels = torch.tensor([only_label(observation)])
        named = dict(observation.model.named_parameters())
        tables = [module for module in observation.model.modules() if isinstance(module, nn.Embedding)]
        tables = [table for table in tables if table.num_embeddings == observation.vocabulary]
        if len(tables) != 1:
            raise ValueError(f"{name} needs the one embedding of {observation.vocabulary} tokens; found {len(tables)}")
        own = id(tables[0].weight)
        names = [name for name in observation.gradient if id(named[name]) != own]
        present = torch.arange(observation.length) < observation.lengths[:, None]
        parameters: list[Tensor] = [named[name] for name in names]
        shared = [observation.gradient[name] for name in names]
        return cls(observation, tables[0], parameters, shared, present, labels, distance)

    @property
    def length(self) -> float:
        """The mean length of the embeddings of the vocabulary."""
        return float(self.words().norm(dim=-1).mean())

    def words(self) -> Tensor:
        """The embeddings of the vocabulary, that of the padding last of all."""
        return self.table.weight.detach()

    def start(self, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        shape = (*self.present.shape, self.table.embedding_dim)
        return torch.randn(shape, generator=generator) * self.words().std()

    def objective(self, embeddings: Tensor, *, graph: bool = False) -> Tensor:
        """The distance of the gradient on these embeddings (batch, length, width) from the shared one."""
        padding = self.observation.padding
        # The embedding's answer is replaced; the tokens only say where padding stands.
        other = (padding + 1) % self.observation.vocabulary
        tokens = torch.where(self.present, other, padding)
        fixed = self.words()[padding]
        given = torch.where(self.present[:, :, None], embeddings, fixed)
        hook = self.table.register_forward_hook(lambda module, arguments, answer: given)
        try:
            loss = functional.cross_entropy(self.observation.model(tokens), self.labels)
        finally:
            hook.remove()
        dummy = torch.autograd.grad(loss, self.parameters, create_graph=graph)
        return self.distance(list(dummy), self.shared)

    def nearest(self, embeddings: Tensor) -> Tensor:
        """The tokens whose embeddings have the largest cosine with these; the padding is none."""
        cosines = functional.normalize(embeddings, dim=-1) @ functional.normalize(self.words(), dim=-1).T
        cosines[..., self.observation.padding] = -math.inf
        return cosines.argmax(dim=-1)

    def recovered(self, best: _Best, evaluations: int) -> RecoveredTexts:
        tokens = self.nearest(best.embeddings)
        texts = tuple(tuple(row[here].tolist()) for row, here in zip(tokens, self.present, strict=True))
        return RecoveredTexts(texts, best.objective, evaluations, converged=math.isfinite(best.objective))


class _Best:
    """The embeddings with the least objective, copied when they are found."""

    def __init__(self, embeddings: Tensor) -> None:
        self.objective, self.embeddings = math.inf, embeddings.detach().clone()

    def offer(self, objective: float, embeddings: Tensor) -> None:
        if objective < self.objective:
            self.objective, self.embeddings = objective, embeddings.detach().clone()


def _tag_distance(dummy: list[Tensor], shared: list[Tensor], factor: float) -> Tensor:
    differences = torch.cat([(d - s).flatten() for d, s in zip(dummy, shared, strict=True)])
    length = torch.cat([s.flatten() for s in shared])
    squared = differences.square().sum() / length.square().sum()
    relative: Tensor = squared + factor * differences.abs().sum() / length.abs().sum()
    return relative


def _cosine_distance(dummy: list[Tensor], shared: list[Tensor]) -> Tensor:
    cosines = [
        functional.cosine_similarity(d.flatten(), s.flatten(), dim=0) for d, s in zip(dummy, shared, strict=True)
    ]
    return 1 - torch.stack(cosines).mean()


def _best_start(search: _Search, starts: int, seed: int, generator: torch.Generator) -> Tensor:
    """The random start with the least objective, then the best order of its embeddings."""
    best, least = search.start(seed), math.inf
    for start in range(starts):
        drawn = search.start(seed + start)
        if (objective := float(search.objective(drawn))) < least:
            best, least = drawn, objective
    for _ in range(starts):
        drawn = best[:, torch.randperm(best.shape[1], generator=generator)]
        if (objective := float(search.objective(drawn))) < least:
            best, least = drawn, objective
    return best


def _reorder(
    search: _Search,
    embeddings: Tensor,
    language_model: LanguageModel,
    prior_weight: float,
    changes: int,
    generator: torch.Generator,
) -> int:
    """Put each text in the best of `changes` orders, its own first; returns how many were tried."""
    tokens = search.nearest(embeddings.detach())
    with torch.no_grad():
        for text, number in enumerate(search.present.sum(dim=1).tolist()):
            orders = [torch.arange(number)]
            orders += [_changed(number, kind % 4, generator) for kind in range(1, changes)]
            likely = language_model(torch.stack([tokens[text, order] for order in orders]))
            # Other texts stay as they are; what the language model says of them is the same for every order.
            best, least = embeddings.detach().clone(), math.inf
            for order, surprise in zip(orders, likely.tolist(), strict=True):
                changed = embeddings.detach().clone()
                changed[text, :number] = changed[text, order]
                with torch.enable_grad():
                    matching = float(search.objective(changed).detach())
                if (total := matching + prior_weight * surprise / len(embeddings)) < least:
                    best, least = changed, total
            embeddings.copy_(best)
    return changes * len(embeddings)


def _changed(number: int, kind: int, generator: torch.Generator) -> Tensor:
    """An order of so many words: two swapped (0), one moved (1), a run moved (2), a beginning put at the end (3)."""

    def draw(below: int) -> int:
        return int(torch.randint(below, (1,), generator=generator))

    order = list(range(number))
    if kind == 0:
        one, other = draw(number), draw(number)
        order[one], order[other] = order[other], order[one]
    elif kind == 3:
        cut = draw(number)
        order = order[cut:] + order[:cut]
    else:
        begin = draw(number)
        end = begin + 1 if kind == 1 else begin + 1 + draw(number - begin)
        rest = order[:begin] + order[end:]
        place = draw(len(rest) + 1)
        order = rest[:place] + order[begin:end] + rest[place:]
    return torch.tensor(order)
