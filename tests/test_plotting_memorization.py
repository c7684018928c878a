"""The displays of scores: what is in the axes is what was measured."""

import itertools

import numpy as np
import pandas as pd
import pytest
from error_cases import each, refused, wrong_data
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

import sk_memorize
from sk_memorize import InfluenceDisplay, MemorizationDisplay, memorization_scores

plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")

X, y = load_digits(return_X_y=True)
TEST = {"X_test": X[300:320], "y_test": y[300:320]}


@pytest.fixture(scope="module")
def scores():
    return memorization_scores(
        GaussianNB(), X[:300], y[:300], **TEST, n_fits=4, random_state=0
    )


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")


def test_histogram_and_loss_have_all_rows(scores):
    histogram = MemorizationDisplay.from_results(scores, by="heldout_margin")
    counts = [sum(bar.get_height() for bar in bars) for bars in histogram.artists_]
    assert histogram.ax_.get_ylim()[0] < 1  # a single row has a bar
    n_disputed = (scores.suggested_label != scores.given_label).sum()
    assert counts == [300, n_disputed]
    loss = MemorizationDisplay.from_results(scores, kind="loss", n_wrong=7.2)
    others, worst = (points.get_offsets().data for points in loss.artists_)
    assert len(others) == 293
    assert worst[:, 1].min() >= others[:, 1].max()


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (4, 4, 4)])
def test_the_worst_rows_are_images(scores, shape):
    display = MemorizationDisplay.from_results(
        scores, kind="images", X=X[:300], image_shape=shape, n_images=10
    )
    largest = np.sort(scores.memorization)[::-1][:10]
    assert (scores.memorization[display.rows_] == largest).all()
    drawn = [image.get_array().data for image in display.artists_]
    expected = X[display.rows_].reshape(-1, *drawn[0].shape) / X[display.rows_].max()
    np.testing.assert_array_equal(drawn, expected)


def test_a_test_image_stands_beside_those_it_owes_most(scores):
    images = {"X": X[:300], "X_test": TEST["X_test"], "y_test": TEST["y_test"]}
    pairs = scores.influential_pairs(min_influence=0.01)
    display = InfluenceDisplay.from_results(
        scores, **images, image_shape=(8, 8), pairs=pairs, n_influences=2
    )
    test, row = pairs.loc[0, ["test_row", "row"]].astype(int)
    assert [text.get_text() for text in display.texts_[:2]] == [
        f"test: {TEST['y_test'][test]}",
        f"{y[row]}\n{scores.influence_of(row)[test]:+.2f}",
    ]
    best = InfluenceDisplay.from_results(scores, **images, image_shape=(8, 8))
    assert best.test_rows_[0] == scores.influence_values[:, 0].argmax()


@pytest.mark.parametrize(
    ("width", "names", "shape"),
    [
        (None, [f"digit number {i}" for i in range(10)], (8, 8)),
        (None, range(10), (16, 4)),
        (3, range(10), (8, 8)),
    ],
)
def test_words_have_room_below_their_images(width, names, shape):
    labels = np.array(names)[y]
    test = {"X_test": X[300:320], "y_test": labels[300:320]}
    scores = memorization_scores(
        GaussianNB(), X[:300], labels[:300], **test, n_fits=4, random_state=0
    )
    ax = plt.subplots(figsize=(width, 4))[1] if width else None
    style = {"image_shape": shape, "ax": ax}
    displays = [InfluenceDisplay.from_results(scores, X[:300], **test, **style)]
    if not width:
        style |= {"kind": "images", "X": X[:300]}
        displays.append(MemorizationDisplay.from_results(scores, **style))
    for display in displays:
        display.figure_.canvas.draw()
        texts = [text.get_window_extent() for text in display.ax_.texts]
        images = [image.get_window_extent() for image in display.ax_.images]
        assert not any(one.overlaps(other) for one in texts for other in images)
        assert not any(one.overlaps(other) for one, other in itertools.pairwise(texts))


CASES = [
    *wrong_data(
        "MemorizationDisplay.from_results",
        ("scores", {"scores": [1]}, "'scores'", "memorization_scores", "an array"),
        ("by", {"by": "age"}, "'by'", "heldout_margin", "Got 'age'"),
        ("by-NaN", {"by": "standard_error"}, "'by'", "rows have", "Got 'standard"),
        ("n_wrong", {"n_wrong": "all"}, "'n_wrong'", "a finite number", "'all'"),
    ),
    *wrong_data(
        "MemorizationDisplay.plot",
        ("kind", {"kind": "pie"}, "'kind'", "images", "Got 'pie'"),
        ("X", {"kind": "images"}, "'X'", "images", "Got None"),
        ("X-few", {"kind": "images", "X": X[:9]}, "'X'", "300 rows", "Got 9 rows"),
        ("shape", {"kind": "images", "X": X[:300]}, "'image_shape'", "64", "Got None"),
        ("n", {"kind": "images", "n_images": 0}, "'n_images'", "at least 1", "Got 0"),
    ),
    *wrong_data(
        "InfluenceDisplay.from_results",
        ("scores", {"scores": None}, "'scores'", "memorization_scores", "Got None"),
    ),
    *wrong_data(
        "InfluenceDisplay.plot",
        ("X-more", {"X": X}, "'X'", "the 300 rows of the scores", "Got 1797 rows"),
        ("test-more", {"X_test": X, "y_test": y}, "'X_test'", "20 rows", "Got 1797"),
        ("n", {"n_test_rows": 0}, "'n_test_rows'", "at least 1", "Got 0"),
        ("pairs", {"pairs": [1]}, "'pairs'", "a DataFrame", "shape (1,)"),
        ("y", {"pairs": pd.DataFrame({"row": [1]})}, "'pairs'", "columns", "test_row"),
    ),
]


@each(CASES)
def test_no_figure_is_made(case, scores):
    display, method = case.of.split(".")
    display = getattr(sk_memorize, display)
    images = {"X": X[:300], **TEST, "image_shape": (8, 8)}
    images = images if "Infl" in case.of else {}
    if case.name == "by-NaN":
        scores = memorization_scores(GaussianNB(), X, y, n_fits=2, random_state=0)
    with refused(case):
        if method == "plot":
            display(scores).plot(**images | case.data)
        else:
            display.from_results(**{"scores": scores, **images} | case.data)
    assert not plt.get_fignums()
