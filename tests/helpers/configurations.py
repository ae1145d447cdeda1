"""That a configuration says all of a thing."""

import keras


def assert_configuration_comes_back(thing):
    """Another of the same class and configuration is made from what is saved."""
    saved = keras.saving.serialize_keras_object(thing)
    again = keras.saving.deserialize_keras_object(saved)
    assert type(again) is type(thing)
    assert again.get_config() == thing.get_config()
