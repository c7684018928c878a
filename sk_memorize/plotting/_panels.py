"""Axes to draw in, given or of a new figure, and the base of the displays."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from .._errors import wrong
from ._style import SIZES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    AxesLike = Axes | Sequence[Axes] | None


@contextmanager
def open_panels(
    ax: object, n_panels: int, owner: str, *, size: tuple[float, float]
) -> Iterator[list[Any]]:
    """Yield the axes to draw in.

    Parameters
    ----------
    ax : Axes, sequence of Axes or None
        Where to draw; None makes a new figure, in which the text has sizes for a paper.
    n_panels : int
        How many there must be.
    owner : str
        Who draws, for the messages.
    size : tuple of float
        Width and height of a new figure in inches.

    Yields
    ------
    panels : list of Axes
        As many as asked for.
    """
    check_matplotlib_support(owner)
    import matplotlib.pyplot as plt

    if ax is not None:
        yield check_axes(ax, n_panels, owner)
        return
    with plt.rc_context(SIZES):
        figure, panels = plt.subplots(
            1, n_panels, figsize=size, layout="constrained", squeeze=False
        )
        try:
            yield list(panels.flat)
        except BaseException:
            plt.close(figure)
            raise
        for panel in figure.axes:  # the panels and color bars
            # Tick labels are created lazily, after rc_context has ended.
            panel.tick_params(labelsize=SIZES["xtick.labelsize"], width=0.6)


def check_axes(ax: object, n_panels: int, owner: str) -> list["Axes"]:
    """Make a list of the axes that were given, one for each panel."""
    from matplotlib.axes import Axes

    axes = [ax] if isinstance(ax, Axes) else ax
    if isinstance(axes, np.ndarray | Sequence) and not isinstance(axes, str):
        panels = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(panels) == n_panels and all(isinstance(p, Axes) for p in panels):
            return panels
    kind = (
        "an Axes of matplotlib"
        if n_panels == 1
        else f"a sequence of {n_panels} Axes of matplotlib, one for each panel"
    )
    raise ValueError(wrong("ax", owner, f"be {kind}, or None", repr(ax)))


class Display:
    """What the displays share: they open axes for `plot`, and keep them."""

    ax_: Any
    figure_: Any

    @contextmanager
    def _open(
        self, ax: object, size: tuple[float, float], n_panels: int = 1
    ) -> Iterator[list[Any]]:
        """Yield the axes to draw in, see `open_panels`, and keep them once drawn."""
        owner = f"{type(self).__name__}.plot"
        with open_panels(ax, n_panels, owner, size=size) as panels:
            yield panels
        several = len(panels) > 1
        self.ax_ = np.array(panels, dtype=object) if several else panels[0]
        self.figure_ = panels[0].figure
