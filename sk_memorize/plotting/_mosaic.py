"""Mosaic of images in one axes, each with a few words below."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from .._errors import wrong

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CHANNELS = (1, 3, 4)
_SPAN = 0.86  # of an image, where the next one begins at 1
_WORDS = 0.22  # height of a line of words, for an image of width 1
_LETTERS = 10  # of a label, at most
_CELL, _ROW = 0.9, 2.0  # inches, the largest width and height in a new figure


def take_images(
    X: ArrayLike | None,
    rows: NDArray[np.intp],
    image_shape: Sequence[int] | None,
    n_rows: int,
    name: str,
    owner: str,
) -> NDArray:
    """Take rows as images from 0 to 1, with the channels, if there are any, last.

    `image_shape` is height and width, with the channels before or behind them if there
    are any; None is the shape that `X`, which errors call `name`, has. The scores have
    `n_rows`; with others, the images would be those of other rows.
    """
    if X is None:
        must = "be the rows that are drawn as images"
        raise ValueError(wrong(name, owner, must, "None"))
    if _num_samples(X) != n_rows:
        expected = f"have the {n_rows} rows of the scores"
        raise ValueError(wrong(name, owner, expected, f"{_num_samples(X)} rows"))
    taken = np.asarray(_safe_indexing(X, rows), dtype=float)
    shape = taken.shape[1:] if image_shape is None else tuple(image_shape)
    if len(shape) not in (2, 3) or np.prod(shape) != taken[0].size:
        expected = (
            "be a height and a width, and channels if there are any, whose product is "
            f"the {taken[0].size} numbers of a row"
        )
        raise ValueError(wrong("image_shape", owner, expected, repr(image_shape)))
    images = taken.reshape(-1, *shape)
    if len(shape) == 3 and shape[-1] not in _CHANNELS:
        images = np.moveaxis(images, 1, -1)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    low, high = images.min(), images.max()
    return (images - low) / (high - low or 1)


def brief(label: object) -> str:
    """Write a label that has room below an image."""
    text = str(label)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def mosaic_size(
    width: float, n_rows: int, n_columns: float, images: NDArray
) -> tuple[float, float]:
    """Compute width and height in inches of a figure with a title of two lines."""
    row = images.shape[1] / images.shape[2] + 2 * _WORDS  # for an image of width 1
    return width, 0.4 + n_rows * row * min(width / n_columns, _CELL, _ROW / row)


def draw_mosaic(
    panel: "Axes", rows: Sequence[tuple[NDArray, Sequence[str]]], *, gap: bool = False
) -> tuple[list[Any], list[Any]]:
    """Draw rows of images, and words below each, and return the artists in this order.

    With a gap, the first image of a row stands apart.
    """
    images, texts = [], []
    height = rows[0][0].shape[1] / rows[0][0].shape[2]
    for y, (pictures, words) in enumerate(rows):
        top = -y * (height + 2 * _WORDS)
        for x, (picture, text) in enumerate(zip(pictures, words, strict=True)):
            left = x + (0.4 if gap and x else 0)
            extent = (left, left + _SPAN, top - _SPAN * height, top)
            images.append(
                panel.imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=extent)
            )
            texts.append(
                panel.text(
                    left + _SPAN / 2,
                    top - _SPAN * height - 0.05,
                    text,
                    horizontalalignment="center",
                    verticalalignment="top",
                )
            )
    n_columns = max(len(pictures) for pictures, _ in rows)
    panel.set_xlim(0, n_columns + (0.4 if gap else 0))
    panel.set_ylim(-len(rows) * (height + 2 * _WORDS), 0)
    panel.set_aspect("equal")
    panel.set_axis_off()
    _fit(panel, texts)
    return images, texts


def _fit(panel: "Axes", texts: list[Any]) -> None:
    """Write words in a size for which they have room."""
    panel.figure.figure.draw_without_rendering()  # the layout decides the room
    ends = panel.transData.transform([(0, 0), (1, _WORDS)])
    width, height = ends[1] - ends[0]
    size = 0.75 * float(panel.xaxis.label.get_fontsize())
    for text in texts:
        text.set_fontsize(size)
        box, n_lines = text.get_window_extent(), 1 + text.get_text().count("\n")
        excess = max(1.0, box.width / width, box.height / n_lines / height)
        size = max(4.0, size / excess)
    for text in texts:
        text.set_fontsize(size)
