"""The network, and how it is trained."""

from ._memorizing_mlp import MemorizingMLP
from ._network import BatchNormMLP

__all__ = ["BatchNormMLP", "MemorizingMLP"]
