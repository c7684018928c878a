"""The claims about batch size, judged by the numbers of a table."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from _claims import (
    NOISE,
    Claim,
    both,
    count,
    difference,
    exceeds,
    n_fits,
    spread_error,
    tell_test,
)
from scipy.stats import kendalltau

# An end of the batch sizes is slow if it takes this many times the fastest's seconds.
SLOW = 1.5

# A time per epoch is lower or higher if it differs by more than this factor: on a
# machine that does other things, too, the same epochs differ by some ten percent.
EQUAL = 1.2

# Of the trend of the test accuracy.
SIGNIFICANCE = 0.05

# With fewer points even a perfect order could be chance at that level.
_FEWEST_POINTS = 5

Finding = tuple[bool | None, str]


def judge_sweet_spot(rows: pd.DataFrame) -> Finding:
    """Judge whether the time to convergence has its minimum in between.

    A training that missed its target counts with the time that was spent, which is too
    little, and one that diverged is slow.
    """
    rows = rows.sort_values("batch_size")
    if len(rows) < 3 or not rows["reached"].any():
        return None, "it takes three batch sizes, and one of them that converges"
    fastest = rows.loc[rows["seconds"].where(rows["reached"]).idxmin()]
    ends = [
        row
        for row in (rows.iloc[0], rows.iloc[-1])
        if row["batch_size"] != fastest["batch_size"]
    ]
    evidence = "; ".join(
        [f"{_size(fastest)} is the fastest, {fastest['seconds']:.3g} s"]
        + [_compare(end, fastest) for end in ends]
        + [count(n_fits(fastest), "fit")]
    )
    if len(ends) < 2:
        return False, evidence
    return both(*(_is_slow(end, fastest) for end in ends)), evidence


def _is_slow(end: pd.Series, fastest: pd.Series) -> bool | None:
    if np.isnan(end["seconds"]):
        return True
    ratio = end["seconds"] / fastest["seconds"]
    errors = [spread_error(row, "seconds") / row["seconds"] for row in (end, fastest)]
    is_slow = exceeds(ratio, SLOW, NOISE * ratio * math.hypot(*errors))
    # A lower bound does not show that an end is fast.
    return is_slow if end["reached"] or is_slow else None


def _compare(end: pd.Series, fastest: pd.Series) -> str:
    if np.isnan(end["seconds"]):
        return f"{_size(end)} diverges"
    return (
        f"{_size(end)} takes {'' if end['reached'] else 'more than '}"
        f"{end['seconds'] / fastest['seconds']:.2g} times as long"
    )


def judge_epoch_time(rows: pd.DataFrame) -> Finding:
    """Judge whether the time per epoch falls as the batch size grows."""
    rows = rows.dropna(subset="seconds_per_epoch").sort_values("batch_size")
    times = rows["seconds_per_epoch"].to_numpy()
    if len(rows) < 2:
        return None, "it takes two batch sizes"
    fastest = int(times.argmin())
    evidence = (
        f"from {times[0]:.3g} s at {_size(rows.iloc[0])} to {times[fastest]:.3g} s at "
        f"{_size(rows.iloc[fastest])}"
    )
    if fastest < len(rows) - 1:
        evidence += f", and {times[-1]:.3g} s at {_size(rows.iloc[-1])}"
    evidence += f"; {count(n_fits(rows.iloc[0]), 'fit')}"
    never_rises = (times[1:] <= EQUAL * times[:-1]).all()
    falls = times[0] > EQUAL * times[-1] and times[-1] <= EQUAL * times[fastest]
    return bool(never_rises and falls), evidence


def judge_quality(rows: pd.DataFrame) -> Finding:
    """Judge whether smaller batches that converge give a better test accuracy."""
    rows = rows[rows["reached"]]
    if len(rows) < _FEWEST_POINTS:
        return (
            None,
            f"{len(rows)} batch sizes converged, and a trend takes {_FEWEST_POINTS}",
        )
    test = kendalltau(rows["batch_size"], rows["test_accuracy"])
    best = rows.loc[rows["test_accuracy"].idxmax()]
    worst = rows.loc[rows["test_accuracy"].idxmin()]
    gap, margin = difference(best, worst)
    evidence = (
        f"from {tell_test(worst)} at {_size(worst)} to {tell_test(best)} at "
        f"{_size(best)}, where noise may make {margin:.4f}; rank correlation with the "
        f"batch size {test.statistic:.2f}, p = {test.pvalue:.2g}, over {len(rows)} "
        "batch sizes that converged"
    )
    is_trend = test.pvalue < SIGNIFICANCE and gap > margin  # all equal gives NaN
    return test.statistic < 0 if is_trend else None, evidence


def _size(row: pd.Series) -> str:
    return f"batch size {row['batch_size']:.0f}"


CLAIMS: dict[str, Callable[[pd.DataFrame], Finding]] = {
    "the time to convergence has a sweet spot": judge_sweet_spot,
    "the time per epoch falls with the batch size": judge_epoch_time,
    "smaller batches give the better model": judge_quality,
}


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge each claim at each learning-rate rule."""
    rules = list(table.groupby("lr_rule", sort=False))
    claims = [
        Claim(f"{text} ({rule} learning rate)", *judge_claim(rows))
        for text, judge_claim in CLAIMS.items()
        for rule, rows in rules
    ]
    missed = [
        f"{row['lr_rule']} learning rate, {_size(row)}: "
        + (
            "diverges"
            if np.isnan(row["seconds"])
            else f"{row['train_accuracy']:.5f} after {row['epochs']:.3g} epochs and "
            f"{row['seconds']:.3g} s"
        )
        for _, row in table[~table["reached"]].iterrows()
    ]
    claims.append(
        Claim(
            "all trainings converge",
            not missed,
            "; ".join(missed) or count(len(table), "setting"),
        )
    )
    edge = table.loc[table["lr_at_edge"], "batch_size"].tolist()
    claims.append(
        Claim(
            "the search tries learning rates below and above the tuned ones",
            not edge,
            "not for batch size "
            f"{', '.join(map(str, edge))}, where one beyond may be better "
            "(--lr-factors)"
            if edge
            else "for all batch sizes",
        )
    )
    return claims
