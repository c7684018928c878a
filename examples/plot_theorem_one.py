"""
Theorem 1: any labels, without training
=======================================

Zhang et al. (2017) prove that two layers of a ReLU network with 2n + d weights
represent any function on n rows of d columns. The proof is a construction:
:class:`~sk_memorize.TwoLayerInterpolator` writes the weights down. Project the rows on
a line, put a unit between any two neighbors, and solve for the output weights.
"""

import matplotlib.pyplot as plt
import numpy as np

from sk_memorize import KernelInterpolator, TwoLayerInterpolator, load_dataset

# %%
# Sixteen points with labels drawn by a coin. The network joins them by straight lines.

rng = np.random.default_rng(0)
X, y = rng.normal(size=(16, 2)), rng.integers(0, 2, 16)
network = TwoLayerInterpolator(random_state=0).fit(X, y)
print(f"accuracy {network.score(X, y)}, {network.n_parameters_} weights = 2 * 16 + 2")

# %%
# It learns nothing. On the digits it is right on all training rows, as is the function
# of least norm of a Gaussian kernel; on new rows only the latter is right.

digits = load_dataset("digits")
for clf in (TwoLayerInterpolator(random_state=0), KernelInterpolator()):
    clf.fit(digits.X_train, digits.y_train)
    print(
        f"{type(clf).__name__}: {clf.score(digits.X_train, digits.y_train):.3f} on "
        f"training rows, {clf.score(digits.X_test, digits.y_test):.3f} on test rows"
    )

# %%
# On the left is the output along the line, which bends at each point; on the right are
# the classes that the two interpolators predict in the plane between the same points.

kernel = KernelInterpolator().fit(X, y)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
line = X @ network.direction_
order = np.argsort(line)
axes[0].plot(line[order], network.decision_function(X)[order], color="0.4", zorder=0)
axes[0].scatter(line, 2 * y - 1, c=y, cmap="coolwarm", edgecolors="black")
axes[0].set(xlabel="projection on the line", ylabel="output", title="Theorem 1")
side = np.linspace(-3, 3, 200)
plane = np.array(np.meshgrid(side, side)).reshape(2, -1).T
for ax, clf in zip(axes[1:], (network, kernel), strict=True):
    ax.pcolormesh(
        side, side, clf.predict(plane).reshape(200, 200), cmap="coolwarm", alpha=0.4
    )
    ax.scatter(*X.T, c=y, cmap="coolwarm", edgecolors="black")
    ax.set(xlabel="first column", ylabel="second column", title=type(clf).__name__)
