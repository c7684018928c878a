"""Memorization experiments with neural networks, in plain scikit-learn."""

from .analysis import (
    KernelInterpolator,
    MemorizationCapacity,
    MemorizationScores,
    MislabeledRows,
    RandomizationTest,
    SeparabilityResult,
    TwoLayerInterpolator,
    TwoLayerInterpolatorRegressor,
    cover_count,
    cover_log10_probability,
    find_mislabeled,
    memorization_capacity,
    memorization_scores,
    randomization_test,
    separability_test,
)
from .corruption import (
    CorruptedTargetClassifier,
    GaussianInputs,
    LabelPermuter,
    PixelRandomizer,
    PixelShuffler,
    memorization_scoring,
)
from .datasets import get_data_home, load_dataset
from .neural import BatchNormMLP, MemorizingMLP
from .plotting import (
    FittingCurveDisplay,
    GridHeatmapDisplay,
    InfluenceDisplay,
    MemorizationDisplay,
    RandomizationTestDisplay,
)

__all__ = [
    "BatchNormMLP",
    "CorruptedTargetClassifier",
    "FittingCurveDisplay",
    "GaussianInputs",
    "GridHeatmapDisplay",
    "InfluenceDisplay",
    "KernelInterpolator",
    "LabelPermuter",
    "MemorizationCapacity",
    "MemorizationDisplay",
    "MemorizationScores",
    "MemorizingMLP",
    "MislabeledRows",
    "PixelRandomizer",
    "PixelShuffler",
    "RandomizationTest",
    "RandomizationTestDisplay",
    "SeparabilityResult",
    "TwoLayerInterpolator",
    "TwoLayerInterpolatorRegressor",
    "__version__",
    "cover_count",
    "cover_log10_probability",
    "find_mislabeled",
    "get_data_home",
    "load_dataset",
    "memorization_capacity",
    "memorization_scores",
    "memorization_scoring",
    "randomization_test",
    "separability_test",
]

__version__ = "0.1.0.dev0"
