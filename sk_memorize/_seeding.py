"""Reduce `random_state` to seeds; the global generator of NumPy is never used."""

import numpy as np
from numpy.random import RandomState
from sklearn.base import BaseEstimator, clone

# Seeds of scikit-learn's estimators are below 2**32.
_N_SEEDS = 2**31


def as_generator(random_state: int | RandomState | None) -> RandomState:
    """Make a generator of a `random_state`.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        An instance is the result, an int its seed; None takes a new seed from the
        operating system, unlike scikit-learn's ``check_random_state``.

    Returns
    -------
    rng : RandomState
        The generator.
    """
    if isinstance(random_state, RandomState):
        return random_state
    return RandomState(random_state)


def draw_seed(random_state: int | RandomState | None) -> int:
    """Reduce a `random_state` to an int.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        An int is the result; from an instance one is drawn; None takes a new seed
        from the operating system.

    Returns
    -------
    seed : int
        The seed.
    """
    if random_state is None or isinstance(random_state, RandomState):
        return int(as_generator(random_state).randint(_N_SEEDS))
    return int(random_state)


def spawn_seeds(seed: int, n_seeds: int) -> list[int]:
    """Spawn independent seeds; the first ones do not depend on their number.

    Parameters
    ----------
    seed : int
        Decides all of them.
    n_seeds : int
        Their number.

    Returns
    -------
    seeds : list of int
        Seeds that `RandomState` takes.
    """
    children = np.random.SeedSequence(seed).spawn(n_seeds)
    return [int(child.generate_state(1)[0]) % _N_SEEDS for child in children]


def seeded_clone(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """Clone an estimator, and give it seeds where it has none.

    Parameters
    ----------
    estimator : estimator instance
        The original. It is not changed.
    seed : int
        Decides the seeds of all parameters `random_state` that are None, those of
        nested estimators among them.

    Returns
    -------
    estimator : estimator instance
        The unfitted clone.
    """
    twin = clone(estimator)
    names = sorted(
        name
        for name, value in twin.get_params().items()
        if value is None and name.split("__")[-1] == "random_state"
    )
    return twin.set_params(
        **dict(zip(names, spawn_seeds(seed, len(names)), strict=True))
    )
