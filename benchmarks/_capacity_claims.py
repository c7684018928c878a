"""The table of capacities, and what it says of the claims."""

import math

import numpy as np
import pandas as pd
from scipy.stats import linregress

NETWORK, LINEAR, TREE = "MemorizingMLP", "LogisticRegression", "DecisionTreeClassifier"

# Where the slope in logarithms counts as one.
_SLOPE_TOLERANCE = 0.2


def fit_slope(networks: pd.DataFrame) -> float:
    """Fit the slope of labels over parameters in logarithms; NaN for a single size."""
    if networks["parameters"].nunique() < 2:
        return math.nan
    logs = np.log(networks[["parameters", "labels"]].to_numpy(float))
    return float(linregress(*logs.T).slope)


def judge(table: pd.DataFrame) -> str:
    """Say what the table shows."""
    rows = table.set_index("model")
    linear, tree = rows.loc[LINEAR], rows.loc[TREE]
    lines = [
        _judge_networks(table[table["model"] == NETWORK]),
        _judge_linear(linear),
        f"- {TREE}: {_labels(tree)} with {tree['parameters']:g} nodes"
        + (
            ": it grows with the labels, and fits all of them."
            if tree["at_least"]
            else "; equal rows with different labels are beyond any classifier."
        ),
    ]
    return "\n".join(lines)


def _judge_networks(networks: pd.DataFrame) -> str:
    known = networks[~networks["at_least"].astype(bool)]
    left_out = (
        f" {len(networks) - len(known)} more fitted all "
        f"{networks['n_samples'].iloc[0]} rows, so that their capacity is not known."
        if len(known) < len(networks)
        else ""
    )
    if known.empty:
        return f"- {NETWORK}: no capacity was found.{left_out} Take more rows."
    labels, bits = known["labels_per_parameter"], known["bits_per_parameter"]
    text = (
        f"- {NETWORK}: {len(known)} networks with {known['parameters'].min():g} to "
        f"{known['parameters'].max():g} parameters memorize {labels.min():.2f} to "
        f"{labels.max():.2f} labels per parameter, {labels.median():.2f} in the "
        f"median, or {bits.median():.2f} bits.{left_out}"
    )
    slope = fit_slope(known)
    if math.isnan(slope):
        return text
    in_proportion = abs(slope - 1) <= _SLOPE_TOLERANCE
    return f"{text} The slope in logarithms is {slope:.2f}: the capacity grows " + (
        "in proportion to the number of parameters, whatever the shape."
        if in_proportion
        else f"{'faster' if slope > 1 else 'more slowly'} than the number of "
        "parameters."
    )


def _judge_linear(linear: pd.Series) -> str:
    text = (
        f"- {LINEAR}: {_labels(linear)} [{linear['low']:g}, {linear['high']:g}] with "
        f"{linear['parameters']:g} parameters"
    )
    if math.isnan(linear["cover"]):
        return f"{text}; Cover's theorem is about two classes."
    is_within = linear["low"] <= linear["cover"] <= linear["high"]
    return (
        f"{text}; Cover's theorem says {linear['cover']:g}, which is "
        f"{'' if is_within else 'NOT '}within the interval."
    )


def _labels(row: pd.Series) -> str:
    return f"{'at least ' if row['at_least'] else ''}{row['labels']:g} labels"


def format_rows(table: pd.DataFrame) -> str:
    """Format the table for reading."""
    shown = [
        {
            "model": row["model"],
            "width": "" if pd.isna(row["width"]) else row["width"],
            "depth": "" if pd.isna(row["depth"]) else row["depth"],
            "parameters": f"{row['parameters']:g}",
            "labels": ("≥ " if row["at_least"] else "") + f"{row['labels']:g}",
            f"interval, {100 * row['coverage']:.0f} %": f"{row['low']:g} to "
            + ("∞" if math.isnan(row["high"]) else f"{row['high']:g}"),
            "Cover": "" if math.isnan(row["cover"]) else f"{row['cover']:g}",
            "bits": f"{row['bits']:.5g}",
            "labels per par.": f"{row['labels_per_parameter']:.2f}",
            "bits per par.": f"{row['bits_per_parameter']:.2f}",
            "fits": row["n_fits"],
            "fit s": f"{row['fit_seconds']:.1f}",
        }
        for row in table.to_dict("records")
    ]
    return str(pd.DataFrame(shown).to_markdown(index=False, disable_numparse=True))
