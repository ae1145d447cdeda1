import keras

from keras_avrep.losses import response_loss
from keras_avrep.training import choose_device_policy


def train_tracker(
    tracker,
    pairs,
    *,
    epochs=50,
    learning_rate=1e-3,
    last_rate=1e-5,
    callbacks=(),
    jit_compile=None,
):
    """Train the two convolutions of a tracker: Adam, its rate falling exponentially.

    Args:
        tracker: `SiameseTracker`.
        pairs: batches with a length, such as
            `keras_avrep.evaluation.TrackingPairs`: a dict of `exemplar` and `search`,
            and shifts `(B, 2)`.
        epochs: int. Defaults to 50.
        learning_rate: float. At first. Defaults to 1e-3.
        last_rate: float. In the end. Defaults to 1e-5.
        callbacks: Keras callbacks. Defaults to none.
        jit_compile: bool to overrule the device policy. Defaults to `None`.

    Returns:
        List of the mean loss of each epoch.

    Example:
    ```python
    read = keras_avrep.data.read_got10k("GOT-10k", "train")
    pairs = keras_avrep.evaluation.TrackingPairs(tracker, read.sequences)
    keras_avrep.models.train_tracker(tracker, pairs)
    tracker.save_to_preset("runs/tracker")
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6, the recipe of VFS.
    """
    steps = epochs * len(pairs)
    rate = keras.optimizers.schedules.ExponentialDecay(
        learning_rate, steps, last_rate / learning_rate
    )
    # Of the same layers: a task of keras-hub takes no batches that change by the epoch.
    model = keras.Model(tracker.input, tracker.output)
    policy = choose_device_policy(jit_compile, keras.config.dtype_policy().name)
    model.compile(
        keras.optimizers.Adam(rate), response_loss, jit_compile=policy.compiles(steps)
    )
    history = model.fit(pairs, epochs=epochs, callbacks=list(callbacks), verbose=0)
    return history.history["loss"]
