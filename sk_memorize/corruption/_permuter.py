"""The estimator that corrupts targets."""

from collections.abc import Callable
from numbers import Real
from types import MethodType
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Tags, check_consistent_length
from sklearn.utils._metadata_requests import RequestMethod
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .._errors import wrong
from .._groups import Units, make_units
from .._labels import as_labels, check_labels, take_labels
from .._seeding import as_generator
from . import _labels
from ._fingerprints import TrainingRows
from ._transitions import check_transitions

_WAY_OUT = (
    "Labels are corrupted for a classifier, also within a pipeline, by "
    "CorruptedTargetClassifier(classifier, LabelPermuter())."
)


class _AfterFit:
    """A method that exists only after ``fit(y)``."""

    # imbalanced-learn's Pipeline refuses a step that has both `transform` and
    # `fit_resample`. A step is unfitted, or was fitted by `fit_resample`.
    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __get__(self, permuter: "LabelPermuter | None", owner: type) -> Any:
        if permuter is None:
            return self.function
        name = self.function.__name__
        # NotFittedError is an AttributeError as well, so that hasattr is False.
        check_is_fitted(
            permuter,
            msg="This %(name)s instance is not fitted yet. Call 'fit(y)' first: "
            f"{name!r} repeats the corruption drawn by it.",
        )
        if permuter._training_rows.digest is not None:
            raise AttributeError(
                f"{name!r} is available after 'fit(y)', and this LabelPermuter was "
                "fitted by 'fit_resample', which returned the corrupted labels; they "
                "are also in 'y_corrupted_'."
            )
        return MethodType(self.function, permuter)


class _Checked(NamedTuple):
    """What a corruption is drawn from."""

    labels: NDArray
    codes: _labels.Indices
    classes: NDArray
    units: Units
    transition_matrix: _labels.Matrix | None


class LabelPermuter(BaseEstimator):
    """Corrupt the labels of a training set.

    A fraction of the labels is permuted, drawn at random or passed through a matrix of
    class transitions. A classifier that fits such labels has memorized them, for the
    rows tell nothing about them.

    Parameters
    ----------
    kind : {"permutation", "uniform", "symmetric", "asymmetric", "transition"}, \
            default="permutation"
        What is done to the labels of the selected rows:

        - ``"permutation"``: they are permuted among themselves, so that the histogram
          of the classes is preserved; some rows may get their own class back.
        - ``"uniform"``: each gets a class drawn uniformly from all K classes, possibly
          its own, so that a fraction 1 - 1/K of them changes; the corruption of Zhang
          et al. (2017, arXiv:1611.03530), section 2.1.
        - ``"symmetric"``: each gets one of the K - 1 other classes, drawn uniformly.
        - ``"asymmetric"``: each gets the next class in the order of `classes_`, the
          last class the first.
        - ``"transition"``: each gets a class drawn from its class's row of
          `transition_matrix`.

    fraction : float, default=1.0
        The fraction of the rows to select, between 0 and 1.

    exact : bool, default=True
        If True, exactly ``round(fraction * n_samples)`` rows are selected (halves are
        rounded to the even number), in each stratum its share rounded up or down. With
        ``kind="transition"``, also the number of the selected rows of a class that
        go to each class is the expected number, apportioned by largest remainder over
        all strata; pass ``strata=y`` to have exact numbers per class.
        If False, each row is selected independently with probability `fraction`.

    transition_matrix : array-like of shape (n_classes, n_classes), default=None
        The probability of each class (column) for the rows of each class (row), in the
        order of `classes_`; rows sum to 1. Required for ``kind="transition"``, and
        refused for the other kinds.

    random_state : int, RandomState instance or None, default=None
        An int gives the same corruption of the same labels at each call. None takes a
        new seed from the operating system; NumPy's global state is not used.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.

    y_corrupted_ : ndarray or Series of shape (n_samples,)
        The corrupted labels, a Series if `y` was one.

    selected_mask_ : ndarray of shape (n_samples,), dtype=bool
        The rows that were selected.

    corrupted_mask_ : ndarray of shape (n_samples,), dtype=bool
        The rows whose label differs from the given one.

    realized_rate_ : float
        The fraction of the rows whose label differs from the given one.

    transition_matrix_ : ndarray of shape (n_classes, n_classes)
        The fraction of the rows of each class (row) that got each class (column).

    n_features_in_ : int
        Number of features of `X`. Only defined after :meth:`fit_resample`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features of `X`. Only defined after :meth:`fit_resample` of an `X`
        whose feature names are all strings.

    See Also
    --------
    CorruptedTargetClassifier : Fits any classifier to corrupted labels.
    sklearn.preprocessing.LabelEncoder : Another transformer of targets.
    sklearn.model_selection.permutation_test_score : Significance of a score, by
        permutations of all labels.

    Notes
    -----
    The permuter speaks two protocols: ``fit(y).transform(y)`` as a transformer of
    targets, and ``fit_resample(X, y)`` as a sampler, for a step of
    ``imblearn.pipeline.Pipeline``. Such a pipeline refuses a step that is both, and
    takes any step with ``fit_transform`` for a transformer of `X`.
    Therefore :meth:`transform` can be called after :meth:`fit` only, there is no
    ``fit_transform``, and a permuter that was fitted to targets must be cloned before
    it goes into a pipeline. The pipeline passes `groups` and `strata` on when metadata
    routing is enabled, and both methods, ``fit`` and ``fit_resample``, request them.

    With `groups`, whole groups are corrupted: `fraction` counts groups, and a
    permutation moves labels among groups, which preserves the histogram over groups,
    and over rows if the groups are equally large. Masks, rates and matrices are over
    rows. With `strata`, rows are selected and permuted within each stratum.

    Examples
    --------
    >>> from sk_memorize import LabelPermuter
    >>> y = ["cat", "cat", "cat", "dog", "dog", "emu"]
    >>> permuter = LabelPermuter(random_state=0).fit(y)
    >>> permuter.transform(y)
    array(['cat', 'dog', 'emu', 'dog', 'cat', 'cat'], dtype='<U3')
    >>> permuter.realized_rate_
    0.666...

    Half of the labels are forced to change:

    >>> permuter = LabelPermuter("symmetric", fraction=0.5, random_state=0)
    >>> permuter.fit(y).corrupted_mask_.sum()
    np.int64(3)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kind": [
            StrOptions(
                {"permutation", "uniform", "symmetric", "asymmetric", "transition"}
            )
        ],
        "fraction": [Interval(Real, 0, 1, closed="both")],
        "exact": ["boolean"],
        "transition_matrix": ["array-like", None],
        "random_state": ["random_state"],
    }

    # scikit-learn generates such setters for its own methods only, and imbalanced-learn
    # adds `fit_resample` to them when it is imported, which may be after this class.
    set_fit_resample_request = RequestMethod("fit_resample", ["groups", "strata"])

    def __init__(
        self,
        kind: _labels.Kind = "permutation",
        *,
        fraction: float = 1.0,
        exact: bool = True,
        transition_matrix: ArrayLike | None = None,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.kind = kind
        self.fraction = fraction
        self.exact = exact
        self.transition_matrix = transition_matrix
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        y: ArrayLike,
        *others: object,
        groups: ArrayLike | None = None,
        strata: ArrayLike | None = None,
    ) -> Self:
        """Draw the corruption of `y`.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            The labels.

        *others : object
            Refused: the labels stand alone, without rows.

        groups : array-like of shape (n_samples,), default=None
            The group of each row. Groups are corrupted as a whole, so the rows of a
            group must have the same label.

        strata : array-like of shape (n_samples,), default=None
            The stratum of each row. The rows of a group must be in the same stratum.

        Returns
        -------
        self : LabelPermuter
            The fitted permuter.

        Raises
        ------
        TypeError
            If there is a second positional argument, as in ``fit(X, y)``.
        """
        if others:
            raise TypeError(
                f"The call of LabelPermuter.fit must be fit(y), with labels alone. Got "
                f"{1 + len(others)} positional arguments instead. {_WAY_OUT}"
            )
        self._corrupt(y, self._check(y, groups, strata))
        self._training_rows = TrainingRows.of(y)
        for stale in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(stale, None)
        return self

    @_AfterFit
    def transform(self, y: ArrayLike) -> NDArray | pd.Series:
        """Return the corrupted labels of the `y` given to :meth:`fit`.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            The labels given to :meth:`fit`.

        Returns
        -------
        y_corrupted : ndarray or Series of shape (n_samples,)
            The corrupted labels, a Series if `y` is one.

        Raises
        ------
        ValueError
            If `y` is not the one given to :meth:`fit`.
        """
        labels = as_labels(y, f"{type(self).__name__}.transform")
        if not self._training_rows.have_labels(labels):
            n_fitted = len(self._training_rows.labels)
            which = (
                "of which some differ" if len(labels) == n_fitted else f"not {n_fitted}"
            )
            raise ValueError(
                wrong(
                    "y",
                    "LabelPermuter.transform",
                    "be the y given to fit, because a corruption is drawn row by row",
                    f"{len(labels)} labels, {which},",
                    "call fit on the new labels to draw their corruption",
                )
            )
        return take_labels(y, labels, self._source_rows)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_resample(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        strata: ArrayLike | None = None,
    ) -> tuple[Any, Any]:
        """Draw the corruption of `y` and return it with the unchanged `X`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The rows, of any type that can be indexed.

        y : array-like of shape (n_samples,)
            The labels.

        groups, strata : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            The `X` given.

        y_corrupted : ndarray or Series of shape (n_samples,)
            The corrupted labels, a Series if `y` is one.
        """
        if X is None or isinstance(X, str):
            owner = f"{type(self).__name__}.fit_resample"
            must = "be array-like rows, one for each label"
            raise ValueError(wrong("X", owner, must, repr(X)))
        check_consistent_length(X, y)
        checked = self._check(y, groups, strata)
        training_rows = TrainingRows.of(y, X)
        validate_data(self, X, skip_check_array=True)
        self._corrupt(y, checked)
        self._training_rows = training_rows
        return X, self.y_corrupted_

    def _check(
        self, y: ArrayLike, groups: ArrayLike | None, strata: ArrayLike | None
    ) -> _Checked:
        """Validate everything before anything is drawn or set."""
        owner = type(self).__name__
        if (self.kind == "transition") != (self.transition_matrix is not None):
            must = "be given for kind='transition' and None for the other kinds"
            given = "None" if self.transition_matrix is None else "a matrix"
            got = f"{given} for kind={self.kind!r}"
            raise ValueError(wrong("transition_matrix", owner, must, got))
        labels = check_labels(y, owner)
        encoder = LabelEncoder()
        codes = encoder.fit_transform(labels)
        classes = encoder.classes_
        if len(classes) == 1 and self.kind in ("symmetric", "asymmetric"):
            must = f"have at least two classes for kind={self.kind!r}"
            got = f"the single class {classes.tolist()[0]!r}"
            raise ValueError(wrong("y", owner, must, got))
        matrix = check_transitions(self.transition_matrix, classes, owner)
        units = make_units(labels, groups, strata, owner)
        return _Checked(labels, codes, classes, units, matrix)

    def _corrupt(self, y: ArrayLike, checked: _Checked) -> None:
        """Draw, and set the fitted attributes."""
        labels, codes, classes, units, matrix = checked
        rng = as_generator(self.random_state)
        selected = _labels.select(
            units.strata, float(self.fraction), exact=self.exact, rng=rng
        )
        new = codes[units.first_row]
        new[selected] = _labels.corrupt(
            new[selected],
            units.strata[selected],
            kind=self.kind,
            n_classes=len(classes),
            transition_matrix=matrix,
            exact=self.exact,
            rng=rng,
        )
        corrupted = new[units.of_row]

        self.classes_ = classes
        self.selected_mask_ = selected[units.of_row]
        self.corrupted_mask_ = corrupted != codes
        self.realized_rate_ = float(self.corrupted_mask_.mean())
        self.transition_matrix_ = _labels.realized_transitions(
            codes, corrupted, len(classes)
        )
        # Copy labels from rows of y, not from classes_: they keep their dtype.
        self._source_rows = np.unique(codes, return_index=True)[1][corrupted]
        self.y_corrupted_ = take_labels(y, labels, self._source_rows)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.one_d_labels = True
        return tags
