"""What the comparison of finders of wrong labels shows."""

import numpy as np
import pandas as pd
from _claims import Claim, both, exceeds
from _finders import OURS
from scipy.stats import wilcoxon

FOREST = "forest out of bag"

# By how much the average precision is claimed to be above a forest's, and how far it
# may be below the best on a data set.
LEAD, LAG = 0.01, 0.03
# Bounds of the number of wrong labels, as a factor, and of the calibration error.
FACTOR, CALIBRATION = 1.5, 0.1


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Average over everything, with mean ranks and a Wilcoxon test beside ours."""
    keys = ["dataset", "kind", "rate", "seed"]
    wide = table.pivot_table("average_precision", keys, "finder", sort=False)
    means = table.groupby("finder", sort=False)[
        ["average_precision", "auroc", "precision", "seconds"]
    ].mean()
    means.insert(1, "mean_rank", wide.rank(axis=1, ascending=False).mean())
    means["wins_of_ours"] = [
        f"{(wide[OURS] > wide[name]).sum()} of {len(wide)}" for name in means.index
    ]
    means["wilcoxon_p"] = [
        np.nan if name == OURS else wilcoxon(wide[OURS] - wide[name]).pvalue
        for name in means.index
    ]
    return means.reset_index()


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge the claims."""
    means = table.groupby("finder")["average_precision"].mean()
    rivals = means.drop(OURS)
    by_table = table.pivot_table("average_precision", "dataset", "finder")
    behind = by_table.drop(columns=OURS).max(axis=1) - by_table[OURS]
    ours = table[(table["finder"] == OURS) & table["rate"].between(0.1, 0.2)]
    medians = ours.groupby("dataset").median(numeric_only=True)
    off = np.exp(np.abs(np.log(medians["number_ratio"]))).median()
    error = medians["calibration_error"].median()
    return [
        Claim(
            "the average precision is above that of every rival, on average",
            exceeds(means[OURS], rivals.max()),
            f"{means[OURS]:.3f}, the best rival ({rivals.idxmax()}) {rivals.max():.3f}",
        ),
        Claim(
            f"it is at least {LEAD} above a forest out of bag",
            exceeds(means[OURS] - means[FOREST], LEAD),
            f"{means[OURS]:.3f} and {means[FOREST]:.3f}",
        ),
        Claim(
            f"on no data set it is more than {LAG} below the best",
            exceeds(LAG, behind.max()),
            f"the best less ours is at most {behind.max():.3f}, on {behind.idxmax()}",
        ),
        Claim(
            f"at 10 and 20 % the number of wrong labels is within a factor of {FACTOR} "
            f"and the calibration error at most {CALIBRATION}, on the median data set",
            both(exceeds(FACTOR, off), exceeds(CALIBRATION, error)),
            f"factor {off:.2f}, error {error:.3f}",
        ),
    ]


def format_parts(table: pd.DataFrame) -> str:
    """Format the means, and where ours loses."""
    shown = summarize(table).to_markdown(index=False, floatfmt=".3g")
    keys = ["dataset", "kind", "rate"]
    wide = table.pivot_table("average_precision", keys, "finder", sort=False)
    rivals = wide.drop(columns=OURS)
    lost = pd.DataFrame(
        {"ours": wide[OURS], "best": rivals.max(axis=1), "by": rivals.idxmax(axis=1)}
    )
    lost = lost[lost["best"] > lost["ours"]].reset_index()
    if lost.empty:
        return f"{shown}\n\nOurs loses nowhere."
    return f"{shown}\n\nWhere ours loses:\n\n" + str(
        lost.to_markdown(index=False, floatfmt=".3f")
    )
