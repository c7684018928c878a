"""All fits of a call, and the sums over them."""

import os
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from ..._errors import wrong
from ..._seeding import draw_seed, spawn_seeds
from ._checkpoint import Checkpoint, hash_estimator, versions
from ._data import Data
from ._halves import Mask, draw_held_out
from ._influence import pack, unpack
from ._sums import Sums


class Design(NamedTuple):
    """Which rows each fit holds out, and with which seed it is made.

    Attributes
    ----------
    bits : ndarray of shape (n_fits, n_bytes), uint8
        Whether each row is held out, in bits.
    seeds : list of int
        One for each fit.
    fewest : ndarray of shape (n_classes,)
        Least number of rows of a class that a fit is trained on.
    """

    bits: NDArray[np.uint8]
    seeds: list[int]
    fewest: NDArray[np.intp]


def make_design(
    data: Data, n_fits: int, train_size: float, seed: int, owner: str
) -> Design:
    """Draw which rows are held out, and refuse what cannot be fitted.

    The seed decides the draws, and the seeds of the fits.
    """
    if train_size == 0.5 and n_fits % 2:
        must = "be even with train_size=0.5, as fits come in pairs of halves"
        raise ValueError(wrong("n_fits", owner, must, n_fits))
    codes, classes = data.fits.codes, data.fits.classes
    has_weight = data.fits.has_weight
    seed_of_draws, seed_of_fits = spawn_seeds(seed, 2)
    bits, counts = [], []
    n_out = np.zeros(len(codes), np.intp)
    for is_out in draw_held_out(data.unit, codes, n_fits, train_size, seed_of_draws):
        trained = codes[~is_out & has_weight]
        counts.append(np.bincount(trained, minlength=len(classes)))
        if (counts[-1] > 0).sum() <= 1:
            must = "have at least two classes in the rows that each fit is trained on"
            got = (
                f"{np.unique(classes[trained]).tolist()} in those of fit {len(counts)}"
            )
            raise ValueError(wrong("y", owner, must, got))
        n_out += is_out
        bits.append(pack(is_out[None])[0])
    if n_out.min() == 0 or n_out.max() == n_fits:
        must = f"be large enough that, with train_size={train_size:g}, each row is in "
        must += "some fits and held out of others"
        raise ValueError(wrong("n_fits", owner, must, n_fits))
    seeds = spawn_seeds(seed_of_fits, n_fits)
    return Design(np.stack(bits), seeds, np.min(counts, axis=0))


def measure(
    data: Data,
    n_fits: int,
    train_size: float,
    random_state: int | RandomState | None,
    run: "Run",
) -> tuple[Sums, Design]:
    """Make all fits, and add up what they say, in their order.

    The sums are in the order of `data`; the design tells which rows each fit held out.
    """
    stored, checkpoint = None, None
    if run.checkpoint is not None:
        header = _header(data, train_size, random_state, run.owner)
        checkpoint = Checkpoint(run.checkpoint, header, run.owner)
        stored = checkpoint.load()
    seed = draw_seed(random_state) if stored is None else stored[1]
    design = make_design(data, n_fits, train_size, seed, run.owner)
    fits = data.fits
    n_rows, n_test = len(fits.codes), len(fits.test_codes)
    sums = Sums.zeros(len(fits.members), n_rows, len(fits.classes), n_test)
    if stored is not None:
        sums = stored[0]
    if sums.n_finished > n_fits:
        must = "be at least the number of fits in the checkpoint, "
        must += str(sums.n_finished)
        raise ValueError(wrong("n_fits", run.owner, must, n_fits))

    def save() -> None:
        if checkpoint is not None:
            checkpoint.save(sums, seed)

    save()
    _run_fits(data, design, sums, run, save)
    return sums, design


class Run(NamedTuple):
    """How the fits are made: nothing that changes the result.

    Attributes
    ----------
    owner : str
        The function that errors and the progress bar name.
    n_jobs : int or None
        Number of fits at a time.
    verbose : bool or int
        Whether to show a progress bar.
    checkpoint : str or path-like or None
        The file of the sums.
    """

    owner: str
    n_jobs: int | None = None
    verbose: bool | int = False
    checkpoint: str | os.PathLike[str] | None = None


def _run_fits(
    data: Data, design: Design, sums: Sums, run: Run, save: Callable[[], None]
) -> None:
    """Make the fits that are left."""
    fits, n_rows, n_fits = data.fits, len(data.fits.codes), len(design.seeds)
    left = range(sums.n_finished, n_fits)

    def is_out(number: int) -> Mask:
        return unpack(design.bits[number : number + 1], n_rows)[0]

    results = Parallel(n_jobs=run.n_jobs, return_as="generator")(
        delayed(fits.run)(is_out(number), design.seeds[number]) for number in left
    )
    with closing(results), closing(_bar(run, n_fits, sums.n_finished)) as bar:
        for number, result in zip(left, results, strict=True):
            last = is_out(number - 1) if number % 2 else None
            sums.add(is_out(number), fits.codes, result, last)
            save()
            bar.update()


def _bar(run: Run, n_fits: int, n_finished: int) -> Any:
    from tqdm.auto import tqdm

    return tqdm(
        total=n_fits,
        initial=n_finished,
        desc=run.owner,
        unit="fit",
        disable=not run.verbose,
    )


def _header(
    data: Data, train_size: float, random_state: int | RandomState | None, owner: str
) -> dict[str, Any]:
    """Tell all that decides the sums, by the names of the arguments."""
    seed: str | int | None = None
    if isinstance(random_state, RandomState):
        seed = hash_estimator(random_state.get_state(), owner)
    elif random_state is not None:
        seed = int(random_state)
    return {
        "estimator": hash_estimator(data.fits.members, owner),
        "train_size": train_size,
        "random_state": seed,
        **{name: sha256(c).hexdigest() for name, c in data.contents.items()},
        "version of numpy, scikit-learn or torch": versions(),
    }
