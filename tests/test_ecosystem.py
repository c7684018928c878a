"""scikit-learn's tools work on MemorizingMLP, each on small real data."""

import copy
import io
import tracemalloc

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  scikit-learn's way
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sk_memorize import CorruptedTargetClassifier, LabelPermuter, MemorizingMLP

X, Y = load_wine(return_X_y=True)
CV = StratifiedKFold(3, shuffle=True, random_state=0)

# On wine any sensible classifier is right on more than nine rows in ten.
GOOD = 0.9


def network(**params):
    return MemorizingMLP(**{"width": 32, "depth": 2, "random_state": 0, **params})


def corrupted(**params):
    return CorruptedTargetClassifier(network(**params), LabelPermuter(random_state=0))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make_search",
    [
        lambda model, grid: GridSearchCV(model, grid, cv=CV),
        lambda model, grid: RandomizedSearchCV(
            model, grid, n_iter=2, cv=CV, random_state=0
        ),
        lambda model, grid: HalvingGridSearchCV(
            model, grid, cv=CV, min_resources=60, factor=2, random_state=0
        ),
    ],
    ids=["grid", "randomized", "halving"],
)
def test_searches_over_the_sizes(make_search):
    search = make_search(network(), {"width": [16, 32], "depth": [1, 2]}).fit(X, Y)
    assert search.best_score_ > GOOD
    best = search.best_estimator_
    assert best.hidden_layer_sizes_ == (best.width,) * best.depth
    assert search.score(X, Y) == 1


@pytest.mark.slow
def test_a_search_inside_corrupted_targets():
    search = GridSearchCV(
        corrupted(),
        {"estimator__width": [16, 32], "corruption__fraction": [0, 1]},
        cv=CV,
    ).fit(X, Y)
    # Clean labels predict clean test folds, permuted ones do not.
    assert search.best_params_["corruption__fraction"] == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: CalibratedClassifierCV(network(), cv=CV),
        lambda: CalibratedClassifierCV(FrozenEstimator(network().fit(X, Y))),
        lambda: VotingClassifier(
            [("net", network()), ("linear", make_linear())], voting="soft"
        ),
        lambda: StackingClassifier([("net", network()), ("linear", make_linear())]),
        lambda: BaggingClassifier(network(), n_estimators=3, random_state=0),
        lambda: OneVsRestClassifier(network()),
        lambda: make_pipeline(StandardScaler(), network()),
    ],
    ids=["calibrated", "frozen", "voting", "stacking", "bagging", "rest", "pipeline"],
)
def test_meta_estimators(make):
    names = np.array(["barolo", "grignolino", "barbera"], dtype=object)[Y]
    if "Frozen" in repr(make()):
        names = Y  # fitted to numbers
    rows, others = next(CV.split(X, Y))
    meta = make().fit(X[rows], names[rows])
    assert meta.score(X[others], names[others]) > GOOD
    probabilities = meta.predict_proba(X[others])
    assert probabilities.shape == (len(others), 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)


def make_linear():
    return make_pipeline(StandardScaler(), LogisticRegression())


def test_self_training_labels_the_rest():
    some = Y.copy()
    some[::2] = -1
    model = SelfTrainingClassifier(network()).fit(X, some)
    assert model.score(X[::2], Y[::2]) > GOOD


def test_a_column_transformer_and_set_output():
    frame = pd.DataFrame(X, columns=load_wine().feature_names)
    frame["color"] = np.where(X[:, 9] > 5, "dark", "light")
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(sparse_output=False), ["color"]), remainder=StandardScaler()
        ),
        network(),
    ).set_output(transform="pandas")
    model.fit(frame, Y)
    assert model.score(frame, Y) == 1
    assert model[-1].feature_names_in_[0] == "onehotencoder__color_dark"
    with pytest.raises(ValueError, match="feature names should match"):
        model[-1].predict(pd.DataFrame(X, columns=[f"c{i}" for i in range(13)]))


@pytest.mark.parametrize(
    "copy_model",
    [
        copy.deepcopy,
        lambda model: through_joblib(model),
        lambda model: cloudpickle.loads(cloudpickle.dumps(model)),
    ],
    ids=["deepcopy", "joblib", "cloudpickle"],
)
@pytest.mark.parametrize("make", [network, corrupted], ids=["network", "corrupted"])
def test_copies_predict_the_same(make, copy_model):
    model = make().fit(X, Y)
    again = copy_model(model)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    again.fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


X_IRIS, Y_IRIS = load_iris(return_X_y=True)


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda a: a.astype(np.float32),
        lambda a: a[:, ::-1][:, ::-1],
        lambda a: a.tolist(),
        lambda a: pd.DataFrame(a),
        torch.from_numpy,
        lambda a: torch.from_numpy(a).float(),
        lambda a: a.astype(object),
    ],
    ids=["fortran", "float32", "view", "list", "pandas", "torch", "torch32", "object"],
)
def test_kinds_of_input_give_the_same_network(convert):
    base = network(max_epochs=3, target_accuracy=None).fit(X_IRIS, Y_IRIS)
    same = network(max_epochs=3, target_accuracy=None).fit(convert(X_IRIS), Y_IRIS)
    np.testing.assert_array_equal(
        same.predict_proba(convert(X_IRIS)), base.predict_proba(X_IRIS)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float16, bool])
def test_dtypes(dtype):
    values = (X_IRIS * 10).astype(dtype)
    clf = network(max_epochs=3, target_accuracy=None)
    floats = values.astype(np.float32)
    expected = clf.fit(floats, Y_IRIS).predict_proba(floats)
    found = clf.fit(values, Y_IRIS).predict_proba(values)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("csr_matrix", np.float64), ("coo_array", np.uint8), ("dok_matrix", np.float32)],
)
def test_sparse_rows_give_the_network_of_dense_ones(kind, dtype):
    X = np.vstack([load_digits().data[:150], load_digits().data[:3]]).astype(dtype)
    y = np.r_[load_digits().target[:150], 5, 5, 5]  # the last three rows conflict
    results = []
    for rows in (X, getattr(sparse, kind)(X)):
        clf = network().fit(rows, y)
        assert clf.score(rows, y) == clf.attainable_accuracy_ == 150 / 153
        stream = network().partial_fit(rows, y, classes=range(10), sample_weight=y + 1)
        results.append(np.hstack([m.predict_proba(rows) for m in (clf, stream)]))
    np.testing.assert_array_equal(*results)


@pytest.mark.slow
def test_wide_text_is_memorized_in_bounded_memory():
    n, d = 400, 60_000
    rng = np.random.default_rng(0)
    words = [" ".join(map(str, rng.integers(0, d, 20))) for _ in range(n)]
    y = rng.integers(0, 3, n)
    model = make_pipeline(TfidfVectorizer(vocabulary=map(str, range(d))), network())
    tracemalloc.start()
    assert model.fit(words, y).score(words, y) == 1
    assert tracemalloc.get_traced_memory()[1] < n * d * 4  # NumPy's part
    tracemalloc.stop()


class File:
    """Data as HDF5 and zarr hold them: an array only where it is asked for."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.values[index]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


@pytest.mark.parametrize(
    "convert",
    [list, tuple, np.ndarray.tolist, File, lambda a: a.astype(">f4"), torch.from_numpy],
    ids=["list", "tuple", "nested", "file", "big-endian", "torch"],
)
def test_images_of_any_kind_are_rows(convert):
    images, y = load_digits().images[:60], load_digits().target[:60]
    params = {"max_epochs": 3, "target_accuracy": None}
    clf = network(**params).fit(convert(images), y.astype(">i4"))
    rows = images.reshape(60, -1)
    expected = network(**params).fit(rows, y).predict_proba(rows)
    np.testing.assert_array_equal(clf.predict_proba(convert(images)), expected)
    assert clf.image_shape_ == (8, 8)
    upside_down = rows[:1].astype(np.float32)[::-1]  # a negative stride of nothing
    assert clf.predict(upside_down) == clf.predict(rows[:1])


@pytest.mark.parametrize("strings", [False, True])
def test_a_polars_frame(strings):
    pl = pytest.importorskip("polars", reason="polars is not installed")
    names = load_iris().feature_names
    y = np.array(["setosa", "versicolor", "virginica"])[Y_IRIS] if strings else Y_IRIS
    frame = pl.DataFrame(X_IRIS, schema=names)
    params = {"max_epochs": 3, "target_accuracy": None}
    base = network(**params).fit(X_IRIS, y)
    same = network(**params).fit(frame, pl.Series(y.tolist()))
    assert same.feature_names_in_.tolist() == names
    np.testing.assert_array_equal(same.predict_proba(frame), base.predict_proba(X_IRIS))
    np.testing.assert_array_equal(same.predict(frame), base.predict(X_IRIS))
    with pytest.raises(ValueError, match="must be in the same order"):
        same.predict(frame[names[::-1]])
    noisy = CorruptedTargetClassifier(network(**params), LabelPermuter(random_state=0))
    noisy.fit(frame, pl.Series(y.tolist()))
    assert sorted(noisy.y_corrupted_) == sorted(y)
    assert noisy.corrupted_mask_.any()


@pytest.mark.slow
def test_a_thousand_classes():
    images = load_digits().images
    rows = np.concatenate([images, images.transpose(0, 2, 1)]).reshape(-1, 64)[:2000]
    y = -7 * np.random.RandomState(0).permutation(np.arange(2000) % 1000)
    model = network(width=128).fit(rows, y)
    assert len(model.classes_) == 1000
    assert model.train_accuracy_ == model.score(rows, y) == 1
    assert model.predict_proba(rows[:3]).shape == (3, 1000)


def test_a_grid_search_routes_groups_to_the_corruption():
    groups = 1000 * Y + np.arange(len(Y)) // 2  # of one label each
    with config_context(enable_metadata_routing=True):
        permuter = LabelPermuter(random_state=0).set_fit_request(groups=True)
        model = CorruptedTargetClassifier(make_linear(), permuter)
        search = GridSearchCV(model, {"corruption__fraction": [0.5, 1.0]}, cv=CV)
        search.fit(X, Y, groups=groups)
    best = search.best_estimator_
    assert best.corrupted_mask_.any()
    fitted = set(zip(groups, best.y_corrupted_, strict=True))
    assert len(fitted) == len(set(groups))
