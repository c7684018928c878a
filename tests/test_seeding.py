"""Seeds from `random_state`, and where an estimator is given them."""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sk_memorize._seeding import draw_seed, seeded_clone, spawn_seeds


def test_seeds_are_given_where_there_are_none():
    clf = make_pipeline(
        DecisionTreeClassifier(), DecisionTreeClassifier(random_state=7)
    )
    twins = [seeded_clone(clf, seed) for seed in (0, 0, 1)]
    seeds = [[step.random_state for step in twin] for twin in twins]
    assert seeds[0] == seeds[1] != seeds[2]
    assert all(pair[1] == 7 for pair in seeds)
    assert clf[0].random_state is None


def test_the_first_seeds_do_not_depend_on_their_number():
    assert spawn_seeds(3, 5)[:2] == spawn_seeds(3, 2)
    assert len(set(spawn_seeds(3, 100))) == 100
    assert draw_seed(np.int64(5)) == 5
    assert draw_seed(None) != draw_seed(None)
