"""The networks, the images and the sweep of the script about the paper's Table 1."""

import math

import numpy as np
import paper_table
import pytest
from _tools.common import Data
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sk_memorize import load_dataset

COUNTS = {"1x512": 1_209_866, "3x512": 1_735_178}


@pytest.fixture
def args():
    return paper_table.PARSER.parse_args([])


@pytest.fixture
def color_images():
    rng = np.random.default_rng(0)
    X = rng.random((40, 32 * 32 * 3), dtype=np.float32)
    y = np.arange(40) % 10
    return Data("noise", "noise", X, y, X, y, n_channels=3)


def cell(**values):
    made_up = {"setting": "paper", "model": "1x512", "labels": "true"}
    return {**made_up, "regularizer": "none", "seed": 0, **values}


@pytest.mark.parametrize("model", COUNTS)
def test_the_networks_have_as_many_parameters_as_the_papers(model, args, color_images):
    args.max_epochs = 1
    found = paper_table.measure(args, color_images, cell(model=model))
    assert found["parameters"] == COUNTS[model]


def test_images_are_cropped_to_their_center(color_images):
    X = color_images.X_train
    images = X.reshape(40, 32, 32, 3)
    cropped = paper_table.crop_center(X, 3).reshape(40, 28, 28, 3)
    np.testing.assert_array_equal(cropped, images[:, 2:30, 2:30])
    gray = np.arange(2 * 900).reshape(2, 900)
    cropped = paper_table.crop_center(gray, 1).reshape(2, 28, 28)
    np.testing.assert_array_equal(cropped, gray.reshape(2, 30, 30)[:, 1:29, 1:29])


@pytest.mark.parametrize("n_pixels", [64, 784])
def test_small_images_stay_as_they_are(n_pixels):
    X = np.random.default_rng(0).random((3, n_pixels))
    np.testing.assert_array_equal(paper_table.crop_center(X, 1), X)


@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-5, 5))
def test_each_image_is_whitened_by_itself(seed, scale, shift):
    X = np.random.default_rng(seed).normal(size=(3, 64))
    X = (X / X.std(axis=1, keepdims=True)).clip(-3, 3)
    white = paper_table.whiten_images(scale * X * [[1], [2], [3]] + shift)
    # Above the least deviation, 1/8 here.
    if scale > 0.2:
        np.testing.assert_allclose(white.mean(axis=1), 0, atol=1e-5)
        np.testing.assert_allclose(white.std(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(white, paper_table.whiten_images(X), atol=1e-4)
    one = paper_table.whiten_images(scale * X[:1] + shift)
    np.testing.assert_array_equal(white[:1], one)


def test_the_deviation_of_flat_images_is_adjusted():
    rng = np.random.default_rng(0)
    faint = 0.5 + 1e-3 * rng.normal(size=(1, 784))
    expected = (faint - faint.mean()) * math.sqrt(784)
    np.testing.assert_allclose(paper_table.whiten_images(faint), expected, atol=1e-6)
    flat = paper_table.whiten_images(np.full((2, 784), 0.5, dtype=np.float32))
    np.testing.assert_array_equal(flat, 0)
    assert flat.dtype == np.float32


@pytest.mark.parametrize(
    ("n_rows", "batch_size"),
    [(50_000, 128), (60_000, 128), (10_000, 32), (5_000, 16), (1437, 16), (20, 16)],
)
def test_fewer_rows_come_in_smaller_batches(n_rows, batch_size):
    assert paper_table.choose_batch_size(n_rows) == batch_size


@pytest.mark.filterwarnings("ignore:The training ended after 3 epochs")
@pytest.mark.parametrize("labels", ["true", "random"])
def test_the_papers_setting_is_the_papers(labels, args):
    bunch = load_dataset("digits")
    X, y = bunch.X_train[:200], bunch.y_train[:200]
    args.max_epochs = 3
    data = Data("digits", "digits", X, y, X, y)
    params = cell(model="3x512", labels=labels, regularizer="weight decay")
    model = paper_table.make_model(args, data, params).fit(X, y)
    network = model[-1]
    kinds = [type(layer) for layer in network.net_.module_.layers]
    hidden = [type(network.net_.module_.first_layer), nn.ReLU]
    assert kinds == [*hidden * 3, hidden[0]]
    group = network.net_.optimizer_.param_groups[0]
    assert type(network.net_.optimizer_).__name__ == "SGD"
    assert (group["momentum"], group["nesterov"]) == (0.9, False)
    assert group["weight_decay"] == 5e-4
    np.testing.assert_allclose(network.history_["lr"], [0.01, 0.0095, 0.009025])
    assert network.precision_ == "float32"
    assert network.batch_size_ == 16
    white = paper_table.whiten_images(X)
    np.testing.assert_allclose(model[:-1].transform(X), white)


def test_true_labels_are_trained_to_the_end_and_random_ones_until_fitted(
    args, monkeypatch
):
    bunch = load_dataset("digits")
    X, y = bunch.X_train[:40], bunch.y_train[:40]
    data = Data("digits", "digits", X, y, bunch.X_test, bunch.y_test)
    args.max_epochs = 60
    monkeypatch.setattr(paper_table, "choose_batch_size", lambda n_rows: 2)
    true = paper_table.measure(args, data, cell(model="3x512"))
    assert (true["epochs"], true["train_accuracy"]) == (60, 1.0)
    random = paper_table.measure(args, data, cell(model="3x512", labels="random"))
    assert random["epochs"] < 60
    assert random["train_accuracy"] == 1.0
    assert random["test_accuracy"] < 0.3 < true["test_accuracy"]
