"""Display of a grid search: a measure over two parameters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._errors import wrong
from .._labels import describe
from ._axes import open_panels
from ._checks import check_table
from ._style import COLUMN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PREFIX = "param_"


class GridHeatmapDisplay:
    """Heat map of a measure over two parameters of a grid search.

    It is recommended to use :meth:`from_estimator` or :meth:`from_results` to make a
    display.

    Parameters
    ----------
    cells : DataFrame
        The numbers to draw. The columns, with their name, are the values of the
        parameter to the right, the index those of the parameter downward. Cells that
        are missing stay empty.
    name : str
        What the numbers are, for the color bar.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that they are in.
    image_ : matplotlib AxesImage
        The colored cells.
    text_ : ndarray of matplotlib Text of the shape of `cells`
        The numbers in the cells; None if they are not written, or missing.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Makes the results.
    sklearn.metrics.ConfusionMatrixDisplay : Another heat map.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sk_memorize import GridHeatmapDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     DecisionTreeClassifier(random_state=0),
    ...     {"max_depth": [1, 2, None], "min_samples_leaf": [1, 10]},
    ... ).fit(X, y)
    >>> display = GridHeatmapDisplay.from_estimator(search)
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('max_depth', 'min_samples_leaf')
    """

    def __init__(self, *, cells: pd.DataFrame, name: str) -> None:
        owner = type(self).__name__
        columns = list(cells) if isinstance(cells, pd.DataFrame) else []
        self.cells = check_table(cells, "cells", owner, columns)
        if not isinstance(name, str):
            raise ValueError(wrong("name", owner, "be a str", repr(name)))
        self.name = name

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        cmap: Any = "cividis",
        vmin: float | None = None,
        vmax: float | None = None,
        values_format: str | None = ".3g",
        colorbar: bool = True,
    ) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.
        cmap : str or matplotlib Colormap, default="cividis"
            The colors. Those of the default grow steadily lighter, also to the
            color-blind and in print.
        vmin, vmax : float, default=None
            The numbers at the ends of the colors; None means the lowest and the
            highest one.
        values_format : str or None, default=".3g"
            How the numbers are written in the cells; None leaves them out.
        colorbar : bool, default=True
            Whether there is a color bar.

        Returns
        -------
        display : GridHeatmapDisplay
            The display, with the artists as attributes.

        Raises
        ------
        ValueError
            If a parameter, or what is drawn, is not as described. No figure is made.
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        owner = f"{type(self).__name__}.plot"
        format(0.5, values_format or "")  # refuses a wrong format before drawing
        n_rows, n_columns = self.cells.shape
        size = (max(COLUMN, 1.2 + 0.5 * n_columns), max(1.8, 0.9 + 0.3 * n_rows))
        with open_panels(ax, 1, owner, size=size) as (axes,):
            self.image_ = axes.imshow(
                self.cells.to_numpy(float),
                cmap=cmap,
                vmin=vmin,
                vmax=vmax,
                aspect="auto",
            )
            self.text_ = self._write(axes, values_format)
            axes.set(
                xlabel=self.cells.columns.name,
                ylabel=self.cells.index.name,
                xticks=range(n_columns),
                yticks=range(n_rows),
                xticklabels=[str(value) for value in self.cells.columns],
                yticklabels=[str(value) for value in self.cells.index],
            )
            if colorbar:
                bar = axes.figure.colorbar(self.image_, ax=axes, label=self.name)
                bar.ax.tick_params(labelsize=axes.xaxis.label.get_fontsize())
        self.ax_, self.figure_ = axes, axes.figure
        return self

    def _write(self, axes: "Axes", values_format: str | None) -> Any:
        """Write the numbers into the cells, in the size that they have room for."""
        text = np.full(self.cells.shape, None, dtype=object)
        if values_format is None:
            return text
        written = {
            cell: format(value, values_format)
            for cell, value in np.ndenumerate(self.cells.to_numpy(float))
            if not np.isnan(value)
        }
        longest = max(map(len, written.values()), default=1)
        # Font size in points; a digit is about 0.6 as wide as high.
        width = 72 * axes.get_window_extent().width / axes.figure.dpi
        room = 0.75 * width / (self.cells.shape[1] * 0.6 * longest)
        size = float(np.clip(room, 4, axes.xaxis.label.get_fontsize()))
        for (i, j), words in written.items():
            color = self.image_.cmap(self.image_.norm(self.cells.iloc[i, j]))
            text[i, j] = axes.text(
                j, i, words, ha="center", va="center", size=size, color=_on(color)
            )
        return text

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        x: str | None = None,
        y: str | None = None,
        measure: str | None = None,
        ax: "Axes | None" = None,
        cmap: Any = "cividis",
        vmin: float | None = None,
        vmax: float | None = None,
        values_format: str | None = ".3g",
        colorbar: bool = True,
    ) -> Self:
        """Draw the result of a fitted search.

        Parameters
        ----------
        estimator : GridSearchCV or another search
            The fitted search, with `cv_results_`.
        x, y : str, default=None
            The parameters to the right and downward, as the grid names them. None
            means the first ones that vary and are not taken.
        measure : str, default=None
            The key of `cv_results_` to draw. None means "mean_test_score", or with
            several scores the one that the search was refitted for, or the first.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.
        cmap, vmin, vmax, values_format, colorbar : see :meth:`plot`
            How to draw.

        Returns
        -------
        display : GridHeatmapDisplay
            The display, drawn.
        """
        owner = f"{cls.__name__}.from_estimator"
        if hasattr(estimator, "fit") and not isinstance(estimator, type):
            check_is_fitted(estimator)
        if not isinstance(results := getattr(estimator, "cv_results_", None), Mapping):
            got = repr(estimator)
            raise ValueError(wrong("estimator", owner, "be a fitted search", got))
        if measure is None and isinstance(getattr(estimator, "refit", None), str):
            measure = f"mean_test_{estimator.refit}"
        return cls.from_results(
            results,
            x=x,
            y=y,
            measure=measure,
            ax=ax,
            cmap=cmap,
            vmin=vmin,
            vmax=vmax,
            values_format=values_format,
            colorbar=colorbar,
        )

    @classmethod
    def from_results(
        cls,
        results: Mapping[str, Any] | pd.DataFrame,
        *,
        x: str | None = None,
        y: str | None = None,
        measure: str | None = None,
        ax: "Axes | None" = None,
        cmap: Any = "cividis",
        vmin: float | None = None,
        vmax: float | None = None,
        values_format: str | None = ".3g",
        colorbar: bool = True,
    ) -> Self:
        """Draw `cv_results_`, or another table with a row for each candidate.

        Parameters
        ----------
        results : dict or DataFrame
            The `cv_results_` of a search, or a table. Over candidates with the same
            values of both parameters the mean is drawn, of those where it is a number.
        x, y : str, default=None
            The parameters to the right and downward: keys of `results`, with or without
            the prefix ``param_``. None means the first ones with the prefix that vary
            and are not taken.
        measure : str, default=None
            The key of `results` to draw. None means "mean_test_score", or the first
            that begins with ``mean_test_``.
        ax : matplotlib Axes, default=None
            The axes to draw on; None makes a figure.
        cmap, vmin, vmax, values_format, colorbar : see :meth:`plot`
            How to draw.

        Returns
        -------
        display : GridHeatmapDisplay
            The display, drawn.
        """
        owner = f"{cls.__name__}.from_results"
        if not isinstance(results, Mapping | pd.DataFrame) or not len(results):
            must = "be cv_results_ or a DataFrame, with rows"
            raise ValueError(wrong("results", owner, must, describe(results)))
        table = pd.DataFrame({key: _as_column(results[key]) for key in results})
        measure = _choose_measure(table, measure, owner)
        across, down = _choose_parameters(table, x, y, owner)
        for name in (across, down):
            if table[name].isna().any():  # NaN is a value, too, but groups drop it
                table[name] = table[name].map(str)
        cells = (
            table.pivot_table(index=down, columns=across, values=measure)
            .reindex(index=table[down].unique(), columns=table[across].unique())
            .rename_axis(
                index=down.removeprefix(_PREFIX), columns=across.removeprefix(_PREFIX)
            )
        )
        return cls(cells=cells, name=measure.replace("_", " ")).plot(
            ax,
            cmap=cmap,
            vmin=vmin,
            vmax=vmax,
            values_format=values_format,
            colorbar=colorbar,
        )


def _as_column(values: Any) -> Any:
    """Turn what is no number into words: None is no missing value here."""
    array = np.asarray(values)
    # Masked values: candidates of a list of grids may lack a parameter.
    is_number = array.dtype.kind in "biuf" and not np.ma.is_masked(values)
    return array if is_number else [str(value) for value in values]


def _choose_measure(table: pd.DataFrame, measure: Any, owner: str) -> str:
    scores = [key for key in table if str(key).startswith("mean_test_")]
    if measure is None and scores:
        return "mean_test_score" if "mean_test_score" in scores else str(scores[0])
    numbers = list(table.select_dtypes("number"))
    if measure not in numbers:
        expected = f"be a key of numbers in the results, such as {numbers[:5]}"
        raise ValueError(wrong("measure", owner, expected, repr(measure)))
    return str(measure)


def _choose_parameters(
    table: pd.DataFrame, x: Any, y: Any, owner: str
) -> tuple[str, str]:
    """Find the columns of the parameters to the right and downward."""
    with_prefix = [key for key in table if str(key).startswith(_PREFIX)]
    varying = [key for key in with_prefix if len(table[key].unique()) > 1]
    order = list(dict.fromkeys(varying + with_prefix))
    chosen: dict[str, str] = {}
    for parameter, name in (("x", x), ("y", y)):
        if name is not None:
            keys = [f"{_PREFIX}{name}", name]
            found = [key for key in keys if key in table]
            if not found:
                known = [key.removeprefix(_PREFIX) for key in order or table]
                must = f"be one of {known}"
                raise ValueError(wrong(parameter, owner, must, repr(name)))
            chosen[parameter] = found[0]
    for parameter in ("x", "y"):
        if parameter not in chosen:
            free = [key for key in order if key not in chosen.values()]
            if not free:
                expected = "be given: the results have no other parameter to take"
                raise ValueError(wrong(parameter, owner, expected, "None"))
            chosen[parameter] = free[0]
    if chosen["x"] == chosen["y"]:
        must = "be another parameter than 'x'"
        raise ValueError(wrong("y", owner, must, repr(y)))
    return chosen["x"], chosen["y"]


def _on(color: Sequence[float]) -> str:
    """Choose black or white, whichever stands out more from a color.

    The contrast is that of W3C's guidelines for accessible content, from the relative
    luminance of sRGB colors.
    """
    rgb = np.asarray(color[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"
