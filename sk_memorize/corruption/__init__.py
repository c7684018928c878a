"""Corruption of the labels and the inputs a classifier is fitted to."""

from ._inputs import GaussianInputs, PixelRandomizer, PixelShuffler
from ._permuter import LabelPermuter
from ._scoring import memorization_scoring
from ._target import CorruptedTargetClassifier

__all__ = [
    "CorruptedTargetClassifier",
    "GaussianInputs",
    "LabelPermuter",
    "PixelRandomizer",
    "PixelShuffler",
    "memorization_scoring",
]
