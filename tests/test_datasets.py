import dataclasses
import gzip
import hashlib
import io
import os
import pickle
import socket
import struct
import tarfile
import threading
import time
import tracemalloc
import urllib.error
import urllib.request
import warnings
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

from sk_memorize.datasets import _download, get_data_home, load_dataset
from sk_memorize.datasets._files import to_unit_rows
from sk_memorize.datasets._sources import CIFAR10, IDX_FILES, MNIST, SOURCES

REAL_HOME = os.environ.get("SK_MEMORIZE_DATA")
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = IDX_FILES
URLOPEN = urllib.request.urlopen


def refuse(*_, **__):
    raise urllib.error.URLError("the network is down")


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """Let no test depend on the network, the environment or the user's cache."""
    monkeypatch.delenv("SK_MEMORIZE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)


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

    def publish(self, **changes):
        """Declare the present archives to be the right ones."""
        sizes = {"image_shape": (2, 3), "n_train": 12, "n_test": 5}
        set_source(self.monkeypatch, "mnist", self.archives, **sizes | changes)

    def check(self, bunch):
        images = self.arrays[TRAIN_IMAGES].reshape(12, 6)
        assert_array_equal(bunch.X_train, np.float32(images) / np.float32(255))
        images = self.arrays[TEST_IMAGES].reshape(5, 6)
        assert_array_equal(bunch.X_test, np.float32(images) / np.float32(255))
        assert_array_equal(bunch.y_train, self.arrays[TRAIN_LABELS])
        assert_array_equal(bunch.y_test, self.arrays[TEST_LABELS])
        check_types(bunch)


@pytest.fixture
def tiny(monkeypatch):
    return TinyMNIST(monkeypatch)


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


def test_silent_network_does_not_hang(monkeypatch, home):
    release = threading.Event()

    def hang(*_, **__):
        release.wait(60)
        refuse()

    monkeypatch.setattr(urllib.request, "urlopen", hang)
    monkeypatch.setattr(_download, "_ANSWER_SECONDS", 0.05)
    with pytest.raises(FileNotFoundError, match=r"no more than 0 bytes within 0\.05 s"):
        load_dataset("mnist", data_home=home)
    release.set()
    assert not home.exists()


def test_any_failure_of_the_network_is_told_in_one_line(monkeypatch, home):
    def forbid(*_, **__):
        raise RuntimeError("no sockets\nhere")

    monkeypatch.setattr(urllib.request, "urlopen", URLOPEN)
    monkeypatch.setattr(socket, "getaddrinfo", forbid)
    with pytest.raises(FileNotFoundError, match=r"http.*no sockets here"):
        load_dataset("kmnist", data_home=home)
    assert not home.exists()


# The fallback of "auto"


def test_auto_falls_back_on_the_digits(home):
    with pytest.warns(UserWarning, match="in place of MNIST") as caught:
        bunch = load_dataset(data_home=home)
    assert [str(warning.message) for warning in caught] == [bunch.notice]
    assert caught[0].filename == __file__
    assert bunch.name == "digits"
    assert "the network is down" in bunch.notice
    assert not home.exists()


def test_auto_prefers_mnist(home, tiny):
    write(home / MNIST.folder, tiny.archives)
    bunch = load_dataset(data_home=home)
    tiny.check(bunch)
    assert bunch.name == "mnist"
    assert bunch.notice is None


# Files at hand, whole and damaged


def test_archives_are_read_in_place(home, tiny):
    write(home / MNIST.folder, tiny.archives)
    before = files_below(home)
    (home / MNIST.folder).chmod(0o555)
    bunch = load_dataset("mnist", data_home=home)
    (home / MNIST.folder).chmod(0o755)
    tiny.check(bunch)
    assert files_below(home) == before


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_look_alikes_of_mnist(monkeypatch, home, tiny, name):
    sizes = {"image_shape": (2, 3), "n_train": 12, "n_test": 5}
    set_source(monkeypatch, name, tiny.archives, **sizes)
    write(home / SOURCES[name].folder, tiny.archives)
    bunch = load_dataset(name, data_home=home)
    tiny.check(bunch)
    assert bunch.name == name
    assert bunch.target_names == list(SOURCES[name].target_names)


def test_unpacked_files_serve_where_archives_are_missing(home, tiny):
    write(home / MNIST.folder, tiny.unpacked)
    tiny.check(load_dataset("mnist", data_home=home))
    write(home / MNIST.folder, {TRAIN_IMAGES: tiny.archives[TRAIN_IMAGES]})
    tiny.check(load_dataset("mnist", data_home=home))


def test_damaged_archive_is_not_replaced_by_its_unpacked_file(home, tiny):
    write(home / MNIST.folder, tiny.unpacked | {TRAIN_IMAGES: b"garbage"})
    with pytest.raises(OSError, match=f"{TRAIN_IMAGES} is damaged"):
        load_dataset("mnist", data_home=home, download=False)


def with_magic(content, magic):
    return struct.pack(">I", magic) + content[4:]


DAMAGE = [
    (TRAIN_IMAGES, lambda c: c[:-1], "it holds 87 bytes instead of 88"),
    (TRAIN_IMAGES, lambda c: c + b"\0", "it holds 89 bytes instead of 88"),
    (TRAIN_IMAGES, lambda c: c[:15], "15 bytes are too few"),
    (TEST_LABELS, lambda _: b"", "0 bytes are too few"),
    (TEST_IMAGES, lambda c: with_magic(c, 0x0801), "magic number is 0x00000801"),
    (TEST_LABELS, lambda c: with_magic(c, 0x0D01), "magic number is 0x00000d01"),
    (TRAIN_LABELS, lambda _: idx_bytes(np.zeros(11)), "its shape is .11,. instead"),
    (
        TEST_IMAGES,
        lambda _: idx_bytes(np.zeros((5, 3, 2))),
        r"its shape is \(5, 3, 2\) instead of \(5, 2, 3\)",
    ),
    (TRAIN_LABELS, lambda c: c[:-1] + b"\x0a", "it has the value 10, with 10 allowed"),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "damage", "words"), DAMAGE)
def test_damaged_file(home, tiny, name, damage, words, packed):
    content = damage(gzip.decompress(tiny.archives[name]))
    tiny.archives[name] = gzip.compress(content)
    tiny.publish()
    path = home / MNIST.folder / (name if packed else name.removesuffix(".gz"))
    files = tiny.archives if packed else tiny.unpacked | {path.name: content}
    write(home / MNIST.folder, files)
    with pytest.raises(OSError, match=f"{path} is damaged: .*{words}") as caught:
        load_dataset("mnist", data_home=home, download=False)
    assert not isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize(
    "damage",
    [lambda c: c[:-9], lambda c: c[:20] + b"\xff" * 9 + c[29:], lambda _: b"x"],
)
def test_archive_that_cannot_be_decompressed(home, tiny, damage):
    tiny.archives[TEST_IMAGES] = damage(tiny.archives[TEST_IMAGES])
    tiny.publish()
    write(home / MNIST.folder, tiny.archives)
    words = f"{home / MNIST.folder / TEST_IMAGES} is damaged: it cannot be decompressed"
    with pytest.raises(OSError, match=words):
        load_dataset("mnist", data_home=home, download=False)


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


def make_giant(path):
    path.touch()
    os.truncate(path, 2**40)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "directory: '{}"),
        (os.mkfifo, "no ordinary file: '{}"),
        (lambda path: path.symlink_to("/dev/zero"), "no ordinary file: '{}"),
        (make_giant, "{} is damaged: it holds 1099511627776 bytes, more than"),
    ],
)
@pytest.mark.parametrize("name", [TEST_LABELS, TEST_LABELS.removesuffix(".gz")])
def test_unreadable_file(make, words, name, home, tiny):
    del tiny.archives[TEST_LABELS]
    write(home / MNIST.folder, tiny.archives)
    make(path := home / MNIST.folder / name)
    with pytest.raises(OSError, match=words.format(path)):
        load_dataset("mnist", data_home=home, download=False)


@pytest.mark.parametrize("axes", [(0, 1, 2), (0, 2, 1)])
def test_scaling_makes_no_intermediate_array(axes):
    images = np.full((1000, 20, 50), 255, dtype=np.uint8).transpose(axes)
    tracemalloc.start()
    X = to_unit_rows(images)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert X.shape == (1000, 1000)
    assert_array_equal(X, np.float32(1))
    assert peak < 1.2 * X.nbytes


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


# Downloads


class Server(ThreadingHTTPServer):
    """Serves `pages`, contents by path, and keeps the paths asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages, self.asked = {}, []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Stay quiet when a client hangs up."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path not in self.server.pages:
            self.send_error(404)
            return
        content = self.server.pages[self.path]
        self.send_response(200)
        if isinstance(content, bytes):
            self.send_header("Content-Length", str(len(content)))
            content = [content]
        self.end_headers()
        for part in content:
            self.wfile.write(part)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", URLOPEN)
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        serve = partial(server.serve_forever, poll_interval=0.01)
        thread = threading.Thread(target=serve)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mirrors(server, tiny):
    """Two mirrors of the tiny archives, of which the first is empty."""
    tiny.publish(mirrors=(f"{server.url}/empty/", f"{server.url}/full/"))
    server.pages = {f"/full/{name}": tiny.archives[name] for name in IDX_FILES}
    return server


@pytest.mark.usefixtures("mirrors")
def test_download(home, tiny):
    tiny.check(load_dataset("mnist", data_home=home))
    assert files_below(home / MNIST.folder) == sorted(IDX_FILES)


def test_download_only_what_is_needed(home, tiny, mirrors):
    write(home / MNIST.folder, tiny.archives | {TEST_IMAGES: b"garbage"})
    tiny.check(load_dataset(data_home=home))
    assert {Path(path).name for path in mirrors.asked} == {TEST_IMAGES}
    assert files_below(home / MNIST.folder) == sorted(IDX_FILES)
    mirrors.asked.clear()
    tiny.check(load_dataset(data_home=home))
    assert mirrors.asked == []


def test_damaged_unpacked_file_is_made_up_for(home, tiny, mirrors):
    write(home / MNIST.folder, tiny.unpacked | {"train-labels-idx1-ubyte": b""})
    tiny.check(load_dataset("mnist", data_home=home))
    assert {Path(path).name for path in mirrors.asked} == {TRAIN_LABELS}


def test_wrong_content_is_refused(home, tiny, mirrors):
    mirrors.pages[f"/full/{TEST_LABELS}"] = b"<html>Please log in</html>"
    words = r"empty/: HTTP Error 404.*full/: .*its md5 is \w+ instead of \w+\. Set"
    with pytest.raises(FileNotFoundError, match=words):
        load_dataset("mnist", data_home=home)
    assert not home.exists()
    write(home / MNIST.folder, tiny.archives | {TEST_LABELS: b"garbage"})
    before = files_below(home)
    with pytest.raises(OSError, match=f"{TEST_LABELS} is damaged.*download failed"):
        load_dataset("mnist", data_home=home)
    assert files_below(home) == before
    assert (home / MNIST.folder / TEST_LABELS).read_bytes() == b"garbage"


def drip(n_bytes=1, seconds=0.01):
    while True:
        time.sleep(seconds)
        yield bytes(n_bytes)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (drip(), "no more than .* bytes within 0.3"),
        (drip(2**20, 0), "more than .* bytes are sent"),
    ],
    ids=["dripping", "endless"],
)
def test_download_is_bounded(parts, words, monkeypatch, home, mirrors):
    monkeypatch.setattr(_download, "_SECONDS", 0.3)
    mirrors.pages[f"/full/{TEST_LABELS}"] = parts
    with pytest.raises(FileNotFoundError, match=f"full/: {words}") as caught:
        load_dataset("mnist", data_home=home)
    assert str(caught.value).isprintable()
    assert not home.exists()


@pytest.mark.usefixtures("mirrors")
def test_download_into_a_place_that_cannot_be_made(tmp_path):
    (tmp_path / "MNIST").touch()
    with pytest.raises(OSError, match=r"The download failed: .*MNIST"):
        load_dataset("mnist", data_home=tmp_path)
    assert files_below(tmp_path) == ["MNIST"]


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

    def archive(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in self.files.items():
                member = tarfile.TarInfo(f"{CIFAR10.folder}/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return buffer.getvalue()

    def check(self, bunch):
        *train, test = self.pixels
        pixels = np.concatenate([self.pixels[name] for name in train])
        rows = pixels.transpose(0, 2, 3, 1).reshape(10, -1)
        assert_array_equal(bunch.X_train, np.float32(rows) / np.float32(255))
        rows = self.pixels[test].transpose(0, 2, 3, 1).reshape(2, -1)
        assert_array_equal(bunch.X_test, np.float32(rows) / np.float32(255))
        assert_array_equal(bunch.y_train, np.ravel([self.labels[n] for n in train]))
        assert_array_equal(bunch.y_test, self.labels[test])
        assert bunch.image_shape == (32, 32, 3)
        assert bunch.target_names == list(CIFAR10.target_names)
        assert bunch.name == "cifar10"
        check_types(bunch)


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


def test_cifar10_download(monkeypatch, home, server, tiny_cifar10, capfd):
    archive = tiny_cifar10.archive()
    server.pages["/cifar.tar.gz"] = archive
    sizes = {"n_train": 10, "n_test": 2, "mirrors": (f"{server.url}/",)}
    for checksum in ["other", md5(archive)]:
        sizes["archive"] = ("cifar.tar.gz", checksum)
        set_source(monkeypatch, "cifar10", tiny_cifar10.files, **sizes)
        if checksum == "other":
            with pytest.raises(FileNotFoundError, match=r"cifar.tar.gz.*instead of o"):
                load_dataset("cifar10", data_home=home)
            assert not home.exists()
    tiny_cifar10.check(load_dataset("cifar10", data_home=home))
    assert files_below(home) == sorted(
        [CIFAR10.folder, *(f"{CIFAR10.folder}/{name}" for name in CIFAR10.md5)]
    )
    assert capfd.readouterr() == ("", "")

    (home / CIFAR10.folder / "test_batch").write_bytes(b"garbage")
    tiny_cifar10.check(load_dataset("cifar10", data_home=home))


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
    mean = mnist.X_train.mean(dtype=np.float64)
    second_moment = np.mean(np.square(mnist.X_train), dtype=np.float64)
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert np.sqrt(second_moment - mean**2) == pytest.approx(0.3081, abs=5e-5)
