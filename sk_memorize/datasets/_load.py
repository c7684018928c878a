"""The loader: from a name to a bunch of arrays."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_parameter_constraints

from .._atomic import show_path
from ._download import download_files
from ._files import read_idx, read_verified, to_unit_rows
from ._sources import DIGITS_DESCRIPTION, SOURCES, Source

_T = TypeVar("_T")
# X_train, y_train, X_test, y_test; labels of any integer type.
_Split: TypeAlias = tuple[
    NDArray[np.float32], NDArray[np.integer], NDArray[np.float32], NDArray[np.integer]
]

_CONSTRAINTS = {
    "name": [StrOptions({"auto", "digits", *SOURCES})],
    "data_home": [str, os.PathLike, None],
    "download": ["boolean"],
}


def load_dataset(
    name: str = "auto",
    *,
    data_home: str | os.PathLike[str] | None = None,
    download: bool = True,
) -> Bunch:
    """Load an image data set, ready for any scikit-learn classifier.

    Parameters
    ----------
    name : {"auto", "mnist", "fashion-mnist", "kmnist", "cifar10", "digits"}, \
            default="auto"
        The data set: MNIST [1]_, Fashion-MNIST [2]_, Kuzushiji-MNIST [3]_,
        CIFAR-10 [4]_, or the small digits that come with scikit-learn. ``"auto"``
        means MNIST where its files are at hand or can be downloaded, and the digits
        otherwise, which a warning says.
    data_home : str or path-like, default=None
        The folder that holds the data sets; see `get_data_home` for what None means.
        Its layout is that of torchvision: ``MNIST/raw``, ``FashionMNIST/raw``,
        ``KMNIST/raw``, ``cifar-10-batches-py``.
    download : bool, default=True
        Whether files that are missing or damaged may be downloaded.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        X_train : ndarray of shape (n_train, n_pixels)
            The images to train on, one a row: C-contiguous, float32, from 0 to 1.
        y_train : ndarray of shape (n_train,)
            Their classes, int64 from 0.
        X_test : ndarray of shape (n_test, n_pixels)
            The images to test on.
        y_test : ndarray of shape (n_test,)
            Their classes.
        image_shape : tuple of int
            The shape of an image; ``X_train.reshape(-1, *image_shape)`` gives the
            images.
        target_names : list of str
            The names of the classes.
        name : str
            The data set that was loaded, never ``"auto"``.
        title : str
            Its name as it is written, such as ``"MNIST"``.
        notice : str or None
            Why ``"auto"`` gave the digits, None in every other case.
        DESCR : str
            What the data set is, its sizes, its split and its source.

    Raises
    ------
    ValueError
        If a parameter is invalid.
    FileNotFoundError
        If files of the data set are missing and cannot be downloaded.
    NotADirectoryError
        If the data home is a file, or would be inside of one; for ``"auto"``, too.
    OSError
        If files of the data set are damaged or cannot be read, and cannot be
        downloaded. The message names them. A damaged file is never used.

    Warns
    -----
    UserWarning
        If ``"auto"`` falls back on the digits.

    See Also
    --------
    sklearn.datasets.load_digits : The digits in their original scale.

    Notes
    -----
    Checksums are verified before a file is used. MNIST and its two look-alikes are
    read straight from their archives: nothing is unpacked, and the folder may be
    read-only. Where an archive is missing, the file that torchvision unpacks from it
    is read; for want of a published checksum, only its header, its size and the range
    of its labels are then verified.

    A download is given up where it exceeds the size of the data set, or after half a
    minute where it gives less than 50 kB per second.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning
       applied to document recognition", Proceedings of the IEEE 86(11), 1998.
    .. [2] H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset
       for benchmarking machine learning algorithms", arXiv 1708.07747, 2017.
    .. [3] T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto and D. Ha,
       "Deep learning for classical Japanese literature", arXiv 1812.01718, 2018.
    .. [4] A. Krizhevsky, "Learning multiple layers of features from tiny images",
       technical report, University of Toronto, 2009.

    Examples
    --------
    >>> from sk_memorize import load_dataset
    >>> digits = load_dataset("digits")
    >>> digits.X_train.shape, digits.X_test.shape
    ((1437, 64), (360, 64))
    >>> digits.image_shape
    (8, 8)
    >>> print(digits.DESCR.splitlines()[0])
    Digits: small handwritten digits.
    """
    validate_parameter_constraints(
        _CONSTRAINTS,
        {"name": name, "data_home": data_home, "download": download},
        caller_name="load_dataset",
    )
    if name == "digits":
        return _load_digits()
    home, origin = _locate_home(data_home, "load_dataset")
    _refuse_files(home, origin)
    if name != "auto":
        return _load_source(name, home, download)
    try:
        return _load_source("mnist", home, download)
    except OSError as error:
        notice = f"The digits of scikit-learn are used instead of MNIST. {error}"
    warnings.warn(notice, UserWarning, stacklevel=2)
    return _load_digits(notice)


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder that holds the data sets. It need not exist.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. None means the environment variable ``SK_MEMORIZE_DATA``, or where
        that is unset or empty, the folder ``sk_memorize`` of the user's cache, which
        is ``$XDG_CACHE_HOME`` or else ``~/.cache``.

    Returns
    -------
    folder : Path
        The absolute path of the folder.

    Raises
    ------
    ValueError
        If `data_home` is no path, or begins with the ``~`` of an unknown user.

    Examples
    --------
    >>> from sk_memorize import get_data_home
    >>> get_data_home("/data/images").as_posix()
    '/data/images'
    """
    validate_parameter_constraints(
        {"data_home": _CONSTRAINTS["data_home"]},
        {"data_home": data_home},
        caller_name="get_data_home",
    )
    return _locate_home(data_home, "get_data_home")[0]


def _locate_home(
    data_home: str | os.PathLike[str] | None, caller: str
) -> tuple[Path, str]:
    """Return the absolute path of the data home, and who named it."""
    if data_home is not None:
        home, origin = Path(data_home), f"'data_home' parameter of {caller}"
    elif variable := os.environ.get("SK_MEMORIZE_DATA"):
        home, origin = Path(variable), "environment variable SK_MEMORIZE_DATA"
    else:
        home, origin = _user_cache() / "sk_memorize", "user's cache"
    try:
        return home.expanduser().absolute(), origin
    except RuntimeError as error:
        raise ValueError(
            f"The {origin} must be the path of a folder. Got {str(home)!r} instead, "
            "whose '~' stands for no known folder."
        ) from error


def _refuse_files(home: Path, origin: str) -> None:
    """Raise an error where a file has the place of the data home or of its parent."""
    try:
        place = next(path for path in (home, *home.parents) if path.exists())
        if place.is_dir():
            return
    except OSError:
        return  # a place that cannot be looked into is told when files are read
    raise NotADirectoryError(
        f"The {origin} must be the path of a folder, which need not exist. "
        f"Got {str(home)!r} instead, and {show_path(place)} is a file."
    )


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")


def _load_digits(notice: str | None = None) -> Bunch:
    # At use, for the import takes as long as the rest of this package's.
    from sklearn.datasets import load_digits

    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(
        (digits.data / 16).astype(np.float32),
        digits.target,
        test_size=0.2,
        stratify=digits.target,
        random_state=0,
    )
    return _make_bunch(
        (X_train, y_train, X_test, y_test),
        image_shape=(8, 8),
        target_names=[str(name) for name in digits.target_names],
        name="digits",
        title="digits",
        notice=notice,
        DESCR=DIGITS_DESCRIPTION,
    )


def _load_source(name: str, home: Path, download: bool) -> Bunch:
    source = SOURCES[name]
    load = _load_cifar10 if name == "cifar10" else _load_idx
    return _make_bunch(
        load(source, home, download),
        image_shape=source.image_shape,
        target_names=list(source.target_names),
        name=name,
        title=source.title,
        notice=None,
        DESCR=source.description,
    )


def _make_bunch(split: _Split, **description: object) -> Bunch:
    X_train, y_train, X_test, y_test = split
    return Bunch(
        X_train=X_train,
        y_train=y_train.astype(np.int64),
        X_test=X_test,
        y_test=y_test.astype(np.int64),
        **description,
    )


def _load_idx(source: Source, home: Path, download: bool) -> _Split:
    def read(name: str) -> NDArray[np.uint8]:
        path, md5 = home / source.folder / name, source.md5[name]
        n_rows = source.n_train if name.startswith("train") else source.n_test
        most = source.most_bytes
        if "labels" in name:
            return read_idx(path, md5, (n_rows,), most, len(source.target_names))
        return read_idx(path, md5, (n_rows, *source.image_shape), most)

    arrays = _obtain(source, home, download, read)
    X_train, y_train, X_test, y_test = (arrays[name] for name in source.md5)
    return to_unit_rows(X_train), y_train, to_unit_rows(X_test), y_test


def _load_cifar10(source: Source, home: Path, download: bool) -> _Split:
    def read(name: str) -> dict[str, NDArray[np.uint8]]:
        path = home / source.folder / name
        content = read_verified(path, source.md5[name], source.most_bytes)
        with warnings.catch_warnings():
            # NumPy 2.4.0 to 2.4.4 warn of the way in which these old files were made.
            warnings.simplefilter("ignore", np.exceptions.VisibleDeprecationWarning)
            return pickle.loads(content, encoding="latin1")

    batches = _obtain(source, home, download, read)
    del batches["batches.meta"]  # names of the classes
    test = batches.pop("test_batch")
    train = [batches[name] for name in sorted(batches)]
    pixels = np.concatenate([batch["data"].reshape(-1, 3, 32, 32) for batch in train])
    return (
        to_unit_rows(pixels.transpose(0, 2, 3, 1)),
        np.concatenate([batch["labels"] for batch in train]),
        to_unit_rows(test["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)),
        np.asarray(test["labels"]),
    )


def _obtain(
    source: Source, home: Path, download: bool, read: Callable[[str], _T]
) -> dict[str, _T]:
    """Read every file of a data set; download those that cannot be used.

    Parameters
    ----------
    source : Source
        The data set.
    home : Path
        The data home.
    download : bool
        Whether a download is allowed.
    read : callable
        Takes the name of a file, verifies the file and returns what it holds.

    Returns
    -------
    contents : dict
        What `read` returned, by name of file.
    """
    contents, faults = _read_each(read, source.md5)
    if faults:
        outcome = _attempt_download(source, home, list(faults), download)
        mended, faults = _read_each(read, faults)
        contents |= mended
    if faults:
        missing = all(isinstance(fault, FileNotFoundError) for fault in faults.values())
        error_class = FileNotFoundError if missing else OSError
        raise error_class(_explain(source, home, f"{_summarize(faults)} {outcome}"))
    return contents


def _read_each(
    read: Callable[[str], _T], names: Iterable[str]
) -> tuple[dict[str, _T], dict[str, OSError]]:
    contents, faults = {}, {}
    for name in names:
        try:
            contents[name] = read(name)
        except OSError as error:
            faults[name] = error
    return contents, faults


def _attempt_download(
    source: Source, home: Path, names: list[str], download: bool
) -> str:
    """Download files if that is allowed, and tell in a sentence how it went."""
    if not download:
        return "Nothing was downloaded, because download=False."
    try:
        download_files(source, home / source.folder, names)
    except OSError as error:
        return f"The download failed: {str(error).rstrip('.')}."
    return "The download succeeded, but the files cannot be used."


def _summarize(faults: dict[str, OSError]) -> str:
    missing = [n for n, fault in faults.items() if isinstance(fault, FileNotFoundError)]
    others = [str(fault) for name, fault in faults.items() if name not in missing]
    summary = [f"Missing: {', '.join(missing)}."] if missing else []
    return " ".join(summary + [f"{other}." for other in others])


def _explain(source: Source, home: Path, problem: str) -> str:
    return (
        f"{source.title} could not be loaded from {show_path(home / source.folder)}. "
        f"{problem} Set data_home or the environment variable SK_MEMORIZE_DATA to a "
        f'folder that holds {source.folder}, or use name="digits", which needs no '
        "files."
    )
