import keras

from keras_avrep.training.self_supervised_step import SelfSupervisedStep


class PhaseTrainer(SelfSupervisedStep, keras.Model):
    """One way to train a task, where a task is trained in several that take turns.

    Owns no weights of the task but holds it, so that several trainers share them:
    each has its own losses, its own optimiser and its own part of the weights to
    learn. A subclass implements the parts of a step; see `SelfSupervisedStep`.

    Args:
        task: `keras.Model` that is trained.
        learned: list of layers of the task whose trainable variables are learned;
            all else keeps its value, but for what a forward pass updates.
        loss_weights: dict from loss name to a float.
        optimizer: Keras optimiser, of this trainer alone or built for the variables of
            all that share it.
        jit_compile: bool. Defaults to `False`; `train_phases` sets what suits the
            device.

    Example:
    ```python
    class Correspondence(PhaseTrainer):
        def make_views(self, batch): ...
        def query_forward(self, views, keys): ...
        def compute_losses(self, outputs, batch): ...
    ```
    """

    def __init__(self, task, learned, loss_weights, optimizer, jit_compile=False):
        super().__init__(name=f"{task.name}_trainer")
        self.task = task
        self.learned = list(learned)
        self.loss_weights = dict(loss_weights)
        self.build_step()
        self.built = True
        self.compile(optimizer=optimizer, jit_compile=jit_compile)

    @property
    def trainable_variables(self):
        """The variables that this trainer learns, each once."""
        found = {}
        for layer in self.learned:
            found |= {id(v): v for v in layer.trainable_variables}
        return list(found.values())

    @property
    def trainable_weights(self):
        """The same; Keras hands these to the optimiser when training ends."""
        return self.trainable_variables

    @property
    def non_trainable_variables(self):
        """All other variables of the task and of this trainer."""
        learned = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in learned]

    def key_forward(self, views):
        """Nothing is computed without gradient by default."""
        return {}

    def restart_optimizer(self, part=None):
        """Let the optimiser forget what it has seen, as a new one would.

        Args:
            part: one of the optimisers of a `keras.optimizers.MultiOptimizer`, to
                leave the others as they are. Defaults to `None`, all.
        """
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        optimizer = self.optimizer if part is None else part
        # What a loss is scaled by in float16 is no memory of gradients.
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        each = [optimizer, *getattr(optimizer, "optimizers", ())]
        rates = {id(getattr(one, "_learning_rate", None)) for one in each}
        for variable in optimizer.variables:
            if id(variable) not in rates:
                variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
