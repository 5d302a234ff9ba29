"""What an adversary sees: one type per kind of access, holding what its threat model grants and nothing else.

An attack names the observation it takes. The private data are in none of them. Python cannot stop code that digs
through this module's private names; it can see to it that nothing private hangs on the object that an attack is given.
"""

from inversion_atlas.reference.observations.access import AccessError, QueryLimitReached, expect
from inversion_atlas.reference.observations.collaboration import CollaborativeTraining
from inversion_atlas.reference.observations.contributions import JointTraining
from inversion_atlas.reference.observations.embeddings import EncoderInterface, TextEmbeddings
from inversion_atlas.reference.observations.explanations import Explanation
from inversion_atlas.reference.observations.gradients import SharedGradient
from inversion_atlas.reference.observations.graph_explanations import GraphExplanations
from inversion_atlas.reference.observations.graphs import GraphLabels, GraphModel, GraphScores
from inversion_atlas.reference.observations.image_texts import ImageTextEncoders, SharedPairGradient
from inversion_atlas.reference.observations.language import NextToken
from inversion_atlas.reference.observations.models import BlackBox, LabelOnly, Regression, WhiteBox
from inversion_atlas.reference.observations.pairs import ModelPair
from inversion_atlas.reference.observations.points import ObfuscatedPoints
from inversion_atlas.reference.observations.prompts import SentEmbeddings
from inversion_atlas.reference.observations.questions import Answering
from inversion_atlas.reference.observations.scores import LossScore
from inversion_atlas.reference.observations.split import ClientInterface, SplitFeatures, SplitTraining
from inversion_atlas.reference.observations.split_labels import SplitLabels
from inversion_atlas.reference.observations.texts import SharedTextGradient
from inversion_atlas.reference.observations.trees import TreeConfidences, TreePath
from inversion_atlas.reference.observations.updates import SharedUpdate
from inversion_atlas.reference.observations.vertical import VerticalTraining

__all__ = [
    "AccessError",
    "Answering",
    "BlackBox",
    "ClientInterface",
    "CollaborativeTraining",
    "EncoderInterface",
    "Explanation",
    "GraphExplanations",
    "GraphLabels",
    "GraphModel",
    "GraphScores",
    "ImageTextEncoders",
    "JointTraining",
    "LabelOnly",
    "LossScore",
    "ModelPair",
    "NextToken",
    "ObfuscatedPoints",
    "QueryLimitReached",
    "Regression",
    "SentEmbeddings",
    "SharedGradient",
    "SharedPairGradient",
    "SharedTextGradient",
    "SharedUpdate",
    "SplitFeatures",
    "SplitLabels",
    "SplitTraining",
    "TextEmbeddings",
    "TreeConfidences",
    "TreePath",
    "VerticalTraining",
    "WhiteBox",
    "expect",
]
