"""Options of `pretrain` that change the optimiser of a preset."""

NAMES = ("adam", "adamw", "sgd")
# Where another optimiser than the preset's is asked for: its rates say nothing then.
OTHERS = {
    "adam": {},
    "adamw": {"weight_decay": 0.01},
    "sgd": {"learning_rate": 0.01, "momentum": 0.9, "weight_decay": 1e-4},
}


def add_optimizer_arguments(group):
    group.add_argument(
        "--optimizer", choices=NAMES, help="instead of the one the preset says"
    )
    group.add_argument(
        "--weight-decay",
        type=float,
        help="instead of the one the preset says; for adam and sgd it is part of the "
        "gradient",
    )


def run_recipe(preset, name=None, learning_rate=None, weight_decay=None):
    """What a run's optimiser is made of.

    Args:
        preset: dict. The recipe of a preset, or `None` for the default.
        name: string. Of another optimiser. Defaults to the preset's.
        learning_rate: float. The highest, as it is for any batch. Defaults to the
            recipe's.
        weight_decay: float. Defaults to the recipe's.

    Returns:
        A recipe; see `keras_avrep.training.make_optimizer`.
    """
    from keras_avrep.training import DEFAULT_RECIPE

    recipe = dict(preset or DEFAULT_RECIPE)
    if name not in (None, recipe["name"]):
        recipe = {**DEFAULT_RECIPE, "name": name, **OTHERS[name]}
    if learning_rate is not None:
        recipe["learning_rate"] = learning_rate
        recipe.pop("batch_size", None)
    if weight_decay is not None:
        recipe["weight_decay"] = weight_decay
    return recipe
