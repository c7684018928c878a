"""scikit-learn's own checks of every public estimator."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import sk_memorize
from sk_memorize import (
    CorruptedTargetClassifier,
    GaussianInputs,
    KernelInterpolator,
    LabelPermuter,
    MemorizingMLP,
    MislabeledRows,
    TwoLayerInterpolator,
)

# Small networks: scikit-learn's checks are about conventions, not about size.
SMALL = {"width": 32, "max_epochs": 40, "random_state": 0}
PUBLIC = [getattr(sk_memorize, name) for name in sk_memorize.__all__]
AS_THEY_COME = [
    public(LogisticRegression(), LabelPermuter(random_state=0))
    if public is CorruptedTargetClassifier
    else public()
    for public in PUBLIC
    if isinstance(public, type) and issubclass(public, BaseEstimator)
    # Below, and in test_mislabeled with a classifier that is faster than its committee.
    if public not in (LabelPermuter, MemorizingMLP, MislabeledRows)
]
OTHERS = [
    CorruptedTargetClassifier(
        DecisionTreeClassifier(random_state=0),
        LabelPermuter("uniform", fraction=0.2, exact=False, random_state=0),
    ),
    GaussianInputs(per_feature=True),
    KernelInterpolator(gamma=2.0),
]


# Some checks fit two columns far from zero, for which the default kernel is singular.
@pytest.mark.filterwarnings("ignore:KernelInterpolator fitted the fraction")
# A tree takes the logarithms of probabilities that are zero.
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks(AS_THEY_COME + OTHERS)
def test_sklearn_conventions(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The training ended")
@parametrize_with_checks(
    [
        MemorizingMLP(),
        MemorizingMLP(  # as little as can be of the defaults
            **SMALL,
            norm="group",
            norm_affine=True,
            whitening_shrinkage=None,
            optimizer="adamw",
            lr_scheduler="cosine",
            dropout=0.1,
            precision="float32",
            class_weight="balanced",
            warm_start=True,
        ),
    ]
)
def test_sklearn_conventions_of_networks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "clf", [MemorizingMLP(**SMALL), KernelInterpolator(), TwoLayerInterpolator()]
)
def test_predict_goes_by_the_decision_function(clf, n_classes):
    X, y = (part[: 50 * n_classes] for part in load_iris(return_X_y=True))
    clf = clone(clf).fit(X, y)
    near, far = X[:1], X[-1:]
    rows = [X, 9 * X - 40]
    for _ in range(60):  # ever nearer to the boundary
        rows.append((near + far) / 2)
        is_near = clf.predict(rows[-1]) == clf.predict(near)
        near, far = (rows[-1], far) if is_near else (near, rows[-1])
    for part in (*rows, np.vstack(rows)):
        scores = clf.decision_function(part)
        best = scores.argmax(1) if n_classes > 2 else (scores > 0).astype(int)
        assert (clf.predict(part) == clf.classes_[best]).all()


# A transformer of targets is, like scikit-learn's LabelEncoder, none of those that the
# generator of checks accepts; these are the checks that need no X.
@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_mixin_order",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
    ],
)
@pytest.mark.parametrize(
    "permuter",
    [LabelPermuter(), LabelPermuter("symmetric", fraction=0.2, exact=False)],
    ids=repr,
)
def test_sklearn_conventions_without_rows(permuter, check):
    getattr(estimator_checks, check)(type(permuter).__name__, clone(permuter))
