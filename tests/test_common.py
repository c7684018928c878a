"""scikit-learn's own checks, and conventions of all public names."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_memorize import MemorizingMLP

# Small networks: scikit-learn's checks are about conventions, not about size.
SMALL = {"width": 32, "max_epochs": 40, "random_state": 0}


@pytest.mark.filterwarnings("ignore:The training ended")
@parametrize_with_checks(
    [
        MemorizingMLP(**SMALL),
        MemorizingMLP(**SMALL, whitening_shrinkage=None, precision="float32"),
        MemorizingMLP(
            **SMALL,
            norm="group",
            norm_position="after",
            optimizer="muon",
            lr_scheduler="cosine",
            dropout=0.1,
        ),
        MemorizingMLP(**SMALL, class_weight="balanced", warm_start=True),
    ]
)
def test_sklearn_conventions(estimator, check):
    check(estimator)
