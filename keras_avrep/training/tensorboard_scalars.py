from keras_avrep.training.callbacks import StepCallback


class TensorBoardScalars(StepCallback):
    """Losses and statistics for TensorBoard, by the step of the run, resumed or not.

    That of Keras counts from 0 after every resumption, so that its curves overlap.

    Args:
        folder: string or path. Where TensorBoard is to look.
        every: int. Steps from one point to the next. Defaults to 10.
        first_step: int. Defaults to 0.

    Raises:
        ImportError: if the package `tensorboard` is not installed.

    Example:
    ```python
    pretrain(model, records, "runs/first", callbacks=[TensorBoardScalars("logs")])
    ```
    """

    def __init__(self, folder, every=10, first_step=0):
        super().__init__(first_step)
        try:
            from tensorboard.summary import Writer
        except ImportError:
            raise ImportError(
                "TensorBoard logs need another package: pip install "
                '"keras-avrep[tensorboard]"'
            ) from None
        self.every = every
        self.writer = Writer(str(folder))

    def on_step(self, step, logs):
        if step % self.every:
            return
        for name, value in logs.items():
            self.writer.add_scalar(name, float(value), step)
        # An interrupted run has no end at which to do it.
        self.writer.flush()
