"""What fits that saw a row, and fits that did not, say about it."""

from sk_memorize.analysis.memorization._scores import memorization_scores
from sk_memorize.analysis.memorization._scores_result import MemorizationScores

__all__ = ["MemorizationScores", "memorization_scores"]
