"""LabelPermuter as a transformer of targets."""

import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError

from sk_memorize.corruption import LabelPermuter

KINDS = ["permutation", "uniform", "symmetric", "asymmetric", "transition"]
CYCLE = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]


@dataclass
class Case:
    permuter: LabelPermuter
    y: np.ndarray
    groups: np.ndarray | None
    strata: np.ndarray | None

    def fit(self):
        self.permuter.fit(self.y, groups=self.groups, strata=self.strata)
        return self.permuter


@st.composite
def cases(draw, kinds=KINDS, exact=None, groups=None):
    """Draw labels and a permuter for them; labels are constant within groups."""
    kind = draw(st.sampled_from(kinds))
    n_classes = draw(st.integers(2, 5))
    n_units = draw(st.integers(n_classes, 30))
    rng = np.random.RandomState(draw(st.integers(0, 1000)))
    # Every class occurs, so that the size of the transition matrix is known.
    unit_labels = rng.permutation(np.arange(n_units) % n_classes) - 2
    with_groups = draw(st.booleans()) if groups is None else groups
    sizes = rng.randint(1, 5, size=n_units) if with_groups else np.ones(n_units, int)
    units = rng.permutation(np.repeat(np.arange(n_units), sizes))
    strata = rng.randint(3, size=n_units) if draw(st.booleans()) else None
    matrix = rng.dirichlet(np.ones(n_classes), size=n_classes)
    permuter = LabelPermuter(
        kind,
        fraction=draw(st.floats(0, 1)),
        exact=draw(st.booleans()) if exact is None else exact,
        transition_matrix=matrix if kind == "transition" else None,
        random_state=draw(st.integers(0, 1000)),
    )
    return Case(
        permuter,
        unit_labels[units],
        units if with_groups else None,
        None if strata is None else strata[units],
    )


@given(case=cases())
def test_masks_rates_and_matrix_tell_what_happened(case):
    given_labels = case.y.copy()
    p = case.fit()
    assert_array_equal(case.y, given_labels)
    assert_array_equal(p.corrupted_mask_, p.y_corrupted_ != case.y)
    assert not (p.corrupted_mask_ & ~p.selected_mask_).any()
    assert p.realized_rate_ == p.corrupted_mask_.mean()
    assert p.y_corrupted_.dtype == case.y.dtype
    table = pd.crosstab(case.y, p.y_corrupted_, normalize="index")
    table = table.reindex(columns=p.classes_, fill_value=0)
    assert_allclose(p.transition_matrix_, table.to_numpy())
    assert_array_equal(p.transform(case.y), p.y_corrupted_)


@given(case=cases())
def test_an_int_seed_repeats_the_corruption_in_both_protocols(case):
    first = case.fit().y_corrupted_
    assert_array_equal(case.fit().y_corrupted_, first)
    X = np.arange(len(case.y))[:, None]
    X_out, y_out = clone(case.permuter).fit_resample(
        X, case.y, groups=case.groups, strata=case.strata
    )
    assert X_out is X
    assert_array_equal(y_out, first)


@given(case=cases(kinds=["permutation"], groups=False))
def test_permutation_preserves_the_histogram_of_each_stratum(case):
    p = case.fit()
    strata = np.zeros(len(case.y)) if case.strata is None else case.strata
    for stratum in np.unique(strata):
        inside = strata == stratum
        assert_array_equal(np.sort(case.y[inside]), np.sort(p.y_corrupted_[inside]))


@given(case=cases(kinds=["symmetric", "asymmetric"]))
def test_forced_kinds_change_every_selected_row(case):
    p = case.fit()
    assert_array_equal(p.corrupted_mask_, p.selected_mask_)
    if p.kind == "asymmetric":
        following = np.roll(p.classes_, -1)[np.searchsorted(p.classes_, case.y)]
        assert_array_equal(
            p.y_corrupted_[p.selected_mask_], following[p.selected_mask_]
        )


@given(case=cases(exact=True))
def test_exact_fraction_counts_units_in_total_and_in_strata(case):
    p = case.fit()
    rows = pd.DataFrame({"selected": p.selected_mask_})
    rows["unit"] = np.arange(len(case.y)) if case.groups is None else case.groups
    rows["stratum"] = 0 if case.strata is None else case.strata
    units = rows.drop_duplicates("unit")
    assert units["selected"].sum() == round(p.fraction * len(units))
    strata = units.groupby("stratum")["selected"].agg(["sum", "size"])
    assert ((strata["sum"] - p.fraction * strata["size"]).abs() < 1 + 1e-9).all()


@given(case=cases(groups=True))
def test_groups_are_corrupted_as_a_whole(case):
    p = case.fit()
    per_group = set(zip(case.groups, p.y_corrupted_, p.selected_mask_, strict=True))
    assert len(per_group) == len(np.unique(case.groups))


def test_groups_of_one_row_are_rows():
    y = np.arange(30) % 3
    p = LabelPermuter("uniform", fraction=0.5, random_state=0)
    rows = p.fit(y).y_corrupted_
    for groups in (
        list("abcdefghijklmnopqrstuvwxyzABCD"),
        [*range(15), *"0123456789abcde"],
    ):
        assert_array_equal(p.fit(y, groups=groups).y_corrupted_, rows)


def test_uniform_changes_a_fraction_p_times_one_minus_one_over_k():
    y = np.arange(40_000) % 4
    p = LabelPermuter("uniform", fraction=0.4, exact=False, random_state=0).fit(y)
    assert p.selected_mask_.sum() != 16_000
    assert_allclose(p.selected_mask_.mean(), 0.4, atol=0.01)
    assert_allclose(p.realized_rate_, 0.4 * (1 - 1 / 4), atol=0.01)


def test_exact_transitions_within_strata_of_classes_have_exact_counts():
    y, named = np.repeat(["a", "b", "c"], 20), pd.DataFrame(CYCLE)
    p = LabelPermuter("transition", fraction=0.5, transition_matrix=named)
    p.fit(y, strata=y)
    mixture = 0.5 * np.eye(3) + 0.5 * np.array(CYCLE)
    assert_array_equal(p.transition_matrix_ * 20, mixture * 20)
    p.set_params(exact=False, fraction=1.0, random_state=0).fit(y)
    assert (p.transition_matrix_ != CYCLE).any()


def test_global_random_state_is_neither_read_nor_written():
    y = np.arange(200) % 4
    np.random.seed(0)
    before = pickle.dumps(np.random.get_state())
    first = LabelPermuter().fit(y).y_corrupted_
    assert pickle.dumps(np.random.get_state()) == before
    assert (LabelPermuter().fit(y).y_corrupted_ != first).any()


def test_a_random_state_instance_is_advanced():
    y = np.arange(200) % 4
    p = LabelPermuter(random_state=np.random.RandomState(0))
    assert (p.fit(y).y_corrupted_ != p.fit(y).y_corrupted_).any()


@pytest.mark.parametrize(
    "y",
    [
        np.array(["no", "yes"] * 6),
        np.array(["no", "yes"] * 6, dtype=object),
        np.array([True, False] * 6),
        np.array([-1, 1] * 6, dtype=np.int8),
        np.array([1.0, 2.0] * 6, dtype=np.float32),
    ],
    ids=lambda y: str(y.dtype),
)
def test_arrays_keep_their_dtype(y):
    p = LabelPermuter("symmetric", random_state=0).fit(y)
    assert p.y_corrupted_.dtype == y.dtype
    assert p.classes_.dtype == y.dtype
    assert_array_equal(p.y_corrupted_, np.roll(y, 1))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["no", "yes"], "str"),
        (["no", "yes"], object),
        (["no", "yes"], "category"),
        ([True, False], bool),
        ([True, False], "boolean"),
        ([3, 4], "Int64"),
        ([3, 4], "uint8"),
    ],
)
def test_a_series_keeps_its_dtype_index_and_name(values, dtype):
    y = pd.Series(values * 6, index=list("abcdefghijkl"), name="target", dtype=dtype)
    p = LabelPermuter("symmetric", random_state=0).fit(y)
    expected = pd.Series(values[::-1] * 6, index=y.index, name="target", dtype=dtype)
    pd.testing.assert_series_equal(p.y_corrupted_, expected)
    pd.testing.assert_series_equal(p.transform(y), expected)


@pytest.mark.parametrize("dtype", [">i4", ">f8", ">U2", ">i8"])
def test_the_order_of_the_bytes_is_nothing(dtype):
    y = np.arange(12) % 3
    p = LabelPermuter(random_state=0).fit(y, strata=y % 2)
    swapped = y.astype(dtype)
    for labels in (swapped, pd.Series(swapped)):
        strata, groups = (y % 2).astype(dtype), np.arange(12).astype(dtype)
        twin = clone(p).fit(labels, strata=strata, groups=groups)
        assert_array_equal(twin.y_corrupted_, p.y_corrupted_.astype(dtype))


def test_any_real_number_is_a_fraction():
    y = np.arange(140_000) % 3
    for fraction in (np.float16(0.5), np.float32(0.5), np.uint8(1), np.int8(1)):
        p = LabelPermuter("symmetric", fraction=fraction, random_state=0).fit(y)
        assert p.realized_rate_ == fraction


def test_a_column_is_raveled_with_a_warning():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        p = LabelPermuter("asymmetric").fit(np.array([[1], [5]]))
    assert_array_equal(p.y_corrupted_, [5, 1])


@pytest.mark.parametrize("kind", ["permutation", "uniform"])
def test_a_single_class_stays_where_no_change_is_forced(kind):
    p = LabelPermuter(kind).fit(["a"] * 5)
    assert p.realized_rate_ == 0
    assert_array_equal(p.transition_matrix_, [[1]])


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((6, 2)),
        sparse.eye_array(6, format="coo"),
        pd.DataFrame({"a": list("uvwxyz"), "b": range(6)}),
        [f"text {i}" for i in range(6)],
        np.zeros((6, 2, 2)),
    ],
    ids=["array", "sparse", "frame", "texts", "images"],
)
def test_fit_resample_hands_any_rows_back(X):
    X_out, y_out = LabelPermuter("asymmetric").fit_resample(X, list("aabbcc"))
    assert X_out is X
    assert_array_equal(y_out, list("bbccaa"))


def test_fit_forgets_the_features_of_fit_resample():
    X, y = pd.DataFrame({"a": range(4)}), [0, 1, 0, 1]
    p = LabelPermuter()
    p.fit_resample(X, y)
    assert p.n_features_in_ == 1
    assert_array_equal(p.feature_names_in_, ["a"])
    p.fit(y)
    assert not hasattr(p, "n_features_in_")
    assert not hasattr(p, "feature_names_in_")


def test_transform_is_shown_after_fit_only():
    y = [0, 1, 0, 1]
    p = LabelPermuter()
    with pytest.raises(NotFittedError, match=r"not fitted yet. Call 'fit\(y\)' first"):
        p.transform(y)
    assert hasattr(p.fit(y), "transform")
    assert not hasattr(clone(p), "transform")
    p.fit_resample(np.zeros((4, 1)), y)
    with pytest.raises(AttributeError, match="fitted by 'fit_resample'"):
        p.transform(y)


def test_the_y_of_fit_is_remembered_in_a_copy():
    y = np.array([0, 1, 0, 1])
    p = LabelPermuter().fit(y)
    y[0] = 1
    with pytest.raises(ValueError, match="must be the y given to fit"):
        p.transform(y)
