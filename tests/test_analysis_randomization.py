"""The randomization test: its statistics, its p-values, and how it goes on."""

import os
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneGroupOut,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    permutation_test_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sk_memorize import (
    CorruptedTargetClassifier,
    MemorizingMLP,
    RandomizationTestDisplay,
    randomization_test,
)
from sk_memorize.analysis._permuted_fits import _count_epochs
from sk_memorize.analysis._randomization import RandomizationTest, _p_values

IRIS, SPECIES = load_iris(return_X_y=True)
DIGITS, DIGIT_LABELS = (array[:200] for array in load_digits(return_X_y=True))
NOISE = np.random.RandomState(0).randint(3, size=len(IRIS))


def run(estimator=None, X=IRIS, y=SPECIES, **params):
    params = {"n_permutations": 5, "cv": 3, "random_state": 0, **params}
    return randomization_test(estimator or GaussianNB(), X, y, **params)


def assert_same(test, other, rows=slice(None)):
    # In a result that is read again the seconds are those of the first time.
    one, two = (t.table.drop(columns="seconds").iloc[rows] for t in (test, other))
    pd.testing.assert_frame_equal(one, two)


# The statistics


@pytest.mark.parametrize(
    "cv",
    [
        None,
        StratifiedKFold(5, shuffle=True, random_state=3),
        ShuffleSplit(4, random_state=1),
        [(np.arange(0, 150, 2), np.arange(1, 150, 2))],
    ],
    ids=["None", "shuffled", "ShuffleSplit", "list"],
)
@pytest.mark.parametrize("y", [SPECIES, NOISE], ids=["species", "noise"])
def test_the_accuracy_is_that_of_permutation_test_score(cv, y):
    # Its only permutation is another one, but the convention is the same.
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    expected, *_ = permutation_test_score(tree, IRIS, y, cv=cv, n_permutations=1)
    test = run(tree, y=y, cv=cv, n_permutations=1)
    assert test.table.loc[0, "cv_accuracy"] == expected
    assert test.table.loc[0, "cv_accuracy_true"] == expected
    assert test.table.loc[0, "train_accuracy"] == tree.fit(IRIS, y).score(IRIS, y)


@pytest.mark.parametrize(("n", "p_value"), [(1, 1 / 2), (19, 1 / 20)])
def test_signal_has_the_least_p_value(n, p_value):
    test = run(n_permutations=n)
    assert test.p_values["cv_accuracy"] == test.p_values["train_accuracy"] == p_value
    assert test.n_permutations == n
    assert len(test.table) == n + 1
    assert test.table.index.name == "permutation"
    assert (test.table["cv_accuracy"].iloc[1:] < 0.6).all()
    assert f"p = {p_value:.3g}" in test.summary()
    assert f"{n} permutations of 150 labels" in repr(test)


def test_what_memorizes_all_fits_permuted_labels_as_well():
    test = run(DecisionTreeClassifier(), DIGITS, DIGIT_LABELS, n_permutations=9)
    assert (test.table["train_accuracy"] == 1).all()
    assert test.p_values["train_accuracy"] == 1
    assert test.p_values["cv_accuracy"] == 0.1


def test_the_p_value_of_noise_is_as_small_as_it_says_and_no_more_often():
    rng = np.random.RandomState(0)
    n_small = 0
    for seed in range(30):
        X, y = rng.standard_normal((24, 2)), rng.permutation(np.repeat([0, 1], 12))
        test = run(X=X, y=y, cv=2, n_permutations=4, random_state=seed)
        n_small += test.p_values["cv_accuracy"] <= 0.2
    assert stats.binomtest(n_small, 30, 0.2, alternative="greater").pvalue > 0.01


def table_of(**columns):
    columns = {name: [0.5] * 4 for name in ("cv_accuracy", "train_accuracy")} | columns
    table = pd.DataFrame({"epochs": [1, 2, 2, 3], "seconds": [1.0] * 4} | columns)
    return table.astype({"epochs": "Int64"})


def test_p_values_count_what_is_at_least_as_good():
    p_values = _p_values(table_of(cv_accuracy=[0.7, 0.6, 0.7, 0.8]))
    # None for the seconds, which are not exchangeable.
    assert p_values == {"cv_accuracy": 3 / 4, "train_accuracy": 1, "epochs": 1 / 4}
    assert _p_values(table_of(epochs=[5, 1, 5, 9]))["epochs"] == 3 / 4


def test_means_that_differ_by_rounding_are_equal():
    folds = [0.1, 0.2, 0.3]
    values = [np.mean(folds), np.mean(folds[::-1]), sum(folds) / 3 - 1e-16, 0.1]
    assert _p_values(table_of(cv_accuracy=values))["cv_accuracy"] == 3 / 4


def test_against_the_given_labels_the_accuracy_is_another():
    test = run(KNeighborsClassifier(1), n_permutations=6)
    given, permuted = test.table.iloc[0], test.table.iloc[1:]
    assert given["cv_accuracy"] == given["cv_accuracy_true"]
    assert (permuted["cv_accuracy"] != permuted["cv_accuracy_true"]).mean() > 0.5


def test_the_epochs_are_those_of_the_fit():
    clf = MLPClassifier((5,), solver="lbfgs", max_iter=2000, random_state=0)
    table = run(clf, n_permutations=2).table
    assert table.loc[0, "epochs"] == clf.fit(IRIS, SPECIES).n_iter_
    within = make_pipeline(StandardScaler(), CorruptedTargetClassifier(clf))
    assert _count_epochs(within.fit(IRIS, SPECIES)) == within[-1].estimator_.n_iter_
    net = MemorizingMLP(width=8, random_state=0, max_epochs=4, target_accuracy=None)
    table = run(net, IRIS[::3], SPECIES[::3], n_permutations=1, cv=2).table
    assert table["epochs"].tolist() == [4, 4]
    linear = LogisticRegression(max_iter=1000).fit(IRIS, SPECIES)
    assert _count_epochs(linear) == linear.n_iter_.max()


def test_who_does_not_tell_the_epochs_has_no_p_value_for_them():
    test = run()
    assert test.table["epochs"].isna().all()
    assert list(test.p_values) == ["cv_accuracy", "train_accuracy"]
    assert "epochs" not in test.summary()
    assert set(test.alternatives.values()) == {"higher"}


@pytest.mark.parametrize(
    "convert",
    [pd.DataFrame, sparse.csc_array, np.ndarray.tolist],
    ids=["frame", "csc", "list"],
)
def test_all_kinds_of_rows_and_labels(convert):
    clf = DecisionTreeClassifier(random_state=0)
    names = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
    expected = run(clf)
    assert_same(run(clf, convert(IRIS), names), expected)
    assert_same(
        run(clf, convert(IRIS), pd.Series(names, index=range(9, 159))), expected
    )


# Groups


class Watching(ClassifierMixin, BaseEstimator):
    """A classifier that sees groups, in the first column, taken apart."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.groups_ = set(X[:, 0])
        for group in self.groups_:
            assert len(set(y[X[:, 0] == group])) == 1
        return self

    def predict(self, X):
        groups = set(X[:, 0])
        assert groups == self.groups_ or groups.isdisjoint(self.groups_)
        return self.classes_[X[:, 0].astype(int) % len(self.classes_)]


@pytest.mark.parametrize("cv", [None, 3, GroupKFold(4), LeaveOneGroupOut()], ids=str)
def test_groups_are_permuted_and_left_out_as_a_whole(cv):
    groups = np.repeat(np.arange(12), 5)
    y = np.repeat([0, 1, 1, 0, 2, 2, 1, 0, 2, 0, 1, 2], 5)
    order = np.random.RandomState(0).permutation(60)
    X = np.column_stack([groups, y])[order]
    test = run(Watching(), X, y[order], groups=groups[order], cv=cv, n_permutations=9)
    assert test.n_units == 12
    assert len(set(test.table["cv_accuracy"])) > 1


def test_a_training_fold_of_one_class_needs_no_classifier():
    y = np.repeat([0, 1], [4, 4])
    X = np.arange(8.0)[:, None]
    cv = [(np.arange(4), np.arange(4, 8)), (np.arange(4, 8), np.arange(4))]
    test = run(LogisticRegression(), X, y, cv=cv, n_permutations=3)
    assert test.table.loc[0, "cv_accuracy"] == 0
    assert test.table.loc[0, "train_accuracy"] == 1


def test_folds_that_permuted_groups_leave_empty_do_not_count():
    groups = np.repeat(np.arange(5), [7, 8, 9, 17, 6])
    rows, given = IRIS[: len(groups)], np.array([0, 1, 0, 1, 0])[groups]
    test = run(X=rows, y=given, groups=groups, cv=None, n_permutations=9)
    assert test.table.notna().drop(columns="epochs").all(axis=None)
    folds = [(np.arange(0, 150, 2), np.arange(1, 150, 2)), (np.arange(150), [])]
    assert_same(run(cv=folds), run(cv=folds[:1]))


# Seeds


def test_one_seed_decides_whatever_the_number_of_processes():
    tree = DecisionTreeClassifier(splitter="random")
    cv = StratifiedKFold(3, shuffle=True)
    state = np.random.get_state()[1].copy()
    one = run(tree, cv=cv, random_state=4)
    # More permutations begin with the same ones.
    two = run(tree, cv=cv, random_state=4, n_jobs=2, n_permutations=7)
    assert_same(two, one, slice(0, 6))
    fresh = [run(tree, cv=cv, random_state=None).table for _ in range(2)]
    assert not fresh[0]["cv_accuracy"].equals(fresh[1]["cv_accuracy"])
    assert np.array_equal(state, np.random.get_state()[1])
    assert cv.random_state is None
    assert tree.random_state is None


def test_the_generator_of_the_folds_is_not_advanced(tmp_path):
    rng = np.random.RandomState(0)
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=rng)
    path = tmp_path / "test.jsonl"
    run(cv=cv, checkpoint=path, n_permutations=2)
    assert_same(run(cv=cv, checkpoint=path), run(cv=cv))
    assert rng.rand() == np.random.RandomState(0).rand()


# Warnings


def test_the_warnings_of_the_given_labels_are_shown():
    class Slow(GaussianNB):
        def fit(self, X, y):
            kind = "given" if np.array_equal(y, SPECIES) else "other"
            warnings.warn(kind, ConvergenceWarning, stacklevel=2)
            return super().fit(X, y)

    with pytest.warns(ConvergenceWarning) as caught:
        run(Slow())
    # Those of the training folds, which are not all the labels, are shown as well.
    assert [str(warning.message) for warning in caught].count("given") == 1
    assert len(caught) == 3 + 1


# Going on


class Breaking(GaussianNB):
    """A classifier that breaks at some fit, and counts the fits."""

    n_fits, last = 0, np.inf

    def fit(self, X, y):
        Breaking.n_fits += 1
        if Breaking.n_fits > Breaking.last:
            raise KeyboardInterrupt
        return super().fit(X, y)


@pytest.fixture
def breaking():
    Breaking.n_fits, Breaking.last = 0, np.inf
    yield Breaking
    Breaking.n_fits, Breaking.last = 0, np.inf


@pytest.mark.parametrize(("last", "seed"), [(0, 0), (3, 0), (4, None), (18, 0)])
def test_a_test_that_was_broken_off_goes_on(tmp_path, breaking, last, seed):
    path = tmp_path / "test.jsonl"
    breaking.last = last
    with pytest.raises(KeyboardInterrupt):
        run(Breaking(), checkpoint=path, random_state=seed)
    breaking.n_fits, breaking.last = 0, np.inf
    resumed = run(Breaking(), checkpoint=path, random_state=seed)
    # Four fits each: the given labels and five permutations.
    assert breaking.n_fits == 24 - last // 4 * 4
    breaking.n_fits = 0
    again = run(Breaking(), checkpoint=path, random_state=seed, n_jobs=2)
    pd.testing.assert_frame_equal(again.table, resumed.table)
    assert again.p_values == resumed.p_values
    assert breaking.n_fits == 0
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if seed == 0:
        assert_same(resumed, run(Breaking()))


def test_a_checkpoint_takes_more_permutations(tmp_path, breaking):
    path = tmp_path / "test.jsonl"
    first = run(Breaking(), checkpoint=path)
    more = run(Breaking(), checkpoint=os.fspath(path), n_permutations=7)
    assert breaking.n_fits == 4 * 8
    pd.testing.assert_frame_equal(more.table.iloc[:6], first.table)
    fewer = run(Breaking(), checkpoint=path, n_permutations=2)
    pd.testing.assert_frame_equal(more.table.iloc[:3], fewer.table)
    assert breaking.n_fits == 4 * 8


OTHER_X = IRIS.copy()
OTHER_X[77, 2] += 1e-9
GROUPS = np.arange(len(IRIS))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"estimator": GaussianNB(priors=np.ones(3) / 3)}, "estimator"),
        ({"X": OTHER_X}, "X"),
        ({"X": IRIS.astype(np.float32)}, "X"),
        ({"y": SPECIES[::-1].copy()}, "y"),
        ({"groups": GROUPS, "cv": StratifiedKFold(3)}, "groups"),
        ({"cv": [(GROUPS[::2], GROUPS[1::2])]}, "cv"),
        ({"random_state": None}, "random_state"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_checkpoint_is_refused(tmp_path, change, name, monkeypatch):
    path = tmp_path / "test.jsonl"
    run(checkpoint=path)
    before = path.read_bytes()
    monkeypatch.setattr("sk_memorize.analysis._permuted_fits._measure", None)
    with (
        warnings.catch_warnings(),
        pytest.raises(ValueError, match=f"records of another run: .*'{name}' is"),
    ):
        warnings.filterwarnings("ignore", "The groups parameter is ignored")
        run(**change, checkpoint=path)
    assert path.read_bytes() == before


def test_a_checkpoint_goes_on_after_a_broken_last_line(tmp_path, breaking):
    path = tmp_path / "test.jsonl"
    expected = run(Breaking(), checkpoint=path)
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    breaking.n_fits = 0
    assert_same(run(Breaking(), checkpoint=path), expected)
    assert breaking.n_fits == 4
    path.write_bytes(content.replace(b"{", b"!", 5))
    with pytest.raises(ValueError, match="damaged in line"):
        run(Breaking(), checkpoint=path)


# The display


def test_the_display_shows_all_permutations_and_the_given_labels():
    import matplotlib.pyplot as plt

    statistic = "train_accuracy"
    test = run(n_permutations=12)
    _, axes = plt.subplots()
    display = RandomizationTestDisplay.from_results(test, statistic=statistic, ax=axes)
    assert display.ax_ is axes
    assert display.figure_ is axes.figure
    assert sum(bar.get_height() for bar in display.bars_) == 12
    values = test.table[statistic]
    assert display.line_.get_xdata()[0] == values[0]
    left = min(bar.get_x() for bar in display.bars_)
    right = max(bar.get_x() + bar.get_width() for bar in display.bars_)
    assert left - 1e-9 <= values[1:].min() <= values[1:].max() <= right + 1e-9
    assert f"p = {test.p_values[statistic]:.3g}" in axes.get_title()


def test_the_display_makes_the_test(tmp_path):
    params = {"n_permutations": 4, "cv": 3, "random_state": 0}
    path = tmp_path / "test.jsonl"
    display = RandomizationTestDisplay.from_estimator(
        GaussianNB(), IRIS, SPECIES, **params, checkpoint=path, bins=7
    )
    assert len(display.bars_) == 7
    assert_same(display.result, run(**params))
    assert path.exists()
    assert display.plot().ax_ is not display.plot().ax_


@pytest.mark.parametrize(("permuted", "n_bins"), [([1.0] * 9, 1), ([3, 3, 4, 5, 5], 3)])
def test_bins_of_few_values(permuted, n_bins):
    table = pd.DataFrame({"epochs": [2.0, *permuted]})
    test = RandomizationTest(table, {"epochs": 0.1}, 9)
    display = RandomizationTestDisplay.from_results(test, statistic="epochs")
    heights = [bar.get_height() for bar in display.bars_]
    assert heights == [permuted.count(value) for value in sorted(set(permuted))]
    assert len(heights) == n_bins
