import functools

import jax
import keras


class JaxStep:
    """The train step on JAX: the same order, with state passed explicitly."""

    def train_step(self, state, data):
        batch = self.unpack(data)
        trainable, non_trainable, optimizer_variables, metrics_variables = state
        gradients, (measured, keys, non_trainable) = self._stateless_gradients(
            trainable,
            non_trainable,
            batch,
            functools.partial(self._scale_loss, optimizer_variables),
        )
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, gradients, trainable
        )
        with self._scope(trainable, non_trainable) as scope:
            self.finish_step(keys)
            non_trainable = _read(scope, self.non_trainable_variables)
        with _scope_of(self.metrics_variables, metrics_variables) as scope:
            logs = self.update_trackers(*measured)
            metrics_variables = _read(scope, self.metrics_variables)
        state = trainable, non_trainable, optimizer_variables, metrics_variables
        return logs, state

    def test_step(self, state, data):
        trainable, non_trainable, metrics_variables = state
        values = zip(
            [*self.trainable_variables, *self.non_trainable_variables],
            [*trainable, *non_trainable],
            strict=True,
        )
        measured = self.validation_losses(self.unpack(data), values)
        with _scope_of(self.metrics_variables, metrics_variables) as scope:
            logs = self.update_trackers(*measured)
            metrics_variables = _read(scope, self.metrics_variables)
        return logs, (trainable, non_trainable, metrics_variables)

    def warm_up(self, batch):
        """Push the keys of a batch into the queues, nothing learned."""
        values = self._jitted_warm_up(
            [v.value for v in self.trainable_variables],
            [v.value for v in self.non_trainable_variables],
            batch,
        )
        for variable, value in zip(self.non_trainable_variables, values, strict=True):
            variable.assign(value)

    def warm_up_function(self, batches):
        """What does `warm_up` fastest for so many batches."""
        return self.warm_up

    @functools.cached_property
    def _jitted_warm_up(self):
        return jax.jit(self._stateless_warm_up)

    def _stateless_warm_up(self, trainable, non_trainable, batch):
        with self._scope(trainable, non_trainable) as scope:
            _, keys = self.prepare_step(batch)
            self.finish_step(keys)
            return _read(scope, self.non_trainable_variables)

    def fit_input(self, batches):
        """Batches as a generator that `fit` takes."""
        return ((batch,) for batch in batches)

    def loss_gradients(self, batch):
        """Total loss, named losses and gradients of one batch, nothing applied."""
        gradients, ((total, losses, _), _, _) = self._jitted_gradients(
            [v.value for v in self.trainable_variables],
            [v.value for v in self.non_trainable_variables],
            batch,
        )
        return total, losses, gradients

    @functools.cached_property
    def _jitted_gradients(self):
        # Op by op, JAX compiles every operation on its own, which takes minutes.
        return jax.jit(self._stateless_gradients)

    def _stateless_gradients(self, trainable, non_trainable, batch, scale_loss=None):
        """Gradients of the trainable values, and what else the step goes on with.

        Args:
            trainable: list of arrays, one for each trainable variable.
            non_trainable: list of arrays, one for each other variable.
            batch: dict of arrays.
            scale_loss: function of the total loss that is differentiated instead
                of it. Defaults to `None`.

        Returns:
            List of gradients, and a tuple of what `query_losses` returns, the keys
            and the new non-trainable values.
        """
        with self._scope(trainable, non_trainable) as scope:
            views, keys = self.prepare_step(batch)
            non_trainable = _read(scope, self.non_trainable_variables)

        def loss_fn(trainable):
            with self._scope(trainable, non_trainable) as scope:
                measured = self.query_losses(views, keys, batch)
                values = _read(scope, self.non_trainable_variables)
            total = measured[0]
            scaled = total if scale_loss is None else scale_loss(total)
            return scaled, (measured, keys, values)

        return jax.grad(loss_fn, has_aux=True)(trainable)

    def _scale_loss(self, optimizer_variables, loss):
        # `fit` empties the variables, and the scale of a loss may be one of them.
        with _scope_of(self.optimizer.variables, optimizer_variables):
            return self.optimizer.scale_loss(loss)

    def _scope(self, trainable, non_trainable):
        """A scope in which this model's variables have the values given."""
        return _scope_of(
            [*self.trainable_variables, *self.non_trainable_variables],
            [*trainable, *non_trainable],
        )


def _scope_of(variables, values):
    return keras.StatelessScope(zip(variables, values, strict=True))


def _read(scope, variables):
    return [scope.get_current_value(v) for v in variables]
