"""Axes, given or of a new figure, and the lines and legends that displays share."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils._optional_dependencies import check_matplotlib_support

from .._errors import wrong
from ._style import GRAY, SIZES, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

    AxesLike = Axes | Sequence[Axes] | None

_INVISIBLE = "\u200b"  # a space without width


@contextmanager
def open_panels(
    ax: Any, n_panels: int, owner: str, *, size: tuple[float, float]
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
        yield _check_axes(ax, n_panels, owner)
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
        for panel in panels.flat:
            # Tick labels are created lazily, after rc_context has ended.
            panel.tick_params(labelsize=SIZES["xtick.labelsize"], width=0.6)


def _check_axes(ax: Any, n_panels: int, owner: str) -> list[Any]:
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


def one_or_all(panels: list[Any]) -> Any:
    """Return a single Axes as such, several as an array, for `ax_`."""
    if len(panels) == 1:
        return panels[0]
    axes = np.empty(len(panels), dtype=object)
    axes[:] = panels
    return axes


def draw_line(
    panel: "Axes",
    x: ArrayLike,
    y: ArrayLike,
    *,
    low: pd.Series | None = None,
    high: pd.Series | None = None,
    **style: Any,
) -> Any:
    """Draw a line, and a band from `low` to `high` if they are given."""
    (line,) = panel.plot(x, y, **style)
    if low is not None and high is not None and low.notna().any():
        panel.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    return line


def draw_chance(panel: "Axes", value: float, words: str = "chance") -> Any:
    """Draw the level of guessing, with its name above the line."""
    line = panel.axhline(value, color=GRAY, linewidth=0.9, linestyle=(0, (1, 1)))
    panel.annotate(
        words,
        (0.5, value),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        horizontalalignment="center",
        verticalalignment="bottom",
        color=GRAY,
        fontsize=0.9 * float(panel.xaxis.label.get_fontsize()),
    )
    return line


def number_epochs(panel: "Axes") -> None:
    """Label the axis of epochs, with ticks at whole numbers only."""
    panel.set_xlabel("epoch")
    locator: Any = panel.xaxis.get_major_locator()
    locator.set_params(integer=True)


def number_logs(panel: "Axes") -> None:
    """Write the ticks of a logarithmic vertical axis as plain numbers: 1, 2, 5, 10."""
    from matplotlib.ticker import LogLocator

    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter("")


def add_legend(axes: list[Any], *, below: bool) -> None:
    """Explain the lines with names, those of all panels once.

    Parameters
    ----------
    axes : list of Axes
        The panels, which show the same things in the same styles.
    below : bool
        Whether the legend stands below the panels; their figure must make room.
    """
    handles: dict[str, Any] = {}
    for panel in axes:
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    if not any(handles):
        return
    if below:
        legend = axes[0].figure.legend(
            handles.values(),
            handles,
            loc="outside lower center",
            ncols=2 if len(axes) == 1 else 4,
            frameon=False,
        )
    else:
        legend = axes[-1].legend(handles.values(), handles)
    _show_names(legend)


def add_own_legend(panel: "Axes", *, below: bool, **place: Any) -> None:
    """Explain the lines of a panel that shares none with others.

    Parameters
    ----------
    panel : Axes
        The panel.
    below : bool
        Whether the legend stands below it; the figure must make room.
    **place : dict
        Where it stands otherwise, as matplotlib's legend takes it.
    """
    if below:
        from matplotlib.transforms import ScaledTranslation

        # Offset in points: the height of tick labels and axis label is that of text.
        down = ScaledTranslation(0, -24 / 72, panel.figure.dpi_scale_trans)
        legend = panel.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=panel.transAxes + down,
            ncols=1 if len(panel.get_legend_handles_labels()[0]) < 4 else 2,
            columnspacing=1.0,
            handletextpad=0.4,
            frameon=False,
        )
    else:
        legend = panel.legend(**place)
    _show_names(legend)


def as_label(name: str) -> str:
    """Make a label of a name: a legend leaves out those that begin with "_"."""
    return f"{_INVISIBLE}{name}" if name.startswith("_") else name


def _show_names(legend: "Legend") -> None:
    """Turn the labels of a legend into names again."""
    for text in legend.get_texts():
        text.set_text(text.get_text().removeprefix(_INVISIBLE))


def draw_means(
    panel: "Axes",
    rows: pd.DataFrame,
    x: str,
    names: Mapping[str, str],
    *,
    first_style: int = 0,
) -> dict[str, Any]:
    """Draw columns of a table, with the spread of each if there is one.

    Parameters
    ----------
    panel : Axes
        Where to draw.
    rows : DataFrame
        In the order of the line.
    x : str
        The column of the horizontal axis.
    names : dict of str
        The columns to draw, and their names in the legend.
    first_style : int, default=0
        Number of the first line's style.

    Returns
    -------
    lines : dict of Line2D
        By column.
    """
    lines = {}
    for number, (column, name) in enumerate(names.items(), first_style):
        mean, spread = rows[column], rows.get(f"{column}_std")
        lines[column] = draw_line(
            panel,
            rows[x],
            mean,
            low=None if spread is None else mean - spread,
            high=None if spread is None else mean + spread,
            label=name,
            **line_style(number),
        )
    return lines
