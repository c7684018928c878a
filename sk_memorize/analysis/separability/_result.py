"""SeparabilityResult: a verdict with its proof, its margins and its chance."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.parallel import _threadpool_controller_decorator

from ..._errors import wrong
from .._validation import check_rows_and_labels
from ._problem import Decision, Entries, Floats, Problem, ProofKind, Strategy, pose
from ._proofs import verify

Verdict = Literal["separable", "not separable", "undecided"]


@dataclass(frozen=True, eq=False, repr=False)
class SeparabilityResult:
    """The result of :func:`separability_test`.

    Attributes
    ----------
    verdict : {"separable", "not separable", "undecided"}
        The answer. Each of the first two has been proved.
    strategy : {"pairs", "one-vs-rest", "joint"}
        The question about more than two classes.
    classes : tuple
        The labels of the question: two for a pair; one for a class against the
        rest; otherwise all.
    shape : tuple of int
        Shape of the `X` that was given.
    fit_intercept : bool
        Whether hyperplanes had an intercept.
    parts : tuple of SeparabilityResult
        The results for each pair or class, if the question was one of several
        hyperplanes. Then `verdict` holds for all of them: not separable if one is
        not. Margins and logarithms are the smallest ones of the parts, and the other
        attributes of a part are None here.
    proof : {"margins", "exact weights", "correctable weights"} or None
        How the verdict is proved, see Notes.
    reason : str
        Why the question is undecided; empty if it is not.
    coef : ndarray of shape (n_features,) or (n_classes, n_features), or None
        A hyperplane: ``X @ coef + intercept`` is positive for the rows of the last
        one of `classes`, and negative for the others. Jointly, the scores of all
        classes, ``X @ coef.T + intercept``, of which that of the row's class is the
        largest one.
    intercept : float or ndarray of shape (n_classes,), or None
        The intercept; 0 without one.
    margin : float
        The smallest distance of a row from the hyperplane. Jointly, the smallest
        lead of the right score if the Frobenius norm of `coef`, centered over the
        classes, is one. NaN without hyperplane.
    margin_bound : float
        A proven bound of the margins of all hyperplanes, 0 if none separates.
    support : ndarray of shape (n_support,) or None
        The rows with positive weights.
    rivals : ndarray of shape (n_support,) or None
        Jointly, the indices in `classes` of the classes against which the rows stand.
    weights : ndarray of shape (n_support,) or None
        The weights, which sum to 1. They prove `margin_bound`.
    exact_weights : tuple of Fraction or None
        The weights without rounding, for the proof of this name.
    residual : float
        Length of the sum of the rows with their weights, negative for the first of
        two classes: half the distance between two points, one in the convex hull of
        each class. Without intercept the distance from the origin.
    n_samples, n_distinct : int
        Number of rows of the question, and of distinct ones among them.
    rank : int
        Numerical rank of `X`, with a column of ones if there is an intercept.
    log10_p : float
        Decimal logarithm of a bound of the probability that classes drawn at random,
        equally likely, are separable on these rows.
    log10_p_permutation : float
        The same for permutations of the given labels.

    See Also
    --------
    separability_test : Makes such results.

    Notes
    -----
    A proof holds for the numbers in `X` as they are in float64, and for all
    hyperplanes, whether or not their coefficients can be written in floating point:

    - "margins": the hyperplane puts every row on the side of its class by more than
      any rounding errors in the evaluation.
    - "exact weights": the rows with their weights sum to zero in rational arithmetic.
      A hyperplane with all rows on their sides would make this sum positive, which is
      Gordan's theorem; the classes' convex hulls have a point in common.
    - "correctable weights": the sum is not zero, but so small that a change of the
      weights that keeps them positive makes it zero. If M has the rows with their
      weights and signs as its rows, its columns made independent and brought to a
      similar size, the sum of the rows of M is shorter than its smallest singular
      value, rounding errors included.

    Examples
    --------
    >>> from sk_memorize import separability_test
    >>> result = separability_test([[0.0], [1.0], [2.0]], [0, 0, 1])
    >>> result.verdict, round(result.margin, 6), result.proof
    ('separable', 0.5, 'margins')
    """

    verdict: Verdict
    strategy: Strategy
    classes: tuple[Any, ...]
    shape: tuple[int, int]
    fit_intercept: bool
    n_samples: int
    margin: float
    margin_bound: float
    log10_p: float
    log10_p_permutation: float
    parts: tuple["SeparabilityResult", ...] = ()
    proof: ProofKind | None = None
    reason: str = ""
    coef: Floats | None = None
    intercept: float | Floats | None = None
    support: NDArray[np.intp] | None = None
    rivals: NDArray[np.intp] | None = None
    weights: Floats | None = None
    exact_weights: tuple[Fraction, ...] | None = None
    residual: float = np.nan
    n_distinct: int | None = None
    rank: int | None = None

    def check(self, X: ArrayLike, y: ArrayLike) -> bool:
        """Check the proof, without solving anything.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows given to :func:`separability_test`.

        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        is_proved : bool
            Whether the proof of the verdict holds for these rows and labels. False
            if the question is undecided. Of several parts, all must hold for
            separable classes, and one of them if they are not separable.

        Examples
        --------
        >>> from sk_memorize import separability_test
        >>> X, y = [[0.0], [1.0], [2.0]], [0, 0, 1]
        >>> result = separability_test(X, y)
        >>> result.check(X, y), result.check(X, [0, 1, 0])
        (True, False)
        """
        rows, labels = check_rows_and_labels(X, y, "SeparabilityResult.check")
        if rows.shape != self.shape:
            must = f"be the rows that were tested, of the shape {self.shape}"
            got = f"the shape {rows.shape}"
            raise ValueError(wrong("X", "SeparabilityResult.check", must, got))
        return self._holds(rows, labels)

    # As in the test, so that the same numbers are measured.
    @_threadpool_controller_decorator(limits=1, user_api=None)
    def _holds(self, X: NDArray, labels: NDArray) -> bool:
        if self.parts:
            every = all if self.verdict == "separable" else any
            return self.verdict != "undecided" and every(
                part.verdict == self.verdict and part._holds(X, labels)
                for part in self.parts
            )
        problem, rows = pose(
            X,
            labels,
            self.classes,
            strategy=self.strategy,
            fit_intercept=self.fit_intercept,
        )
        if self.support is not None and not np.isin(self.support, rows).all():
            return False
        return verify(problem, self._decision(problem, rows))

    def _decision(self, problem: Problem, rows: NDArray[np.intp]) -> Decision:
        """Convert the result back into a decision on the rows of the problem."""
        entries = coef = intercept = None
        if self.weights is not None:
            assert self.support is not None
            places = np.searchsorted(rows, self.support)
            rivals = 1 - problem.codes[places] if self.rivals is None else self.rivals
            entries = Entries(places, rivals, self.weights)
        if self.coef is not None:
            coef, intercept = self.coef, np.asarray(self.intercept)
            if coef.ndim == 1:
                coef = np.vstack([np.zeros_like(coef), coef])
                intercept = np.array([0.0, self.intercept])
        return Decision(
            self.proof,
            coef,
            intercept,
            self.margin,
            entries,
            self.exact_weights,
            margin_bound=self.margin_bound,
        )

    def to_frame(self) -> pd.DataFrame:
        """Tabulate the result, or its parts.

        Returns
        -------
        table : pandas.DataFrame
            One row for each pair, each class against the rest, or the only question.

        Examples
        --------
        >>> from sk_memorize import separability_test
        >>> X, y = [[0.0], [1.0], [2.0]], ["a", "b", "a"]
        >>> separability_test(X, y).to_frame().loc[0, ["classes", "verdict", "rank"]]
        classes             a, b
        verdict    not separable
        rank                   2
        Name: 0, dtype: object
        """
        columns = (
            *("verdict", "proof", "margin", "margin_bound", "residual", "n_samples"),
            *("n_distinct", "rank", "log10_p", "log10_p_permutation"),
        )
        return pd.DataFrame(
            [
                {
                    "classes": part.title,
                    **{name: getattr(part, name) for name in columns},
                }
                for part in self.parts or (self,)
            ]
        )

    @property
    def title(self) -> str:
        """The classes, in words."""
        names = ", ".join(map(str, self.classes))
        one_vs_rest = self.strategy == "one-vs-rest" and not self.parts
        return f"{names} against the rest" if one_vs_rest else names

    def summary(self) -> str:
        """Summarize the result in sentences.

        Returns
        -------
        text : str
            Several lines.

        Examples
        --------
        >>> from sk_memorize import separability_test
        >>> print(separability_test([[0.0], [1.0], [2.0]], [0, 0, 1]).summary())
        Classes 0, 1: separable. Proof: margins.
        The smallest margin is 0.5, and that of no hyperplane exceeds 0.5.
        3 rows, 3 of them distinct; rank 2, with a column of ones.
        log10 of the chance that random classes are separable: at most -0.12;
        that permuted ones are: at most 0.00.
        """
        if self.parts:
            lines = [f"{self.title}: {self.verdict}. {self._counts()}"]
            return "\n".join([*lines, self.to_frame().to_string(index=False)])
        grounds = f"Proof: {self.proof}." if self.proof else f"Reason: {self.reason}."
        lines = [f"Classes {self.title}: {self.verdict}. {grounds}"]
        if self.coef is not None:
            lines.append(
                f"The smallest margin is {self.margin:.4g}, and that of no hyperplane "
                f"exceeds {self.margin_bound:.4g}."
            )
        elif self.weights is not None:
            lines.append(
                f"{len(self.weights)} weights leave a residual of {self.residual:.2g}."
            )
        with_ones = ", with a column of ones" if self.fit_intercept else ""
        lines += [
            f"{self.n_samples} rows, {self.n_distinct} of them distinct; rank "
            f"{self.rank}{with_ones}.",
            "log10 of the chance that random classes are separable: at most "
            f"{self.log10_p:.2f};",
            f"that permuted ones are: at most {self.log10_p_permutation:.2f}.",
        ]
        return "\n".join(lines)

    def _counts(self) -> str:
        verdicts = [part.verdict for part in self.parts]
        return (
            f"Of {len(verdicts)} problems {verdicts.count('separable')} are separable, "
            f"{verdicts.count('not separable')} not, {verdicts.count('undecided')} "
            "undecided."
        )

    def __repr__(self) -> str:
        name = f"SeparabilityResult({self.verdict!r}, classes={self.classes!r}"
        if self.parts:
            return f"{name}, parts={len(self.parts)})"
        return f"{name}, proof={self.proof!r}, log10_p={self.log10_p:.2f})"


def make_result(
    decision: Decision, rows: NDArray[np.intp], **facts: Any
) -> SeparabilityResult:
    """Convert the decision on one problem, of some of the given rows, to a result."""
    verdict: Verdict = "undecided"
    if decision.proof is not None:
        verdict = "not separable" if decision.coef is None else "separable"
    is_joint = len(facts["classes"]) > 2
    coef = decision.coef
    intercept: float | Floats | None = decision.intercept
    if coef is not None and decision.intercept is not None and not is_joint:
        coef, intercept = coef[1], float(decision.intercept[1])
    entries = decision.entries
    return SeparabilityResult(
        verdict,
        margin=decision.margin,
        margin_bound=decision.margin_bound,
        proof=decision.proof,
        reason=decision.reason,
        coef=coef,
        intercept=intercept,
        support=None if entries is None else rows[entries.rows],
        rivals=None if entries is None or not is_joint else entries.rivals,
        weights=None if entries is None else entries.weights,
        exact_weights=decision.exact_weights,
        residual=decision.residual,
        **facts,
    )
