"""Styles: colors, dashes and markers of lines, and text sizes for a paper."""

from typing import Any

# Palette of Okabe and Ito, without its yellow, which is too pale for a line. The first
# five are easiest to tell apart for the color-blind.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#56B4E9", "#E69F00", "#CC79A7")
# Coprime lengths: a combination is repeated only after 140 lines.
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v")

GRAY = "0.4"

# Widths in inches: a column of a two-column page, and both of them.
COLUMN = 3.5
PAGE = 7.0

# For figures that a display makes itself; in points.
SIZES: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.handlelength": 2.8,  # of a line with its dashes, in letters
    "figure.titlesize": 9,
    "lines.linewidth": 1.3,
    "axes.linewidth": 0.6,
}


def line_style(number: int) -> dict[str, Any]:
    """Make the style of a line: no two of a picture share color, dashes and marker."""
    from matplotlib import rcParams

    color = COLORS[number % len(COLORS)]
    return {
        # Black would not be seen in a dark style.
        "color": rcParams["text.color"] if color == "#000000" else color,
        "linestyle": LINES[number % len(LINES)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 3.5,
    }
