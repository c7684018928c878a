"""Instruments that measure what a classifier memorizes, and what that says."""

from ._capacity import memorization_capacity
from ._capacity_result import MemorizationCapacity
from ._randomization import RandomizationTest, randomization_test
from .interpolation import (
    KernelInterpolator,
    TwoLayerInterpolator,
    TwoLayerInterpolatorRegressor,
)
from .memorization import (
    MemorizationScores,
    MislabeledRows,
    find_mislabeled,
    memorization_scores,
)
from .separability import (
    SeparabilityResult,
    cover_count,
    cover_log10_probability,
    separability_test,
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
