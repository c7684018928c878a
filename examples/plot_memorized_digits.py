"""
The most memorized digits, and who they influence
=================================================

Which labels follow from the other rows, and which can only be memorized?
:func:`~sk_memorize.memorization_scores` trains networks on halves of the rows, so that
each row is held out of half of them, and compares networks that saw a row with networks
that did not.
"""

from sk_memorize import (
    InfluenceDisplay,
    MemorizationDisplay,
    MemorizingMLP,
    load_dataset,
    memorization_scores,
)

digits = load_dataset("digits")
X, y = digits.X_train, digits.y_train

# %%
# Trainings are short and without whitening, since each fit must also generalize.

network = MemorizingMLP(whitening_shrinkage=None, max_epochs=8, target_accuracy=None)
scores = memorization_scores(
    network,
    X,
    y,
    X_test=digits.X_test,
    y_test=digits.y_test,
    n_fits=32,
    random_state=0,
)
print(scores.summary())

# %%
# Most digits follow from the others. A few do not: below each image are its label and
# the label that networks suggest that have not seen it.

display = MemorizationDisplay.from_results(
    scores, kind="images", X=X, image_shape=digits.image_shape
)

# %%
# A memorized digit is not useless. Some test digits are recognized only by networks
# that saw a certain training digit: at the left are the test digits, and to the right
# of each the training digits of its label that influence it most. With so few fits some
# influences are large by chance; take hundreds to rely on a single pair.

display = InfluenceDisplay.from_results(
    scores,
    X,
    digits.X_test,
    digits.y_test,
    image_shape=digits.image_shape,
    pairs=scores.influential_pairs(),
)
