"""Instruments that show what fitting all labels means, and what it does not."""

from sk_memorize.analysis._capacity import memorization_capacity
from sk_memorize.analysis._capacity_result import MemorizationCapacity
from sk_memorize.analysis._cover import cover_count, cover_log10_probability
from sk_memorize.analysis._interpolation import (
    TwoLayerInterpolator,
    TwoLayerInterpolatorRegressor,
)
from sk_memorize.analysis._kernel import KernelInterpolator
from sk_memorize.analysis._randomization import RandomizationTest, randomization_test
from sk_memorize.analysis._separability import separability_test
from sk_memorize.analysis._separability_result import SeparabilityResult
from sk_memorize.analysis.memorization import (
    MemorizationScores,
    MislabeledRows,
    find_mislabeled,
    memorization_scores,
)

__all__ = [
    "KernelInterpolator",
    "MemorizationCapacity",
    "MemorizationScores",
    "MislabeledRows",
    "RandomizationTest",
    "SeparabilityResult",
    "TwoLayerInterpolator",
    "TwoLayerInterpolatorRegressor",
    "cover_count",
    "cover_log10_probability",
    "find_mislabeled",
    "memorization_capacity",
    "memorization_scores",
    "randomization_test",
    "separability_test",
]
