"""Corruption of the labels and the inputs a classifier is fitted to."""

from sk_memorize.corruption._noise import GaussianInputs
from sk_memorize.corruption._permuter import LabelPermuter
from sk_memorize.corruption._pixels import PixelRandomizer, PixelShuffler
from sk_memorize.corruption._scoring import memorization_scoring
from sk_memorize.corruption._target import CorruptedTargetClassifier

__all__ = [
    "CorruptedTargetClassifier",
    "GaussianInputs",
    "LabelPermuter",
    "PixelRandomizer",
    "PixelShuffler",
    "memorization_scoring",
]
