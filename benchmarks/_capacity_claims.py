"""The table of capacities, and what it says of the claims."""

import math

import numpy as np
import pandas as pd
from _claims import NOISE, Claim, count, exceeds
from scipy.stats import linregress

NETWORK, LINEAR, TREE = "MemorizingMLP", "LogisticRegression", "DecisionTreeClassifier"

# Where the slope in logarithms counts as one.
_SLOPE_TOLERANCE = 0.2

# Of an interval that can speak against a theorem.
_COVERAGE = 0.95


def fit_slope(networks: pd.DataFrame) -> tuple[float, float]:
    """Fit the slope of labels over parameters in logarithms, and its standard error."""
    n_sizes = networks["parameters"].nunique()
    if n_sizes < 2:
        return math.nan, math.nan
    logs = np.log(networks[["parameters", "labels"]].to_numpy(float))
    line = linregress(*logs.T)
    return float(line.slope), float(line.stderr) if len(networks) > 2 else math.nan


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge what the table shows."""
    rows = table.set_index("model")
    linear, tree = rows.loc[LINEAR], rows.loc[TREE]
    claims = [_judge_networks(table[table["model"] == NETWORK])]
    if not math.isnan(linear["cover"]):  # the theorem is about two classes
        claims.append(
            Claim(
                f"{LINEAR} has the capacity of Cover's theorem, {linear['cover']:g}",
                _covers(linear),
                f"{_labels(linear)} [{100 * linear['coverage']:.0f} % interval "
                f"{linear['low']:g}, {linear['high']:g}] with "
                f"{linear['parameters']:g} parameters",
            )
        )
    claims.append(
        Claim(
            f"{TREE} grows with the labels, and fits all of them",
            bool(tree["at_least"]),
            f"{_labels(tree)} with {tree['parameters']:g} nodes; equal rows with "
            "different labels are beyond any classifier",
        )
    )
    return claims


def _covers(linear: pd.Series) -> bool | None:
    """Compare with Cover's capacity; few repeats have an interval that is too sure."""
    if linear["low"] <= linear["cover"] <= linear["high"]:
        return True
    return False if linear["coverage"] >= _COVERAGE else None


def _judge_networks(networks: pd.DataFrame) -> Claim:
    text = f"the capacity of {NETWORK} grows in proportion to the number of parameters"
    known = networks[~networks["at_least"].astype(bool)]
    left_out = (
        f"{len(networks) - len(known)} of {len(networks)} networks fitted all "
        f"{networks['n_samples'].iloc[0]} rows, so that more rows are needed"
    )
    if known.empty:
        return Claim(text, None, left_out)
    labels, bits = known["labels_per_parameter"], known["bits_per_parameter"]
    evidence = (
        f"{count(len(known), 'network')} with {known['parameters'].min():g} to "
        f"{known['parameters'].max():g} parameters memorize {labels.min():.2f} to "
        f"{labels.max():.2f} labels per parameter, {labels.median():.2f} in the "
        f"median, or {bits.median():.2f} bits"
    )
    if len(known) < len(networks):
        evidence += f"; {left_out}"
    slope, error = fit_slope(known)
    if math.isnan(slope):
        return Claim(text, None, evidence)
    evidence += f"; the slope in logarithms is {slope:.2f} ± {error:.2f}, where "
    evidence += f"1 ± {_SLOPE_TOLERANCE:g} counts as in proportion"
    return Claim(
        text, exceeds(_SLOPE_TOLERANCE, abs(slope - 1), NOISE * error), evidence
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
