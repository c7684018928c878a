"""Pictures of results, in scikit-learn's manner; matplotlib is imported at use."""

from sk_memorize.plotting._batch_size import BatchSizeDisplay
from sk_memorize.plotting._corruption import CorruptionSweepDisplay
from sk_memorize.plotting._fitting import FittingCurveDisplay
from sk_memorize.plotting._heatmap import GridHeatmapDisplay
from sk_memorize.plotting._influence import InfluenceDisplay
from sk_memorize.plotting._memorization import MemorizationDisplay
from sk_memorize.plotting._randomization import RandomizationTestDisplay

__all__ = [
    "BatchSizeDisplay",
    "CorruptionSweepDisplay",
    "FittingCurveDisplay",
    "GridHeatmapDisplay",
    "InfluenceDisplay",
    "MemorizationDisplay",
    "RandomizationTestDisplay",
]
