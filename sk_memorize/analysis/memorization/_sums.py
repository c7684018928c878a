"""Running sums over the fits, from which all scores are computed."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ._fits import FitResult, Floats
from ._halves import Indices, Mask

HELD_OUT, IN_SAMPLE = 0, 1

Numbers = NDArray[np.float64]


class Moments(NamedTuple):
    """Moments of a probability over fits without and with a row, along the first axis.

    Attributes
    ----------
    means, squares, counts : ndarray of shape (2, ...)
        Mean, sum of the squares, and number of the fits.
    """

    means: Numbers
    squares: Numbers
    counts: NDArray[np.int64]

    def standard_error(self, products: Numbers, n_pairs: NDArray[np.int64]) -> Numbers:
        """Compute that of the difference of the means.

        Fits to complementary halves err in opposite directions, so the variance of
        their difference is larger than the sum of the variances.

        Parameters
        ----------
        products : ndarray
            Sum of the products of the probabilities of two fits, one without the row
            and one with it, that make a pair.
        n_pairs : ndarray
            Number of such pairs.

        Returns
        -------
        error : ndarray
            The standard error; NaN where a side has a single fit.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = self.squares / self.counts - self.means**2
            variance = (spread / (self.counts - 1)).sum(axis=0)
            spread = products / n_pairs - self.means.prod(axis=0)
            covariance = spread / (n_pairs - 1) * n_pairs**2 / self.counts.prod(axis=0)
        # Of the few pairs that there are by chance no covariance is estimated.
        covariance = np.where((n_pairs == self.counts).all(axis=0), covariance, 0)
        variance = np.maximum(variance - 2 * covariance, 0)
        error: Numbers = np.sqrt(
            np.where((self.counts > 1).all(axis=0), variance, np.nan)
        )
        return error


@dataclass(eq=False)
class Sums:
    """Sums over the fits that held a row out, and over those that did not.

    Of an axis of two, the first is held out and the second in sample.

    Attributes
    ----------
    n_fits : ndarray of shape (2, n_rows)
        Number of fits.
    probability, margin, hits : ndarray of shape (n_members, 2, n_rows)
        Probability of the given label; the same less the highest of another label;
        how often the given label is the most probable one.
    squares : ndarray of shape (2, n_rows)
        Square of the probability, where that is the mean over the members.
    products, n_pairs : ndarray of shape (n_rows,)
        Product of that of the two fits of a pair, one of which held the row out, and
        the number of such pairs.
    last : ndarray of shape (n_rows,)
        That of the latest fit; not a sum.
    probabilities : ndarray of shape (n_members, n_rows, n_classes)
        Of all classes, held out.
    losses : ndarray of shape (n_members, n_rows)
        Loss summed over the training; NaN where it is not known.
    test_probability : ndarray of shape (n_finished, n_test_rows), float32
        Of the labels of the test rows; not a sum.
    """

    n_fits: NDArray[np.int64]
    probability: Numbers
    margin: Numbers
    hits: Numbers
    squares: Numbers
    products: Numbers
    n_pairs: NDArray[np.int64]
    last: Numbers
    probabilities: Numbers
    losses: Numbers
    test_probability: Floats

    @classmethod
    def zeros(cls, n_members: int, n_rows: int, n_classes: int, n_test: int) -> Self:
        """Begin."""
        return cls(
            n_fits=np.zeros((2, n_rows), np.int64),
            probability=np.zeros((n_members, 2, n_rows)),
            margin=np.zeros((n_members, 2, n_rows)),
            hits=np.zeros((n_members, 2, n_rows)),
            squares=np.zeros((2, n_rows)),
            products=np.zeros(n_rows),
            n_pairs=np.zeros(n_rows, np.int64),
            last=np.zeros(n_rows),
            probabilities=np.zeros((n_members, n_rows, n_classes)),
            losses=np.zeros((n_members, n_rows)),
            test_probability=np.zeros((0, n_test), np.float32),
        )

    @property
    def n_finished(self) -> int:
        """Number of fits that were added."""
        return len(self.test_probability)

    def add(
        self,
        is_out: Mask,
        codes: Indices,
        result: FitResult,
        last_is_out: Mask | None = None,
    ) -> None:
        """Add a fit.

        Parameters
        ----------
        is_out : ndarray of shape (n_rows,), bool
            Which rows were held out.
        codes : ndarray of shape (n_rows,)
            Indices of the given labels.
        result : FitResult
            What the members say.
        last_is_out : ndarray of shape (n_rows,), bool, default=None
            If the fit is the second of a pair, which rows the first one held out.
        """
        others = result.probabilities.copy()
        rows = np.arange(len(codes))
        given = others[:, rows, codes].astype(np.float64)
        others[:, rows, codes] = -np.inf
        sides = np.stack([is_out, ~is_out])
        self.n_fits += sides
        self.probability += given[:, None] * sides
        self.margin += (given - others.max(axis=2))[:, None] * sides
        is_hit = result.probabilities.argmax(axis=2) == codes
        self.hits += is_hit[:, None] * sides
        mean = given.mean(axis=0)
        self.squares += mean**2 * sides
        if last_is_out is not None:
            is_pair = is_out != last_is_out
            self.products += mean * self.last * is_pair
            self.n_pairs += is_pair
        self.last = mean
        self.probabilities[:, is_out] += result.probabilities[:, is_out]
        self.losses += result.losses
        self.test_probability = np.vstack(
            [self.test_probability, result.test_probability]
        )

    def in_order(self, rows: Indices) -> Self:
        """Take rows, in their order."""
        others = {"probabilities", "test_probability"}
        taken = {n: a[..., rows] for n, a in vars(self).items() if n not in others}
        return replace(self, **taken, probabilities=self.probabilities[:, rows])

    def mean(self, name: str, side: int) -> Numbers:
        """Compute the mean of a sum over fits and members, for each row."""
        total: Numbers = getattr(self, name)[:, side].mean(axis=0)
        return total / self.n_fits[side]

    def standard_error(self) -> Numbers:
        """Compute that of the difference of the probabilities; NaN with one fit."""
        means = self.probability.mean(axis=0) / self.n_fits
        moments = Moments(means, self.squares, self.n_fits)
        return moments.standard_error(self.products, self.n_pairs)
