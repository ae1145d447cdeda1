"""From records to batches of clips, deterministic and resumable."""

import copy
import threading
import time
from collections.abc import Callable, Iterator

import grain
import numpy as np

from keras_avrep.data.audio import read_waveform
from keras_avrep.data.manifest import VideoRecord
from keras_avrep.data.media import MediaError, read_frames


class ClipSource:
    """Draws the clips of one video; a pure function of the seed and the position.

    Numbers that a sampler returns beside its times, under `"numbers"`, come with
    the sample unchanged: where its clips start, say. Under `"audio"` it may name
    spans of sound, as `read_sample` takes them.

    Args:
        records: list of `VideoRecord`.
        sampler: from a record and a generator to named times; see
            `keras_avrep.views.RandomClips`.
        size: int. Height and width in pixels. Defaults to 128.
        on_reject: called once with (record, reason) for every video that
            cannot be decoded. Defaults to `None`.

    Returns, when called with a record index and a `numpy.random.Generator`:
        Dict from the sampler's names to uint8 frames `(..., size, size, 3)`,
        and `record` int64, the position of the record; with spans of sound also
        `audio`, `has_audio` and `sample_rate`.

    Raises:
        ValueError: if there are no records.
        MediaError: when called, if no video can be decoded.
    """

    def __init__(self, records, sampler, size=128, on_reject=None):
        if not records:
            raise ValueError("`records` is empty; there is no video to draw clips of.")
        self.records = list(records)
        self.sampler = sampler
        self.size = size
        self.on_reject = on_reject
        # By the identity of a record, which `records` keeps alive.
        self._rejected: dict[int, str] = {}
        self._lock = threading.Lock()

    def __call__(self, index: int, rng: np.random.Generator) -> dict:
        # A bad video is replaced by the next one, the same on every run.
        draws = rng.bit_generator.state
        for offset in range(len(self.records)):
            position = (int(index) + offset) % len(self.records)
            rng.bit_generator.state = draws
            record = self.choose(position, rng)
            try:
                sample = self.read(record, rng)
            except MediaError as error:
                self._reject(record, str(error))
            else:
                return {**sample, "record": np.int64(position)}
        raise MediaError(
            f"None of the {len(self.records)} videos can be decoded; the first "
            f"reason was: {next(iter(self._rejected.values()))}"
        )

    def resized(self, size: int) -> "ClipSource":
        """The same draws at another size; what is rejected is told once by the two."""
        other = copy.copy(self)
        other.size = size
        return other

    def choose(self, position: int, rng: np.random.Generator):
        """What is read for a position; the record itself."""
        return self.records[position]

    def read(self, record, rng: np.random.Generator) -> dict:
        """A sample of what was chosen.

        Raises:
            MediaError: if it cannot be decoded.
        """
        times = dict(self.sampler(record, rng))
        numbers = times.pop("numbers", {})
        return {**read_sample(record, times, self.size), **numbers}

    def _reject(self, record, reason: str) -> None:
        with self._lock:
            if id(record) in self._rejected:
                return
            self._rejected[id(record)] = reason
            # One at a time: it writes files.
            if self.on_reject is not None:
                self.on_reject(record, reason)


def read_sample(
    record: VideoRecord, times: dict, size: int, square: bool = True
) -> dict[str, np.ndarray]:
    """The frames and the sound of a record at named times, each read in one pass.

    Args:
        record: `VideoRecord`.
        times: dict from names to arrays of seconds, of any shape and order.
            Under `"audio"`, where it is there, a dict that names spans of sound:
            `start`, seconds of any shape, `duration` in seconds and
            `sample_rate` in Hz, which defaults to 16000.
        size: int. Height and width in pixels.
        square: bool. `False` keeps the whole frames, their short side `size`.
            Defaults to `True`.

    Returns:
        Dict from the same names to uint8 arrays, `(size, size, 3)` added to
        each shape, or `(H, W, 3)` if not `square`. With spans of sound, `audio` is
        float32, `(S,)` added to the shape of `start`, in [-1, 1]; `has_audio` is a
        bool, false where the video has no track and `audio` is zeros; `sample_rate`
        is int32.

    Raises:
        MediaError: if picture or sound cannot be decoded.

    Example:
    ```python
    times = keras_avrep.views.UniformClips(num_clips=10)(record)
    clips = keras_avrep.data.read_sample(record, times, size=112)["video"]

    second = {"frame": 2.4, "audio": {"start": 2.0, "duration": 1.0}}
    sample = keras_avrep.data.read_sample(record, second, size=224)
    sample["frame"].shape, sample["audio"].shape  # (224, 224, 3), (16000,)
    ```
    """
    times = dict(times)
    spans = times.pop("audio", None)
    sample = _read_named_frames(record, times, size, square) if times else {}
    return sample if spans is None else {**sample, **_read_sound(record, **spans)}


def _read_named_frames(record, times, size, square):
    wanted = np.concatenate([np.ravel(t) for t in times.values()])
    unique, places = np.unique(wanted, return_inverse=True)
    frames = read_frames(record.path, unique, size, square)[places]
    sample, first = {}, 0
    for name, array in times.items():
        count = np.size(array)
        sample[name] = frames[first : first + count].reshape(
            *np.shape(array), *frames.shape[1:]
        )
        first += count
    return sample


def _read_sound(record, start, duration, sample_rate=16000):
    audio, has_audio = read_waveform(record.path, start, duration, sample_rate)
    return {
        "audio": audio,
        "has_audio": np.bool_(has_audio),
        "sample_rate": np.int32(sample_rate),
    }


def clip_dataset(
    records: list[VideoRecord],
    sampler: Callable[..., dict[str, np.ndarray]],
    *,
    size: int = 128,
    batch_size: int = 32,
    seed: int = 0,
    shuffle: bool = True,
    repeat: bool = True,
    on_reject: Callable[[VideoRecord, str], None] | None = None,
) -> grain.MapDataset:
    """Batches of random clips as a grain data set.

    `dataset[i]` is a pure function of the seed and `i`, so the loader's
    position is the number of batches taken: nothing else need be saved.

    Args:
        records: list of `VideoRecord`.
        sampler: which frames of a video are taken; see
            `keras_avrep.views.RandomClips`.
        size: int. Height and width in pixels; views crop from it. Defaults to 128.
        batch_size: int. Videos of a batch. Defaults to 32.
        seed: int. Of order and positions. Defaults to 0.
        shuffle: bool. A new order every epoch. Defaults to `True`.
        repeat: bool. Whether it goes on for ever. Defaults to `True`.
        on_reject: called once with (record, reason) for every video that
            cannot be decoded. Defaults to `None`.

    Returns:
        `grain.MapDataset` of dicts from the sampler's names to uint8 frames,
        for `RandomClips` `video` `(B, num_clips, num_frames, size, size, 3)`
        and `static` `(B, num_clips, size, size, 3)`, with `record` int64 `(B,)`.

    Raises:
        ValueError: if there are no records, or fewer than a batch.

    Example:
    ```python
    sampler = keras_avrep.views.RandomClips(num_frames=8)
    dataset = keras_avrep.data.clip_dataset(manifest.records, sampler, batch_size=8)
    batch = dataset[0]
    ```
    """
    if 0 < len(records) < batch_size:
        raise ValueError(
            f"`batch_size` is {batch_size} but there are only {len(records)} videos; "
            "choose a smaller batch."
        )
    source = ClipSource(records, sampler, size, on_reject)
    return source_dataset(source, batch_size, seed, shuffle, repeat)


def source_dataset(source, batch_size, seed=0, shuffle=True, repeat=True):
    """Batches of what a `ClipSource` draws; arguments as of `clip_dataset`."""
    count = len(source.records)
    dataset = grain.MapDataset.range(count).seed(seed)
    if shuffle:
        dataset = dataset.shuffle()
    # Whole batches of one epoch: no video meets itself as a negative.
    dataset = dataset.slice(slice(0, count // batch_size * batch_size))
    if repeat:
        dataset = dataset.repeat()
    return dataset.random_map(source).batch(batch_size)


class BatchFeed:
    """Batches from `start` on, decoded ahead in threads, with the wait measured.

    Args:
        dataset: what `clip_dataset` returns.
        start: int. First batch. Defaults to 0.
        stop: int or `None`. Batch to stop before. Defaults to `None`.
        threads: int. Decoding threads. Defaults to 2.
        prefetch: int. Batches made ahead. Defaults to 4.

    Attributes:
        position: int. Batches handed out, counted from batch 0.
        wait_seconds: float. Time the consumer was kept waiting.

    Example:
    ```python
    feed = BatchFeed(dataset, stop=100)
    model.fit(((batch,) for batch in feed), steps_per_epoch=100)
    ```
    """

    def __init__(self, dataset, start=0, stop=None, threads=2, prefetch=4):
        self.dataset = dataset
        self.position = start
        self.stop = stop
        self.threads = threads
        self.prefetch = prefetch
        self.wait_seconds = 0.0

    def __iter__(self) -> Iterator[dict]:
        stop = self.stop if self.stop is not None else len(self.dataset)
        options = grain.ReadOptions(
            num_threads=self.threads,
            prefetch_buffer_size=max(self.prefetch, self.threads),
        )
        batches = iter(self.dataset[self.position : stop].to_iter_dataset(options))
        while True:
            before = time.perf_counter()
            batch = next(batches, None)
            self.wait_seconds += time.perf_counter() - before
            if batch is None:
                return
            self.position += 1
            yield batch
