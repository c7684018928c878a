"""Memorization experiments with neural networks, in plain scikit-learn."""

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

__all__ = [
    "BatchNormMLP",
    "CorruptedTargetClassifier",
    "GaussianInputs",
    "LabelPermuter",
    "MemorizingMLP",
    "PixelRandomizer",
    "PixelShuffler",
    "__version__",
    "get_data_home",
    "load_dataset",
    "memorization_scoring",
]

__version__ = "0.1.0.dev0"
