"""What is refused where files are read or written: data sets and saved networks."""

import pickle

import numpy as np
import pytest
import torch
from error_cases import Case, each, never, refused, wrong_data
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from skorch.callbacks import EpochTimer

from sk_memorize import MemorizingMLP, get_data_home, load_dataset
from sk_memorize.datasets import _load

X, Y = load_iris(return_X_y=True)


def quick(**params):
    return MemorizingMLP(width=8, max_epochs=1, target_accuracy=None, **params)


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y)


# Networks


def saved(**params):
    (name,) = params
    words = repr(name), "cannot be saved without code", "Expected None"
    return wrong_data("MemorizingMLP.save", (name, {}, *words), **params)


UNSAVABLE = [
    *saved(callbacks=[EpochTimer()]),
    *saved(optimizer=torch.optim.Adam),
    *saved(random_state=np.random.RandomState(0)),
]


@each(UNSAVABLE)
def test_what_needs_code_is_refused_and_the_old_file_stays(case, tmp_path):
    path = tmp_path / "model"
    path.write_text("old")
    clf = quick(**case.params).fit(X, Y)
    with refused(case):
        clf.save(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


PLACES = [
    Case(f"MemorizingMLP.{method}", path, {}, {"path": path}, tuple(words), error)
    for method, path, error, *words in [
        ("save", "none/model", FileNotFoundError, "no folder for", "none/model'"),
        ("save", "folder", IsADirectoryError, "file to write is a folder", "folder'"),
        ("load", "none", FileNotFoundError, "No such file", "none'"),
        ("load", "folder", IsADirectoryError, "Is a directory", "folder'"),
        ("load", "pickle", ValueError, "pickle is damaged, or no saved network"),
    ]
]


@each(PLACES)
def test_wrong_places(case, fitted, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "pickle").write_bytes(pickle.dumps(fitted))
    before = sorted(tmp_path.rglob("*"))
    method = getattr(fitted, case.of.partition(".")[2])
    with refused(case):
        method(tmp_path / case.data["path"])
    assert sorted(tmp_path.rglob("*")) == before


NEVER_FITTED = wrong_data(
    "MemorizingMLP.save",
    ("unfitted", {"path": "model"}, "MemorizingMLP instance is not fitted yet"),
    error=NotFittedError,
)


@each(NEVER_FITTED)
def test_an_unfitted_network_is_not_saved(case):
    with refused(case):
        quick().save(**case.data)


# Data sets

NAME = "'name' parameter of load_dataset", "a str among", "'mnist'"
HOME = "'data_home' parameter of load_dataset", "'str'", "'os.PathLike' or None"
DOWNLOAD = "'download' parameter of load_dataset", "'bool'"
FOLDER = "The 'data_home' parameter of load_dataset", "the path of a folder"
ARGUMENTS = [
    *wrong_data(
        "load_dataset",
        ("name-unknown", {"name": "imagenet"}, *NAME, "Got 'imagenet'"),
        ("name-None", {"name": None}, *NAME, "Got None"),
        ("home-int", {"data_home": 3}, *HOME, "Got 3"),
        ("home-user", {"data_home": "~no-such-user/x"}, *FOLDER, "'~no-such-user/x'"),
        ("download-str", {"download": "yes"}, *DOWNLOAD, "Got 'yes'"),
    ),
    *wrong_data(
        "get_data_home",
        ("home-int", {"data_home": 3}, "'data_home' parameter of get_data_home", "3"),
        ("home-user", {"data_home": "~no-such-user"}, "'data_home'", "folder", "'~no"),
    ),
]


@pytest.fixture
def no_reading(monkeypatch):
    monkeypatch.delenv("SK_MEMORIZE_DATA", raising=False)
    for name in ("_load_source", "_load_digits"):
        monkeypatch.setattr(_load, name, never)


@pytest.mark.usefixtures("no_reading")
@each(ARGUMENTS)
def test_no_data_set_is_looked_for(case):
    with refused(case):
        (get_data_home if case.of == "get_data_home" else load_dataset)(**case.data)


FILES = wrong_data(
    "load_dataset",
    *(
        (f"{name}-{relation}", {"name": name, "data_home": home}, *FOLDER, *words)
        for name in ("mnist", "auto")
        for relation, home, *words in [
            ("file", "file", "file' instead", "file is a file"),
            ("inside-a-file", "file/home", "file/home' instead", "file is a file"),
        ]
    ),
    error=NotADirectoryError,
)


@pytest.mark.usefixtures("no_reading")
@each(FILES)
def test_a_data_home_is_no_file(case, tmp_path):
    (tmp_path / "file").write_text("old")
    with refused(case):
        load_dataset(case.data["name"], data_home=tmp_path / case.data["data_home"])
    assert (tmp_path / "file").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.usefixtures("no_reading")
@pytest.mark.parametrize(
    ("variable", "words"),
    [(__file__, "is a file"), ("~no-such-user", "no known folder")],
    ids=["file", "user"],
)
def test_the_environment_is_named_where_it_is_wrong(variable, words, monkeypatch):
    monkeypatch.setenv("SK_MEMORIZE_DATA", variable)
    expected = f"environment variable SK_MEMORIZE_DATA must be the path.*{words}"
    with pytest.raises((ValueError, NotADirectoryError), match=expected):
        load_dataset("mnist")


CASES = UNSAVABLE + PLACES + NEVER_FITTED + ARGUMENTS + FILES
