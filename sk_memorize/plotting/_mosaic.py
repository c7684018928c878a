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
_WORDS = 0.22  # height of a line of words, for an image of height 1


def take_images(
    X: ArrayLike | None,
    rows: NDArray[np.intp],
    image_shape: Sequence[int] | None,
    name: str,
    owner: str,
) -> NDArray:
    """Take rows as images from 0 to 1, with the channels, if there are any, last.

    `image_shape` is height and width, with the channels before or behind them if there
    are any; None is the shape that `X`, which errors call `name`, has.
    """
    if X is None:
        must = "be the rows that are drawn as images"
        raise ValueError(wrong(name, owner, must, "None"))
    if _num_samples(X) <= rows.max(initial=0):
        expected = f"have at least {rows.max() + 1} rows, as the scores have"
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
                    fontsize=0.75 * float(panel.xaxis.label.get_fontsize()),
                )
            )
    n_columns = max(len(pictures) for pictures, _ in rows)
    panel.set_xlim(0, n_columns + (0.4 if gap else 0))
    panel.set_ylim(-len(rows) * (height + 2 * _WORDS), 0)
    panel.set_aspect("equal")
    panel.set_axis_off()
    return images, texts
