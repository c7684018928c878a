"""
A separating hyperplane, with proof
===================================

Can a linear classifier be right on all rows? A solver that reports failure may only
have been stopped too early. :func:`~sk_memorize.separability_test` answers with a proof
that anybody can check: a hyperplane with a margin, or weights that show that the convex
hulls of the classes meet.
"""

import matplotlib.pyplot as plt
import numpy as np

from sk_memorize import LabelPermuter, load_dataset, separability_test

digits = load_dataset("digits")
pair = digits.y_train < 2
X, y = digits.X_train[pair], digits.y_train[pair]

# %%
# Zeros and ones can be separated, and random labels could not have been: Cover's
# theorem bounds the chance.

result = separability_test(X, y)
print(result.summary())

# %%
# The proof is checked without solving anything.

print("proof holds:", result.check(X, y))

# %%
# With permuted labels there is no such hyperplane, and this is proved as well.

y_permuted = LabelPermuter(random_state=0).fit(y).transform(y)
chance = separability_test(X, y_permuted)
print(chance.summary())
print("proof holds:", chance.check(X, y_permuted))

# %%
# The distances from the hyperplane, and the hyperplane itself: where a bright pixel
# speaks for a one, and where for a zero.

distances = (X @ result.coef + result.intercept) / np.linalg.norm(result.coef)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
bins = np.linspace(distances.min(), distances.max(), 31)
for digit, color in ((0, "#0072B2"), (1, "#D55E00")):
    left.hist(distances[y == digit], bins, color=color, label=str(digit), alpha=0.8)
left.axvspan(-result.margin, result.margin, color="0.85", label="margin")
left.set(
    xlabel="distance from the hyperplane",
    ylabel="digits",
    title=f"Zeros and ones, margin {result.margin:.3f}",
)
left.legend()
size = np.abs(result.coef).max()
image = right.imshow(
    result.coef.reshape(digits.image_shape), cmap="PuOr_r", vmin=-size, vmax=size
)
right.set(title="Weights of the hyperplane", xticks=[], yticks=[])
_ = figure.colorbar(image, ax=right, label="zero (negative), one (positive)")
