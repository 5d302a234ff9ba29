"""What an adversary sees: one type per kind of access, holding what its threat model grants and nothing else.

An attack names the observation it takes. The private data are in none of them. Python cannot stop code that digs
through this module's private names; it can see to it that nothing private hangs on the object that an attack is given.
"""

from inversion_atlas.reference.observations.access import AccessError, QueryLimitReached, expect
from inversion_atlas.reference.observations.explanations import Explanation
from inversion_atlas.reference.observations.gradients import SharedGradient
from inversion_atlas.reference.observations.graphs import GraphModel
from inversion_atlas.reference.observations.models import BlackBox, LabelOnly, Regression, WhiteBox
from inversion_atlas.reference.observations.pairs import ModelPair
from inversion_atlas.reference.observations.scores import LossScore
from inversion_atlas.reference.observations.split import ClientInterface, SplitFeatures, SplitTraining
from inversion_atlas.reference.observations.texts import SharedTextGradient
from inversion_atlas.reference.observations.trees import TreeConfidences, TreePath
from inversion_atlas.reference.observations.updates import SharedUpdate
from inversion_atlas.reference.observations.vertical import VerticalTraining

__all__ = [
    "AccessError",
    "BlackBox",
    "ClientInterface",
    "Explanation",
    "GraphModel",
    "LabelOnly",
    "LossScore",
    "ModelPair",
    "QueryLimitReached",
    "Regression",
    "SharedGradient",
    "SharedTextGradient",
    "SharedUpdate",
    "SplitFeatures",
    "SplitTraining",
    "TreeConfidences",
    "TreePath",
    "VerticalTraining",
    "WhiteBox",
    "expect",
]
