"""Pairs of pictures of one thing, to train a tracker with."""

from collections.abc import Callable

import keras
import numpy as np

from keras_avrep.data import MediaError, TrackingSequence, read_image


class TrackingPairs(keras.utils.PyDataset):
    """One pair of pictures of every sequence an epoch, in batches.

    Both pictures of a pair are less than `max_gap` frames apart, and the target lies
    somewhere near the middle of the search image. A sequence whose frame cannot be
    read gives its place in the batch to another one.

    Args:
        tracker: with a method `training_pair`, such as
            `keras_avrep.models.SiameseTracker`.
        sequences: list of `keras_avrep.data.TrackingSequence`, as of `read_got10k`.
            Those with less than two boxes are left out.
        batch_size: int. Pairs of a batch. Defaults to 8.
        max_gap: int. The two frames of a pair are fewer than this many apart.
            Defaults to 100.
        max_shift: float. How far a target lies from the middle at most, along each
            side, in pixels of the search image. Defaults to 16.
        seed: int. Of order, frames and shifts. Defaults to 0.
        on_reject: called with the path and the reason of each frame that cannot be
            read. Defaults to `None`.

    Returns, for each batch:
        Dict of `exemplar` and `search`, float32 pixels, and shifts `(B, 2)`, `y, x`
        in pixels: what `SiameseTracker` and `response_loss` take.

    Raises:
        ValueError: if no sequence has two boxes, or none of a batch can be read.

    Example:
    ```python
    read = keras_avrep.data.read_got10k("GOT-10k", "train")
    pairs = keras_avrep.evaluation.TrackingPairs(tracker, read.sequences)
    keras_avrep.models.train_tracker(tracker, pairs)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6, the recipe of VFS.
    """

    def __init__(
        self,
        tracker,
        sequences: list[TrackingSequence],
        *,
        batch_size: int = 8,
        max_gap: int = 100,
        max_shift: float = 16.0,
        seed: int = 0,
        on_reject: Callable[[str, str], None] | None = None,
    ):
        super().__init__()
        shown = [(s, frames_with_target(s)) for s in sequences]
        self.sequences = [(s, frames) for s, frames in shown if len(frames) > 1]
        if not self.sequences:
            raise ValueError(
                "`sequences` has none with two boxes; give sequences for training, "
                "such as those of `read_got10k(root, 'train')`."
            )
        self.tracker = tracker
        self.batch_size = min(batch_size, len(self.sequences))
        self.max_gap = max_gap
        self.max_shift = max_shift
        self.seed = seed
        self.on_reject = on_reject
        self.epoch = 0

    def __len__(self):
        return len(self.sequences) // self.batch_size

    def on_epoch_end(self):
        self.epoch += 1

    def __getitem__(self, index):
        order = np.random.default_rng((self.seed, self.epoch)).permutation(
            len(self.sequences)
        )
        # Of its own, so that a batch is the same whichever were made before it.
        rng = np.random.default_rng((self.seed, self.epoch, index))
        # Those of the batch come first; the others stand in for what cannot be read.
        places = np.roll(order, -index * self.batch_size)
        made = []
        for place in places:
            made += self._pair(*self.sequences[place], rng)
            if len(made) == self.batch_size:
                break
        if not made:
            raise ValueError("`sequences` has no frame that can be read; check them.")
        # Every batch has one shape: what is missing is there twice.
        made = [made[i % len(made)] for i in range(self.batch_size)]
        exemplars, searches, shifts = (np.stack(x) for x in zip(*made, strict=True))
        return {"exemplar": exemplars, "search": searches}, shifts

    def _pair(self, sequence, frames, rng):
        """One pair of a sequence, in a list; an empty one if it cannot be read."""
        first = rng.choice(frames)
        near = frames[(abs(frames - first) < self.max_gap) & (frames != first)]
        second = rng.choice(near) if len(near) else first
        shift = rng.uniform(-self.max_shift, self.max_shift, 2).astype("float32")
        seen = []
        for place in (first, second):
            path = sequence.frames[place]
            try:
                seen.append((read_image(path), sequence.boxes[place]))
            except MediaError as error:
                if self.on_reject is not None:
                    self.on_reject(str(path), str(error))
                return []
        return [(*self.tracker.training_pair(*seen, shift), shift)]


def frames_with_target(sequence: TrackingSequence) -> np.ndarray:
    """Numbers of the frames in which a target is there, with a box of some size.

    Args:
        sequence: `keras_avrep.data.TrackingSequence`.

    Returns:
        int array, rising.

    Example:
    ```python
    frames_with_target(read.sequences[0])  # array([0, 1, 2, 5])
    ```
    """
    boxes = np.asarray(sequence.boxes, "float64")
    there = np.isfinite(boxes).all(axis=1) & ~np.asarray(sequence.absent, bool)
    sized = (np.nan_to_num(boxes[:, 2:]) > 0).all(axis=1)
    return np.flatnonzero(there & sized)
