"""Training in phases that take turns: what comes when, resumable at any step."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from keras_avrep.data import BatchFeed
from keras_avrep.training.callbacks import Checkpoints, History, read_history
from keras_avrep.training.checkpoint import CheckpointError, resume, save_checkpoint
from keras_avrep.training.device_policy import choose_device_policy
from keras_avrep.training.phase_trainer import PhaseTrainer


@dataclass(frozen=True)
class Phase:
    """Some steps of one trainer.

    Args:
        name: string. For people.
        trainer: `PhaseTrainer`; phases may share one.
        batches: `grain.MapDataset` of batches.
        first_batch: int. Position of the first one.
        steps: int. Train steps, 1 or more.
        before: called before the first step, such as to cluster anew. It must be a
            function of the weights and of seeds alone: a run that was killed calls
            it again. Defaults to `None`.

    Example:
    ```python
    Phase("warm up", trainer, batches, first_batch=0, steps=200)
    ```
    """

    name: str
    trainer: PhaseTrainer
    batches: object
    first_batch: int
    steps: int
    before: Callable[[], None] | None = None


def train_phases(
    phases: list[Phase],
    run_dir,
    *,
    clips_per_step: int = 32,
    checkpoint_every: int = 100,
    log_every: int = 10,
    threads: int = 2,
    jit_compile: bool | None = None,
    after_phase: Callable[[Phase], None] | None = None,
    show: Callable[[str], None] = print,
) -> dict:
    """Run phases one after the other, from the last checkpoint if there is one.

    Args:
        phases: list of `Phase`, built from the same arguments each time.
        run_dir: folder of `checkpoints/last.npz` and `history.csv`.
        clips_per_step: int. Moments of a batch, for the speed. Defaults to 32.
        checkpoint_every: int. Steps; the end of a phase is always saved. Defaults to
            100.
        log_every: int. Steps. Defaults to 10.
        threads: int. Decoding threads. Defaults to 2.
        jit_compile: bool to overrule the device policy. Defaults to `None`: what it
            says of the steps of each trainer.
        after_phase: called with each phase that ends in this call, once it is saved,
            and again with one at whose end a run is resumed, as nobody knows whether
            it was called then. Defaults to `None`.
        show: called with each line of progress. Defaults to `print`.

    Returns:
        Dict of `steps`, `clips_per_second` and `data_wait_fraction` of the longest
        phase, `losses`, the last of each phase's trainer by name, and `seconds`; all
        of them over all parts of the run.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the state is saved.
        CheckpointError: if the folder holds the run of other trainers, or of other
            phases as far as it has come.
        ValueError: if there are no phases, one has no step, or the folder's run has
            had more steps already.

    Example:
    ```python
    phases = model.training_phases(solo, mixed)
    train_phases(phases, "runs/instruments")
    ```
    """
    if not phases or any(phase.steps < 1 for phase in phases):
        raise ValueError("`phases` needs at least one phase, and a step in each.")
    run_dir = Path(run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    last = run_dir / "checkpoints" / "last.npz"
    trainers = list(dict.fromkeys(phase.trainer for phase in phases))
    policy = choose_device_policy(jit_compile, keras.config.dtype_policy().name)
    for trainer in trainers:
        steps = sum(phase.steps for phase in phases if phase.trainer is trainer)
        trainer.compile(
            optimizer=trainer.optimizer,
            jit_compile=policy.compiles(steps) and not trainer.run_eagerly,
            run_eagerly=trainer.run_eagerly,
        )
        if not trainer.optimizer.built:
            trainer.optimizer.build(trainer.trainable_variables)
    total = sum(phase.steps for phase in phases)
    done, before = resume(last, trainers, total, show)
    _check_begun(before.get("phases", []), phases, done, last)
    figures, start = _Figures(before, phases), 0
    for number, phase in enumerate(phases):
        end = start + phase.steps
        if done < end:
            _run_phase(
                phase, trainers, start, max(done, start), total, run_dir, last,
                clips_per_step, checkpoint_every, log_every, threads, show,
                figures.of_phase(number),
            )  # fmt: skip
        if done <= end and after_phase is not None:
            after_phase(phase)
        start = end
    return {
        **figures.speed(clips_per_step),
        "steps": total,
        "losses": _last_losses(run_dir / "history.csv"),
        "seconds": figures.seconds,
    }


class _Figures:
    """Speed and time of a run, kept in its checkpoints.

    Args:
        before: dict, what the last checkpoint has kept.
        phases: list of `Phase`, those of this call.
    """

    def __init__(self, before, phases):
        self.phases = _outline(phases)
        self.measured = dict(before.get("measured", {}))
        # As of the last checkpoint, so that a run that is done says the same again.
        self.seconds = self.seconds_before = before.get("seconds", 0.0)
        self.began = time.perf_counter()

    def of_phase(self, number):
        """What `History` has measured of a phase, and what to keep of it later."""
        name = str(number)  # as in JSON

        def keep(history):
            self.measured[name] = history.measured
            self.seconds = self.seconds_before + time.perf_counter() - self.began
            figures = {"measured": self.measured, "seconds": self.seconds}
            return {**figures, "phases": self.phases}

        return self.measured.get(name), keep

    def speed(self, clips_per_step):
        """That of the phase with the most steps, `None` before any was measured."""
        most = {"steps": 0, "seconds": 0.0}
        longest = max(self.measured.values(), key=lambda m: m["steps"], default=most)
        if not longest["steps"]:
            return {"clips_per_second": None, "data_wait_fraction": None}
        return {
            "clips_per_second": longest["steps"] * clips_per_step / longest["seconds"],
            "data_wait_fraction": longest["wait"] / longest["seconds"],
        }


def _outline(phases):
    """What has to be the same of phases that have begun, as in JSON."""
    return [[phase.name, phase.steps, phase.first_batch] for phase in phases]


def _check_begun(before, phases, done, path):
    """Refuse to go on with other phases than those that a run has had so far."""
    start = 0
    for old, new in zip(before, _outline(phases), strict=False):
        end = start + old[1]
        # The one that the run is in, or ends with, may have more steps now.
        length = 2 if end < done else 1
        if start < done and (old[:length], old[2]) != (new[:length], new[2]):
            raise CheckpointError(
                f"{path} is of a run whose phase {old[0]!r} had {old[1]} steps; now "
                f"there is {new[0]!r} of {new[1]}. Use the same schedule, longer at "
                "its end at most, or another run folder."
            )
        start = end


def _run_phase(
    phase, trainers, start, done, total, run_dir, last,
    clips_per_step, checkpoint_every, log_every, threads, show, figures,
):  # fmt: skip
    show(f"{phase.name}: steps {done + 1} to {start + phase.steps}")
    if done == start and phase.before is not None:
        phase.before()
    feed = BatchFeed(
        phase.batches,
        start=phase.first_batch + done - start,
        stop=phase.first_batch + phase.steps,
        threads=threads,
    )
    measured, keep = figures
    history = History(
        run_dir / "history.csv",
        feed,
        clips_per_step=clips_per_step,
        every=log_every,
        total_steps=total,
        show=show,
        first_step=done,
        last_step=start + phase.steps,
        measured=measured,
    )

    def extra():
        return keep(history)

    saving = Checkpoints(last, checkpoint_every, done, trainers, extra)
    phase.trainer.fit(
        phase.trainer.fit_input(feed),
        steps_per_epoch=start + phase.steps - done,
        callbacks=[history, saving],
        verbose=0,
    )
    save_checkpoint(last, trainers, start + phase.steps, extra())


def _last_losses(path):
    """The last value of every term, also of phases that an earlier call has run."""
    losses = {}
    for row in read_history(path):
        losses |= {name: x for name, x in row.items() if name.startswith("loss_")}
    return losses
