"""How many parameters a fitted classifier has."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sk_memorize import CorruptedTargetClassifier, MemorizingMLP, memorization_capacity
from sk_memorize.analysis._capacity import count_parameters

DIGITS, DIGIT_LABELS = load_digits(return_X_y=True)
HOMOGENEOUS = LogisticRegression(C=np.inf, max_iter=1000, fit_intercept=False)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (LogisticRegression(), 650),
        (MLPClassifier((5, 4), max_iter=1), 64 * 5 + 5 + 5 * 4 + 4 + 4 * 10 + 10),
        (HOMOGENEOUS, 640),
        (SVC(kernel="linear"), 45 * 65),
        (SVC(), None),
        (OneVsRestClassifier(LogisticRegression()), 650),
        (OneVsRestClassifier(GaussianNB()), None),
        (CorruptedTargetClassifier(LogisticRegression()), 650),
        (make_pipeline(StandardScaler(), LogisticRegression()), 650),
        (GridSearchCV(LogisticRegression(), {"C": [1e-4, 1e-3]}), 650),
        (
            MemorizingMLP(width=8, depth=1, max_epochs=1, target_accuracy=None),
            64 * 8 + 8 + 8 * 10 + 10,
        ),
    ],
    ids=repr,
)
def test_parameters_are_counted(estimator, expected):
    fitted = clone(estimator).fit(DIGITS[:200], DIGIT_LABELS[:200])
    assert count_parameters(fitted) == expected


def test_parameters_in_a_sparse_matrix_are_counted():
    linear = LogisticRegression(max_iter=1000).fit(DIGITS[:200], DIGIT_LABELS[:200])
    assert count_parameters(linear.sparsify()) == 650


def test_nodes_of_trees_are_counted():
    X, y = DIGITS[:200], DIGIT_LABELS[:200]
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert count_parameters(tree) == tree.tree_.node_count > 20
    for ensemble in (
        RandomForestClassifier(5, random_state=0),
        GradientBoostingClassifier(n_estimators=2, random_state=0),
    ):
        trees = np.ravel(ensemble.fit(X, y).estimators_)
        expected = sum(tree.tree_.node_count for tree in trees)
        assert count_parameters(ensemble) == expected


def test_parameters_can_be_counted_in_another_way():
    params = {"n_features": 3, "max_samples": 50, "n_repeats": 2, "random_state": 0}
    tree = DecisionTreeClassifier(random_state=0)
    result = memorization_capacity(
        tree, n_parameters=lambda fitted: fitted.get_n_leaves(), **params
    )
    # A binary tree has one leaf more than it has inner nodes.
    nodes = memorization_capacity(tree, **params).n_parameters
    assert result.n_parameters == (nodes + 1) / 2
