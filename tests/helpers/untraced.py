"""Functions of TensorFlow that run as they are, not traced."""

import contextlib

import keras


@contextlib.contextmanager
def untraced():
    """Run what is inside without tracing, which takes longer than a few small steps.

    Not for the first test of a thing: that it can be traced is to be seen somewhere.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
