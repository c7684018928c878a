"""
Corrupt some labels, score on clean ones
========================================

How does a network that memorizes everything fare as more and more of its labels are
wrong? The labels must be corrupted in the training folds only, anew in each, and the
test folds must stay clean. That is what
:class:`~sk_memorize.CorruptedTargetClassifier` does in
:func:`~sklearn.model_selection.cross_validate`.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import cross_validate

from sk_memorize import (
    CorruptedTargetClassifier,
    LabelPermuter,
    MemorizingMLP,
    load_dataset,
    memorization_scoring,
)

digits = load_dataset("digits")
X, y = digits.X_train, digits.y_train

# %%
# A fraction of the labels is replaced, each by one of the other classes. The fraction
# is exact, not left to chance.

levels = (0.0, 0.2, 0.4, 0.6, 0.8)
means = {}
for level in levels:
    noise = LabelPermuter("symmetric", fraction=level, random_state=0)
    clf = CorruptedTargetClassifier(MemorizingMLP(random_state=0), noise)
    scores = cross_validate(
        clf, X, y, cv=3, scoring=memorization_scoring(), return_train_score=True
    )
    means[level] = pd.DataFrame(scores).mean()
table = pd.DataFrame(means).T.rename_axis("corrupted")

# %%
# The training rows have two accuracies. Against the labels that were fitted it is 1:
# they are memorized at every level. Against the true ones it is the fraction that was
# not corrupted.

names = {
    "train_fitted_accuracy": "training rows, fitted labels",
    "train_accuracy": "training rows, true labels",
    "test_accuracy": "test rows, true labels",
}
print(table[list(names)].round(3))

# %%
# On clean test folds a network with wrong labels is above that line: it has not only
# memorized the noise, but also learned what the digits look like.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
curves = table[list(names)].rename(columns=names).assign(chance=0.1)
curves.plot(ax=ax, style=["o-", "s--", "^-.", "k:"], ylabel="accuracy")
ax.set_xlabel("fraction of the labels that is wrong")
_ = ax.set_title("Digits with symmetric noise, three folds")
