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


def parameters(name):
    channels, seed = (
        f"{p!r} parameter of {name}" for p in ("n_channels", "random_state")
    )
    yield from wrong_parameters(
        f"{name}.fit", ("seed", {"random_state": -1}, seed, "an int in the", "Got -1")
    )
    if name == "GaussianInputs":
        wrong = ("per_feature", {"per_feature": 1}, "'per_feature'", "'bool'", "Got 1")
        yield from wrong_parameters(f"{name}.fit", wrong)
        return
    yield from wrong_parameters(
        f"{name}.fit",
        ("channels-0", {"n_channels": 0}, channels, "[1, inf)", "Got 0"),
        ("channels-float", {"n_channels": 3.0}, channels, "an int", "Got 3.0"),
        ("channels-4", {"n_channels": 4}, channels, "divide", "Got 4 for 6 features"),
        ("first", {"channels_first": 1}, "'channels_first'", "'bool'", "Got 1"),
    )


def channels(name):
    """Make cases of channels that are not where the parameters say."""
    of, words = (
        f"{name}.fit",
        (f"'n_channels' parameter of {name}", "number of channels"),
    )
    yield from wrong_data(of, ("rgb", {"X": RGB}, *words, "Got 1", "shape (5, 5, 3)"))
    yield from wrong_data(
        of,
        ("gray", {"X": RGB[..., 0]}, *words, "Got 3", "images of shape (5, 5)"),
        ("planes", {"X": RGB.swapaxes(1, 3)}, *words, "channels_first=False"),
        n_channels=3,
    )
    yield from wrong_data(
        of,
        ("no-planes", {"X": RGB}, *words, "channels_first=True", "Got 3"),
        n_channels=3,
        channels_first=True,
    )


def data(name):
    what, mixed = f"'X' parameter of {name}", NAMED.rename(columns={"a": 1})
    yield from wrong_data(
        f"{name}.fit",
        ("X-None", {"X": None}, "Expected 2D array, got scalar", "None"),
        ("X-1d", {"X": X[0]}, "Expected 2D array, got 1D array"),
        ("X-5d", {"X": RGB[None]}, what, "two or three axes", "(1, 4, 5, 5, 3)"),
        ("X-empty", {"X": X[:0]}, "0 sample(s)", f"required by {name}"),
        ("X-no-pixels", {"X": X[:, :0, None]}, what, "not empty", "(4, 0, 1)"),
        ("X-nan", {"X": X * np.nan}, "Input X", "NaN", name),
        ("X-words", {"X": X.astype(str)}, "dtype='numeric'", "not compatible"),
        ("X-complex", {"X": X * 1j}, "Complex data not supported"),
        ("X-dates", {"X": X.astype("M8[s]")}, what, "real numbers", "datetime64"),
    )
    yield from wrong_data(
        f"{name}.fit",
        ("X-sparse", {"X": sparse.csr_array(X)}, "Sparse", "toarray()"),
        ("X-names", {"X": mixed}, "Feature names", "all input features have string"),
        error=TypeError,
    )


PARAMETERS = [case for name in ALL for case in parameters(name)]
DATA = [case for name in ALL for case in data(name)]
DATA += [case for name in PERMUTERS for case in channels(name)]


@each(PARAMETERS + DATA)
def test_nothing_is_drawn_and_kept(case):
    rng = np.random.RandomState(0)
    name = case.of.partition(".")[0]
    randomizer = getattr(sk_memorize, name)(**({"random_state": rng} | case.params))
    before = vars(randomizer).copy()
    with refused(case):
        randomizer.fit(**({"X": X} | case.data))
    assert vars(randomizer) == before
    assert rng.rand() == np.random.RandomState(0).rand()


@each(DATA)
def test_the_last_fit_is_kept(case):
    name = case.of.partition(".")[0]
    randomizer = getattr(sk_memorize, name)(**case.params).fit(NAMED)
    before = vars(randomizer).copy()
    with refused(case):
        randomizer.fit(**case.data)
    assert vars(randomizer) == before


def transform(name):
    of, renamed = f"{name}.transform", NAMED.rename(columns={"a": "z"})
    stacks = X.reshape(4, 2, 3)
    yield from wrong_data(
        of,
        ("columns", {"X": X[:, :3]}, "X has 3 features", name, "6 features"),
        ("names", {"X": renamed, "fitted": NAMED}, "names should match", "z", "a"),
        ("nan", {"X": X * np.nan}, "Input X", "NaN", name),
        ("images", {"X": RGB}, "X has 75 features", name, "6 features"),
        (
            "shape",
            {"X": X.reshape(4, 3, 2), "fitted": stacks},
            *("shape (3, 2)", name, "shape (2, 3)"),
        ),
        (
            "table",
            {"X": stacks, "fitted": stacks, "output": "pandas"},
            *("'transform' parameter of set_output", "'default'", "Got 'pandas'"),
        ),
    )
    if name in PERMUTERS:
        two = {"X": X.reshape(4, 1, 3, 2)}
        yield from wrong_data(of, ("channels", two, "'n_channels'", "be 2", "Got 1"))
    yield from wrong_data(
        of,
        ("unfitted", {"X": X, "fitted": None}, f"{name} instance is not", "Call 'fit'"),
        error=NotFittedError,
    )


TRANSFORM = [case for name in ALL for case in transform(name)]


@each(TRANSFORM)
def test_transform_refuses(case):
    randomizer = getattr(sk_memorize, case.of.partition(".")[0])()
    if (fitted := case.data.get("fitted", X)) is not None:
        randomizer.fit(fitted)
    randomizer.set_output(transform=case.data.get("output"))
    with refused(case):
        randomizer.transform(case.data["X"])


CASES = PARAMETERS + DATA + TRANSFORM
