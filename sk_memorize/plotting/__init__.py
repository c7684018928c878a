"""Pictures of results, in scikit-learn's manner; matplotlib is imported at use.

The parts that the displays are made of can be had from here for other pictures.
"""

from ._axes import add_legend as add_legend
from ._axes import add_own_legend as add_own_legend
from ._axes import draw_chance as draw_chance
from ._axes import draw_means as draw_means
from ._axes import number_logs as number_logs
from ._fitting import FittingCurveDisplay
from ._heatmap import GridHeatmapDisplay
from ._influence import InfluenceDisplay
from ._memorization import MemorizationDisplay
from ._panels import open_panels as open_panels
from ._randomization import RandomizationTestDisplay
from ._style import line_style as line_style

__all__ = [
    "FittingCurveDisplay",
    "GridHeatmapDisplay",
    "InfluenceDisplay",
    "MemorizationDisplay",
    "RandomizationTestDisplay",
]
