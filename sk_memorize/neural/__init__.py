"""The network, and how it is trained."""

from ._batches import Batch, draw_order
from ._memorizing_mlp import MemorizingMLP
from ._network import BatchNormMLP

__all__ = ["Batch", "BatchNormMLP", "MemorizingMLP", "draw_order"]
