"""
How wide, how deep? A grid search
=================================

A network is an ordinary estimator of scikit-learn, and `width` and `depth` are
parameters for :class:`~sklearn.model_selection.GridSearchCV`. Which sizes can hold all
labels of the digits, if these are permuted? And do the sizes that can hold them do
worse with the true ones?
"""

import matplotlib.pyplot as plt
from sklearn.model_selection import GridSearchCV

from sk_memorize import GridHeatmapDisplay, LabelPermuter, MemorizingMLP, load_dataset

digits = load_dataset("digits")
X, y = digits.X_train[:600], digits.y_train[:600]

# %%
# Thirty epochs for all, whether they reach zero training error or not.

network = MemorizingMLP(max_epochs=30, target_accuracy=None, random_state=0)
sizes = {"depth": [1, 2, 3], "width": [4, 16, 64]}
y_permuted = LabelPermuter(random_state=0).fit(y).transform(y)
searches = [
    GridSearchCV(network, sizes, cv=2, return_train_score=True).fit(X, labels)
    for labels in (y_permuted, y)
]

# %%
# With 64 units a layer, networks of every depth fit 300 permuted labels, and for each
# depth they are also the best with true labels: being able to memorize does no harm.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for search, measure, ax in zip(
    searches, ("mean_train_score", "mean_test_score"), (left, right), strict=True
):
    GridHeatmapDisplay.from_estimator(search, measure=measure, ax=ax, vmin=0, vmax=1)
left.set(title="Permuted labels, training rows")
_ = right.set(title="True labels, test rows")
