"""The scores of rows, as a table and in words."""

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, validate_params

from ..._errors import wrong
from ..._groups import check_column
from . import _influence
from ._data import Data
from ._influence import Tests, unpack
from ._measure import Design
from ._sums import HELD_OUT, IN_SAMPLE, Numbers, Sums

# Columns of the table, and whether larger values are worse.
_IS_WORSE = {
    "heldout_probability": False,
    "heldout_accuracy": False,
    "heldout_margin": False,
    "insample_probability": False,
    "insample_accuracy": False,
    "insample_margin": False,
    "memorization": True,
    "standard_error": True,
    "cumulative_loss": True,
}
_COUNTS = ("n_heldout", "n_insample")
# Names of their sums.
_SUMS = {"probability": "probability", "accuracy": "hits", "margin": "margin"}

_COUNT = [Interval(Integral, 1, None, closed="left")]
_FINITE = [Interval(Real, None, None, closed="neither")]

# A memorized row, by Feldman and Zhang.
_MEMORIZED = 0.25


@dataclass(frozen=True, repr=False, eq=False)
class MemorizationScores:
    """What :func:`~sk_memorize.memorization_scores` found.

    All scores are means over the fits that held a row out, or over those that were
    trained on it; of a committee, means over its members as well. Rows are in the
    order in which they were given.

    Attributes
    ----------
    given_label : ndarray of shape (n_rows,)
        The labels as given.
    suggested_label : ndarray of shape (n_rows,)
        The most probable label when held out.
    heldout_probability, insample_probability : ndarray of shape (n_rows,)
        Mean probability of the given label.
    heldout_accuracy, insample_accuracy : ndarray of shape (n_rows,)
        Part of the fits for which the given label is the most probable one.
    heldout_margin, insample_margin : ndarray of shape (n_rows,)
        Mean difference between the probability of the given label and the highest of
        another one, from -1 to 1.
    memorization : ndarray of shape (n_rows,)
        `insample_probability` minus `heldout_probability`.
    standard_error : ndarray of shape (n_rows,)
        Standard error of `memorization`, which is somewhat too small if the fits are
        not to halves; NaN for a row that is held out of a single fit, or in one only.
    n_heldout, n_insample : ndarray of shape (n_rows,)
        Number of fits that held the row out, and that were trained on it.
    heldout_probabilities : ndarray of shape (n_rows, n_classes)
        Mean probability of each class when held out.
    classes : ndarray of shape (n_classes,)
        The labels that there are.
    cumulative_loss : ndarray of shape (n_rows,) or None
        Cross-entropy of the row summed over the epochs of a training, mean over the
        fits trained on it, and over the members that are a
        :class:`~sk_memorize.MemorizingMLP` or have one inside. None without any.
    rare_classes : ndarray
        Classes of which some fit was trained on fewer than two rows. The probability
        of a class is 0 for a fit that saw no row of it.
    n_equal_rows : int
        Number of rows that equal another one, whatever their labels. Equal rows are
        held out together.
    influence_indices : ndarray of shape (n_test_rows, n_influences) or None
        For each test row the training rows to which it owes most, the largest first.
        None if no test rows were given, as for the next two.
    influence_values : ndarray of shape (n_test_rows, n_influences) or None
        Their influences: probability of the test row's label by the fits that were
        trained on the row, minus that by the fits that held it out.
    influence_standard_errors : ndarray of shape (n_test_rows, n_influences) or None
        Standard errors of the influences.
    index : pandas.Index
        Names of the rows: the index of `X`, or of `y`, or numbers from 0 on.

    See Also
    --------
    memorization_scores : Makes such results.
    MemorizationDisplay, InfluenceDisplay : Draw them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sk_memorize import memorization_scores
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> scores = memorization_scores(GaussianNB(), X, y, random_state=0)
    >>> scores.top(3, by="heldout_probability")["suggested_label"]
    106    1
    119    1
    77     2
    Name: suggested_label, dtype: int64
    """

    given_label: NDArray
    suggested_label: NDArray
    heldout_probability: Numbers
    heldout_accuracy: Numbers
    heldout_margin: Numbers
    insample_probability: Numbers
    insample_accuracy: Numbers
    insample_margin: Numbers
    standard_error: Numbers
    n_heldout: NDArray[np.int64]
    n_insample: NDArray[np.int64]
    heldout_probabilities: Numbers
    classes: NDArray
    cumulative_loss: Numbers | None
    rare_classes: NDArray
    n_equal_rows: int
    influence_indices: NDArray[np.intp] | None
    influence_values: Numbers | None
    influence_standard_errors: Numbers | None
    index: pd.Index
    _tests: Tests = field(init=False)

    @classmethod
    def _of(cls, data: Data, sums: Sums, design: Design, n_influences: int) -> Self:
        """Compute the scores."""
        ordered = sums.in_order(data.position)
        means = {
            f"{side}_{score}": ordered.mean(name, number)
            for number, side in ((HELD_OUT, "heldout"), (IN_SAMPLE, "insample"))
            for score, name in _SUMS.items()
        }
        n_out, n_in = ordered.n_fits
        probabilities = ordered.probabilities.mean(axis=0) / n_out[:, None]
        classes = data.fits.classes
        largest: _influence.Largest | tuple[None, None, None] = (None, None, None)
        if data.fits.X_test is not None:
            is_out = unpack(design.bits, len(n_out))
            found = _influence.find_largest(sums.test_probability, is_out, n_influences)
            largest = found._replace(rows=data.order[found.rows])
        scores = cls(
            given_label=data.labels,
            suggested_label=classes[probabilities.argmax(axis=1)],
            **means,
            standard_error=ordered.standard_error(),
            n_heldout=n_out,
            n_insample=n_in,
            heldout_probabilities=probabilities,
            classes=classes,
            cumulative_loss=_mean_loss(ordered),
            rare_classes=classes[design.fewest < 2],
            n_equal_rows=data.n_equal_rows,
            influence_indices=largest[0],
            influence_values=largest[1],
            influence_standard_errors=largest[2],
            index=data.index,
        )
        test_label = classes[data.fits.test_codes]
        tests = Tests(design.bits, data.position, sums.test_probability, test_label)
        object.__setattr__(scores, "_tests", tests)
        return scores

    @property
    def memorization(self) -> Numbers:
        """`insample_probability` minus `heldout_probability`."""
        return self.insample_probability - self.heldout_probability

    @validate_params({"row": [Integral]}, prefer_skip_nested_validation=True)
    def influence_of(
        self, row: int, *, return_std: bool = False
    ) -> Numbers | tuple[Numbers, Numbers]:
        """Compute the influence of a training row on each test row.

        Parameters
        ----------
        row : int
            Number of the training row, from 0 on.
        return_std : bool, default=False
            Whether to return standard errors as well.

        Returns
        -------
        values : ndarray of shape (n_test_rows,)
            Probability of the test row's label by the fits that were trained on the
            row, minus that by the fits that held it out.
        standard_errors : ndarray of shape (n_test_rows,)
            Only if `return_std` is true.

        Raises
        ------
        ValueError
            If no test rows were given, or if there is no such row.
        """
        self._check_tested("influence_of")
        bits, position, probability, _ = self._tests
        if not 0 <= row < len(position):
            must = f"be the number of a training row, from 0 to {len(position) - 1}"
            raise ValueError(wrong("row", "influence_of", must, row))
        # Only the byte with the bit of this row is unpacked.
        byte, bit = divmod(int(position[row]), 8)
        is_out = unpack(bits[:, byte : byte + 1], 8)[:, bit : bit + 1]
        values, errors = _influence.influences(probability, is_out)
        return (values, errors) if return_std else values

    @validate_params(
        {"min_memorization": _FINITE, "min_influence": _FINITE},
        prefer_skip_nested_validation=True,
    )
    def influential_pairs(
        self, *, min_memorization: float = 0.25, min_influence: float = 0.15
    ) -> pd.DataFrame:
        """Find test rows that owe their label to a memorized row of the same label.

        Of so many pairs some seem to be large by chance; those of other labels, or of
        rows that are not memorized, would be most of them [1]_.

        Parameters
        ----------
        min_memorization : float, default=0.25
            Least `memorization` of the training row.
        min_influence : float, default=0.15
            Least influence.

        Returns
        -------
        pairs : pandas.DataFrame of shape (n_pairs, 6)
            The numbers of the rows, ``test_row`` and ``row``, from 0 on; their
            ``label``; ``influence``, the largest first, and its ``standard_error``;
            and ``memorization`` of the training row.

        Raises
        ------
        ValueError
            If no test rows were given.

        References
        ----------
        .. [1] V. Feldman and C. Zhang, "What neural networks memorize and why", 2020,
           arXiv:2008.03703, section 3.3.
        """
        self._check_tested("influential_pairs")
        is_memorized = self.memorization >= min_memorization
        pairs = _influence.find_pairs(
            self._tests, self.given_label, is_memorized, min_influence
        )
        pairs["memorization"] = self.memorization[pairs["row"]]
        return pairs.sort_values(
            ["influence", "test_row", "row"],
            ascending=[False, True, True],
            ignore_index=True,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each row.

        Returns
        -------
        frame : pandas.DataFrame of shape (n_rows, n_scores)
            Both labels, all scores, and the numbers of fits, under `index`.
        """
        names = ["given_label", "suggested_label", *self._names(), *_COUNTS]
        columns = {name: getattr(self, name) for name in names}
        return pd.DataFrame(columns, index=self.index)

    @validate_params({"k": _COUNT}, prefer_skip_nested_validation=True)
    def top(
        self, k: int, by: str = "memorization", within: ArrayLike | str | None = None
    ) -> pd.DataFrame:
        """Return the k worst rows.

        Parameters
        ----------
        k : int
            Their number; with `within`, for each of its values.
        by : str, default="memorization"
            The score to sort by, a column of :meth:`to_frame`. Low probabilities,
            accuracies and margins are worse, and high values of the others.
        within : {"class"} or array-like of shape (n_rows,), default=None
            A value for each row, such as who labeled it, or when; "class" stands for
            the given labels. The k worst rows are found for each value, of which
            missing ones are another.

        Returns
        -------
        frame : pandas.DataFrame
            Those rows of :meth:`to_frame`, the worst first; with `within`, that comes
            first, as a column "within", in increasing order.

        Raises
        ------
        ValueError
            If `k` is less than 1, if there is no such score, or if `within` has
            another length.
        """
        order = self._order(by, "top")
        frame = self.to_frame()
        if within is None:
            return frame.iloc[order[:k]]
        values: Any = self.given_label
        if not (isinstance(within, str) and within == "class"):
            values = check_column(within, len(frame), "within", "top")
        frame.insert(0, "within", values)
        by_value = frame.iloc[order].groupby("within", sort=False, dropna=False)
        worst = by_value.head(k)
        return worst.sort_values("within", kind="stable")

    def summary(self) -> str:
        """Say what was found.

        Returns
        -------
        text : str
            Numbers of fits and rows; means; memorized, rare and equal rows.
        """
        n_fits = int(self.n_heldout[0] + self.n_insample[0])
        n_memorized = int((self.memorization >= _MEMORIZED).sum())
        n_disputed = int((self.suggested_label != self.given_label).sum())
        lines = [
            f"{n_fits} fits to {len(self.given_label)} rows of {len(self.classes)} "
            f"classes; a row is held out of {_span(self.n_heldout)} fits",
            *(
                f"{words}: accuracy {getattr(self, f'{side}_accuracy').mean():.4g}, "
                "probability of the given label "
                f"{getattr(self, f'{side}_probability').mean():.4g}"
                for words, side in (("held out", "heldout"), ("in sample", "insample"))
            ),
            f"memorization: mean {self.memorization.mean():.4g}, largest "
            f"{self.memorization.max():.4g}, at least {_MEMORIZED} for {n_memorized} "
            f"rows; median standard error {np.median(self.standard_error):.2g}",
            f"the suggested label is another one for {n_disputed} rows",
        ]
        if len(self.rare_classes):
            lines.append(
                "fits were trained on fewer than two rows of the classes "
                f"{self.rare_classes.tolist()}, so their scores say little"
            )
        if self.n_equal_rows:
            lines.append(
                f"{self.n_equal_rows} rows equal others and were held out with them"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}\n    " + self.summary().replace("\n", "\n    ")

    def _check_tested(self, method: str) -> None:
        if self.influence_indices is None:
            raise ValueError(
                f"{method} needs test rows. Expected 'X_test' and 'y_test' in the "
                "call of memorization_scores."
            )

    def _order(self, by: str, owner: str) -> NDArray[np.intp]:
        """Sort the rows by a score, the worst first."""
        if by not in self._names():
            must = f"be one of {self._names()}"
            raise ValueError(wrong("by", owner, must, repr(by)))
        sign = -1 if _IS_WORSE[by] else 1
        return np.argsort(sign * getattr(self, by), kind="stable")

    def _names(self) -> list[str]:
        return [name for name in _IS_WORSE if getattr(self, name) is not None]


def _mean_loss(sums: Sums) -> Numbers | None:
    """Compute the mean over the members whose losses are known."""
    known = sums.losses[~np.isnan(sums.losses).any(axis=1)]
    if not len(known):
        return None
    loss: Numbers = known.mean(axis=0) / sums.n_fits[IN_SAMPLE]
    return loss


def _span(counts: NDArray[np.int64]) -> str:
    low, high = counts.min(), counts.max()
    return str(low) if low == high else f"{low} to {high}"
