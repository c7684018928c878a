"""Transformers that permute pixels or replace inputs by noise."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from sk_memorize import GaussianInputs, PixelRandomizer, PixelShuffler
from sk_memorize.corruption import _keyed

DIGITS, LABELS = load_digits(return_X_y=True)
RGB = np.random.RandomState(0).standard_normal((20, 4, 5, 3))

ALL = PixelShuffler, PixelRandomizer, GaussianInputs
PERMUTERS = PixelShuffler, PixelRandomizer
PER_ROW = PixelRandomizer, GaussianInputs

each_of_all = pytest.mark.parametrize("kind", ALL)
each_permuter = pytest.mark.parametrize("kind", PERMUTERS)
each_per_row = pytest.mark.parametrize("kind", PER_ROW)

numbers = st.floats(-1e6, 1e6, width=32)


def matrices(min_columns=1, elements=numbers):
    shapes = st.tuples(st.integers(1, 8), st.integers(min_columns, 12))
    return arrays(np.float32, shapes, elements=elements)


# What is kept


@each_permuter
@given(X=matrices(), seed=st.integers(0, 2**32 - 1))
def test_the_values_of_a_row_are_kept(kind, X, seed):
    moved = kind(random_state=seed).fit_transform(X)
    assert_array_equal(np.sort(moved, axis=1), np.sort(X, axis=1))


@each_permuter
@given(
    n_pixels=st.integers(1, 9),
    n_channels=st.integers(1, 4),
    channels_first=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_channels_of_a_pixel_move_together(
    kind, n_pixels, n_channels, channels_first, seed
):
    pixels = np.repeat(np.arange(n_pixels)[:, None], n_channels, axis=1)
    channels = np.repeat(np.arange(n_channels)[None], n_pixels, axis=0)
    values = pixels * 10 + channels
    row = (values.T if channels_first else values).reshape(1, -1)
    permuter = kind(
        n_channels=n_channels, channels_first=channels_first, random_state=seed
    )
    moved = permuter.fit_transform(row)
    moved = (
        moved.reshape(n_channels, n_pixels).T
        if channels_first
        else moved.reshape(n_pixels, n_channels)
    )
    assert_array_equal(moved % 10, channels)
    assert_array_equal(moved // 10, np.repeat(moved[:, :1] // 10, n_channels, axis=1))
    assert_array_equal(np.sort(moved[:, 0] // 10), np.arange(n_pixels))


# All rows alike, or each in its own way


def orders(kind, n_rows, **parameters):
    """See where the numbers from 0 to 63 of each row go; no two rows are equal."""
    X = np.tile(np.arange(64.0), (n_rows, 1)) + 100 * np.arange(n_rows)[:, None]
    moved = kind(random_state=0, **parameters).fit_transform(X)
    return (moved % 100).astype(int)


def test_one_permutation_for_all_rows():
    rows = orders(PixelShuffler, 50)
    assert len(np.unique(rows, axis=0)) == 1
    assert not np.array_equal(rows[0], np.arange(64))
    shuffler = PixelShuffler(random_state=0).fit(DIGITS)
    assert_array_equal(shuffler.permutation_, rows[0])
    assert_array_equal(shuffler.transform(DIGITS), DIGITS[:, shuffler.permutation_])


def test_every_pixel_goes_everywhere():
    # Each of the 64 x 64 counts is binomial of mean 50.
    rows = orders(PixelRandomizer, 3200)
    assert len(np.unique(rows, axis=0)) == 3200
    counts = np.stack([np.bincount(column, minlength=64) for column in rows.T])
    deviation = (counts - 50) / np.sqrt(50 * 63 / 64)
    assert abs(deviation).max() < 6
    assert_allclose(np.square(deviation).mean(), 1, atol=0.1)


@each_per_row
@given(X=matrices(), data=st.data())
def test_a_row_depends_on_its_content_alone(kind, X, data):
    randomizer = kind(random_state=0).fit(X)
    whole = randomizer.transform(X)
    picked = data.draw(st.lists(st.integers(0, len(X) - 1), min_size=1))
    assert_array_equal(randomizer.transform(X[picked]), whole[picked])
    assert_array_equal(randomizer.transform(X[:1])[0], whole[0])


@each_per_row
def test_chunks_leave_no_trace(kind):
    X = np.random.RandomState(0).standard_normal((2 * _keyed.CHUNK + 3, 3))
    X[::2] = X[::2].astype(np.float32)
    randomizer = kind(random_state=0).fit(X)
    whole = randomizer.transform(X)
    for start in (1, len(X) // 2, len(X) - 1):
        assert_array_equal(randomizer.transform(X[start:]), whole[start:])


@each_per_row
def test_any_change_of_a_row_changes_all(kind):
    X = DIGITS[[0, 0, 0]]
    X[1, 63] = np.nextafter(np.float32(X[1, 63]), np.float32(99))
    X[2, [2, 3]] = X[0, [3, 2]]
    Z = kind(random_state=0).fit(DIGITS).transform(X)
    assert ((Z[0] != Z[1:]).mean(1) > (0.4 if kind is PixelRandomizer else 0.99)).all()


@each_per_row
@given(X=matrices(elements=st.sampled_from([0.0, -0.0, 1.5, -2.0])))
def test_the_sign_of_zero_is_nothing(kind, X):
    randomizer = kind(random_state=0).fit(X)
    assert_array_equal(randomizer.transform(X), randomizer.transform(X + 0.0))


@each_per_row
@given(X=matrices(elements=st.integers(0, 255)))
def test_the_type_of_the_numbers_is_nothing(kind, X):
    randomizer = kind(random_state=0).fit(X)
    expected = randomizer.transform(X)
    for dtype in (np.float64, np.uint8, np.int64, ">f4", object):
        assert_allclose(randomizer.transform(X.astype(dtype)), expected, rtol=1e-6)


@each_per_row
@pytest.mark.parametrize("scale", [1, 1e-9, 1e-170, 1e160, 1e300])
def test_rows_that_differ_in_float64_only(kind, scale):
    X = (scale == 1e-9) + np.arange(1, 65)[:, None] * np.tile([0, scale], 32)
    Z = kind(random_state=0).fit_transform(X)
    assert len(np.unique(Z if kind is GaussianInputs else X[0, 0] == Z, axis=0)) == 64


@pytest.mark.parametrize("per_feature", [False, True])
@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(-1e160, "f8"), (1e307, "f8"), (1e-170, "f8"), (4e3, "f2"), (1e30, "f4")],
)
def test_noise_of_any_magnitude(scale, dtype, per_feature):
    noise = GaussianInputs(per_feature=per_feature, random_state=0)
    Z = noise.fit_transform((DIGITS * scale).astype(dtype)).astype(float) / scale
    usual = GaussianInputs(per_feature=per_feature, random_state=0).fit(DIGITS)
    assert np.isfinite(Z).all()
    assert_allclose(noise.mean_ / scale, usual.mean_, rtol=1e-3)
    assert_allclose(noise.std_ / abs(scale), usual.std_, rtol=1e-3)
    assert_allclose(Z.mean(), usual.mean_.mean(), rtol=0.05)


# Noise


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool])
def test_mean_and_variance(dtype):
    X = (DIGITS > 7 if dtype is bool else DIGITS).astype(dtype)
    for per_feature, axis in [(False, None), (True, 0)]:
        noise = GaussianInputs(per_feature=per_feature, random_state=0).fit(X)
        assert_allclose(noise.mean_, X.mean(axis, dtype=float), rtol=1e-12)
        assert_allclose(noise.var_, X.astype(float).var(axis), rtol=1e-10, atol=1e-30)
        Z = noise.transform(X).astype(float)
        n = Z.size if axis is None else len(Z)
        # Six standard errors.
        mean = np.abs(Z.mean(axis) - noise.mean_)
        assert (mean <= 6 * np.sqrt(noise.var_ / n) + 1e-12).all()
        error = np.abs(Z.var(axis) - noise.var_)
        assert (error <= 6 * noise.var_ * np.sqrt(2 / n) + 1e-12).all()


def test_noise_is_normal_and_independent():
    noise = GaussianInputs(random_state=0).fit(DIGITS)
    z = (noise.transform(DIGITS) - noise.mean_) / np.sqrt(noise.var_)
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.001
    for matrix in (z, z.T[:, :500]):  # between columns, between rows
        correlation = np.corrcoef(matrix, rowvar=False)
        np.fill_diagonal(correlation, 0)
        assert np.abs(correlation).max() < 6 / np.sqrt(len(matrix))
    # Nor does the noise tell anything about its row.
    product = np.einsum("ij,ij->j", z, DIGITS - DIGITS.mean(0)) / len(z)
    assert (np.abs(product) <= 6 * DIGITS.std(0) / np.sqrt(len(z))).all()


def test_large_offsets_keep_the_variance():
    X = 1e6 + DIGITS.astype(np.float32)
    noise = GaussianInputs().fit(X)
    assert_allclose(noise.var_, X.astype(float).var(), rtol=1e-9)


def test_constant_features():
    noise = GaussianInputs(per_feature=True, random_state=0).fit(DIGITS)
    assert_array_equal(noise.transform(DIGITS)[:, 0], 0)
    assert_array_equal(GaussianInputs().fit_transform(np.full((9, 3), 0.7)), 0.7)


# Seeds


@each_of_all
def test_the_seed_decides(kind):
    def result(seed):
        return kind(random_state=seed).fit(DIGITS).transform(DIGITS)

    assert_array_equal(result(0), result(0))
    assert_array_equal(result(0), result(np.random.RandomState(0)))
    assert (result(0) != result(1)).mean() > 0.4
    assert (result(None) != result(None)).mean() > 0.4


@each_of_all
def test_an_instance_is_drawn_from_again_by_each_fit(kind):
    rng = np.random.RandomState(0)
    first, second = (kind(random_state=rng).fit_transform(DIGITS) for _ in range(2))
    assert (first != second).mean() > 0.4


@each_of_all
@pytest.mark.parametrize("seed", [None, 0])
def test_the_global_generator_is_left_alone(kind, seed):
    before = np.random.get_state()
    kind(random_state=seed).fit(DIGITS).transform(DIGITS)
    for was, now in zip(before, np.random.get_state(), strict=True):
        assert_array_equal(was, now)


@each_permuter
def test_the_data_do_not_decide(kind):
    one, other = (kind(random_state=0).fit(X) for X in (DIGITS, DIGITS[:7] + 1))
    assert_array_equal(one.transform(DIGITS), other.transform(DIGITS))


@each_of_all
def test_the_input_is_not_changed(kind):
    X = DIGITS.copy()
    X.flags.writeable = False
    Z = kind(random_state=0).fit_transform(X)
    assert not np.shares_memory(Z, X)


# Rows, images, tables


@each_of_all
@pytest.mark.parametrize("convert", [np.asarray, np.asfortranarray, torch.asarray])
def test_images_are_rows(kind, convert):
    rows = DIGITS.astype(np.float32)
    expected = kind(random_state=0).fit(rows).transform(rows)
    for shape in [(8, 8), (8, 8, 1), (4, 16)]:
        images = convert(rows.reshape(-1, *shape))
        fitted = kind(random_state=0).fit(images)
        assert fitted.image_shape_ == shape
        assert fitted.n_features_in_ == 64
        moved = fitted.transform(images)
        assert moved.shape == images.shape
        assert moved.dtype == np.float32
        assert_array_equal(moved.reshape(-1, 64), expected)
        assert_array_equal(fitted.transform(rows), expected)
    flat = fitted.fit(rows)
    assert not hasattr(flat, "image_shape_")
    assert_array_equal(flat.transform(images).reshape(-1, 64), expected)


@each_permuter
@pytest.mark.parametrize("channels_first", [False, True])
def test_colored_images_are_rows(kind, channels_first):
    images = RGB.transpose(0, 3, 1, 2) if channels_first else RGB
    permuter = kind(n_channels=3, channels_first=channels_first, random_state=0)
    rows = images.reshape(len(images), -1)
    expected = permuter.fit_transform(rows)
    assert_array_equal(permuter.fit_transform(images), expected.reshape(images.shape))


@pytest.mark.parametrize(
    ("given", "expected"), [("f2", "f2"), ("f4", "f4"), ("u1", "f8"), ("?", "f8")]
)
def test_noise_is_floating(given, expected):
    assert GaussianInputs().fit_transform(DIGITS.astype(given)).dtype == expected


@each_of_all
def test_data_frames(kind):
    frame = pd.DataFrame(DIGITS).add_prefix("pixel_").set_index(LABELS)
    randomizer = kind(random_state=0).fit(frame)
    expected = kind(random_state=0).fit_transform(DIGITS)
    assert_array_equal(randomizer.transform(frame), expected)
    assert_array_equal(randomizer.feature_names_in_, frame.columns)
    assert_array_equal(randomizer.get_feature_names_out(), frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        randomizer.transform(frame.add_prefix("a"))
    randomizer.set_output(transform="pandas")
    pd.testing.assert_frame_equal(
        randomizer.transform(frame),
        pd.DataFrame(expected, index=frame.index, columns=frame.columns),
    )


# With classifiers


@pytest.mark.parametrize(
    ("kind", "limit"), [(PixelRandomizer, 0.35), (GaussianInputs, 0.15)]
)
def test_randomized_inputs_are_memorized_only(kind, limit):
    clf = make_pipeline(kind(random_state=0), KNeighborsClassifier(1))
    scores = cross_validate(clf, DIGITS, LABELS, cv=3, return_train_score=True)
    assert_array_equal(scores["train_score"], 1)
    assert (scores["test_score"] < limit).all()
