"""Tables and figures of the benchmark scripts: averaged, formatted, written."""

import argparse
import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from _tools.claims import Claim, format_claims
from _tools.files import replacing

# Suffixes that --output understands, with the writers.
_WRITERS: dict[str, Callable[[pd.DataFrame], str] | None] = {
    ".csv": lambda table: table.to_csv(index=False),
    ".json": lambda table: table.to_json(orient="records", indent=2) + "\n",
    ".md": None,  # the table as it is printed
}
TABLES = tuple(_WRITERS)
PICTURES = (".png", ".pdf", ".svg")

# What a fit yields; the spread over fits is reported beside the mean.
_MEASURES = (
    "train_accuracy",
    "train_loss",
    "train_accuracy_true",
    "test_accuracy",
    "epochs",
    "fit_seconds",
)

_ORDER = (
    "dataset",
    "labels",
    "protocol",
    "n_train",
    "n_test",
    "train_accuracy",
    "train_loss",
    "train_accuracy_true",
    "test_accuracy",
    "chance_accuracy",
    "epochs",
    "fit_seconds",
    "seed",
)


def summarize(fits: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Average the fits of each setting, in the order in which they were made."""
    rows = []
    for _, group in fits.groupby(list(by), sort=False, dropna=False):
        row = group.iloc[0].to_dict()
        for measure in _MEASURES:
            row[measure] = group[measure].mean()
            row[f"{measure}_std"] = group[measure].std()
        row["n_train"] = round(group["n_train"].mean())
        row["n_test"] = round(group["n_test"].mean())
        row["n_fits"] = len(group)
        rows.append(row)
    table = pd.DataFrame(rows)
    first = list(dict.fromkeys([*by, *_ORDER]))
    return table[[*first, *(name for name in table.columns if name not in first)]]


_FORMATS = {
    "train_accuracy": ".5f",
    "train_loss": ".4f",
    "epochs": ".3g",
    "fit_seconds": ".3g",
    "parameters_per_memorized_label": ".1f",
    "fraction": "g",
    "realized_rate": ".4f",
    "test_error": ".4f",
    "seconds": ".3g",
    "permuted_seconds": ".3g",
    "search_seconds": ".3g",
    "relative_epochs": ".2f",
    "relative_seconds": ".2f",
    "rows_per_step": ".5g",
    "lr": ".3g",
    "train_difference": "+.4f",
    "test_difference": "+.4f",
}
_HEADINGS = {
    "train_accuracy": "train acc. (fitted)",
    "train_accuracy_true": "train acc. (true)",
    "test_accuracy": "test acc. (true)",
    "fit_seconds": "fit s",
    "relative_epochs": "epochs / true labels",
    "relative_seconds": "seconds / true labels",
}

# By heading: a template with the names of columns as fields, or a function of a row.
Columns = Mapping[str, str | Callable[[dict[str, Any]], str]]


def columns(*names: str) -> Columns:
    """Make the usual columns: mean, and spread where there are several."""
    found: dict[str, Any] = {}
    for name in names:
        heading = name.replace("_", " ").replace("accuracy", "acc.")
        pattern = _FORMATS.get(name, ".4f" if "accuracy" in name else None)
        template = with_spread(name, pattern) if pattern else f"{{{name}}}"
        found[_HEADINGS.get(name, heading)] = template
    return found


def format_table(table: pd.DataFrame) -> str:
    """Format a summary for reading, all of it but counts and spreads of their own."""
    # What was not measured at all has no column.
    names = table.dropna(axis=1, how="all").columns
    hidden = {"seed", "n_fits", *(name for name in names if name.endswith("_std"))}
    return format_rows(table, columns(*(name for name in names if name not in hidden)))


def format_rows(table: pd.DataFrame, columns: Columns) -> str:
    """Format a table for reading; cells without a number stay empty."""
    rows = [
        {name: "" if value is None or value is pd.NA else value for name, value in row}
        for row in (record.items() for record in table.to_dict("records"))
    ]
    shown = {
        heading: [
            template.format(**row) if isinstance(template, str) else template(row)
            for row in rows
        ]
        for heading, template in columns.items()
    }
    cells = pd.DataFrame(shown).replace(["nan", "+nan"], "")
    return str(cells.to_markdown(index=False, disable_numparse=True))


def with_spread(name: str, pattern: str) -> Callable[[dict[str, Any]], str]:
    """Make a template for a mean, and its spread where there is one."""

    def fill(row: dict[str, Any]) -> str:
        mean, spread = f"{row[name]:{pattern}}", row.get(f"{name}_std", math.nan)
        # As many decimals as the mean.
        n_decimals = len(mean.partition(".")[2])
        return mean if math.isnan(spread) else f"{mean} ± {spread:.{n_decimals}f}"

    return fill


def report(
    args: argparse.Namespace,
    title: str,
    table: pd.DataFrame,
    claims: Iterable[Claim],
    shown: str | Columns | None = None,
    draw: Callable[[], Any] | None = None,
) -> None:
    """Print a table and its verdicts, and write the files that are asked for.

    `shown` is the table as it is printed, or its columns; without it all of them.
    """
    if not isinstance(shown, str):
        shown = format_rows(table, shown) if shown else format_table(table)
    print(f"\n{textwrap.fill(title, 100)}\n\n{shown}\n\n{format_claims(claims)}")
    if args.output is not None:
        write_table(table, shown, Path(args.output))
    if draw is not None and args.plot is not None:
        save_figure(draw(), args.plot)


def write_table(table: pd.DataFrame, shown: str, path: Path) -> None:
    """Write a table in the format that the suffix names, all of it or nothing.

    Markdown is for reading, and the same as on the screen; other formats have all
    columns.
    """
    write = _WRITERS[path.suffix]
    write_text(path, f"{shown}\n" if write is None else write(table))


def write_text(path: Path, text: str) -> None:
    """Write a file, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def save_figure(figure: Any, file: str) -> None:
    """Write a figure of matplotlib, all of it or nothing, and close it."""
    import matplotlib.pyplot as plt

    path = Path(file)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=150, bbox_inches="tight")
    plt.close(figure)  # those of displays are kept by pyplot
