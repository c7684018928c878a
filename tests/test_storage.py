"""Models as safetensors files."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_wine

from sk_memorize import MemorizingMLP
from sk_memorize._safetensors import digest

X, Y = load_wine(return_X_y=True)
HEAVY = np.random.default_rng(0).standard_cauchy((178, 4))


def network(**params):
    return MemorizingMLP(**{"width": 16, "depth": 2, "random_state": 0, **params})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The training ended")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"norm": "group", "norm_position": "after", "dropout": 0.1},
        {"norm": None, "norm_affine": True},
        {"hidden_layer_sizes": np.array([8, 16]), "width": "auto", "depth": "auto"},
        {"optimizer_params": {"betas": (0.9, 0.99)}, "lr": np.float64(0.01)},
        {"lr_scheduler_params": {"cycle_epochs": 4}, "class_weight": {0: 2, 1: 0.5}},
    ],
)
@pytest.mark.parametrize(
    "inputs",
    [X, np.hstack([X, HEAVY]), X[:, :12].reshape(-1, 3, 4)],
    ids=["wine", "heavy", "images"],
)
def test_a_file_gives_the_same_model(params, inputs, tmp_path):
    clf = network(max_epochs=20, **params).fit(inputs, Y)
    path = tmp_path / "model.safetensors"
    clf.save(path)
    again = MemorizingMLP.load(path)
    np.testing.assert_array_equal(
        again.predict_proba(inputs), clf.predict_proba(inputs)
    )
    pd.testing.assert_frame_equal(again.history_, clf.history_)
    assert again.class_weight == clf.class_weight
    assert repr(again.set_params(**clf.get_params())) == repr(clf)
    assert again.loss_curve_ == clf.loss_curve_
    for name in vars(clf):
        if name.endswith("_") and name not in ("net_", "history_", "classes_"):
            assert getattr(again, name) == getattr(clf, name)
    # It can be fitted and saved again.
    again.fit(inputs, Y).save(path)
    np.testing.assert_array_equal(
        MemorizingMLP.load(path).predict_proba(inputs), clf.predict_proba(inputs)
    )
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "names",
    [
        np.array([-1, 0, 7]),
        np.array([1.0, 5.0, 2.0]),
        np.array(["a", "bc", "ä"]),
        np.array(["a", "bc", "ä"], dtype=object),
        np.array([True, False, False]),
        np.array([1, 2, 3], dtype=np.uint8),
        np.array(["\U0001f600", "", "c" * 50], dtype="<U60"),
    ],
    ids=lambda names: names.dtype.str,
)
def test_labels_and_column_names_are_kept(names, tmp_path):
    frame = pd.DataFrame(X, columns=load_wine().feature_names)
    clf = network().fit(frame, names[Y])
    clf.save(tmp_path / "m")
    again = MemorizingMLP.load(tmp_path / "m")
    assert again.classes_.dtype == clf.classes_.dtype
    np.testing.assert_array_equal(again.predict(frame), names[Y])
    assert again.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        again.predict(frame[frame.columns[::-1]])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    network().fit(X, Y).save(path)
    return path


def refused(path):
    with pytest.raises(ValueError, match="is damaged, or no saved network: ") as caught:
        MemorizingMLP.load(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    return str(caught.value)


def test_damaged_files_are_refused(saved, tmp_path):
    content = saved.read_bytes()
    rng = np.random.default_rng(0)
    for position in [*range(8), *rng.integers(len(content), size=100)]:
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        for damage in (damaged, content[:position], content + bytes(position + 1)):
            (tmp_path / "m").write_bytes(damage)
            refused(tmp_path / "m")


def sealed(saved, path, metadata=(), tensors=(), **fields):
    """Change what a file holds, and give it the checksum of that."""
    arrays = load_file(saved)
    with safe_open(saved, framework="np") as file:
        header = file.metadata()
    model = json.loads(header["model"])
    for place, value in fields.items():
        *sections, name = place.split("__")
        section = model[sections[0]] if sections else model
        section[name] = value
    arrays |= tensors
    header |= {"model": json.dumps(model)} | dict(metadata)
    header["sha256"] = digest(header["model"], arrays)
    save_file(arrays, path, header)
    return path


CODES = np.full((3, 2), 70, dtype=np.uint32)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metadata": {"format": "pt"}}, "format is pt"),
        ({"metadata": {"format": "sk\x7fmemorize"}}, "format is sk"),
        ({"metadata": {"version": "3"}}, "version 3, not"),
        ({"metadata": {"model": "[" * 10**5}}, ""),
        ({"metadata": {"other": "x" * 2**21}}, "header has"),
        ({"params__colour": "red"}, "colour"),
        ({"params__max_epochs": -1}, "max_epochs"),
        ({"params__max_epochs": "x\n" * 10**5}, "max_epochs"),
        ({"params__callbacks": ["Checkpoint"]}, "callbacks"),
        ({"params__hidden_layer_sizes": [10**9]}, "sizes"),
        ({"params": ["lr", 0.1]}, "list"),
        ({"params__norm": "group", "params__n_groups": 3}, "divisible"),
        ({"precision": ["float32"]}, "precision"),
        ({"device": "/dev/sda"}, "device"),
        ({"tensors": {"fitted": np.full(5, 1.5)}}, "attributes"),
        ({"tensors": {"fitted": np.full(5, np.nan)}}, "fitted"),
        ({"tensors": {"fitted": np.ones(4)}}, "attributes"),
        ({"feature_names_in": ["a", "b"]}, "columns"),
        ({"feature_names_in": [*"abcdefghijkl", 3]}, "columns"),
        ({"image_shape": [13, 10**9]}, "images"),
        ({"has_objects": True}, "labels"),
        ({"tensors": {"history": np.ones(())}}, "history"),
        ({"tensors": {"history": np.ones((10, 5))}}, "history"),
        ({"tensors": {"history": np.full((10, 4), np.nan)}}, "history"),
        ({"tensors": {"classes": np.array([1, 0, 2])}}, "sorted"),
        ({"tensors": {"classes": np.array([0, 1, 1])}}, "sorted"),
        ({"tensors": {"classes": np.array([0, 1, np.nan])}}, "classes"),
        ({"tensors": {"classes": np.arange(4)}}, "classes"),
        ({"tensors": {"classes": CODES}}, "sorted"),
        ({"tensors": {"classes": CODES * 2**20}}, "text"),
        ({"tensors": {"classes": CODES.astype(np.float64)}}, "text"),
        ({"tensors": {"layers.0.bias": np.full(16, np.inf, "f4")}}, "layers.0.bias"),
        ({"tensors": {"layers.0.bias": np.zeros(16)}}, "type of layers.0.bias"),
        ({"tensors": {"layers.0.bias": np.zeros(15, "f4")}}, "layers.0.bias"),
        ({"tensors": {"layers.2.running_var": -np.ones(16, "f4")}}, "outputs"),
        ({"tensors": {"layers.9.weight": np.ones((9**5, 1), "f4")}}, "weights"),
        ({"tensors": {"center": np.zeros(13)}}, "scale"),
    ],
)
def test_what_a_stranger_writes_is_checked(changes, words, saved, tmp_path):
    assert words in refused(sealed(saved, tmp_path / "m", **changes))


def test_parameters_set_after_the_fit_are_refused_where_they_shape_layers(tmp_path):
    clf = network(max_epochs=1, target_accuracy=None).fit(X, Y)
    with pytest.raises(ValueError, match="cannot be saved, for it could not be loaded"):
        clf.set_params(norm="group").save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_without_the_library_or_other_labels_nothing_is_saved(tmp_path, monkeypatch):
    clf = network(max_epochs=1, target_accuracy=None).fit(X, Y.astype(np.longdouble))
    with pytest.raises(ValueError, match="float128"):
        clf.save(tmp_path / "m")
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="extra 'safetensors'"):
        clf.save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_a_loaded_network_goes_on(tmp_path):
    clf = network(max_epochs=2, target_accuracy=None, warm_start=True).fit(X, Y)
    clf.save(tmp_path / "m")
    again = MemorizingMLP.load(tmp_path / "m")
    loss = again.train_loss_
    assert again.fit(X, Y).train_loss_ < loss
    np.testing.assert_array_equal(
        clf.fit(X, Y).predict_proba(X), again.predict_proba(X)
    )
    streamed = MemorizingMLP.load(tmp_path / "m").partial_fit(X, Y)
    assert streamed.n_epochs_ == 1
    with pytest.raises(ValueError, match="expecting 13 features"):
        MemorizingMLP.load(tmp_path / "m").fit(X[:, 1:], Y)
