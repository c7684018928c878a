"""randomization_test: a permutation test for signal in labels."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.model_selection import (
    BaseCrossValidator,
    StratifiedGroupKFold,
    check_cv,
)
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval

from .._errors import check_classifier, wrong
from .._groups import make_units
from .._labels import check_labels
from .._seeding import draw_seed
from .._typing import Classifier
from ._permuted_fits import OWNER, PermutedFits, open_store, seeded_splitter
from ._validation import checks_arguments, find_classes

_TOLERANCE = 1e-12

# Which values speak for signal: labels that are similar for similar rows are learned
# faster, better, and for new rows as well.
ALTERNATIVES = {
    "cv_accuracy": "higher",
    "train_accuracy": "higher",
    "epochs": "lower",
}


@dataclass(frozen=True, repr=False, eq=False)
class RandomizationTest:
    """The result of :func:`~sk_memorize.randomization_test`.

    Attributes
    ----------
    table : pandas.DataFrame of shape (n_permutations + 1, 5)
        One row for the given labels, under the index 0, and one for each permutation:

        - ``cv_accuracy``: mean accuracy on the test folds, against the labels of the
          row of the table, as the training folds had them;
        - ``cv_accuracy_true``: the same predictions against the given labels;
        - ``train_accuracy``: accuracy on all rows after a fit to all of them, against
          the labels fitted;
        - ``epochs``: ``n_epochs_`` or ``n_iter_`` of that fit, missing where the
          classifier has neither;
        - ``seconds`` of that fit, without a p-value: they depend on what else the
          machine does, so that those of the given labels are not one among others.
    p_values : dict of {str: float}
        For each statistic the probability, without signal, of a value that speaks for
        signal as much as that of the given labels.
    alternatives : dict of {str: {"higher", "lower"}}
        Which values speak for signal.
    n_units : int
        Number of rows, or of groups, among which labels are permuted.
    n_permutations : int
        Number of permutations.

    See Also
    --------
    randomization_test : Makes such results.
    RandomizationTestDisplay : Draws them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_memorize import randomization_test
    >>> test = randomization_test(
    ...     GaussianNB(), *load_iris(return_X_y=True), n_permutations=9, random_state=0
    ... )
    >>> test.n_permutations, test.n_units, test.p_values["cv_accuracy"]
    (9, 150, 0.1)
    """

    table: pd.DataFrame
    p_values: dict[str, float]
    n_units: int

    @property
    def alternatives(self) -> dict[str, str]:
        """Which values speak for signal."""
        return {name: ALTERNATIVES[name] for name in self.p_values}

    @property
    def n_permutations(self) -> int:
        """Number of permutations."""
        return len(self.table) - 1

    def summary(self) -> str:
        """Summarize the result in words.

        Returns
        -------
        text : str
            The number of permutations, and a line for each statistic: with the given
            labels; mean, standard deviation and range with permuted ones; p-value.
        """
        lines = [
            f"{self.n_permutations} permutations of {self.n_units} labels; the least "
            f"p-value is {1 / (self.n_permutations + 1):.3g}"
        ]
        for name, p_value in self.p_values.items():
            given, permuted = self.table[name].iloc[0], self.table[name].iloc[1:]
            lines.append(
                f"{name}: {given:.4g} with the given labels, {permuted.mean():.4g} "
                f"± {permuted.std(ddof=0):.2g} [{permuted.min():.4g}, "
                f"{permuted.max():.4g}] with permuted ones; p = {p_value:.3g} "
                f"({self.alternatives[name]} speaks for signal)"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}\n    " + self.summary().replace("\n", "\n    ")


@checks_arguments(
    X=["array-like", "sparse matrix"],
    y=["array-like"],
    groups=["array-like", None],
    cv=["cv_object"],
    n_permutations=[Interval(Integral, 1, None, closed="left")],
    checkpoint=[str, os.PathLike, None],
)
def randomization_test(
    estimator: Classifier,
    X: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    cv: int | BaseCrossValidator | Iterable | None = None,
    n_permutations: int = 99,
    n_jobs: int | None = None,
    random_state: int | RandomState | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> RandomizationTest:
    """Test whether there is signal in labels: whether the rows tell about them.

    The classifier is fitted to the labels and to permutations of them. If the rows
    tell nothing, the labels are one permutation among the others: their accuracy on
    new rows, their training accuracy, and the epochs to fit them are ordinary.

    Parameters
    ----------
    estimator : estimator instance
        A classifier. Clones of it are fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows.

    y : array-like of shape (n_samples,)
        The labels.

    groups : array-like of shape (n_samples,), default=None
        The group of each row. Whole groups are permuted, as by
        :class:`~sk_memorize.LabelPermuter`, so the rows of a group must have the same
        label. It is also given to `cv`.

    cv : int, cross-validation generator or iterable, default=None
        The folds. An int is their number in a
        :class:`~sklearn.model_selection.StratifiedKFold`, or with `groups` in a
        :class:`~sklearn.model_selection.StratifiedGroupKFold`; None means 5.

    n_permutations : int, default=99
        Number of permutations. The least p-value is ``1 / (n_permutations + 1)``.

    n_jobs : int, default=None
        Number of processes that share the permutations; None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 one per core. Fits that run side by
        side take longer, but all of them do.

    random_state : int, RandomState instance or None, default=None
        Decides the permutations, and the seeds of `estimator` and `cv` that are None.
        With an int the result, except the seconds, is the same at each call,
        whatever `n_jobs` is. None takes a new seed from the operating system.

    checkpoint : str or path-like, default=None
        A file to which each permutation is added when it is finished. A call that was
        broken off, and is made again, goes on from there, to the result that it would
        have had; so does one with another `n_permutations` or `n_jobs`. Other
        arguments are refused, and so is a damaged file, unless only its last line is
        incomplete.

    Returns
    -------
    test : RandomizationTest
        A table of all statistics, and the p-values.

    See Also
    --------
    RandomizationTestDisplay : Draws the result.
    LabelPermuter : Permutes labels.
    sklearn.model_selection.permutation_test_score : Tests a score only, and permutes
        labels within groups.

    Notes
    -----
    *Statistics.* The accuracy in cross-validation is the mean over the folds, and is
    higher if there is signal. For a permutation the labels of the test folds are
    permuted ones as well: the test is exact only if the given labels go through what
    the others do [1]_. The accuracy against the given labels is also in the table.
    The training accuracy is higher with signal, unless the classifier memorizes
    everything. The epochs until it does are more for random labels [2]_, but hardly
    more than for labels of which half are random: they tell strong signal only. Give a
    classifier that is stopped after a few epochs; then its training accuracy tells.

    *p-value.* With b of m permutations at least as good as the given labels it is
    ``(b + 1) / (m + 1)``: the given labels are one of their permutations [1]_. Each
    p-value is valid by itself; whoever takes the least of several must correct it.

    *Fits.* A training fold whose labels are all the same is not given to the
    classifier, as many refuse it; its label is predicted. A fold without rows to test,
    which few groups can leave, does not count. For permutations, warnings of missing
    convergence are not shown.

    All labels are fitted with the same seeds, and with linear algebra in one thread, so
    that sums do not depend on `n_jobs`; for speed, let processes share the
    permutations.

    References
    ----------
    .. [1] M. Ojala and G. C. Garriga, "Permutation tests for studying classifier
       performance", Journal of Machine Learning Research 11, 2010, sections 2 and 3.
    .. [2] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding deep
       learning requires rethinking generalization", 2017, arXiv:1611.03530,
       section 2.1.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_memorize import load_dataset, randomization_test
    >>> digits = load_dataset("digits")
    >>> X, y = digits.X_test, digits.y_test
    >>> test = randomization_test(GaussianNB(), X, y, n_permutations=19, random_state=0)
    >>> test.p_values["cv_accuracy"]
    0.05
    >>> test.table["cv_accuracy"].head(3).round(2).tolist()
    [0.82, 0.14, 0.1]
    """
    check_classifier(estimator, OWNER)
    labels = check_labels(y, OWNER)
    find_classes(labels, OWNER)
    X, labels = indexable(X, labels)
    n_units = len(make_units(labels, groups, None, OWNER).first_row)
    if isinstance(cv, Integral | None) and groups is not None:
        splitter = StratifiedGroupKFold(5 if cv is None else int(cv))
    else:
        splitter = check_cv(cv, labels, classifier=True)
    # Split once, so that a failure comes before the checkpoint is written.
    folds = list(seeded_splitter(splitter, 0).split(X, labels, groups))
    if not any(labels[train].size and labels[test].size for train, test in folds):
        must = "give folds with rows to train on and rows to test"
        hint = "a generator of folds can be used only once"
        raise ValueError(wrong("cv", OWNER, must, "no such fold", hint))

    seed = None if random_state is None else draw_seed(random_state)
    fits = PermutedFits(estimator, X, labels, groups, splitter)
    store = None
    if checkpoint is not None:
        store = open_store(checkpoint, fits.fingerprint(seed))
    table = pd.DataFrame(fits.run(int(n_permutations), seed, store, n_jobs))
    table = table.astype({"epochs": "Int64"}).rename_axis("permutation")
    return RandomizationTest(table, _p_values(table), n_units)


def _p_values(table: pd.DataFrame) -> dict[str, float]:
    """Compute the p-value of each statistic that is known for all labelings."""
    p_values = {}
    for name, alternative in ALTERNATIVES.items():
        if table[name].isna().any():
            continue  # the classifier has no count of epochs
        sign = 1 if alternative == "higher" else -1
        given, *permuted = sign * table[name].to_numpy(float)
        # Means of the same numbers in another order may differ in the last digit.
        tolerance = _TOLERANCE * abs(given)
        n_as_good = np.count_nonzero(np.asarray(permuted) >= given - tolerance)
        p_values[name] = float((n_as_good + 1) / len(table))
    return p_values
