"""The claims about a sweep over corrupted labels, checked by its numbers."""

import math

import numpy as np
import pandas as pd

# Zero training error, as the exercise defines it: 99.99 %.
ZERO_ERROR = 0.9999

TRUE = "true labels"
RANDOM = "random labels"
NOISE_INPUTS = ("random pixels", "Gaussian inputs")

# Test error with true labels at most, where a claim is known for the data.
TRUE_ERROR = {"mnist": 0.03}
# How near to chance the test error must be at level 1.
NEAR_CHANCE = 0.02
# The largest ratio of times that is still called a small factor.
SMALL_FACTOR = 5.0
# Standard errors by which numbers may differ through noise.
NOISE = 3.0

Claim = tuple[bool, str]


def judge(fits: pd.DataFrame, table: pd.DataFrame) -> str:
    """Check each claim by the numbers.

    Parameters
    ----------
    fits : DataFrame
        One row for each fit.
    table : DataFrame
        Their means, one row for each condition and level.

    Returns
    -------
    verdict : str
        A line for each claim that is made of such data.
    """
    levels = table[table["condition"].str.endswith("labels")]
    levels = levels.sort_values("fraction")
    claims = [
        _all_fitted(fits),
        *_true_labels(levels.iloc[0]),
        _rises(levels),
        *_ends_at_chance(levels.iloc[-1]),
        _takes_longer(fits, levels.iloc[-1]),
        _noise_is_easier(fits, levels.iloc[-1]),
    ]
    return "\n".join(
        f"- {'holds' if holds else 'does not hold'}: {text}." for holds, text in claims
    )


def _all_fitted(fits: pd.DataFrame) -> Claim:
    worst = fits.loc[fits["train_accuracy"].idxmin()]
    return (
        bool(worst["train_accuracy"] >= ZERO_ERROR),
        f"at each level and in each condition at least {ZERO_ERROR:.2%} of the fitted "
        f"labels are right; the worst of {len(fits)} fits has "
        f"{worst['train_accuracy']:.5f}: {worst['condition']}, level "
        f"{worst['fraction']:g}, seed {worst['seed']}",
    )


def _true_labels(row: pd.Series) -> list[Claim]:
    most = TRUE_ERROR.get(row["dataset"])
    if most is None:  # nothing is claimed of these data
        return []
    error = row["test_error"]
    text = f"with true labels the test error is under {most:.0%}: {error:.4f}"
    return [(bool(error < most), text)]


def _standard_error(row: pd.Series) -> float:
    error = row["test_error"]
    return math.sqrt(error * (1 - error) / (row["n_test"] * row["n_seeds"]))


def _rises(levels: pd.DataFrame) -> Claim:
    """Compare each level with all later ones."""
    rows = [row for _, row in levels.iterrows()]
    falls = [
        (
            earlier["test_error"] - later["test_error"],
            NOISE * math.hypot(_standard_error(earlier), _standard_error(later)),
            f"from level {earlier['fraction']:g} to {later['fraction']:g}",
        )
        for i, earlier in enumerate(rows)
        for later in rows[i + 1 :]
    ]
    fall, noise, where = max(falls, key=lambda fall: fall[0] - fall[1])
    return (
        fall <= noise,
        "the test error never falls as the level rises, but for noise (up to "
        f"{NOISE:g} standard errors): the nearest to a fall is "
        f"{-fall:+.4f} {where}, with noise of {noise:.4f}",
    )


def _ends_at_chance(row: pd.Series) -> list[Claim]:
    if row["condition"] != RANDOM:  # such labels still tell something
        return []
    error, chance = row["test_error"], row["chance_error"]
    # A small test set cannot tell two percentage points.
    allowed = max(NEAR_CHANCE, NOISE * _standard_error(row))
    return [
        (
            abs(error - chance) <= allowed,
            f"at level 1 the test error is that of guessing, {chance:.4f}, within "
            f"{allowed:.4f}: {error:.4f}",
        )
    ]


def _takes_longer(fits: pd.DataFrame, row: pd.Series) -> Claim:
    last = _fits_of(fits, row)
    times = {}
    for name in ("epochs", "seconds"):
        ratios = last[f"relative_{name}"]
        spread = "" if len(ratios) == 1 else f" ± {ratios.std():.2f}"
        times[name] = ratios.mean(), f"{ratios.mean():.2f}{spread} times the {name}"
    return (
        times["epochs"][0] <= SMALL_FACTOR,
        "at level 1 the labels are fitted in a small multiple (up to "
        f"{SMALL_FACTOR:g}) of the time for true ones: {times['epochs'][1]}, "
        f"{times['seconds'][1]}, over {len(last)} seed{'s' if len(last) > 1 else ''}",
    )


def _fits_of(fits: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    same = (fits["condition"] == row["condition"]) & (
        fits["fraction"] == row["fraction"]
    )
    return fits[same]


def _noise_is_easier(fits: pd.DataFrame, row: pd.Series) -> Claim:
    """Compare the epochs in which the loss has fallen to half of that of guessing."""

    def first_epoch(losses: pd.Series) -> float:
        half = math.log(row["n_classes"]) / 2
        below = [np.flatnonzero(np.asarray(loss) <= half) for loss in losses]
        return float(
            np.mean([1 + epochs[0] if len(epochs) else np.inf for epochs in below])
        )

    labels = row["condition"]
    of_labels = first_epoch(_fits_of(fits, row)["loss"])
    noise = {
        name: first_epoch(fits.loc[fits["condition"] == name, "loss"])
        for name in NOISE_INPUTS
    }
    told = ", ".join(f"{name} {epoch:g}" for name, epoch in noise.items())
    return (
        all(epoch < of_labels for epoch in noise.values()),
        "true labels of random pixels and of Gaussian inputs begin to be learned "
        f"sooner than {labels} of the images; the first epoch with half of the loss of "
        f"guessing: {told}, {labels} {of_labels:g}",
    )
