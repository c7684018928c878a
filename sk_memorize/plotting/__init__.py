"""Pictures of results, in scikit-learn's manner; matplotlib is imported at use."""

from ._batch_size import BatchSizeDisplay
from ._corruption import CorruptionSweepDisplay
from ._fitting import FittingCurveDisplay
from ._heatmap import GridHeatmapDisplay
from ._influence import InfluenceDisplay
from ._memorization import MemorizationDisplay
from ._randomization import RandomizationTestDisplay

__all__ = [
    "BatchSizeDisplay",
    "CorruptionSweepDisplay",
    "FittingCurveDisplay",
    "GridHeatmapDisplay",
    "InfluenceDisplay",
    "MemorizationDisplay",
    "RandomizationTestDisplay",
]
