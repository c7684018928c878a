"""What fits that saw a row, and fits that did not, say about it."""

from ._mislabeled import find_mislabeled
from ._sampler import MislabeledRows
from ._scores import memorization_scores
from ._scores_result import MemorizationScores

__all__ = [
    "MemorizationScores",
    "MislabeledRows",
    "find_mislabeled",
    "memorization_scores",
]
