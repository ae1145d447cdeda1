"""From what a preset says of its optimiser to one for a run of so many steps."""

import keras
from keras import ops

from keras_avrep.training.adam_with_l2 import AdamWithL2
from keras_avrep.training.sgd_with_l2 import SGDWithL2

# What suits a short run of a small model.
DEFAULT_RECIPE = {
    "name": "adam",
    "learning_rate": 1e-3,
    "warmup": 0.05,
    "decay": "cosine",
}
COMMON = ("name", "learning_rate", "batch_size", "weight_decay", "warmup", "decay")
KEYS = {
    "adam": COMMON,
    "adamw": COMMON,
    "sgd": (*COMMON, "momentum", "decayed"),
}
DECAYS = ("cosine", "cosine_from_start")


def make_optimizer(recipe, steps, batch_size=None):
    """The Keras optimiser of a recipe, its rates laid over the steps of a run.

    Args:
        recipe: dict of

            - `name`: string. `"adam"` or `"sgd"`, whose weight decay is part of the
              gradient as in PyTorch, or `"adamw"`, whose is not;
            - `learning_rate`: float. The highest;
            - `batch_size`: int. Videos of a step that this rate is for: it is
              scaled to the run's, linearly. Not scaled where left out;
            - `momentum`: float, of `"sgd"`. Defaults to 0.9;
            - `weight_decay`: float. Defaults to 0;
            - `decayed`: string, of `"sgd"`. Only variables whose path has it are
              decayed, for example `"kernel"`. Defaults to all;
            - `warmup`: float. Share of the run in which the rate rises linearly.
              Defaults to 0;
            - `decay`: `"cosine"` for a cosine after the warm-up, which begins at a
              tenth of the rate; `"cosine_from_start"` for one counted from step 0,
              which the warm-up rises to from 0; or a list of shares of the run at
              which the rate falls to a tenth. Defaults to a constant rate.
        steps: int. Steps of the whole run.
        batch_size: int. Videos of a step. Defaults to `None`, the recipe's.

    Returns:
        A `keras.optimizers.Optimizer`.

    Raises:
        ValueError: if the recipe names something unknown or a wrong share.

    Example:
    ```python
    recipe = {"name": "sgd", "learning_rate": 0.01, "decay": [0.6, 0.8]}
    make_optimizer(recipe, steps=10000)
    ```

    Reference: sections 5 of the notes of DCLR, Static and Dynamic Concepts,
    ConST-CL and TeG.
    """
    check_recipe(recipe)
    schedule = make_schedule(recipe, steps, batch_size)
    decay = recipe.get("weight_decay", 0.0)
    if recipe["name"] == "sgd":
        momentum = recipe.get("momentum", 0.9)
        return SGDWithL2(schedule, momentum, decay, recipe.get("decayed"))
    if recipe["name"] == "adamw":
        return keras.optimizers.AdamW(schedule, weight_decay=decay)
    if decay:
        return AdamWithL2(schedule, l2=decay)
    return keras.optimizers.Adam(schedule)


def make_schedule(recipe, steps, batch_size=None):
    """The learning rate of a recipe by step, as a schedule of Keras."""
    rate = recipe["learning_rate"]
    if batch_size is not None and "batch_size" in recipe:
        rate = rate * batch_size / recipe["batch_size"]
    warmup, decay = recipe.get("warmup", 0.0), recipe.get("decay")
    # A share of a whole number of steps must not fall short of it by a rounding.
    warmup_steps = max(1, int(steps * warmup + 1e-6)) if warmup else 0
    schedules = keras.optimizers.schedules
    if decay == "cosine":
        if not warmup_steps:
            return schedules.CosineDecay(rate, steps)
        # Keras counts the cosine's steps from the end of the warm-up.
        return schedules.CosineDecay(
            rate / 10,
            max(1, steps - warmup_steps),
            warmup_target=rate,
            warmup_steps=warmup_steps,
        )
    if decay == "cosine_from_start":
        schedule = schedules.CosineDecay(rate, steps)
    else:
        drops = decay or []
        schedule = schedules.PiecewiseConstantDecay(
            # Keras drops after its boundary.
            [max(0, round(steps * share) - 1) for share in drops],
            [rate * 0.1**count for count in range(len(drops) + 1)],
        )
    return WarmUp(schedule, warmup_steps) if warmup_steps else schedule


def check_recipe(recipe):
    """Raise, in one sentence, if a recipe cannot be followed."""
    name = recipe.get("name")
    if name not in KEYS:
        raise ValueError(f"The optimiser {name!r} is unknown; there are {list(KEYS)}.")
    unknown = [key for key in recipe if key not in KEYS[name]]
    if unknown:
        raise ValueError(
            f"The recipe of {name!r} has unknown parts {unknown}; there are "
            f"{list(KEYS[name])}."
        )
    if "learning_rate" not in recipe:
        raise ValueError(f"The recipe of {name!r} has no `learning_rate`; give one.")
    warmup = recipe.get("warmup", 0)
    if not 0 <= warmup < 1:
        raise ValueError(f"`warmup` is {warmup}; give a share of the run, from 0 to 1.")
    decay = recipe.get("decay")
    if isinstance(decay, str) and decay not in DECAYS:
        raise ValueError(
            f"`decay` is {decay!r}; give one of {list(DECAYS)} or a list of shares."
        )
    drops = [] if decay is None or isinstance(decay, str) else list(decay)
    if sorted(drops) != drops or not all(0 < share < 1 for share in drops):
        raise ValueError(
            f"`decay` is {decay}; give shares of the run between 0 and 1 that rise."
        )


@keras.saving.register_keras_serializable(package="keras_avrep")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise from 0 to what a schedule says at its end, then that schedule.

    Args:
        schedule: `keras.optimizers.schedules.LearningRateSchedule`.
        steps: int. Steps of the rise.

    Example:
    ```python
    WarmUp(keras.optimizers.schedules.CosineDecay(0.1, 1000), steps=25)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 5.
    """

    def __init__(self, schedule, steps):
        super().__init__()
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step):
        rising = self.schedule(self.steps) * ops.cast(step, "float32") / self.steps
        return ops.where(step < self.steps, rising, self.schedule(step))

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "steps": self.steps}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["steps"])
