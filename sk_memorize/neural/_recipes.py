"""Recipes of MemorizingMLP by name."""

from typing import Any

RECIPES: dict[str, dict[str, Any]] = {
    "memorizing": {},
    # Whitening would amplify the noise of dark pixels, so the inputs stay as
    # they are; dropout averages many networks, label smoothing keeps the logits
    # small, and one long cycle lets the weights settle after the labels are
    # fitted. A wide network of ReLUs loses less by the dropout.
    "generalizing": {
        "hidden_layer_sizes": (512, 512),
        "norm_position": "before",
        "norm_affine": True,
        "negative_slope": 0.0,
        "whitening_shrinkage": None,
        "optimizer_params": {"betas": (0.9, 0.999)},
        "dropout": 0.2,
        "label_smoothing": 0.05,
        "lr": 4e-3,
        "lr_scheduler_params": {"cycle_epochs": 30, "warmup": 0.2},
        "max_epochs": 30,
    },
    # The course's: seven Linear layers, batch norm behind each ReLU, Adam with a
    # learning rate of 0.001 that falls to a tenth every five epochs, for the first
    # time after six, as its scheduler did not step in the first epoch.
    "notebook": {
        "hidden_layer_sizes": (256, 512, 256, 128, 64, 32),
        "norm_affine": True,
        "negative_slope": 0.0,
        "whitening_shrinkage": None,
        "optimizer": "adam",
        "optimizer_params": {"betas": (0.9, 0.999)},
        "lr": 1e-3,
        "lr_scheduler": "multistep",
        "lr_scheduler_params": {"milestones": (6, 11, 16), "gamma": 0.1},
        "batch_size": 512,
        "max_epochs": 20,
        "target_accuracy": None,
        "precision": "float32",
    },
}
