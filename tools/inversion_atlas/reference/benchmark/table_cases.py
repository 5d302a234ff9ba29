"""Attacks that infer a sensitive attribute of people in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from inversion_atlas.reference import metrics
from inversion_atlas.reference.attacks.attributes import label_attribute, regression_attribute, tree_attribute
from inversion_atlas.reference.benchmark.runs import Case, Options, Outcome, Score, places_of
from inversion_atlas.reference.observations import LabelOnly, Regression, TreeConfidences
from inversion_atlas.reference.targets.tables import DecisionTree, Records, Table

# Given a table, the model, and people whose outcomes are known: what was found, and the threat model in a line.
_Attack = Callable[[Options, Table, Records], tuple[Tensor, str]]


def _infer(attack: _Attack) -> Callable[[Options], Outcome]:
    """The case of an attack on people whom the model learned from; the guess without a model is the majority."""

    def run(options: Options) -> Outcome:
        table = options.target.data
        assert isinstance(table, Table)
        picked = places_of(len(table.private), options.items, options.seed)
        people = Records(table.private.records[picked], table.private.labels[picked])
        found, described = attack(options, table, people)
        truth = people.records[:, table.sensitive].long()
        majority = max(table.frequencies(table.sensitive, table.private).items(), key=lambda pair: pair[1])[0]
        accuracy = metrics.attribute_inference_accuracy(found.long(), truth)
        guessed = metrics.attribute_inference_accuracy(torch.full_like(truth, int(majority)), truth)
        advantage = metrics.attribute_advantage(found.long(), truth, baseline=guessed)
        who = f"{len(people)} of {table.name}, {options.target.name}, {table.features[table.sensitive]}"
        return Outcome(
            setting=f"{who}; {described}",
            scores=(
                Score("attribute-inference-accuracy", accuracy, "", guessed),
                Score("attribute-advantage", advantage, "", 0.0),
            ),
            originals=None,
            images=None,
            converged=len(people),
            items=len(people),
        )

    return run


def _regression(options: Options, table: Table, people: Records) -> tuple[Tensor, str]:
    box = Regression(options.target.model, input_shape=table.shape)
    private = table.private
    # What a publication tells of its model: how far it is off.
    with torch.no_grad():
        errors = options.target.model(private.records)[:, 0] - private.labels
    found = regression_attribute(
        box,
        people.records,
        people.labels,
        sensitive=table.sensitive,
        priors=table.frequencies(table.sensitive, table.private),
        deviation=float(errors.std()),
    )
    return found.values, f"{box.describe()}, outcomes, frequencies and the other features known"


def _labels(options: Options, table: Table, people: Records) -> tuple[Tensor, str]:
    box = LabelOnly(options.target.model, input_shape=table.shape)
    named = options.target.model(table.private.records).argmax(dim=1)
    confusion = torch.zeros(box.classes, box.classes)
    confusion.index_put_((table.private.labels, named), torch.ones(len(named)), accumulate=True)
    found = label_attribute(
        box,
        people.records,
        people.labels,
        sensitive=table.sensitive,
        priors=table.frequencies(table.sensitive, table.private),
        confusion=confusion,
    )
    return found.values, f"{box.describe()}, confusion matrix, frequencies, outcomes and the other features known"


def _tree(options: Options, table: Table, people: Records) -> tuple[Tensor, str]:
    assert isinstance(options.target.model, DecisionTree)
    tree = TreeConfidences.of_tree(options.target.model.tree, table.features, counts_known=True)
    found = tree_attribute(
        tree,
        people.records,
        people.labels,
        sensitive=table.sensitive,
        priors=table.frequencies(table.sensitive, table.private),
    )
    return found.values, f"{tree.describe()}, frequencies, outcomes and the other features known"


CASES: Mapping[str, Case] = {
    "regression-attribute": Case(_infer(_regression), ("votes-linear",), items=600, sees=()),
    "label-attribute": Case(_infer(_labels), ("affairs-tree",), items=3000, sees=()),
    "tree-attribute": Case(_infer(_tree), ("affairs-tree",), items=3000, sees=()),
}
