"""
Is there signal in these labels?
================================

Before a classifier is tuned for a week: do the labels have anything to do with the
inputs? If not, they would be one permutation among others. So
:func:`~sk_memorize.randomization_test` fits a classifier to the labels and to
permutations of them, and counts how many of these do as well.
"""

import matplotlib.pyplot as plt
from sklearn.naive_bayes import GaussianNB

from sk_memorize import (
    LabelPermuter,
    RandomizationTestDisplay,
    load_dataset,
    randomization_test,
)

digits = load_dataset("digits")
X, y = digits.X_train[:300], digits.y_train[:300]

# %%
# Four in five labels are drawn anew, and for the second test all of them are permuted.

y_noisy = LabelPermuter("uniform", fraction=0.8, random_state=0).fit(y).transform(y)
y_random = LabelPermuter(random_state=0).fit(y).transform(y)

tests = {
    name: randomization_test(
        GaussianNB(), X, labels, cv=3, n_permutations=199, random_state=0
    )
    for name, labels in {"one in five is true": y_noisy, "permuted": y_random}.items()
}

# %%
# The least p-value that 199 permutations can give is 1 / 200. Any classifier will do,
# and a fast and simple one does well. A network that memorizes all labels has a
# training accuracy of 1 in any case: what counts is the accuracy in cross-validation.

for name, test in tests.items():
    print(f"{name}: p = {test.p_values['cv_accuracy']:.3f}")

# %%

figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained", sharex=True)
for ax, (name, test) in zip(axes, tests.items(), strict=True):
    RandomizationTestDisplay.from_results(test, ax=ax)
    ax.set_title(f"Labels: {name}, p = {test.p_values['cv_accuracy']:.3g}")
