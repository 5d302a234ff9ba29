"""Labels that nobody showed, from the log-loss of predictions that are chosen so that their score spells them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context
from typing import Literal

import torch
from torch import Tensor

from inversion_atlas.reference.attacks.reconstruction import Progress, silent
from inversion_atlas.reference.observations import LossScore, expect

Code = Literal["powers", "primes"]

# Logarithms of predictions that float64 holds where nothing clips them.
_DEEPEST = 700.0
# Roundings of float64 that a sum may be off by, relative to its size.
_ROUNDINGS = 8 * torch.finfo(torch.float64).eps


@dataclass(frozen=True, slots=True, eq=False)
class RecoveredLabels:
    """The class found for each item, shape (items,), by how many queries, and whether every score spelled labels."""

    labels: Tensor
    queries: int
    converged: bool


def labels_from_scores(
    observation: LossScore,
    *,
    code: Code = "powers",
    per_query: int | None = None,
    error: float | None = None,
    progress: Progress = silent,
) -> RecoveredLabels:
    """Return all labels from log-losses in float64, a few labels a query (aggarwal2021label).

    Items that a query does not ask about are predicted evenly and add a known amount. Of the others each label adds an
    amount of its own to the sum of logarithms: with `primes` the logarithm of a prime, so that the sum is that of a
    product which is factored; with `powers` its class times a power of the number of classes, so that the sum is a
    number whose digits are the labels. Both ask for as many labels at once as the score allows, or for `per_query`:
    sums must lie four times further apart than scores are off, by `error` (None takes what the evaluation says it does
    to them) and by float64. Powers are spaced for that and primes are not, which makes powers the code for scores
    that are rounded or noisy. Raises ValueError where scores are too far off to tell a single label.

    Written from the paper's abstract and its definition of the score: predictions by number theory, one query or
    several, noise and limited precision are the paper's, the spacing and the order of classes are ours.
    """
    observation = expect(observation, LossScore, "log-loss-labels")
    off = observation.items * (observation.error if error is None else error)
    most = _most(observation, off, code) if per_query is None else per_query
    if most < 1:
        raise ValueError(f"scores of {observation.items} items that are off by {off / observation.items:g} hide all")
    labels, spelled = torch.zeros(observation.items, dtype=torch.long), True
    blocks = torch.arange(observation.items).split(most)
    for done, block in enumerate(blocks):
        read = _by_powers if code == "powers" else _by_primes
        labels[block], certain = read(observation, block, off)
        spelled &= certain
        progress(done + 1, len(blocks))
    return RecoveredLabels(labels, len(blocks), spelled)


def labels_from_exact_score(observation: LossScore) -> RecoveredLabels:
    """Return all labels from one log-loss that is told to enough digits: the paper's attack with primes.

    Each item and each of its classes but the first has a prime of its own, whose share of the row is the prediction.
    The exponential of the summed scores is then a quotient of known and wanted products; the wanted one is factored.
    Raises ValueError where the evaluation tells too few digits for so many items, before it asks.
    """
    observation = expect(observation, LossScore, "log-loss-labels")
    weights = _prime_weights(observation.items, observation.classes)
    # A few digits more than the product has, for the sum and for rounding it.
    needed = math.ceil(float(weights.double().max(dim=1).values.log10().sum())) + 12
    if observation.digits is not None and observation.digits < needed:
        raise ValueError(f"{observation.items} items need scores of {needed} digits, not of {observation.digits}")
    score = observation.query_exactly(weights)
    context = Context(prec=needed)
    wholes = context.create_decimal(math.prod(int(whole) for whole in weights.sum(dim=1)))
    product = context.divide(wholes, context.exp(context.multiply(score, observation.items)))
    labels, left = _factored(int(product.to_integral_value()), weights)
    return RecoveredLabels(labels, 1, left == 1)


def _most(observation: LossScore, off: float, code: Code) -> int:
    """How many labels a query can ask about."""
    fits: Callable[[int], bool]
    if code == "powers":

        def fits(number: int) -> bool:
            largest = (observation.classes - 1) * observation.classes ** (number - 1)
            return float(largest) * _spacing(observation, off) <= _depth(observation)
    else:
        largest = _prime_weights(min(observation.items, 40), observation.classes).double().max(dim=1).values.log()

        def fits(number: int) -> bool:
            if number > len(largest):
                return False
            size = _ROUNDINGS * (2 * float(largest[:number].sum()) + observation.items * math.log(observation.classes))
            return math.exp(float(largest[:number].sum())) * 4 * (off + size) <= 1

    number = 0
    while number < observation.items and fits(number + 1):
        number += 1
    return number


def _depth(observation: LossScore) -> float:
    """How far below 0 the logarithm of a prediction may lie before the evaluation changes it, evened out."""
    deepest = -math.log(observation.clip) if observation.clip else _DEEPEST
    return deepest - math.log(observation.classes)


def _spacing(observation: LossScore, off: float) -> float:
    """How far apart sums are to lie that spell different labels."""
    size = 2 * _depth(observation) + observation.items * math.log(observation.classes)
    return 4 * (off + _ROUNDINGS * size)


def _by_powers(observation: LossScore, block: Tensor, off: float) -> tuple[Tensor, bool]:
    """Return the labels of a block as digits, and whether the score lay near a number that spells labels."""
    classes, spacing = observation.classes, _spacing(observation, off)
    powers = torch.tensor([float(classes**place) for place in range(len(block))], dtype=torch.float64)
    values = spacing * powers[:, None] * torch.arange(classes)
    total = _summed(observation, block, values)
    number = round(total / spacing)
    certain = abs(total / spacing - number) < 0.3 and 0 <= number < classes ** len(block)
    number = min(max(number, 0), classes ** len(block) - 1)
    return torch.tensor([number // classes**place % classes for place in range(len(block))]), certain


def _by_primes(observation: LossScore, block: Tensor, off: float) -> tuple[Tensor, bool]:
    """Return the labels of a block as factors, and whether the score was that of such a product."""
    weights = _prime_weights(len(block), observation.classes)
    product = round(math.exp(min(_summed(observation, block, weights.double().log()), _DEEPEST)))
    labels, left = _factored(product, weights)
    return labels, left == 1


def _summed(observation: LossScore, block: Tensor, values: Tensor) -> float:
    """Submit predictions in proportion to the exponentials of values, and return the sum of the labels' values."""
    predictions = torch.full((observation.items, observation.classes), 1 / observation.classes, dtype=torch.float64)
    predictions[block] = values.softmax(dim=1)
    score = float(observation.query(predictions[None])[0])
    known = values.logsumexp(dim=1).sum() + (observation.items - len(block)) * math.log(observation.classes)
    return float(known) - observation.items * score


def _factored(product: int, weights: Tensor) -> tuple[Tensor, int]:
    """Return for each row the class whose prime divides the product, the first where none does, and what is left."""
    labels = torch.zeros(len(weights), dtype=torch.long)
    for row, primes in enumerate(weights.tolist()):
        for label, prime in enumerate(primes):
            if prime > 1 and product > 1 and product % prime == 0:
                labels[row], product = label, product // prime
                break
    return labels, product


def _prime_weights(items: int, classes: int) -> Tensor:
    """Return whole numbers of shape (items, classes): 1 for the first class, a prime of its own for each other."""
    number = items * (classes - 1)
    # The n-th prime lies below this bound from the sixth on.
    bound = max(15, math.ceil(number * (math.log(max(number, 2)) + math.log(math.log(max(number, 3))))) + 1)
    sieve = torch.ones(bound + 1, dtype=torch.bool)
    sieve[:2] = False
    for candidate in range(2, math.isqrt(bound) + 1):
        if sieve[candidate]:
            sieve[candidate * candidate :: candidate] = False
    primes = sieve.nonzero().flatten()[:number].reshape(items, classes - 1)
    return torch.cat((torch.ones(items, 1, dtype=torch.long), primes), dim=1)
