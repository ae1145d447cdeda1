"""From features and labels of every frame to an MS-TCN that labels frames."""

import keras
import numpy as np

from keras_avrep.models.mstcn import MSTCN, UNLABELLED, pad_sequences

# Share of a video's frames, at most, that may lack features or labels.
MOST_SPARE = 0.02


def train_mstcn(
    sequences,
    labels,
    classes,
    *,
    epochs=50,
    batch_size=1,
    learning_rate=5e-4,
    **arguments,
):
    """An MS-TCN on frozen features, which it standardises by itself.

    Args:
        sequences: list of arrays `(N, C)`, the features of every frame of a video;
            see `keras_avrep.evaluation.frame_features`.
        labels: list of N class names for each video; names that are no class have
            no loss. Files of labels and videos often differ by some frames: the end of
            the longer one, up to 2 %, is left out.
        classes: class names in the order of the logits.
        epochs: int. Defaults to 50.
        batch_size: int. Videos at a time. Defaults to 1.
        learning_rate: float. Of Adam. Defaults to 5e-4.
        **arguments: of `MSTCN`, such as `num_stages`.

    Returns:
        `MSTCN`, trained. Initial weights, dropout and order follow the seed of
        `keras.utils.set_random_seed`.

    Raises:
        ValueError: if there is no video, or one has far more or fewer labels than
            frames.

    Example:
    ```python
    head = train_mstcn(sequences, labels, classes)
    [classes[number] for number in head.label(features)]
    ```

    Reference: MS-TCN (arXiv:1903.01945); note of TeG (arXiv:2112.04480), section
    6.
    """
    if not len(sequences):
        raise ValueError("`sequences` is empty; give the features of some videos.")
    pairs = list(zip(sequences, labels, strict=True))
    lengths = [
        _common_length(number, len(features), len(names))
        for number, (features, names) in enumerate(pairs)
    ]
    sequences = [x[:length] for x, length in zip(sequences, lengths, strict=True)]
    labels = [row[:length] for row, length in zip(labels, lengths, strict=True)]
    rows = np.concatenate(sequences)
    head = MSTCN(
        len(classes),
        rows.shape[1],
        feature_mean=rows.mean(axis=0),
        feature_variance=rows.var(axis=0) + 1e-6,
        **arguments,
    )
    head.compile(keras.optimizers.Adam(learning_rate), jit_compile=False)
    number_of = {name: number for number, name in enumerate(classes)}
    numbers = [[number_of.get(name, UNLABELLED) for name in row] for row in labels]
    inputs, targets = pad_sequences(sequences, numbers)
    head.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=0)
    return head


def _common_length(number, num_features, num_names):
    shorter, longer = sorted((num_features, num_names))
    if longer - shorter > 1 + MOST_SPARE * longer:
        raise ValueError(
            f"`labels[{number}]` has {num_names} names but there are features of "
            f"{num_features} frames; give one name for each frame."
        )
    return shorter
