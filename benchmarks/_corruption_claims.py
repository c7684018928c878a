"""The claims about a sweep over corrupted labels, checked by its numbers."""

import math

import numpy as np
import pandas as pd
from _claims import NOISE, ZERO_ERROR, Claim, accuracy_error, count, exceeds

TRUE = "true labels"
RANDOM = "random labels"
NOISE_INPUTS = ("random pixels", "Gaussian inputs")

# Test error with true labels at most, where a claim is known for the data.
TRUE_ERROR = {"mnist": 0.03}
# How near to chance the test error must be at level 1.
NEAR_CHANCE = 0.02
# The largest ratio of times that is still called a small factor.
SMALL_FACTOR = 5.0


def judge(fits: pd.DataFrame, table: pd.DataFrame) -> list[Claim]:
    """Judge each claim that is made of such data, by all fits and by their means."""
    levels = table[table["condition"].str.endswith("labels")]
    levels = levels.sort_values("fraction")
    return [
        _all_fitted(fits),
        *_true_labels(levels.iloc[0]),
        _rises(levels),
        *_ends_at_chance(levels.iloc[-1]),
        _takes_longer(fits, levels.iloc[-1]),
        _noise_is_easier(fits, levels.iloc[-1]),
    ]


def _all_fitted(fits: pd.DataFrame) -> Claim:
    worst = fits.loc[fits["train_accuracy"].idxmin()]
    return Claim(
        f"at each level and in each condition at least {ZERO_ERROR:.2%} of the fitted "
        "labels are right",
        worst["train_accuracy"] >= ZERO_ERROR,
        f"the worst of {len(fits)} fits has {worst['train_accuracy']:.5f}: "
        f"{worst['condition']}, level {worst['fraction']:g}, seed {worst['seed']}",
    )


def _true_labels(row: pd.Series) -> list[Claim]:
    most = TRUE_ERROR.get(row["dataset"])
    if most is None:  # nothing is claimed of these data
        return []
    text = f"with true labels the test error is under {most:.0%}"
    holds = exceeds(most, row["test_error"], NOISE * _error(row))
    return [Claim(text, holds, _tell(row))]


def _error(row: pd.Series) -> float:
    return accuracy_error(row, "test_error")


def _tell(row: pd.Series) -> str:
    return (
        f"{row['test_error']:.4f} ± {_error(row):.4f} ({row['n_test']} test rows, "
        f"{count(row['n_seeds'], 'seed')})"
    )


def _rises(levels: pd.DataFrame) -> Claim:
    """Compare each level with all later ones."""
    rows = [row for _, row in levels.iterrows()]
    falls = [
        (
            earlier["test_error"] - later["test_error"],
            NOISE * math.hypot(_error(earlier), _error(later)),
            f"from level {earlier['fraction']:g} to {later['fraction']:g}",
        )
        for i, earlier in enumerate(rows)
        for later in rows[i + 1 :]
    ]
    fall, noise, where = max(falls, key=lambda fall: fall[0] - fall[1])
    return Claim(
        "the test error never falls as the level rises, apart from noise (up to "
        f"{NOISE:g} standard errors)",
        fall <= noise,
        f"the nearest to a fall is {-fall:+.4f} {where}, with noise of {noise:.4f}",
    )


def _ends_at_chance(row: pd.Series) -> list[Claim]:
    if row["condition"] != RANDOM:  # such labels still tell something
        return []
    error, chance = row["test_error"], row["chance_error"]
    text = f"at level 1 the test error is that of guessing, within {NEAR_CHANCE:g}"
    holds = exceeds(NEAR_CHANCE, abs(error - chance), NOISE * _error(row))
    return [Claim(text, holds, f"{_tell(row)}, where guessing has {chance:.4f}")]


def _takes_longer(fits: pd.DataFrame, row: pd.Series) -> Claim:
    last = _fits_of(fits, row)
    times = {}
    for name in ("epochs", "seconds"):
        ratios = last[f"relative_{name}"]
        error = 0.0 if len(ratios) == 1 else ratios.std() / math.sqrt(len(ratios))
        times[name] = f"{ratios.mean():.2f} ± {error:.2f} times the {name}"
        if name == "epochs":
            holds = exceeds(SMALL_FACTOR, ratios.mean(), NOISE * error)
    return Claim(
        "at level 1 the labels are fitted in a small multiple (up to "
        f"{SMALL_FACTOR:g}) of the epochs for true ones",
        holds,
        f"{times['epochs']}, {times['seconds']}, over {count(len(last), 'seed')}",
    )


def _fits_of(fits: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    same = (fits["condition"] == row["condition"]) & (
        fits["fraction"] == row["fraction"]
    )
    return fits[same]


def _noise_is_easier(fits: pd.DataFrame, row: pd.Series) -> Claim:
    """Compare the epochs in which the loss has fallen to half of that of guessing."""

    def first_epochs(losses: pd.Series) -> np.ndarray:
        half = math.log(row["n_classes"]) / 2
        below = [np.flatnonzero(np.asarray(loss) <= half) for loss in losses]
        return np.array([1 + epochs[0] if len(epochs) else np.inf for epochs in below])

    labels = row["condition"]
    of_labels = first_epochs(_fits_of(fits, row)["loss"])
    noise = {
        name: first_epochs(fits.loc[fits["condition"] == name, "loss"])
        for name in NOISE_INPUTS
    }
    told = ", ".join(f"{name} {found.mean():g}" for name, found in noise.items())
    # Each seed is compared with itself; if they disagree, more are needed.
    sooner = np.concatenate([found < of_labels for found in noise.values()])
    return Claim(
        "true labels of random pixels and of Gaussian inputs begin to be learned "
        f"sooner than {labels} of the images",
        True if sooner.all() else None if sooner.any() else False,
        f"the first epoch with half of the loss of guessing: {told}, {labels} "
        f"{of_labels.mean():g}, over {count(len(of_labels), 'seed')}",
    )
