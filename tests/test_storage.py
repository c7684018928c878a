"""Models as safetensors files."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.torch import save_file
from sklearn.datasets import load_wine

from sk_memorize import MemorizingMLP

X, Y = load_wine(return_X_y=True)
HEAVY = np.random.default_rng(0).standard_cauchy((178, 4))


def network(**params):
    return MemorizingMLP(**{"width": 16, "depth": 2, "random_state": 0, **params})


@pytest.mark.filterwarnings("ignore:The training ended")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"norm": "group", "norm_position": "after", "dropout": 0.1},
        {"norm": None, "whitening_shrinkage": None},
        {"hidden_layer_sizes": np.array([8, 16]), "width": "auto", "depth": "auto"},
        {"optimizer_params": {"betas": (0.9, 0.99)}, "lr": np.float64(0.01)},
        {"lr_scheduler_params": {"cycle_epochs": 4}, "verbose": False},
    ],
)
@pytest.mark.parametrize("inputs", [X, np.hstack([X, HEAVY])], ids=["wine", "heavy"])
def test_a_file_gives_the_same_model(params, inputs, tmp_path):
    clf = network(max_epochs=20, **params).fit(inputs, Y)
    path = tmp_path / "model.safetensors"
    clf.save(path)
    again = MemorizingMLP.load(path)
    np.testing.assert_array_equal(
        again.predict_proba(inputs), clf.predict_proba(inputs)
    )
    pd.testing.assert_frame_equal(again.history_, clf.history_)
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


def test_truncated_files_are_refused(saved, tmp_path):
    content = saved.read_bytes()
    path = tmp_path / "m"
    for length in {0, 1, 7, 8, 100, len(content) // 2, len(content) - 1}:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="is damaged, or no safetensors file"):
            MemorizingMLP.load(path)


def rewrite(saved, path, change):
    with safe_open(saved, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    model = json.loads(metadata["model"])
    change(metadata, model, tensors)
    if "model" in metadata:
        metadata["model"] = json.dumps(model)
    save_file(tensors, path, metadata)


def foreign(metadata, model, tensors):
    metadata.clear()


def later(metadata, model, tensors):
    metadata["version"] = "3"


def no_version(metadata, model, tensors):
    del metadata["version"]


def no_model(metadata, model, tensors):
    del metadata["model"]


def unknown_parameter(metadata, model, tensors):
    model["params"]["colour"] = "red"


def wrong_parameter(metadata, model, tensors):
    model["params"]["max_epochs"] = -1


def missing_tensor(metadata, model, tensors):
    del tensors["layers.0.bias"]


def huge_layers(metadata, model, tensors):
    model["fitted"]["hidden_layer_sizes_"] = {"tuple": [10**6, 10**6]}


def other_classes(metadata, model, tensors):
    model["classes"]["values"].append(9)


def no_dict(metadata, model, tensors):
    model["params"] = ["lr", 0.1]


def missing_attribute(metadata, model, tensors):
    del model["fitted"]["train_accuracy_"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (foreign, "but not of a MemorizingMLP"),
        (later, "has version 3 of the format; this sk_memorize reads versions up to 2"),
        (no_version, "is damaged: its version is ''"),
        (no_model, "is damaged: KeyError: 'model'"),
        (unknown_parameter, "is damaged: .*colour"),
        (wrong_parameter, "is damaged: .*max_epochs"),
        (missing_tensor, "is damaged: .*layers.0.bias"),
        (huge_layers, "is damaged: .*fewer numbers"),
        (other_classes, "is damaged"),
        (no_dict, "is damaged: AttributeError"),
        (missing_attribute, "is damaged: .*train_accuracy_"),
    ],
)
def test_foreign_and_damaged_files_are_refused(change, words, saved, tmp_path):
    path = tmp_path / "m"
    rewrite(saved, path, change)
    with pytest.raises(ValueError, match=words):
        MemorizingMLP.load(path)


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
    with pytest.raises(ValueError, match=r"as many columns.*13"):
        MemorizingMLP.load(tmp_path / "m").fit(X[:, 1:], Y)
