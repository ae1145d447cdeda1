import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class FeatureQueue(keras.layers.Layer):
    """First-in, first-out memory of unit-norm keys with a validity mask.

    Several queues that are fed together keep their slots aligned: the same
    index addresses the same video in each.

    Args:
        names: list of strings, one queue each.
        size: int. Slots of each queue, K. Any batch up to K fits; it wraps.
        dim: int. Size of a key.
        seed: int. Seed of the initial random keys. Defaults to `None`.

    Example:
    ```python
    queue = FeatureQueue(["vv"], size=8, dim=4)
    queue.enqueue({"vv": keras.ops.ones((3, 4)) / 2})
    keras.ops.sum(queue.valid())  # 3
    ```

    Reference: DCLR (arXiv:2207.05340), note section 3.6.
    """

    def __init__(self, names, size, dim, seed=None, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.names = list(names)
        self.size = size
        self.dim = dim
        self.seed = seed
        for position, name in enumerate(self.names):
            keys = keras.random.normal(
                (size, dim), seed=None if seed is None else seed + position
            )
            variable = self.add_weight(
                name=name, shape=(size, dim), initializer="zeros", trainable=False
            )
            variable.assign(ops.normalize(keys, axis=-1))
            setattr(self, f"queue_{name}", variable)
        self.pointer = self.add_weight(
            name="pointer",
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="int32",
        )
        self.count = self.add_weight(
            name="count", shape=(), initializer="zeros", trainable=False, dtype="int32"
        )
        self.built = True

    def keys(self, name):
        """The keys of one queue, `(size, dim)`, filled or not."""
        return ops.convert_to_tensor(getattr(self, f"queue_{name}"))

    def valid(self):
        """Bool tensor `(size,)`: which slots hold a real key."""
        return ops.arange(self.size) < self.count

    def enqueue(self, keys):
        """Write a batch of keys over the oldest slots of every queue.

        Args:
            keys: dict from every queue's name to a tensor `(batch, dim)`.
        """
        batch = keys[self.names[0]].shape[0]
        if batch is None:
            batch = ops.shape(keys[self.names[0]])[0]
        elif batch > self.size:
            raise ValueError(
                f"A batch of {batch} keys does not fit a queue of {self.size}; "
                "use a larger `queue_size` or a smaller batch."
            )
        slots = (self.pointer + ops.arange(batch)) % self.size
        for name in self.names:
            variable = getattr(self, f"queue_{name}")
            update = ops.cast(ops.stop_gradient(keys[name]), "float32")
            variable.assign(ops.scatter_update(variable, slots[:, None], update))
        self.pointer.assign((self.pointer + batch) % self.size)
        self.count.assign(ops.minimum(self.count + batch, self.size))

    def get_config(self):
        return {
            **super().get_config(),
            "names": self.names,
            "size": self.size,
            "dim": self.dim,
            "seed": self.seed,
        }
