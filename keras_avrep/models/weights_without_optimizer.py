class WeightsWithoutOptimizer:
    """Presets of a keras-hub `Task` that has been trained, without its optimiser.

    Comes before the task in the bases of a class. What an optimiser has gathered is
    of use to the run alone, whose checkpoints keep it; of Adam it is twice the size of
    the weights.
    """

    def save_task_weights(self, filepath):
        """Save what is not in the backbone, and nothing of the optimiser."""
        optimizer = getattr(self, "optimizer", None)
        if optimizer is None:
            super().save_task_weights(filepath)
            return
        self.optimizer = None
        try:
            super().save_task_weights(filepath)
        finally:
            self.optimizer = optimizer
