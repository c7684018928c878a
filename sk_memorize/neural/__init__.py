"""The network, and how it is trained."""

from ._classifier import MemorizingMLP
from ._mlp import BatchNormMLP

__all__ = ["BatchNormMLP", "MemorizingMLP"]
