"""The network, and how it is trained."""

from ._memorizing_mlp import MemorizingMLP
from ._network import BatchNormMLP
from ._row_losses import RowLosses, watch_losses

__all__ = ["BatchNormMLP", "MemorizingMLP", "RowLosses", "watch_losses"]
