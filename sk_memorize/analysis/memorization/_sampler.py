"""MislabeledRows: a sampler that drops or corrects wrong labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, _fit_context
from sklearn.utils import InputTags, Tags, _safe_indexing, get_tags
from sklearn.utils._metadata_requests import RequestMethod
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt, StrOptions
from sklearn.utils.validation import check_consistent_length, validate_data

from ..._errors import wrong
from ..._labels import check_labels
from ..._typing import Classifier
from .._validation import N_JOBS
from ._data import find_index
from ._mislabeled import find_mislabeled


@dataclass(slots=True)
class _SamplerInputTags(InputTags):
    dataframe: bool = True


@dataclass(slots=True)
class _SamplerTags:
    sample_indices: bool = True


@dataclass(slots=True)
class _Tags(Tags):
    """The tags of imbalanced-learn, which need not be installed."""

    sampler_tags: _SamplerTags = field(default_factory=_SamplerTags)


class MislabeledRows(OneToOneFeatureMixin, BaseEstimator):
    """Drop the rows whose labels are probably wrong, or correct the labels.

    A sampler in the manner of imbalanced-learn: in one of its pipelines it acts on the
    rows that the classifier is trained on, and on no others.

    Parameters
    ----------
    estimator : estimator instance or list of estimator instances, default=None
        The classifiers of :func:`~sk_memorize.find_mislabeled`; None means its
        committee.

    action : {"drop", "relabel"}, default="drop"
        Whether the rows found are left out, or get their suggested labels: the most
        probable other label where the given one is more likely wrong than not.

    threshold : float, default=0.5
        The rows that are wrong with a higher probability are found. Ignored if
        `n_rows` is given.

    n_rows : int or float, default=None
        Find this many rows, those of the highest scores, or this share of all rows.

    n_fits : int, default=20
        Number of fits, each to four fifths of the rows.

    random_state : int, RandomState instance or None, default=None
        Decides which rows are held out, and the seeds of the estimators that are None.

    n_jobs : int, default=None
        Number of fits at a time; None means 1 unless in a
        :obj:`joblib.parallel_config` context, -1 one per core.

    Attributes
    ----------
    mask_ : ndarray of shape (n_rows,), dtype=bool
        The rows found.

    scores_ : pandas.DataFrame of shape (n_rows, 4)
        The table of :func:`~sk_memorize.find_mislabeled`, in the order of the rows.

    sample_indices_ : ndarray of shape (n_rows_kept,)
        Numbers of the rows that are returned.

    sampling_strategy_ : dict of {label: int}
        Number of rows of each class that are returned. A class of which no row is left
        is missing.

    n_features_in_ : int
        Number of columns of `X`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns. Only defined if all of them are strings.

    See Also
    --------
    find_mislabeled : Only finds the rows.
    LabelPermuter : Makes labels wrong.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_memorize import LabelPermuter, MislabeledRows
    >>> X, y = load_iris(return_X_y=True)
    >>> noise = LabelPermuter("symmetric", fraction=0.1, random_state=0).fit(y)
    >>> sampler = MislabeledRows(action="relabel", n_fits=5, random_state=0)
    >>> X, y_corrected = sampler.fit_resample(X, noise.y_corrupted_)
    >>> (noise.y_corrupted_ != y).mean() == 0.1, (y_corrected != y).mean() < 0.03
    (np.True_, np.True_)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict_proba"]), list, tuple, None],
        "action": [StrOptions({"drop", "relabel"})],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "n_rows": [
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="both"),
            None,
        ],
        "n_fits": [Interval(Integral, 5, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
    }

    # scikit-learn generates such setters for its own methods only.
    set_fit_resample_request = RequestMethod("fit_resample", ["groups"])

    def __init__(
        self,
        estimator: Classifier | Sequence[Classifier] | None = None,
        *,
        action: Literal["drop", "relabel"] = "drop",
        threshold: float = 0.5,
        n_rows: int | float | None = None,
        n_fits: int = 20,
        random_state: int | RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.action = action
        self.threshold = threshold
        self.n_rows = n_rows
        self.n_fits = n_fits
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = None
    ) -> Self:
        """Find the rows; what is returned is the sampler.

        Parameters
        ----------
        X, y, groups : as in :meth:`fit_resample`
            The rows, their labels, and the groups.

        Returns
        -------
        self : MislabeledRows
            The fitted sampler.
        """
        self.fit_resample(X, y, groups=groups)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_resample(
        self, X: ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = None
    ) -> tuple[Any, Any]:
        """Find the rows, and drop or relabel them.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
            The rows.

        y : array-like of shape (n_rows,)
            Their labels.

        groups : array-like of shape (n_rows,), default=None
            The group of each row. Rows of a group are held out together.

        Returns
        -------
        X : {array-like, sparse matrix, DataFrame} of shape (n_rows_kept, n_features)
            The rows that are kept; all of them with ``action="relabel"``.

        y : array-like of shape (n_rows_kept,)
            Their labels, of the type given.

        Raises
        ------
        ValueError
            If an argument is not as described, before any fit.
        """
        labels = self._check(X, y)
        table = find_mislabeled(
            X.reset_index(drop=True) if isinstance(X, pd.DataFrame) else X,
            labels,
            estimator=self.estimator,
            n_fits=self.n_fits,
            groups=groups,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )
        self.mask_ = self._choose(table)
        in_order = table.sort_index()
        rows, sources = self._take(labels, in_order["suggested_label"].to_numpy())
        self.scores_ = in_order.set_axis(find_index(X, y, len(labels)))
        self.sample_indices_ = rows
        names, counts = np.unique(labels[sources], return_counts=True)
        self.sampling_strategy_ = dict(
            zip(names.tolist(), counts.tolist(), strict=True)
        )
        return _take(X, rows), _relabeled(y, rows, sources)

    def _check(self, X: ArrayLike, y: ArrayLike | None) -> NDArray:
        """Validate X and y, and return one label for each row."""
        owner = f"{type(self).__name__}.fit_resample"
        if y is None:
            # scikit-learn's estimator checks expect these first words.
            words = f"{owner} requires y to be passed, but the target y is None. "
            raise ValueError(words + wrong("y", owner, "be a label for each row", None))
        if hasattr(X, "columns"):
            validate_data(self, X, skip_check_array=True)
        else:
            validate_data(
                self,
                X,
                dtype=None,
                accept_sparse=("csr", "csc"),
                ensure_all_finite=False,
                ensure_min_samples=4,
            )
        labels = check_labels(_as_column(y), owner)
        check_consistent_length(X, labels)
        if isinstance(self.n_rows, int | np.integer) and self.n_rows > len(labels):
            must = f"be at most the number of rows, {len(labels)}"
            raise ValueError(wrong("n_rows", type(self).__name__, must, self.n_rows))
        return labels

    def _choose(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Mark the rows that are found, in the order in which they were given."""
        found: Any = table["probability_wrong"] > self.threshold
        if self.n_rows is not None:
            is_share = isinstance(self.n_rows, float | np.floating)
            share = len(table) if is_share else 1
            found = slice(round(self.n_rows * share))
        mask = np.zeros(len(table), bool)
        mask[table.index[found]] = True
        return mask

    def _take(self, labels: NDArray, suggested: NDArray) -> tuple[NDArray, NDArray]:
        """Return the rows that are kept, and a row that has the label of each."""
        rows = np.arange(len(labels))
        if self.action == "drop":
            return rows[~self.mask_], rows[~self.mask_]
        classes, first = np.unique(labels, return_index=True)
        of_suggested = first[np.searchsorted(classes, suggested)]
        is_changed = self.mask_ & (suggested != labels)
        return rows, np.where(is_changed, of_suggested, rows)

    def __sklearn_tags__(self) -> Tags:
        plain = super().__sklearn_tags__()
        shared = {entry.name: getattr(plain, entry.name) for entry in fields(Tags)}
        tags = _Tags(**shared)
        members = self.estimator if isinstance(self.estimator, list | tuple) else []
        if self.estimator is not None and not members:
            members = [self.estimator]
        inputs = [get_tags(member).input_tags for member in members]
        tags.input_tags = _SamplerInputTags(
            sparse=all(tag.sparse for tag in inputs),
            string=all(tag.string for tag in inputs),
            categorical=all(tag.categorical for tag in inputs),
            allow_nan=all(tag.allow_nan for tag in inputs),
        )
        tags.estimator_type = "sampler"
        tags.target_tags.required = True
        tags.target_tags.one_d_labels = True
        return tags


def _as_column(y: ArrayLike) -> ArrayLike:
    """Reduce a column, or an indicator of the class in each row, to labels."""
    labels = np.asarray(y)
    if labels.ndim != 2:
        return labels
    if labels.shape[1] == 1:
        return labels.ravel()
    is_indicator = np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
    return labels.argmax(axis=1) if is_indicator else y


def _take(X: Any, rows: NDArray) -> Any:
    if issparse(X):
        return X.tocsr()[rows].asformat(X.format)
    return _safe_indexing(X, rows)


def _relabeled(y: ArrayLike, rows: NDArray, sources: NDArray) -> Any:
    """Take the labels of the sources under the names of the rows."""
    taken = _safe_indexing(y, sources)
    if isinstance(y, pd.DataFrame | pd.Series):
        return taken.set_axis(y.index[rows])
    return taken
