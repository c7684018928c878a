"""
Keep a model, load it, train it further
=======================================

A trained network is kept in a safetensors file, which holds numbers and a description,
but no code: a file from a stranger can be opened. With ``warm_start=True`` another
`fit` goes on with the network of the one before.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from sk_memorize import LabelPermuter, MemorizingMLP, load_dataset

digits = load_dataset("digits")
X, y = digits.X_train, digits.y_train
clf = MemorizingMLP(warm_start=True, random_state=0).fit(X, y)

# %%
# The loaded model gives the same probabilities, bit for bit.

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    clf.save(path)
    again = MemorizingMLP.load(path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
same = (again.predict_proba(digits.X_test) == clf.predict_proba(digits.X_test)).all()
print("the same probabilities:", bool(same))

# %%
# Now the network that knows the digits learns the same labels in random order, and then
# the true ones again.

y_permuted = LabelPermuter(random_state=0).fit(y).transform(y)
steps = [("true labels", clf.history_, clf.score(digits.X_test, digits.y_test))]
for name, labels in (("permuted labels", y_permuted), ("true labels again", y)):
    clf.fit(X, labels)
    steps.append((name, clf.history_, clf.score(digits.X_test, digits.y_test)))
    print(f"{name}: {clf.train_accuracy_:.3f} on the labels that it was given")

# %%
# While the network learns the random labels it forgets the digits; then it learns them
# again, but does not get as far on test rows as before.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
start = 0
for (name, history, test), color in zip(
    steps, ("#0072B2", "#D55E00", "#009E73"), strict=True
):
    epochs = start + history.index
    ax.plot(epochs, history["accuracy"], "o-", color=color, label=name)
    ax.plot(epochs[-1], test, "*", color=color, markersize=13)
    start = epochs[-1]
ax.plot([], [], "*", color="0.4", markersize=10, label="test rows, at the end")
ax.axhline(0.1, color="0.4", linestyle=":", label="chance")
ax.set(
    xlabel="epoch, over all three fits",
    ylabel="training accuracy",
    title="Digits, learned, overwritten and learned again",
)
_ = figure.legend(loc="outside lower center", ncols=3, frameon=False)
