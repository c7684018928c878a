"""Estimators that fit any labels exactly, without training."""

from ._kernel import KernelInterpolator
from ._two_layer import TwoLayerInterpolator, TwoLayerInterpolatorRegressor

__all__ = [
    "KernelInterpolator",
    "TwoLayerInterpolator",
    "TwoLayerInterpolatorRegressor",
]
