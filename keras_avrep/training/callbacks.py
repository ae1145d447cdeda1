"""What is watched, written and saved while `fit` runs."""

import csv
import math
import signal
import time
from pathlib import Path

import keras
import numpy as np

from keras_avrep.data.files import replacing
from keras_avrep.training.checkpoint import CheckpointWriter


class StepCallback(keras.callbacks.Callback):
    """A callback that counts steps over the whole of a run, resumed or not.

    Args:
        first_step: int. Steps done before this `fit`. Defaults to 0.
    """

    def __init__(self, first_step=0):
        super().__init__()
        self.step = first_step

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.on_step(self.step, logs or {})

    def on_step(self, step, logs):
        """Called after every step with its number, from 1, and the running logs."""

    def sync(self):
        """Let variables hold the state that JAX keeps to itself during `fit`."""
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()


class History(StepCallback):
    """Losses, statistics, speed and data wait over windows of steps, to CSV.

    Args:
        path: `.csv` file; on a resumed run rows after `first_step` are dropped.
        feed: `keras_avrep.data.BatchFeed`, asked for its wait. Defaults to `None`.
        clips_per_step: int. Clips that a step sees. Defaults to 1.
        every: int. Steps in a window. Defaults to 10.
        total_steps: int or `None`. For the printed line.
        show: called with one line of text each window. Defaults to `print`.
        first_step: int. Defaults to 0.
        last_step: int. Where a window ends, however short. Defaults to `total_steps`.
        measured: dict of `steps`, `seconds` and `wait`, what the `measured` of the
            parts before a resumption was. Defaults to `None`.

    Attributes:
        rows: list of dicts, one each window.
        speed: clips a second over all windows, compilation left out.
        wait_fraction: share of that time spent waiting for data.
        measured_steps: int. Steps that both are of.

    Example:
    ```python
    history = History("history.csv", feed, clips_per_step=64, total_steps=1000)
    model.fit(batches, callbacks=[history], verbose=0)
    ```
    """

    def __init__(
        self,
        path,
        feed=None,
        clips_per_step=1,
        every=10,
        total_steps=None,
        show=print,
        first_step=0,
        last_step=None,
        measured=None,
    ):
        super().__init__(first_step)
        self.last_step = total_steps if last_step is None else last_step
        self.path = Path(path)
        self.feed = feed
        self.clips_per_step = clips_per_step
        self.every = every
        self.total_steps = total_steps
        self.show = show
        self.rows = [r for r in read_history(path) if r["step"] <= first_step]
        before = measured or {}
        self.measured_steps = before.get("steps", 0)
        self._measured_seconds = before.get("seconds", 0.0)
        self._measured_wait = before.get("wait", 0.0)
        self._window = None

    def on_step(self, step, logs):
        if self._window is None:
            # The first step traces and compiles: it tells no speed.
            self._window = (step, time.perf_counter(), self._waited())
        if step % self.every == 0 or step == self.last_step:
            self._close_window(step, logs)

    def _waited(self):
        return self.feed.wait_seconds if self.feed is not None else 0.0

    def _close_window(self, step, logs):
        first, began, waited = self._window
        now, wait = time.perf_counter(), self._waited()
        row = {"step": step, **{k: float(v) for k, v in logs.items()}}
        if step > first:
            seconds = max(now - began, 1e-9)
            row["clips_per_second"] = (step - first) * self.clips_per_step / seconds
            row["data_wait_fraction"] = (wait - waited) / seconds
            self.measured_steps += step - first
            self._measured_seconds += seconds
            self._measured_wait += wait - waited
        spread = embedding_spread(self.model)
        if spread is not None:
            row["embedding_std"] = spread
        self.rows.append(row)
        write_history(self.path, self.rows)
        self._report(row)
        # Windows, not running means since the start.
        self.sync()
        self.model.reset_metrics()
        self._window = (step, time.perf_counter(), self._waited())

    def _report(self, row):
        terms = "  ".join(
            f"{name.removeprefix('loss_')} {value:.3f}"
            for name, value in row.items()
            if name.startswith("loss")
        )
        speed = row.get("clips_per_second")
        pace = f"  {speed:.0f} clips/s" if speed else ""
        wait = row.get("data_wait_fraction")
        pace += f"  waiting {wait:.0%}" if speed else ""
        total = f"/{self.total_steps}" if self.total_steps else ""
        self.show(f"step {row['step']}{total}  {terms}{pace}{self._time_left(row)}")

    def _time_left(self, row):
        """At the pace so far, where it is worth saying."""
        if not self.total_steps or not self.measured_steps:
            return ""
        pace = self._measured_seconds / self.measured_steps
        minutes = (self.total_steps - row["step"]) * pace / 60
        return f"  about {minutes:.0f} min left" if minutes >= 1 else ""

    @property
    def measured(self):
        """What speed and wait are computed from, to go on with after a resumption."""
        return {
            "steps": self.measured_steps,
            "seconds": self._measured_seconds,
            "wait": self._measured_wait,
        }

    @property
    def speed(self):
        if not self.measured_steps:
            return None
        return self.measured_steps * self.clips_per_step / self._measured_seconds

    @property
    def wait_fraction(self):
        if not self.measured_steps:
            return None
        return self._measured_wait / self._measured_seconds


def read_history(path) -> list[dict]:
    """Rows of a `history.csv`, numbers as floats; empty if there is none."""
    if not Path(path).exists():
        return []
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {k: int(v) if k == "step" else float(v) for k, v in row.items() if v != ""}
        for row in rows
    ]


def write_history(path, rows) -> None:
    """Rows of numbers by name, complete or not at all."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(Path(path)) as new, open(new, "w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


class Checkpoints(StepCallback):
    """Saves the run every so many steps, and once more when it is interrupted.

    The first Ctrl-C ends the run after the step that is under way; a second one
    ends it at once.

    Args:
        path: `.npz` file, replaced atomically.
        every: int. Steps. Defaults to 100.
        first_step: int. Defaults to 0.
        models: list of models to save, where others than the one that is trained
            belong to the run. Defaults to `None`.
        extra: called for a dict that is kept with them. Defaults to `None`.

    Attributes:
        interrupted: bool. Whether Ctrl-C ended the run.

    Raises:
        KeyboardInterrupt: at the end of a run that Ctrl-C ended, once it is saved.

    Example:
    ```python
    saving = keras_avrep.training.Checkpoints("runs/first/checkpoints/last.npz")
    model.fit(batches, steps_per_epoch=1000, callbacks=[saving])
    ```
    """

    def __init__(self, path, every=100, first_step=0, models=None, extra=None):
        super().__init__(first_step)
        self.models = models
        self.extra = extra
        self.writer = CheckpointWriter(path)
        self.every = every
        self.interrupted = False
        self._previous = None

    def on_train_begin(self, logs=None):
        try:
            self._previous = signal.signal(signal.SIGINT, self._on_interrupt)
        except ValueError:  # not in the main thread: nothing to catch
            self._previous = None

    def on_train_end(self, logs=None):
        self._release()
        self.writer.wait()

    def on_step(self, step, logs):
        if self.interrupted:
            self._save(step)
            self._release()
            self.writer.wait()
            raise KeyboardInterrupt
        if step % self.every == 0:
            self._save(step)

    def _save(self, step):
        extra = self.extra() if self.extra is not None else None
        self.writer.save(self.models or self.model, step, extra)

    def _on_interrupt(self, number, frame):
        self.interrupted = True
        self._release()

    def _release(self):
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None


class CollapseAlarm(StepCallback):
    """Warns, once, when embeddings of different videos have become alike.

    Watches the standard deviation of each dimension of the unit keys in the
    queue, about `1 / sqrt(dim)` when they are spread; without a queue, the
    statistic `embedding_std` of the steps.

    Args:
        threshold: float. Share of that value below which to warn. Defaults to
            0.25.
        every: int. Steps. Defaults to 50.
        warn: called with a sentence. Defaults to `print`.
        first_step: int. Defaults to 0.

    Example:
    ```python
    alarm = keras_avrep.training.CollapseAlarm(warn=logging.warning)
    model.fit(batches, steps_per_epoch=1000, callbacks=[alarm])
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 8.
    """

    def __init__(self, threshold=0.25, every=50, warn=print, first_step=0):
        super().__init__(first_step)
        self.threshold = threshold
        self.every = every
        self.warn = warn
        self.collapsed = False

    def on_step(self, step, logs):
        if step % self.every or self.collapsed:
            return
        self.sync()
        spread = embedding_spread(self.model)
        if spread is None and "embedding_std" in logs:
            spread = float(logs["embedding_std"])
        if spread is not None and spread < self.threshold:
            self.collapsed = True
            self.warn(
                f"step {step}: the embeddings have nearly collapsed (their spread "
                f"is {spread:.0%} of an even one); try a lower learning rate, a "
                "longer queue, or check that the videos move."
            )


class NearestNeighbourProbe(StepCallback):
    """kNN accuracy of the representation every so many steps.

    Args:
        evaluate: called with the representation; returns a dict of numbers,
            for example of `keras_avrep.evaluation.knn_accuracy`.
        every: int. Steps. Defaults to 500.
        show: called with one line of text. Defaults to `print`.
        first_step: int. Defaults to 0.
        path: `.csv` file of the results; a resumed run goes on with it. Defaults to
            `None`.

    Attributes:
        results: list of dicts with `step` and the numbers.

    Example:
    ```python
    def evaluate(representation):
        features = [representation.predict(x, verbose=0) for x in (test, train)]
        labels = test_labels, train_labels
        return {"class": keras_avrep.evaluation.knn_accuracy(*features, *labels)}

    probe = keras_avrep.training.NearestNeighbourProbe(evaluate, every=500)
    model.fit(batches, steps_per_epoch=1000, callbacks=[probe])
    ```
    """

    def __init__(self, evaluate, every=500, show=print, first_step=0, path=None):
        super().__init__(first_step)
        self.evaluate = evaluate
        self.every = every
        self.show = show
        self.path = path
        self.results = []

    def on_train_begin(self, logs=None):
        if self.path is not None:
            before = read_history(self.path)
            self.results = [row for row in before if row["step"] <= self.step]

    def on_step(self, step, logs):
        if step % self.every:
            return
        self.sync()
        numbers = self.evaluate(self.model.representation)
        self.results.append({"step": step, **numbers})
        if self.path is not None:
            write_history(self.path, self.results)
        text = "  ".join(f"{name} {value:.1%}" for name, value in numbers.items())
        self.show(f"step {step}  kNN  {text}")


def embedding_spread(model):
    """Mean standard deviation of the queued keys, relative to an even spread.

    Args:
        model: a model with a `queue`; otherwise nothing is measured.

    Returns:
        float, about 1 when keys are spread and 0 when they are all alike, the
        smallest of all queues; `None` before there are 8 keys.
    """
    queue = getattr(model, "queue", None)
    if queue is None:
        return None
    valid = np.asarray(keras.ops.convert_to_numpy(queue.valid()))
    if valid.sum() < 8:
        return None
    spreads = [
        keras.ops.convert_to_numpy(queue.keys(name))[valid].std(axis=0).mean()
        * math.sqrt(queue.dim)
        for name in queue.names
    ]
    return float(min(spreads))
