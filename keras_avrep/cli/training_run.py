"""One pretraining from records to a preset, as `pretrain` and `demo` do it."""

from pathlib import Path

from keras_avrep.cli.run_folder import CLIP_FILE, starting_backbone

SMALLEST = 4


def build_model(
    preset,
    *,
    num_videos,
    batch_size,
    steps,
    seed,
    view_size=None,
    changes=None,
    backbone=None,
):
    """A fresh model of a preset, fitted to the data and length of a run.

    Args:
        preset: string. A built-in name.
        num_videos: int. Videos to train on.
        batch_size: int.
        steps: int. Train steps of the run.
        seed: int.
        view_size: int. Pixels of a view. Defaults to the preset's.
        changes: dict of constructor arguments. Defaults to none.
        backbone: preset to take a trained backbone from. Defaults to `None`, a
            fresh one.

    Returns:
        A `keras_avrep.models.PretrainingTask`.
    """
    import keras

    from keras_avrep.models import system_of

    keras.utils.set_random_seed(seed)
    system = system_of(preset)
    fitted = system.changes_for(preset, num_videos, batch_size, steps)
    changes = {"seed": seed, **fitted, **(changes or {})}
    if backbone is not None:
        changes["backbone"] = starting_backbone(backbone, system)
    model = system.from_preset(preset, load_weights=False, **changes)
    if view_size is not None:
        model.views.size = view_size
    return model


def check_enough(records) -> None:
    """Raise if there are too few videos to contrast."""
    if len(records) < SMALLEST:
        raise ValueError(
            f"There are {len(records)} usable videos to train on; contrast needs at "
            f"least {SMALLEST}."
        )


def train(
    model,
    records,
    folder,
    *,
    clip,
    steps,
    batch_size,
    seed,
    sampler=None,
    learning_rate=None,
    optimizer=None,
    threads=2,
    checkpoint_every=100,
    log_every=10,
    jit_compile=None,
    on_reject=None,
    callbacks=(),
    show=print,
):
    """Pretrain, set batch norm to RGB clips, and save the preset.

    Args:
        model: what `build_model` returns.
        records: videos to train on.
        folder: run folder.
        clip: dict of `num_frames`, `stride` and `size`.
        steps: int.
        batch_size: int.
        seed: int.
        sampler: which clips a sample has. Defaults to the model's own.
        learning_rate: float. The highest, instead of the optimiser's own.
        optimizer: dict; see `keras_avrep.training.make_optimizer`. Defaults to Adam
            on a cosine, not to what a preset says.
        threads: int. Decoding threads.
        checkpoint_every: int. Steps.
        log_every: int. Steps.
        jit_compile: bool to overrule the device policy.
        on_reject: called with (record, reason).
        callbacks: more Keras callbacks.
        show: called with each line of progress.

    Returns:
        What `keras_avrep.training.pretrain` returns.
    """
    from keras_avrep.cli.optimizer_options import run_recipe
    from keras_avrep.cli.run_folder import write_json
    from keras_avrep.training import make_optimizer, pretrain

    recipe = run_recipe(optimizer, learning_rate=learning_rate)
    result = pretrain(
        model,
        records,
        folder,
        sampler=sampler or model.training_sampler(clip),
        steps=steps,
        size=clip["size"],
        batch_size=batch_size,
        optimizer=make_optimizer(recipe, steps, batch_size),
        seed=seed,
        warmup_steps=model.warmup_batches(batch_size),
        clips_per_video=model.clips_per_video,
        checkpoint_every=checkpoint_every,
        log_every=log_every,
        threads=threads,
        jit_compile=jit_compile,
        on_reject=on_reject,
        callbacks=callbacks,
        show=show,
    )
    recalibrate(model, records, clip, seed)
    preset = Path(folder) / "preset"
    model.save_to_preset(str(preset))
    # So that the preset alone says what clips it is for.
    write_json(preset / CLIP_FILE, {**clip, "view_size": model.views.size})
    return result


def recalibrate(model, records, clip, seed, batches=8, batch_size=32):
    """Set the batch-norm statistics of the representation to whole RGB clips.

    In training they are a mixture of crops and kinds of input; at inference only
    whole RGB clips come.

    Reference: note of DCLR (arXiv:2207.05340), section 8.
    """
    from keras_avrep.data import BatchFeed, clip_dataset
    from keras_avrep.training import recalibrate_batch_norm
    from keras_avrep.views import RandomClips

    batch_size = min(batch_size, len(records))
    sampler = RandomClips(1, clip["num_frames"], clip["stride"])
    dataset = clip_dataset(
        records, sampler, size=model.views.size, batch_size=batch_size, seed=seed
    )
    clips = (batch["video"][:, 0] for batch in BatchFeed(dataset, stop=batches))
    recalibrate_batch_norm(model.calibrated_model(), clips)
