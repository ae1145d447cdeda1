import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
    from keras_avrep.training.tensorflow_step import TensorFlowStep as BackendStep
elif keras.backend.backend() == "jax":
    from keras_avrep.training.jax_step import JaxStep as BackendStep
else:
    from keras_avrep.training.torch_step import TorchStep as BackendStep


# The name that Keras gives to what a seed generator keeps.
SEED_STATE = "seed_generator_state"


class SelfSupervisedStep(BackendStep):
    """A train step of views, keys, queries, losses and queues, for a `keras.Model`.

    The order is the same on every backend:
    views, momentum update, key forward (no gradient), query forward and
    losses, gradients, optimiser, enqueue, metrics.

    A subclass implements:

    - `make_views(batch)` → dict of views;
    - `update_momentum()`, by default nothing;
    - `key_forward(views)` → dict of tensors, run without gradient;
    - `query_forward(views, keys)` → dict of named outputs;
    - `compute_losses(outputs, batch)` → `{name: scalar}`;
    - `enqueue(keys)`, by default nothing;
    - `statistics(outputs)`, by default nothing: `{name: scalar}` of what is worth
      watching beside the losses, for all of `self.statistic_names`.

    and sets `self.loss_weights`, a dict from loss name to a float.
    `self.batches_seen`, an int32 variable, counts the batches of training and of
    filling the queues: schedules compute on it, so they resume with the checkpoint.
    """

    statistic_names = ()

    def fit(self, x=None, **kwargs):
        """Train on batches of samples, as `keras.Model.fit`.

        Args:
            x: grain data set, generator or any other iterable of batch dicts
                that `keras.Model.fit` takes; a generator yields `(batch,)`.
                Views are drawn in the train step.
            **kwargs: see `keras.Model.fit`.

        Returns:
            A `History`.
        """
        # Variables created inside the step would make TensorFlow trace it twice.
        if self.compiled:
            self._symbolic_build()
        # The loader shuffles; Keras would only warn that it cannot.
        return keras.Model.fit(self, x, **{"shuffle": False, **kwargs})

    def evaluate(self, x=None, **kwargs):
        """Losses of batches of samples, nothing updated, as `keras.Model.evaluate`.

        Args:
            x: what `fit` takes. Views are drawn as in training.
            **kwargs: see `keras.Model.evaluate`.

        Returns:
            The mean losses and statistics; by name with `return_dict=True`.
        """
        return keras.Model.evaluate(self, x, **kwargs)

    def build_step(self):
        """Create what the train step keeps: loss weights, metrics, a count."""
        self.batches_seen = self.add_weight(
            name="batches_seen",
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="int32",
        )
        self.loss_scale = self.add_weight(
            name="loss_scale",
            shape=(len(self.loss_weights),),
            initializer=keras.initializers.Constant(1.0),
            trainable=False,
            dtype="float32",
        )
        self.apply_loss_weights()
        self.loss_trackers = [
            keras.metrics.Mean(name=name)
            for name in ("loss", *(f"loss_{name}" for name in self.loss_weights))
        ]
        self.statistic_trackers = [
            keras.metrics.Mean(name=name) for name in self.statistic_names
        ]

    def set_loss_weight(self, name, weight):
        """Change the weight of one loss term without tracing anew."""
        if name not in self.loss_weights:
            raise ValueError(
                f"There is no loss {name!r} in this model; it has "
                f"{', '.join(self.loss_weights)}."
            )
        self.loss_weights[name] = float(weight)
        if hasattr(self, "jax_state_sync"):
            # Within `fit` JAX has the values elsewhere, and would put them back.
            self.jax_state_sync()
        self.apply_loss_weights()

    def apply_loss_weights(self):
        """Let the variable that a step multiplies with be what `loss_weights` says."""
        self.loss_scale.assign(list(self.loss_weights.values()))

    def total_loss(self, losses):
        """Weighted sum of the named losses."""
        return sum(
            losses[name] * self.loss_scale[position]
            for position, name in enumerate(self.loss_weights)
        )

    def _symbolic_build(self, iterator=None, data_batch=None):
        # Keras would trace `call` on a training batch, which holds clip pairs
        # rather than the video that `call` takes; only the optimiser is unbuilt.
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def unpack(self, data):
        """The batch dict, whether it comes bare or as the one input of a tuple."""
        return data[0] if isinstance(data, (tuple, list)) else data

    def prepare_step(self, batch):
        """Views, momentum update and key forward; nothing has a gradient."""
        views = self.make_views(batch)
        self.update_momentum()
        keys = self.key_forward(views)
        return views, keys

    def query_losses(self, views, keys, batch):
        """The part of the step that the gradient flows through.

        Returns:
            The total loss, the named losses and the named statistics, which have no
            gradient.
        """
        outputs = self.query_forward(views, keys)
        losses = self.compute_losses(outputs, batch)
        statistics = {
            name: ops.stop_gradient(ops.cast(value, "float32"))
            for name, value in self.statistics(outputs).items()
        }
        return self.total_loss(losses), losses, statistics

    def update_trackers(self, total, losses, statistics):
        """Fold one step into the running means and return them as logs."""
        values = [
            total,
            *(losses[name] for name in self.loss_weights),
            *(statistics[name] for name in self.statistic_names),
        ]
        trackers = [*self.loss_trackers, *self.statistic_trackers]
        for tracker, value in zip(trackers, values, strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in trackers}

    def statistics(self, outputs):
        """Scalars worth watching beside the losses; none by default."""
        return {}

    def update_momentum(self):
        """Move momentum twins; nothing by default."""

    def enqueue(self, keys):
        """Push keys into queues; nothing by default."""

    def finish_step(self, keys):
        """Push keys and count the batch, for schedules that follow the count."""
        self.enqueue(keys)
        self.batches_seen.assign(self.batches_seen + 1)

    def validation_losses(self, batch, values=()):
        """What `query_losses` says of a batch, with nothing kept of what it changes.

        Views are drawn as in training, but from a seed that is always the same, so
        that losses can be compared between epochs; a batch's place does not count.

        Args:
            batch: what a train step takes.
            values: pairs of a variable and the value it is to have. Defaults to
                none, the values of now.

        Returns:
            The total loss, the named losses and the named statistics.
        """
        seeds = [v for v in self.variables if v.name == SEED_STATE]
        still = [(v, ops.zeros(v.shape, v.dtype)) for v in seeds]
        # Batch norms, queues and seeds change within the scope alone.
        with keras.StatelessScope([*values, *still]):
            views = self.make_views(batch)
            keys = self.key_forward(views)
            return self.query_losses(views, keys, batch)
