"""A run from records to trained weights: resumable, watched, reproducible."""

import time
from collections.abc import Callable
from pathlib import Path

import keras

from keras_avrep.data import BatchFeed, clip_dataset
from keras_avrep.training.callbacks import (
    Checkpoints,
    CollapseAlarm,
    History,
    StepCallback,
    read_history,
)
from keras_avrep.training.checkpoint import resume, save_checkpoint
from keras_avrep.training.device_policy import choose_device_policy
from keras_avrep.training.sgd_with_l2 import SGDWithL2


def pretrain(
    model,
    records,
    run_dir,
    *,
    sampler,
    steps: int,
    size: int = 128,
    batch_size: int = 32,
    optimizer=None,
    seed: int = 0,
    warmup_steps: int = 0,
    clips_per_video: int = 2,
    checkpoint_every: int = 100,
    log_every: int = 10,
    threads: int = 2,
    jit_compile: bool | None = None,
    on_reject: Callable | None = None,
    callbacks=(),
    show: Callable[[str], None] = print,
) -> dict:
    """Train a self-supervised task on videos, from its last checkpoint if any.

    Args:
        model: a `SelfSupervisedTask`, built from the same arguments each time.
        records: list of `keras_avrep.data.VideoRecord`.
        run_dir: folder of `checkpoints/last.npz` and `history.csv`.
        sampler: which frames a sample has; see `keras_avrep.views.RandomClips`.
        steps: int. Train steps in all, those already done included.
        size: int. Pixels that videos are decoded at. Defaults to 128.
        batch_size: int. Videos of a batch. Defaults to 32.
        optimizer: Keras optimiser. Defaults to SGD with momentum 0.9, rate 0.01
            and an L2 of 1e-4 in the gradient.
        seed: int. Of the order and places of clips. Defaults to 0.
        warmup_steps: int. Batches that fill the queues before the first step,
            nothing learned. Defaults to 0.
        clips_per_video: int. Clips that a step encodes, for the speed. Defaults
            to 2.
        checkpoint_every: int. Steps. Defaults to 100.
        log_every: int. Steps. Defaults to 10.
        threads: int. Decoding threads. Defaults to 2.
        jit_compile: bool to overrule the device policy. Defaults to `None`.
        on_reject: called with (record, reason) for videos that fail.
        callbacks: more Keras callbacks.
        show: called with each line of progress. Defaults to `print`.

    Returns:
        Dict of `steps`, `clips_per_second`, `data_wait_fraction`, `losses` of
        the last window by name, and `seconds`, those of all parts of the run.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the state is saved.
        CheckpointError: if the folder holds the run of another model.
        ValueError: if the folder's run has had more steps already.

    Example:
    ```python
    sampler = keras_avrep.views.RandomClips(num_frames=8, stride=1)
    pretrain(model, manifest.records, "runs/first", sampler=sampler, steps=1000)
    ```
    """
    began = time.perf_counter()
    run_dir = Path(run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    last = run_dir / "checkpoints" / "last.npz"
    compiled = _compile(model, optimizer, jit_compile, steps)
    batch_size = min(batch_size, len(records))
    dataset = clip_dataset(
        records,
        sampler,
        size=size,
        batch_size=batch_size,
        seed=seed,
        on_reject=on_reject,
    )
    begins = not last.exists()
    done, before = resume(last, model, steps, show)
    if begins:
        warm_up_queue(model, dataset, warmup_steps)
    if compiled and done < steps:
        show("XLA compiles the step first, which takes a while")

    feed = BatchFeed(
        dataset, start=warmup_steps + done, stop=warmup_steps + steps, threads=threads
    )
    history = History(
        run_dir / "history.csv",
        feed,
        clips_per_step=clips_per_video * batch_size,
        every=log_every,
        total_steps=steps,
        show=show,
        first_step=done,
        measured=before.get("measured"),
    )

    def kept():
        now = time.perf_counter() - began
        seconds = before.get("seconds", 0.0) + now
        return {"measured": history.measured, "seconds": seconds}

    # Looking at a run that is done costs it nothing.
    figures = before
    for callback in callbacks:
        if isinstance(callback, StepCallback):
            callback.step = done
    if done < steps:
        watching = [
            history,
            CollapseAlarm(warn=show, first_step=done),
            # Last: what the others change belongs into the checkpoint.
            *callbacks,
            Checkpoints(last, checkpoint_every, first_step=done, extra=kept),
        ]
        model.fit(
            model.fit_input(feed),
            steps_per_epoch=steps - done,
            callbacks=watching,
            verbose=0,
        )
        figures = kept()
        save_checkpoint(last, model, steps, figures)
    # From the file, so that a run that was done has them too.
    row = _last(read_history(run_dir / "history.csv"))
    losses = {k: v for k, v in row.items() if k.startswith("loss")}
    return {
        "steps": steps,
        "clips_per_second": history.speed,
        "data_wait_fraction": history.wait_fraction,
        "losses": losses,
        "seconds": figures.get("seconds", 0.0),
    }


def _compile(model, optimizer, jit_compile, steps):
    """Compile for a run of so many steps; whether XLA does."""
    precision = keras.config.dtype_policy().name
    compiled = choose_device_policy(jit_compile, precision).compiles(steps)
    model.compile(
        optimizer=optimizer or SGDWithL2(0.01, momentum=0.9, l2=1e-4),
        jit_compile=compiled,
    )
    return compiled


def warm_up_queue(model, dataset, batches: int) -> None:
    """Fill a model's queues with the keys of the first batches.

    Args:
        model: a `SelfSupervisedTask`.
        dataset: what `keras_avrep.data.clip_dataset` returns.
        batches: int.

    Reference: note of DCLR (arXiv:2207.05340), section 4.7.
    """
    warm_up = model.warm_up_function(batches)
    for batch in BatchFeed(dataset, stop=batches):
        warm_up(batch)


def _last(rows):
    return rows[-1] if rows else {}
