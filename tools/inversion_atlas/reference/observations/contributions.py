"""A learner that trains on its own records and on what others contribute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from inversion_atlas.reference.observations.access import Model, QueryLimitReached
from inversion_atlas.reference.observations.models import LabelOnly

# Given records and their classes, returns a model of them.
Learn = Callable[[Tensor, Tensor], Model]


class JointTraining:
    """A learner with private records that takes records from others, once, trains on all, and then names classes.

    `learn` makes a model of records (records, *input_shape) and classes (records,). At most `most` records are taken;
    how many private ones there are, `size`, is known. `limit` is that of the interface to the model.
    """

    __slots__ = ("__weakref__", "classes", "input_shape", "limit", "most", "size")

    def __init__(
        self, learn: Learn, records: Tensor, labels: Tensor, *, classes: int, most: int, limit: int | None = None
    ) -> None:
        if len(records) == 0 or labels.shape != (len(records),) or most < 0:
            raise ValueError("records need one class each, and most must not be negative")
        self.classes, self.most, self.limit = classes, most, limit
        self.size, self.input_shape = len(records), tuple(records.shape[1:])
        _LEARNERS[self] = _Learner(learn, records.detach().clone(), labels.detach().clone())

    def contribute(self, records: Tensor, labels: Tensor) -> LabelOnly:
        """Train on the private records and these, and return an interface to the model.

        Raises QueryLimitReached the second time, and ValueError for records that do not fit or are too many.
        """
        if tuple(records.shape[1:]) != self.input_shape or labels.shape != (len(records),):
            raise ValueError(
                f"records must be of shape (records, {', '.join(map(str, self.input_shape))}), each labeled"
            )
        if len(records) > self.most:
            raise ValueError(f"at most {self.most} records are taken, not {len(records)}")
        learner = _LEARNERS[self]
        if learner.trained:
            raise QueryLimitReached("the learner has trained already")
        learner.trained = True
        model = learner.learn(torch.cat((learner.records, records)), torch.cat((learner.labels, labels)))
        return LabelOnly(model, input_shape=self.input_shape, classes=self.classes, limit=self.limit)

    def describe(self) -> str:
        """Return the threat model in a line."""
        taken = f"training on {self.size} private records and at most {self.most} of the adversary's"
        limit = () if self.limit is None else (f"at most {self.limit:,} queries",)
        return ", ".join([taken, "then class labels of the model behind an interface", *limit])

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a learner cannot be copied or pickled: its records stay where they are")


@dataclass(slots=True)
class _Learner:
    learn: Learn
    records: Tensor
    labels: Tensor
    trained: bool = False


# What each learner holds; kept off the object, so that its attributes lead nowhere.
_LEARNERS: WeakKeyDictionary[JointTraining, _Learner] = WeakKeyDictionary()
