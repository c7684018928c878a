"""Corruption of the labels a classifier is fitted to."""

from sk_memorize.corruption._permuter import LabelPermuter
from sk_memorize.corruption._scoring import memorization_scoring
from sk_memorize.corruption._target import CorruptedTargetClassifier

__all__ = ["CorruptedTargetClassifier", "LabelPermuter", "memorization_scoring"]
