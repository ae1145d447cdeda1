import jax
import keras


class JaxStep:
    """The train step on JAX: the same order, with state passed explicitly."""

    def train_step(self, state, data):
        batch = self.unpack(data)
        trainable, non_trainable, optimizer_variables, metrics_variables = state

        def read(scope):
            return [scope.get_current_value(v) for v in self.non_trainable_variables]

        def scoped(trainable, non_trainable):
            values = [*trainable, *non_trainable]
            variables = [*self.trainable_variables, *self.non_trainable_variables]
            return keras.StatelessScope(zip(variables, values, strict=True))

        with scoped(trainable, non_trainable) as scope:
            views, keys = self.prepare_step(batch)
            non_trainable = read(scope)

        def loss_fn(trainable, non_trainable):
            with scoped(trainable, non_trainable) as scope:
                total, losses = self.query_losses(views, keys, batch)
                scaled = self.optimizer.scale_loss(total)
                return scaled, (total, losses, read(scope))

        gradient = jax.grad(loss_fn, has_aux=True)
        gradients, (total, losses, non_trainable) = gradient(trainable, non_trainable)
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, gradients, trainable
        )
        with scoped(trainable, non_trainable) as scope:
            self.enqueue(keys)
            non_trainable = read(scope)

        mapping = zip(self.metrics_variables, metrics_variables, strict=True)
        with keras.StatelessScope(mapping) as scope:
            logs = self.update_loss_trackers(total, losses)
            metrics_variables = [
                scope.get_current_value(v) for v in self.metrics_variables
            ]
        state = trainable, non_trainable, optimizer_variables, metrics_variables
        return logs, state

    def loss_gradients(self, batch):
        """Total loss, named losses and gradients of one batch, nothing applied."""
        views, keys = self.prepare_step(batch)

        def loss_fn(trainable):
            mapping = zip(self.trainable_variables, trainable, strict=True)
            with keras.StatelessScope(mapping):
                return self.query_losses(views, keys, batch)

        values = [v.value for v in self.trainable_variables]
        function = jax.value_and_grad(loss_fn, has_aux=True)
        (total, losses), gradients = function(values)
        return total, losses, gradients
