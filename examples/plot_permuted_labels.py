"""
Zero training error proves nothing
==================================

A network that is right on all of its training rows has learned something about them,
one might think. Here the same network is trained by the same call on scikit-learn's
digits, once with their true labels and once with the same labels in random order.
"""

from sk_memorize import FittingCurveDisplay, LabelPermuter, MemorizingMLP, load_dataset

digits = load_dataset("digits")
X, y = digits.X_train, digits.y_train

# %%
# A permutation keeps the size of each class, but labels no longer depend on the images.

y_permuted = LabelPermuter(random_state=0).fit(y).transform(y)
print(f"{(y_permuted == y).mean():.0%} of the labels are what they were")

# %%
# Only the labels differ between the two fits.

networks = {
    "true labels": MemorizingMLP(random_state=0).fit(X, y),
    "permuted labels": MemorizingMLP(random_state=0).fit(X, y_permuted),
}
tests = {}
for name, network in networks.items():
    tests[name] = network.score(digits.X_test, digits.y_test)
    print(
        f"{name}: {network.train_accuracy_:.3f} on training rows, "
        f"{tests[name]:.3f} on test rows"
    )

# %%
# Both networks are right on every training row. On new images the first is right
# nearly always, and the second as often as somebody who guesses. So neither the zero
# training error nor the size of the network tells whether anything was learned that
# holds for other rows: only other rows tell.

display = FittingCurveDisplay.from_estimator(
    networks, test_accuracies=tests, chance_accuracy=0.1
)
_ = display.figure_.suptitle("The same network on digits, with two kinds of labels")
