"""The claims about batch size, judged by the numbers of a table."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

HOLDS = "holds"
FAILS = "does not hold"
DEPENDS = "depends on the batch size"
UNDECIDED = "is undecided"

# An end of the batch sizes is slow if it takes this many times the fastest's seconds.
SLOW = 1.5

# A time per epoch is lower or higher if it differs by more than this factor: on a
# machine that does other things, too, the same epochs differ by some ten percent.
EQUAL = 1.2

# Of the trend of the test accuracy.
SIGNIFICANCE = 0.05

# With fewer points even a perfect order could be chance at that level.
_FEWEST_POINTS = 5


class Finding(NamedTuple):
    """A verdict on a claim, and the numbers behind it."""

    verdict: str
    reason: str


def judge_sweet_spot(rows: pd.DataFrame) -> Finding:
    """Judge whether the time to convergence has its minimum in between.

    Parameters
    ----------
    rows : pandas.DataFrame
        A row for each batch size, with `batch_size`, `seconds` and `reached`.

    Returns
    -------
    finding : Finding
        It holds if the fastest batch size is neither the smallest nor the largest,
        and both of these take `SLOW` times as long at least. A training that missed
        its target counts with the time that was spent, which is too little, and one
        that diverged is slow.
    """
    rows = rows.sort_values("batch_size")
    if len(rows) < 3 or not rows["reached"].any():
        return Finding(
            UNDECIDED, "it takes three batch sizes, and one of them that converges"
        )
    fastest = rows.loc[rows["seconds"].where(rows["reached"]).idxmin()]
    ends = [rows.iloc[0], rows.iloc[-1]]
    reason = "; ".join(
        [f"{_size(fastest)} is the fastest, {fastest['seconds']:.3g} s"]
        + [
            _compare(end, fastest)
            for end in ends
            if end["batch_size"] != fastest["batch_size"]
        ]
    )
    if fastest["batch_size"] in [end["batch_size"] for end in ends]:
        return Finding(FAILS, reason)
    near = [end for end in ends if end["seconds"] < SLOW * fastest["seconds"]]
    if not near:
        return Finding(HOLDS, reason)
    return Finding(FAILS if any(end["reached"] for end in near) else UNDECIDED, reason)


def _compare(end: pd.Series, fastest: pd.Series) -> str:
    if np.isnan(end["seconds"]):
        return f"{_size(end)} diverges"
    return (
        f"{_size(end)} takes {'' if end['reached'] else 'more than '}"
        f"{end['seconds'] / fastest['seconds']:.2g} times as long"
    )


def judge_epoch_time(rows: pd.DataFrame) -> Finding:
    """Judge whether the time per epoch falls as the batch size grows.

    Parameters
    ----------
    rows : pandas.DataFrame
        A row for each batch size, with `batch_size` and `seconds_per_epoch`.

    Returns
    -------
    finding : Finding
        It holds if the smallest batch size takes more than `EQUAL` times as long as
        the largest, no batch size more than `EQUAL` times as long as the one before,
        and the largest not more than that beside the fastest. It depends if that is
        so up to the fastest batch size only.
    """
    rows = rows.dropna(subset="seconds_per_epoch").sort_values("batch_size")
    times = rows["seconds_per_epoch"].to_numpy()
    if len(rows) < 2:
        return Finding(UNDECIDED, "it takes two batch sizes")
    fastest = int(times.argmin())
    reason = (
        f"from {times[0]:.3g} s at {_size(rows.iloc[0])} to {times[fastest]:.3g} s at "
        f"{_size(rows.iloc[fastest])}"
    )
    if fastest < len(rows) - 1:
        reason += f", and {times[-1]:.3g} s at {_size(rows.iloc[-1])}"
    if _falls(times) and times[-1] <= EQUAL * times[fastest]:
        return Finding(HOLDS, reason)
    if _falls(times[: fastest + 1]):
        return Finding(DEPENDS, f"{reason}: larger ones are slower again")
    return Finding(FAILS, reason)


def _falls(times: np.ndarray) -> bool:
    never_rises = (times[1:] <= EQUAL * times[:-1]).all()
    return bool(never_rises and times[0] > EQUAL * times[-1])


def judge_quality(rows: pd.DataFrame) -> Finding:
    """Judge whether smaller batches give a better test accuracy.

    Parameters
    ----------
    rows : pandas.DataFrame
        A row for each batch size, with `batch_size`, `test_accuracy` and `reached`.

    Returns
    -------
    finding : Finding
        It holds if the test accuracy falls with the batch size, by Kendall's rank
        correlation, at the level `SIGNIFICANCE`; it does not if it rises at that
        level. Only trainings that reached the target are compared.
    """
    rows = rows[rows["reached"]]
    n_left = len(rows)
    if n_left < _FEWEST_POINTS:
        return Finding(
            UNDECIDED,
            f"{n_left} batch sizes converged, and a trend takes {_FEWEST_POINTS}",
        )
    test = kendalltau(rows["batch_size"], rows["test_accuracy"])
    best = rows.loc[rows["test_accuracy"].idxmax()]
    worst = rows.loc[rows["test_accuracy"].idxmin()]
    reason = (
        f"from {worst['test_accuracy']:.4f} at {_size(worst)} to "
        f"{best['test_accuracy']:.4f} at {_size(best)}; rank correlation with the "
        f"batch size {test.statistic:.2f}, p = {test.pvalue:.2g}, over {n_left} "
        "batch sizes that converged"
    )
    if not test.pvalue < SIGNIFICANCE:  # all equal gives NaN
        return Finding(UNDECIDED, f"{reason}: no trend that could not be chance")
    return Finding(HOLDS if test.statistic < 0 else FAILS, reason)


def _size(row: pd.Series) -> str:
    return f"batch size {row['batch_size']:.0f}"


CLAIMS: dict[str, Callable[[pd.DataFrame], Finding]] = {
    "time to convergence has a sweet spot": judge_sweet_spot,
    "time per epoch falls with the batch size": judge_epoch_time,
    "smaller batches give the better model": judge_quality,
}


def judge(table: pd.DataFrame) -> str:
    """Judge each claim at each learning-rate rule, and all together."""
    lines = []
    for claim, judge_claim in CLAIMS.items():
        findings = {
            rule: judge_claim(rows)
            for rule, rows in table.groupby("lr_rule", sort=False)
        }
        verdicts = {finding.verdict for finding in findings.values()}
        verdict = verdicts.pop() if len(verdicts) == 1 else "depends on the rule"
        lines.append(f'- "{claim}" {verdict}.')
        for rule, finding in findings.items():
            lines.append(
                f"  - {rule} learning rate: {finding.verdict}; {finding.reason}."
            )
    missed = table[~table["reached"]]
    lines += [
        f"- {row['lr_rule']} learning rate, {_size(row)}: the target is NOT reached, "
        + (
            "the training diverges."
            if np.isnan(row["seconds"])
            else f"{row['train_accuracy']:.5f} after {row['epochs']:.3g} epochs and "
            f"{row['seconds']:.3g} s."
        )
        for _, row in missed.iterrows()
    ]
    edge = table.loc[table["lr_at_edge"], "batch_size"].tolist()
    if edge:
        lines.append(
            f"- The tuned learning rate of batch size {', '.join(map(str, edge))} is "
            "the lowest or highest one tried, and one beyond may be better "
            "(--lr-factors)."
        )
    return "\n".join(lines)
