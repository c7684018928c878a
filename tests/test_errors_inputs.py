"""What PixelShuffler, PixelRandomizer and GaussianInputs refuse, and what they say."""

import numpy as np
import pandas as pd
from error_cases import each, refused, wrong_data, wrong_parameters
from scipy import sparse
from sklearn.exceptions import NotFittedError

import sk_memorize

X = np.arange(24.0).reshape(4, 6)
NAMED = pd.DataFrame(X, columns=list("abcdef"))
RGB = np.zeros((4, 5, 5, 3))

PERMUTERS = "PixelShuffler", "PixelRandomizer"
ALL = *PERMUTERS, "GaussianInputs"

PARAMETERS = [
    *(
        case
        for name in ALL
        for seed in [f"'random_state' parameter of {name}"]
        for case in wrong_parameters(
            f"{name}.fit",
            ("seed-str", {"random_state": "x"}, seed, "an int in the range", "Got 'x'"),
            ("seed-low", {"random_state": -1}, seed, "an int in the range", "Got -1"),
            ("seed-float", {"random_state": 0.5}, seed, "an int in", "Got 0.5"),
            (
                "seed-new",
                {"random_state": np.random.default_rng(0)},
                *(seed, "RandomState", "Generator(PCG64)"),
            ),
        )
    ),
    *(
        case
        for name in PERMUTERS
        for channels in [f"'n_channels' parameter of {name}"]
        for first in [f"'channels_first' parameter of {name}"]
        for case in wrong_parameters(
            f"{name}.fit",
            ("channels-0", {"n_channels": 0}, channels, "[1, inf)", "Got 0"),
            ("channels-float", {"n_channels": 3.0}, channels, "an int", "Got 3.0"),
            ("channels-None", {"n_channels": None}, channels, "an int", "Got None"),
            (
                "channels-4",
                {"n_channels": 4},
                *(channels, "divide the number of features", "Got 4 for 6 features"),
            ),
            (
                "first-str",
                {"channels_first": "no"},
                *(first, "'bool'", "Got 'no'"),
            ),
            ("first-int", {"channels_first": 1}, first, "'bool'", "Got 1"),
        )
    ),
    *wrong_parameters(
        "GaussianInputs.fit",
        *(
            (
                f"per_feature-{value!r}",
                {"per_feature": value},
                *("'per_feature' parameter of GaussianInputs", "'bool'"),
                f"Got {value!r}",
            )
            for value in (None, 1, "yes")
        ),
    ),
]

# Channels that are not where the parameters say

CHANNELS = [
    case
    for name in PERMUTERS
    for words in [(f"'n_channels' parameter of {name}", "number of channels")]
    for case in [
        *wrong_data(
            f"{name}.fit",
            ("rgb", {"X": RGB}, *words, "Got 1", "images of shape (5, 5, 3)"),
        ),
        *wrong_data(
            f"{name}.fit",
            ("gray", {"X": RGB[..., 0]}, *words, "Got 3", "images of shape (5, 5)"),
            ("planes", {"X": RGB.swapaxes(1, 3)}, *words, "channels_first=False"),
            n_channels=3,
        ),
        *wrong_data(
            f"{name}.fit",
            ("no-planes", {"X": RGB}, *words, "channels_first=True", "Got 3"),
            n_channels=3,
            channels_first=True,
        ),
    ]
]

DATA = [
    case
    for name in ALL
    for what in [f"'X' parameter of {name}"]
    for case in [
        *wrong_data(
            f"{name}.fit",
            ("X-None", {"X": None}, "Expected 2D array, got scalar", "None"),
            ("X-str", {"X": "abc"}, "Expected 2D array, got scalar", "abc"),
            ("X-1d", {"X": X[0]}, "Expected 2D array, got 1D array"),
            ("X-5d", {"X": RGB[None]}, what, "two or three axes", "(1, 4, 5, 5, 3)"),
            ("X-empty", {"X": X[:0]}, "0 sample(s)", f"required by {name}"),
            ("X-no-columns", {"X": X[:, :0]}, "0 feature(s)", f"required by {name}"),
            ("X-no-pixels", {"X": X[:, :0, None]}, what, "not empty", "(4, 0, 1)"),
            ("X-nan", {"X": X * np.nan}, "Input X", "NaN", name),
            ("X-infinite", {"X": X + np.inf}, "Input X", "infinity"),
            ("X-words", {"X": X.astype(str)}, "dtype='numeric'", "not compatible"),
            ("X-complex", {"X": X * 1j}, "Complex data not supported"),
            ("X-dates", {"X": X.astype("M8[s]")}, what, "real numbers", "datetime64"),
        ),
        *wrong_data(
            f"{name}.fit",
            ("X-sparse", {"X": sparse.csr_array(X)}, "Sparse", "toarray()"),
            (
                "X-names",
                {"X": NAMED.rename(columns={"a": 1})},
                *("Feature names", "all input features have string names"),
            ),
            error=TypeError,
        ),
    ]
]


@each(PARAMETERS + CHANNELS + DATA)
def test_nothing_is_drawn_and_kept(case):
    rng = np.random.RandomState(0)
    name = case.of.partition(".")[0]
    randomizer = getattr(sk_memorize, name)(**({"random_state": rng} | case.params))
    before = vars(randomizer).copy()
    with refused(case):
        randomizer.fit(**({"X": X} | case.data))
    assert vars(randomizer) == before
    assert rng.rand() == np.random.RandomState(0).rand()


@each(CHANNELS + DATA)
def test_the_last_fit_is_kept(case):
    name = case.of.partition(".")[0]
    randomizer = getattr(sk_memorize, name)(**case.params).fit(NAMED)
    before = vars(randomizer).copy()
    with refused(case):
        randomizer.fit(**case.data)
    assert vars(randomizer) == before


TRANSFORM = [
    case
    for name in ALL
    for case in [
        *wrong_data(
            f"{name}.transform",
            ("unfitted", {"X": X}, f"{name} instance is not fitted", "Call 'fit'"),
            error=NotFittedError,
        ),
        *wrong_data(
            f"{name}.transform",
            ("columns", {"X": X[:, :3]}, "X has 3 features", name, "6 features"),
            (
                "names",
                {"X": NAMED.rename(columns={"a": "z"})},
                *("feature names should match", "z", "a"),
            ),
            ("nan", {"X": X * np.nan}, "Input X", "NaN", name),
            ("images", {"X": RGB}, "X has 75 features", name, "6 features"),
        ),
        *wrong_data(
            f"{name}.transform",
            ("sparse", {"X": sparse.csr_array(X)}, "Sparse", "toarray()"),
            error=TypeError,
        ),
    ]
]


@each(TRANSFORM)
def test_transform_refuses(case):
    randomizer = getattr(sk_memorize, case.of.partition(".")[0])()
    if case.name != "unfitted":
        randomizer.fit(NAMED if case.name == "names" else X)
    with refused(case):
        randomizer.transform(**case.data)


IMAGES = [
    case
    for name in ALL
    for case in wrong_data(
        f"{name}.transform",
        ("shape", {"X": X.reshape(4, 3, 2)}, "shape (3, 2)", name, "shape (2, 3)"),
        (
            "table",
            {"X": X.reshape(4, 2, 3), "transform": "pandas"},
            *("'transform' parameter of set_output", "'default'", "Got 'pandas'"),
        ),
    )
]


@each(IMAGES)
def test_other_images_and_tables_of_images(case):
    randomizer = getattr(sk_memorize, case.of.partition(".")[0])()
    randomizer.fit(X.reshape(4, 2, 3))
    randomizer.set_output(transform=case.data.get("transform"))
    with refused(case):
        randomizer.transform(case.data["X"])


CASES = PARAMETERS + CHANNELS + DATA + TRANSFORM + IMAGES
