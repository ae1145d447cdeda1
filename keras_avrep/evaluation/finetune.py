"""Training a classifier on labelled videos, and its accuracy over many clips."""

from collections.abc import Callable

import keras
import numpy as np

from keras_avrep.data import BatchFeed, clip_dataset
from keras_avrep.evaluation.embed import embed_videos
from keras_avrep.views import ClipAugmentation, RandomClips


def finetune(
    classifier,
    records,
    label: str,
    classes: list[str],
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
    show: Callable[[str], None] = print,
) -> list[float]:
    """Train a classifier: SGD, the rate divided by 10 after 6 and 8 tenths.

    Args:
        classifier: `keras_avrep.models.VideoClassifier`. For a linear probe
            build it with `train_backbone=False` and use a rate of 5 without
            decay.
        records: list of `VideoRecord` that have the label.
        label: string. Name of the label.
        classes: class names in the order of the logits.
        num_frames: int. Frames of a clip. Defaults to 16.
        stride: int. Frames of the video from one to the next. Defaults to 2.
        size: int. Pixels that videos are decoded at. Defaults to 128.
        view_size: int. Pixels of the classifier's input. Defaults to 112.
        epochs: int. Defaults to 10.
        clips_per_epoch: int. Clips drawn of each video in an epoch. Defaults
            to 10.
        batch_size: int. Defaults to 64.
        learning_rate: float. Defaults to 0.1.
        weight_decay: float. Defaults to 1e-4.
        flip: float. Probability of a horizontal flip; 0 where direction
            matters. Defaults to 0.5.
        seed: int. Defaults to 0.
        threads: int. Decoding threads. Defaults to 2.
        show: called with each line of progress. Defaults to `print`.

    Returns:
        Mean loss of each epoch.

    Example:
    ```python
    classes = manifest.classes("class")
    finetune(classifier, train, "class", classes, epochs=2, batch_size=8)
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 6.1.
    """
    numbers = np.array([classes.index(r.labels[label]) for r in records])
    batch_size = min(batch_size, len(records))
    steps = max(1, len(records) * clips_per_epoch // batch_size)
    total = steps * epochs
    rate = keras.optimizers.schedules.PiecewiseConstantDecay(
        [round(total * 0.6), round(total * 0.8)],
        [learning_rate, learning_rate / 10, learning_rate / 100],
    )
    classifier.compile(
        keras.optimizers.SGD(rate, momentum=0.9, weight_decay=weight_decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    dataset = clip_dataset(
        records,
        RandomClips(1, num_frames, stride),
        size=size,
        batch_size=batch_size,
        seed=seed,
    )
    augmentation = ClipAugmentation(view_size, flip=flip, seed=seed)
    losses, feed = [], iter(BatchFeed(dataset, stop=total, threads=threads))
    for epoch in range(epochs):
        sums = []
        for _ in range(steps):
            batch = next(feed)
            clips = augmentation(batch["video"][:, 0])
            sums.append(classifier.train_on_batch(clips, numbers[batch["record"]]))
        losses.append(float(np.mean(sums)))
        show(f"epoch {epoch + 1}/{epochs}  loss {losses[-1]:.3f}")
    return losses


def classification_accuracy(classifier, records, label, classes, **clips) -> float:
    """Top-1 accuracy of the mean logits over equally spaced clips.

    Args:
        classifier: model from pixels to logits.
        records: list of `VideoRecord`.
        label: string. Name of the label.
        classes: class names in the order of the logits.
        **clips: `num_clips`, `num_frames`, `stride`, `size` and others of
            `embed_videos`.

    Returns:
        float in [0, 1].
    """
    logits = embed_videos(classifier, records, **clips)
    predicted = [classes[i] for i in logits.values.argmax(axis=1)]
    return float(np.mean(np.array(predicted) == np.array(logits.labels[label])))
