import keras
import torch


class TorchStep:
    """The train step on torch."""

    def train_step(self, data):
        batch = self.unpack(data)
        with torch.no_grad():
            views, keys = self.prepare_step(batch)
        self.clear_gradients()
        total, losses, statistics = self.query_losses(views, keys, batch)
        self.optimizer.scale_loss(total).backward()
        variables = self.trainable_variables
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in variables], variables)
            # Only now: `assign` is in place, and backward still read the queue.
            self.finish_step(keys)
            losses = keras.tree.map_structure(lambda x: x.detach(), losses)
            return self.update_trackers(total.detach(), losses, statistics)

    def test_step(self, data):
        with torch.no_grad():
            return self.update_trackers(*self.validation_losses(self.unpack(data)))

    def warm_up(self, batch):
        """Push the keys of a batch into the queues, nothing learned."""
        with torch.no_grad():
            _, keys = self.prepare_step(batch)
            self.finish_step(keys)

    def warm_up_function(self, batches):
        """What does `warm_up` fastest for so many batches."""
        return self.warm_up

    def clear_gradients(self):
        """Forget old gradients; `zero_grad` misses layers of functional models."""
        for variable in self.trainable_variables:
            variable.value.grad = None

    def fit_input(self, batches):
        """Batches as a generator that `fit` takes."""
        return ((batch,) for batch in batches)

    def loss_gradients(self, batch):
        """Total loss, named losses and gradients of one batch, nothing applied."""
        with torch.no_grad():
            views, keys = self.prepare_step(batch)
        self.clear_gradients()
        total, losses, _ = self.query_losses(views, keys, batch)
        total.backward()
        return total, losses, [v.value.grad for v in self.trainable_variables]
