"""Training a classifier on labelled videos, and its accuracy over many clips."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_avrep.data import BatchFeed, clip_dataset
from keras_avrep.evaluation.classify import averaged
from keras_avrep.evaluation.embed import embed_videos
from keras_avrep.training import (
    Checkpoints,
    History,
    choose_device_policy,
    make_optimizer,
    resume,
    save_checkpoint,
)
from keras_avrep.views import ClipAugmentation, RandomClips


def finetune(
    classifier,
    records,
    label: str | np.ndarray,
    classes: list[str],
    run_dir,
    *,
    num_frames: int = 16,
    stride: int = 2,
    size: int = 128,
    view_size: int = 112,
    epochs: int = 10,
    clips_per_epoch: int = 10,
    batch_size: int = 64,
    learning_rate: float = 0.1,
    weight_decay: float = 1e-4,
    flip: float = 0.5,
    seed: int = 0,
    threads: int = 2,
    checkpoint_every: int = 100,
    jit_compile: bool | None = None,
    on_reject: Callable | None = None,
    show: Callable[[str], None] = print,
) -> dict:
    """Train a classifier: SGD, the rate divided by 10 after 6 and 8 tenths.

    The same call goes on from the last checkpoint, if there is one.

    Args:
        classifier: `keras_avrep.models.VideoClassifier`. For a linear probe
            build it with `train_backbone=False` and `unit_features=True`, and
            use a rate of 5 without decay in batches of 128.
        records: list of `VideoRecord` that have the label.
        label: string. Name of the label. Or, where a video may have several, an
            array `(N, K)` of 0 and 1, a row for each record, as of `multi_hot`:
            each class is then a yes or no of its own, with a sigmoid; see
            `video_mean_average_precision`.
        classes: class names in the order of the logits.
        run_dir: folder of `checkpoints/last.npz` and `history.csv`.
        num_frames: int. Frames of a clip. Defaults to 16.
        stride: int. Frames of the video from one to the next. Defaults to 2.
        size: int. Pixels that videos are decoded at. Defaults to 128.
        view_size: int. Pixels of the classifier's input. Defaults to 112.
        epochs: int. Defaults to 10.
        clips_per_epoch: int. Clips drawn of each video in an epoch. Defaults
            to 10.
        batch_size: int. Defaults to 64.
        learning_rate: float. Defaults to 0.1.
        weight_decay: float. An L2 penalty in the gradient. Defaults to 1e-4.
        flip: float. Probability of a horizontal flip; 0 where direction
            matters. Defaults to 0.5.
        seed: int. Defaults to 0.
        threads: int. Decoding threads. Defaults to 2.
        checkpoint_every: int. Steps. Defaults to 100.
        jit_compile: bool to overrule the device policy. Defaults to `None`.
        on_reject: called with (record, reason) for videos that fail. Defaults to
            `None`.
        show: called with each line of progress. Defaults to `print`.

    Returns:
        Dict of `steps`, `losses`, the mean of every 10 steps, and
        `clips_per_second` of this call.

    Raises:
        ValueError: if `label` has other rows or columns than records or classes, or
            the folder's run has had more steps already.
        KeyboardInterrupt: after Ctrl-C, once the state is saved.
        CheckpointError: if the folder holds the run of another classifier.

    Example:
    ```python
    classes = manifest.classes("class")
    finetune(classifier, train, "class", classes, "runs/tuned", epochs=2, batch_size=8)
    ```

    Reference: note of DCLR (arXiv:2207.05340), sections 6.1 and 6.2.
    """
    targets, loss = targets_and_loss(records, label, classes)
    batch_size = min(batch_size, len(records))
    total = epochs * max(1, len(records) * clips_per_epoch // batch_size)
    model = AugmentedClassifier(
        classifier, ClipAugmentation(view_size, flip=flip, seed=seed)
    )
    policy = choose_device_policy(jit_compile, keras.config.dtype_policy().name)
    model.compile(
        finetuning_optimizer(learning_rate, weight_decay, total),
        loss,
        jit_compile=policy.compiles(total),
    )
    # Built within the first step, its variables would have TensorFlow trace it twice.
    model.optimizer.build(model.trainable_variables)
    dataset = clip_dataset(
        records,
        RandomClips(1, num_frames, stride),
        size=size,
        batch_size=batch_size,
        seed=seed,
        on_reject=on_reject,
    )
    last = Path(run_dir) / "checkpoints" / "last.npz"
    done, _ = resume(last, model, total, show)
    feed = BatchFeed(dataset, start=done, stop=total, threads=threads)
    history = History(
        last.parents[1] / "history.csv",
        feed,
        clips_per_step=batch_size,
        total_steps=total,
        show=show,
        first_step=done,
    )
    if done < total:
        model.fit(
            ((b["video"][:, 0], targets[b["record"]]) for b in feed),
            steps_per_epoch=total - done,
            callbacks=[history, Checkpoints(last, checkpoint_every, done)],
            # The loader has done it; Keras warns of what it cannot do.
            shuffle=False,
            verbose=0,
        )
        save_checkpoint(last, model, total)
    return {
        "steps": total,
        "losses": [row["loss"] for row in history.rows],
        "clips_per_second": history.speed,
    }


def finetuning_optimizer(learning_rate, weight_decay, steps):
    """SGD with momentum 0.9, a tenth of the rate after 6 and 8 tenths of the steps."""
    recipe = {
        "name": "sgd",
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "decay": [0.6, 0.8],
    }
    return make_optimizer(recipe, steps)


def targets_and_loss(records, label, classes):
    """What each record is to be classified as, and the loss that goes with it."""
    if isinstance(label, str):
        numbers = np.array([classes.index(r.labels[label]) for r in records])
        return numbers, keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rows = np.asarray(label, "float32")
    if rows.shape != (len(records), len(classes)):
        raise ValueError(
            f"`label` has the shape {rows.shape}; give one row for each of the "
            f"{len(records)} records and one column for each of the {len(classes)} "
            "classes."
        )
    return rows, keras.losses.BinaryCrossentropy(from_logits=True)


class AugmentedClassifier(keras.Model):
    """A classifier whose clips are augmented first, on the training device.

    Args:
        classifier: model from pixels to logits.
        augmentation: `keras_avrep.views.ClipAugmentation`.

    Call arguments:
        clips: `(B, T, H, W, 3)`, 0 to 255.

    Returns:
        What the classifier returns.
    """

    def __init__(self, classifier, augmentation, **kwargs):
        super().__init__(**kwargs)
        self.classifier = classifier
        self.augmentation = augmentation

    def call(self, clips, training=None):
        return self.classifier(self.augmentation(clips), training=training)


def classification_accuracy(
    classifier,
    records,
    label,
    classes,
    *,
    top_k: int | tuple[int, ...] = 1,
    average: str = "logits",
    on_reject=None,
    **clips,
) -> float | dict[int, float]:
    """Share of videos whose class is among the k largest of the mean over clips.

    Args:
        classifier: model from pixels to logits.
        records: list of `VideoRecord`.
        label: string. Name of the label.
        classes: class names in the order of the logits.
        top_k: int, or several. Defaults to 1.
        average: string. `"logits"` or `"probabilities"`: what the mean over clips and
            crops is of. Defaults to `"logits"`.
        on_reject: called with (record, reason) for videos that fail, which are not
            counted. Defaults to `None`.
        **clips: `num_clips`, `num_frames`, `stride`, `size` and others of
            `embed_videos`.

    Returns:
        float in [0, 1], or a dict of them from each k.

    Raises:
        ValueError: if no video can be decoded.

    Example:
    ```python
    classification_accuracy(classifier, test, "class", classes, top_k=(1, 5))
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 6.1.
    """
    scores = embed_videos(averaged(classifier, average), records, **clips)
    by_id = {r.video_id: r for r in records}
    for reject in scores.rejects if on_reject else ():
        on_reject(by_id[reject["path"]], reject["reason"])
    ranked = np.asarray(classes)[np.argsort(-scores.values, axis=1, kind="stable")]
    right = ranked == np.asarray(scores.labels[label])[:, None]
    wanted = (top_k,) if isinstance(top_k, int) else top_k
    shares = {k: float(right[:, :k].any(axis=1).mean()) for k in wanted}
    return shares[top_k] if isinstance(top_k, int) else shares
