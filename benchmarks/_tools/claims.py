"""Claims: what is claimed, whether the numbers bear it out, and the numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

# Zero training error, as the exercise defines it: 99.99 %.
ZERO_ERROR = 0.9999

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
_VERDICTS = {True: HOLDS, False: FAILS, None: UNDECIDED}

# Standard errors by which two numbers may differ through noise.
NOISE = 3.0

# Test accuracy that may be lost where "no worse" is claimed.
NO_WORSE = 0.01


@dataclass(frozen=True)
class Claim:
    """A claim and its verdict.

    Attributes
    ----------
    text : str
        What is claimed.
    holds : bool or None
        None if the numbers do not decide.
    evidence : str
        The numbers and their uncertainty.
    """

    text: str
    holds: bool | None
    evidence: str

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return _VERDICTS[None if self.holds is None else bool(self.holds)]


def format_claims(claims: Iterable[Claim]) -> str:
    """Format a line for each claim."""
    return "\n".join(f"- {c.verdict}: {c.text}; {c.evidence}." for c in claims)


def exceeds(value: float, bound: float, margin: float = 0.0) -> bool | None:
    """Compare a number with a bound; None if they are closer than the margin.

    Without a margin a number that reaches the bound exceeds it.
    """
    if math.isnan(value - bound + margin) or abs(value - bound) < margin:
        return None
    return value >= bound


def both(*holds: bool | None) -> bool | None:
    """Join verdicts: one that fails decides, then one that is undecided."""
    if any(h is not None and not h for h in holds):
        return False
    return None if None in holds else True


def negate(holds: bool | None) -> bool | None:
    """Turn a verdict around; undecided stays so."""
    return None if holds is None else not holds


def spread_error(row: pd.Series, name: str) -> float:
    """Compute the standard error of a mean over seeds; 0 for one that has no spread."""
    spread = row.get(f"{name}_std", math.nan)
    return 0.0 if math.isnan(spread) else spread / math.sqrt(n_fits(row))


def n_fits(row: pd.Series) -> int:
    """Count the fits that a row of a table averages."""
    return int(row.get("n_seeds", row.get("n_fits", 1)))


def accuracy_error(row: pd.Series, name: str = "test_accuracy") -> float:
    """Compute the standard error of a test accuracy or test error.

    The test rows are the same for all seeds, so that more seeds do not make their part
    smaller. Two rows are added, one of them right, so that it is not 0 for an accuracy
    of 1.
    """
    rows = row["n_test"] + 2
    share = (row[name] * row["n_test"] + 1) / rows
    return math.hypot(math.sqrt(share * (1 - share) / rows), spread_error(row, name))


def leeway(row: pd.Series) -> float:
    """Compute how far a test accuracy may be from chance if it is that of guessing."""
    return NOISE * float(row["guess_std"]) / math.sqrt(n_fits(row))


def fitted(row: pd.Series) -> bool | None:
    """Judge whether the labels are fitted; None if it depends on the seeds."""
    margin = NOISE * spread_error(row, "train_accuracy")
    return exceeds(row["train_accuracy"], ZERO_ERROR, margin)


def difference(first: pd.Series, second: pd.Series) -> tuple[float, float]:
    """Compare two test accuracies: their difference, and what noise may make of it."""
    margin = NOISE * math.hypot(accuracy_error(first), accuracy_error(second))
    return first["test_accuracy"] - second["test_accuracy"], margin


def tell_fitted(row: pd.Series) -> str:
    """Tell a training accuracy and after how many epochs."""
    return f"{row['train_accuracy']:.5f} of the labels after {row['epochs']:.3g} epochs"


def tell_test(row: pd.Series, name: str = "test_accuracy", fit: str = "fit") -> str:
    """Tell a test accuracy or error, its standard error, and what that rests on."""
    return (
        f"{row[name]:.4f} ± {accuracy_error(row, name):.4f} "
        f"({row['n_test']:g} test rows, {count(n_fits(row), fit)})"
    )


def count(n: int, noun: str) -> str:
    """Write a number of things."""
    return f"{n} {noun}{'' if n == 1 else 's'}"
