"""What load_dataset makes of files that are there, damaged, missing or downloaded."""

import dataclasses
import gzip
import hashlib
import io
import os
import pickle
import struct
import urllib.error
import urllib.request
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

from sk_memorize.datasets import get_data_home, load_dataset
from sk_memorize.datasets._sources import CIFAR10, IDX_FILES, MNIST, SOURCES

REAL_HOME = os.environ.get("SK_MEMORIZE_DATA")
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = IDX_FILES


@pytest.fixture(autouse=True)
def network(monkeypatch, tmp_path):
    """Take the place of the network, which is down but for the files put here.

    Nor does a test depend on the environment or the user's cache.
    """
    monkeypatch.delenv("SK_MEMORIZE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = {}

    def urlopen(request, **_):
        name = request.full_url.rpartition("/")[2]
        if name not in files:
            raise urllib.error.URLError("the network is down")
        return io.BytesIO(files[name])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return files


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def idx_bytes(array):
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def set_source(monkeypatch, name, files, **changes):
    checksums = {file: md5(content) for file, content in files.items()}
    source = dataclasses.replace(SOURCES[name], md5=checksums, **changes)
    monkeypatch.setitem(SOURCES, name, source)


class TinyMNIST:
    """A dozen images of 2 x 3 pixels that `load_dataset` takes for MNIST."""

    def __init__(self, monkeypatch):
        rng = np.random.RandomState(0)
        self.monkeypatch = monkeypatch
        self.arrays = {
            TRAIN_IMAGES: rng.randint(256, size=(12, 2, 3)),
            TRAIN_LABELS: rng.randint(10, size=12),
            TEST_IMAGES: rng.randint(256, size=(5, 2, 3)),
            TEST_LABELS: rng.randint(10, size=5),
        }
        self.unpacked = {
            name.removesuffix(".gz"): idx_bytes(array)
            for name, array in self.arrays.items()
        }
        self.archives = {
            name: gzip.compress(idx_bytes(array), mtime=0)
            for name, array in self.arrays.items()
        }
        self.publish()

    def publish(self, name="mnist"):
        """Declare the present archives to be the right ones."""
        sizes = {"image_shape": (2, 3), "n_train": 12, "n_test": 5}
        set_source(self.monkeypatch, name, self.archives, **sizes)

    def check(self, bunch):
        check_contents(bunch, *(self.arrays[name] for name in IDX_FILES))


@pytest.fixture
def tiny(monkeypatch):
    return TinyMNIST(monkeypatch)


def check_contents(bunch, train_images, y_train, test_images, y_test):
    for X, images in [(bunch.X_train, train_images), (bunch.X_test, test_images)]:
        rows = images.reshape(len(images), -1)
        assert_array_equal(X, np.float32(rows) / np.float32(255))
    assert_array_equal(bunch.y_train, y_train)
    assert_array_equal(bunch.y_test, y_test)
    check_types(bunch)


def check_types(bunch):
    for X, y in [(bunch.X_train, bunch.y_train), (bunch.X_test, bunch.y_test)]:
        assert X.dtype == np.float32
        assert X.flags.c_contiguous
        assert X.min() >= 0
        assert X.max() <= 1
        assert y.dtype == np.int64
        assert X.shape == (len(y), np.prod(bunch.image_shape))
    assert isinstance(bunch.target_names, list)
    assert {type(name) for name in bunch.target_names} == {str}
    assert len(bunch.target_names) == 10


# The digits


def rows(X, y):
    return sorted([*x, label] for x, label in zip(X.tolist(), y.tolist(), strict=True))


def test_digits_are_a_stratified_and_fixed_split_of_the_original():
    bunch, original = load_dataset("digits"), load_digits()
    check_types(bunch)
    assert (bunch.name, bunch.image_shape, bunch.notice) == ("digits", (8, 8), None)
    X = np.vstack([bunch.X_train, bunch.X_test]) * 16
    y = np.concatenate([bunch.y_train, bunch.y_test])
    assert rows(X, y) == rows(original.data, original.target)
    shares = np.bincount(bunch.y_test) / np.bincount(original.target)
    np.testing.assert_allclose(shares, 0.2, atol=0.01)
    assert_array_equal(bunch.X_train, load_dataset("digits").X_train)


# The data home


def test_data_home_precedence(monkeypatch, tmp_path):
    assert get_data_home() == tmp_path / "cache" / "sk_memorize"
    monkeypatch.setenv("SK_MEMORIZE_DATA", str(tmp_path / "variable"))
    assert get_data_home() == tmp_path / "variable"
    assert get_data_home(tmp_path / "argument") == tmp_path / "argument"
    monkeypatch.setenv("SK_MEMORIZE_DATA", "")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert get_data_home() == tmp_path / ".cache" / "sk_memorize"
    assert get_data_home("~/data") == tmp_path / "data"
    assert get_data_home("data").is_absolute()


def test_load_dataset_heeds_the_data_home(monkeypatch, tmp_path, tiny):
    write(tmp_path / "cache" / "sk_memorize" / MNIST.folder, tiny.archives)
    tiny.check(load_dataset("mnist", download=False))
    monkeypatch.setenv("SK_MEMORIZE_DATA", str(tmp_path / "variable"))
    with pytest.raises(FileNotFoundError, match="variable"):
        load_dataset("mnist", download=False)
    write(tmp_path / "argument" / MNIST.folder, tiny.archives)
    tiny.check(load_dataset("mnist", data_home=tmp_path / "argument", download=False))
    tiny.check(load_dataset("mnist", data_home=str(tmp_path / "argument")))


# Files that are missing


@pytest.mark.parametrize("name", list(SOURCES))
def test_missing_data_set(name, home):
    source = SOURCES[name]
    words = f"{source.title} .*{home / source.folder}.*{'.*'.join(source.md5)}"
    with pytest.raises(FileNotFoundError, match=f"{words}.*download=False"):
        load_dataset(name, data_home=home, download=False)
    assert not home.exists()


def test_a_home_that_cannot_be_looked_into(tmp_path):
    with pytest.raises(OSError, match=r"MNIST could not be loaded.*name too long"):
        load_dataset("mnist", data_home=tmp_path / ("x" * 300))


# The fallback of "auto"


def test_auto_falls_back_on_the_digits(home):
    with pytest.warns(UserWarning, match="instead of MNIST") as caught:
        bunch = load_dataset(data_home=home)
    assert [str(warning.message) for warning in caught] == [bunch.notice]
    assert caught[0].filename == __file__
    assert bunch.name == "digits"
    assert "the network is down" in bunch.notice
    assert not home.exists()


@pytest.mark.parametrize("name", ["auto", "mnist", "fashion-mnist", "kmnist"])
def test_archives_are_read_in_place(home, tiny, name):
    real = "mnist" if name == "auto" else name
    tiny.publish(real)
    folder = home / SOURCES[real].folder
    write(folder, tiny.archives)
    before = files_below(home)
    folder.chmod(0o555)
    bunch = load_dataset(name, data_home=home)
    folder.chmod(0o755)
    tiny.check(bunch)
    assert (bunch.name, bunch.notice) == (real, None)
    assert bunch.target_names == list(SOURCES[real].target_names)
    assert files_below(home) == before


def test_unpacked_files_serve_where_archives_are_missing(home, tiny):
    write(home / MNIST.folder, tiny.unpacked)
    tiny.check(load_dataset("mnist", data_home=home))
    write(home / MNIST.folder, {TRAIN_IMAGES: tiny.archives[TRAIN_IMAGES]})
    tiny.check(load_dataset("mnist", data_home=home))


def test_every_fault_is_told(home, tiny):
    del tiny.archives[TEST_LABELS]
    tiny.archives[TRAIN_IMAGES] = tiny.archives[TEST_IMAGES] = b"garbage"
    write(home / MNIST.folder, tiny.archives)
    with pytest.raises(OSError, match=f"Missing: {TEST_LABELS}\\.") as caught:
        load_dataset("mnist", data_home=home, download=False)
    for name in [TRAIN_IMAGES, TEST_IMAGES]:
        words = f"{home / MNIST.folder / name} is damaged: its md5 is {md5(b'garbage')}"
        assert words in str(caught.value)
    assert TRAIN_LABELS not in str(caught.value)


# torchvision


def test_table_is_that_of_torchvision():
    datasets = pytest.importorskip("torchvision.datasets")
    names = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
    for name, torchvision_name in names.items():
        source, dataset = SOURCES[name], getattr(datasets, torchvision_name)
        assert dict(dataset.resources) == source.md5
        assert tuple(dataset.mirrors) == source.mirrors
        assert source.folder == f"{torchvision_name}/raw"
        if name != "mnist":
            assert dataset.classes == list(source.target_names)
    dataset = datasets.CIFAR10
    meta = (dataset.meta["filename"], dataset.meta["md5"])
    assert dict([*dataset.train_list, *dataset.test_list, meta]) == CIFAR10.md5
    assert dataset.base_folder == CIFAR10.folder
    assert CIFAR10.archive == (dataset.filename, dataset.tgz_md5)
    assert dataset.url == CIFAR10.mirrors[0] + dataset.filename


# Downloads, of which test_download.py has more


def test_download_only_what_is_needed(home, tiny, network):
    network |= tiny.archives
    tiny.check(load_dataset("mnist", data_home=home))
    assert files_below(home / MNIST.folder) == sorted(IDX_FILES)
    for name in set(IDX_FILES) - {TEST_IMAGES}:
        del network[name]
    (home / MNIST.folder / TEST_IMAGES).write_bytes(b"garbage")
    tiny.check(load_dataset(data_home=home))
    network.clear()
    tiny.check(load_dataset(data_home=home))
    assert files_below(home / MNIST.folder) == sorted(IDX_FILES)


def test_damaged_unpacked_file_is_made_up_for(home, tiny, network):
    network[TRAIN_LABELS] = tiny.archives[TRAIN_LABELS]
    write(home / MNIST.folder, tiny.unpacked | {"train-labels-idx1-ubyte": b""})
    tiny.check(load_dataset("mnist", data_home=home))


def test_a_failed_download_changes_nothing(home, tiny, network):
    network[TEST_LABELS] = b"<html>Please log in</html>"
    write(home / MNIST.folder, tiny.archives | {TEST_LABELS: b"garbage"})
    before = files_below(home)
    words = rf"{TEST_LABELS} is damaged.*download failed: .*its md5 is.*\w\. Set"
    with pytest.raises(OSError, match=words):
        load_dataset("mnist", data_home=home)
    assert files_below(home) == before
    assert (home / MNIST.folder / TEST_LABELS).read_bytes() == b"garbage"


# CIFAR-10


class OldDtype:
    """Pickled much as in 2009, with a 0 in a place where NumPy 2.4 wants a boolean."""

    def __reduce__(self):
        return np.dtype, ("u1", 0)


class OldArray:
    def __init__(self, array):
        self.array = array

    def __reduce__(self):
        return np.frombuffer, (self.array.tobytes(), OldDtype())


class TinyCIFAR10:
    """Two images in each batch; pixels are stored by channel, as in the original."""

    def __init__(self, monkeypatch):
        rng = np.random.RandomState(0)
        names = [name for name in CIFAR10.md5 if name != "batches.meta"]
        self.pixels = {
            name: rng.randint(256, size=(2, 3, 32, 32)).astype(np.uint8)
            for name in names
        }
        self.labels = {name: rng.randint(10, size=2).tolist() for name in names}
        batches = {
            name: {"data": OldArray(self.pixels[name]), "labels": self.labels[name]}
            for name in names
        }
        meta = {"label_names": list(CIFAR10.target_names)}
        self.files = {
            name: pickle.dumps(content)
            for name, content in (batches | {"batches.meta": meta}).items()
        }
        set_source(monkeypatch, "cifar10", self.files, n_train=10, n_test=2)

    def check(self, bunch):
        pixels = np.concatenate(list(self.pixels.values())).transpose(0, 2, 3, 1)
        labels = np.ravel(list(self.labels.values()))
        check_contents(bunch, pixels[:10], labels[:10], pixels[10:], labels[10:])
        assert bunch.image_shape == (32, 32, 3)
        assert bunch.target_names == list(CIFAR10.target_names)
        assert bunch.name == "cifar10"


@pytest.fixture
def tiny_cifar10(monkeypatch):
    return TinyCIFAR10(monkeypatch)


def test_cifar10(home, tiny_cifar10, capfd):
    write(home / CIFAR10.folder, tiny_cifar10.files)
    before = files_below(home)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tiny_cifar10.check(load_dataset("cifar10", data_home=home))
    assert caught == []
    assert capfd.readouterr().out == ""
    assert files_below(home) == before


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_cifar10_damaged(home, tiny_cifar10, name):
    write(home / CIFAR10.folder, tiny_cifar10.files | {name: b"garbage"})
    words = f"{home / CIFAR10.folder / name} is damaged: its md5 is .*network is down"
    with pytest.raises(OSError, match=words):
        load_dataset("cifar10", data_home=home)


# The real thing


@pytest.mark.skipif(
    REAL_HOME is None or not Path(REAL_HOME, MNIST.folder, IDX_FILES[0]).exists(),
    reason="SK_MEMORIZE_DATA names no folder that holds MNIST/raw",
)
def test_mnist():
    mnist = load_dataset("mnist", data_home=REAL_HOME, download=False)
    check_types(mnist)
    assert mnist.X_train.shape == (60_000, 784)
    assert mnist.X_test.shape == (10_000, 784)
    assert mnist.image_shape == (28, 28)
    assert np.bincount(mnist.y_train).tolist() == [
        *(5923, 6742, 5958, 6131, 5842),
        *(5421, 5918, 6265, 5851, 5949),
    ]
