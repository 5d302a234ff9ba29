"""Sentences as bags of words, and a logistic regression that tells which package they document."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from inversion_atlas.reference.targets.data import Split
from inversion_atlas.reference.targets.tables import Records, Table
from inversion_atlas.reference.targets.text import documentation

# Words that fewer sentences hold are no part of the bags.
_SEEN = 10
# Whether a sentence holds it is the property; a fifth of all do.
PROPERTY = "a"


@lru_cache(maxsize=1)
def sentence_bags() -> Table:
    """Which of 430 words stand in each of 2,700 sentences of three packages' documentation; is it that of statsmodels.

    The column `sensitive` is whether the word PROPERTY does. Of the sentences 45 % are private, as many public.
    """
    labels = documentation((4, 25))
    sentences = sorted(labels)
    seen = Counter(word for sentence in sentences for word in set(sentence.split()))
    words = tuple(sorted(word for word, often in seen.items() if often >= _SEEN))
    holds = [set(sentence.split()) for sentence in sentences]
    bags = torch.tensor([[float(word in held) for word in words] for held in holds])
    classes = torch.tensor([int(labels[sentence] == 2) for sentence in sentences])
    order = torch.randperm(len(sentences), generator=torch.Generator().manual_seed(0))
    share = 45 * len(order) // 100
    private, public, test = (
        Records(bags[part], classes[part]) for part in (order[:share], order[share : 2 * share], order[2 * share :])
    )
    told = ("other", "statsmodels")
    return Table("sentence bags", told, private, test, public, words, words.index(PROPERTY), (0.0, 1.0))


class WordRegression(nn.Module):
    """scikit-learn's logistic regression as a model that returns probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.fitted = LogisticRegression(max_iter=1000)

    def forward(self, records: Tensor) -> Tensor:
        return torch.from_numpy(self.fitted.predict_proba(records.numpy())).float()


def learn(records: Tensor, labels: Tensor) -> WordRegression:
    """Return a logistic regression fitted to records and their classes."""
    model = WordRegression()
    model.fitted.fit(records.numpy(), labels.numpy())
    return model


def word_regression(shape: tuple[int, ...], classes: int) -> nn.Module:
    """A logistic regression, not fitted yet."""
    return WordRegression()


def fit_words(model: nn.Module, split: Split) -> tuple[float, float]:
    """Fit a `WordRegression` to the private records; return its accuracy on them and on the test part."""
    assert isinstance(model, WordRegression)
    parts = [(part.images.numpy(), part.labels.numpy()) for part in (split.private, split.test)]
    model.fitted.fit(*parts[0])
    return float(model.fitted.score(*parts[0])), float(model.fitted.score(*parts[1]))
