"""What fits that saw a row, and fits that did not, say about it."""

from sk_memorize.analysis.memorization._mislabeled import find_mislabeled
from sk_memorize.analysis.memorization._sampler import MislabeledRows
from sk_memorize.analysis.memorization._scores import memorization_scores
from sk_memorize.analysis.memorization._scores_result import MemorizationScores

__all__ = [
    "MemorizationScores",
    "MislabeledRows",
    "find_mislabeled",
    "memorization_scores",
]
