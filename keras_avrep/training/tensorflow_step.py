import itertools

import tensorflow as tf

# Tracing takes as long as so many batches without it.
BATCHES_THAT_PAY = 6


class TensorFlowStep:
    """The train step on TensorFlow."""

    def train_step(self, data):
        batch = self.unpack(data)
        views, keys = self.prepare_step(batch)
        views, keys = tf.nest.map_structure(tf.stop_gradient, (views, keys))
        with tf.GradientTape() as tape:
            total, losses, statistics = self.query_losses(views, keys, batch)
            scaled = self.optimizer.scale_loss(total)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(
            zip(tape.gradient(scaled, variables), variables, strict=True)
        )
        self.finish_step(keys)
        return self.update_trackers(total, losses, statistics)

    def test_step(self, data):
        return self.update_trackers(*self.validation_losses(self.unpack(data)))

    def warm_up(self, batch):
        """Push the keys of a batch into the queues, nothing learned."""
        _, keys = self.prepare_step(batch)
        self.finish_step(keys)

    def warm_up_function(self, batches):
        """What does `warm_up` fastest for so many batches."""
        if batches < BATCHES_THAT_PAY:
            return self.warm_up
        return tf.function(self.warm_up, jit_compile=self.jit_compile)

    def fit_input(self, batches):
        """Batches as a data set that `fit` asks for one only when it needs it.

        Left to itself, `fit` would fetch ahead of the loader, which fetches
        ahead already, and nobody could tell who waits for whom.
        """
        batches = iter(batches)
        first = next(batches)
        signature = tf.nest.map_structure(
            lambda x: tf.TensorSpec(x.shape, x.dtype), first
        )
        return tf.data.Dataset.from_generator(
            lambda: itertools.chain([first], batches), output_signature=signature
        )

    def loss_gradients(self, batch):
        """Total loss, named losses and gradients of one batch, nothing applied."""
        views, keys = self.prepare_step(batch)
        with tf.GradientTape() as tape:
            total, losses, _ = self.query_losses(views, keys, batch)
        return total, losses, tape.gradient(total, self.trainable_variables)
