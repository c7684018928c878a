"""Linear separability of classes: decided with a proof, and its probability."""

from ._cover import cover_count, cover_log10_probability
from ._result import SeparabilityResult
from ._test import separability_test

__all__ = [
    "SeparabilityResult",
    "cover_count",
    "cover_log10_probability",
    "separability_test",
]
