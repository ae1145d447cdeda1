"""Videos with sound as moments: endless batches to learn from, and each one once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grain

from keras_avrep.data.loader import BatchFeed, ClipSource, source_dataset
from keras_avrep.data.manifest import VideoRecord
from keras_avrep.data.moment_source import MomentSource
from keras_avrep.data.moments import MomentRecord


@dataclass(frozen=True)
class MomentSet:
    """What a phase of training draws from.

    Args:
        batches: endless `grain.MapDataset` of shuffled batches.
        once: `grain.MapDataset` of batches that hold each video once and in order;
            the last one is filled up with the first videos.
        num_records: int. Videos.
        batch_size: int.
    """

    batches: grain.MapDataset
    once: grain.MapDataset
    num_records: int
    batch_size: int

    @property
    def epoch_steps(self) -> int:
        """Batches of one pass."""
        return self.num_records // self.batch_size

    def each_once(self) -> Iterator[dict]:
        """Batches that hold each video once, read ahead."""
        return iter(BatchFeed(self.once))

    def with_replay(
        self, other: "MomentSet", names: tuple[str, ...] = ("audio", "record")
    ) -> grain.MapDataset:
        """Endless batches of this set, each with parts of a batch of another set.

        Args:
            other: `MomentSet`. What was learned from before, say.
            names: strings. What to take of its batches. Defaults to
                `("audio", "record")`.

        Returns:
            `grain.MapDataset` of batches with `replay_NAME` for each name.

        Example:
        ```python
        mixed.with_replay(solo)[0]["replay_audio"].shape  # (32, 16000)
        ```
        """

        def join(index, batch):
            replayed = other.batches[index]
            return {**batch, **{f"replay_{name}": replayed[name] for name in names}}

        return self.batches.map_with_index(join)


def moment_set(
    records: list[VideoRecord] | list[MomentRecord],
    sampler: Callable[..., dict],
    *,
    size: int = 256,
    view_size: int = 224,
    batch_size: int = 32,
    seed: int = 0,
    on_reject: Callable[[VideoRecord | MomentRecord, str], None] | None = None,
) -> MomentSet:
    """Moments of videos to learn from.

    Videos may be whole, or cut into moments already: then each draw takes one of the
    moments of a video and one of its pictures, and the position of the video is the
    `record` of a batch, so that two moments of one video never count as two videos.

    Args:
        records: list of `VideoRecord` with sound, or of `MomentRecord` with waveforms.
        sampler: which moment of a video; see `keras_avrep.views.RandomMoment`. Of
            moments only its `duration` and `sample_rate` count; see `MomentSource`.
        size: int. Height and width of pictures to learn from, which views crop.
            Defaults to 256.
        view_size: int. Height and width of pictures that are only looked at.
            Defaults to 224.
        batch_size: int. Defaults to 32; never more than there are videos.
        seed: int. Of order and moments. Defaults to 0.
        on_reject: called once with (record, reason) for every video or moment that
            cannot be decoded. Defaults to `None`.

    Returns:
        `MomentSet` of batches with `frame`, `audio`, `has_audio`, `sample_rate` and
        `record`.

    Raises:
        ValueError: if there are no records.

    Example:
    ```python
    solo = moment_set(manifest.records, keras_avrep.views.RandomMoment())
    solo.batches[0]["frame"].shape  # (B, 256, 256, 3)
    ```
    """
    cut = bool(records) and isinstance(records[0], MomentRecord)
    source_of = MomentSource if cut else ClipSource
    source = source_of(records, sampler, size, on_reject)
    count = len(source.records)
    batch_size = max(1, min(batch_size, count))
    endless = source_dataset(source, batch_size, seed)
    whole = -(-count // batch_size) * batch_size
    once = grain.MapDataset.range(whole).seed(seed).map(lambda index: index % count)
    once = once.random_map(source.resized(view_size)).batch(batch_size)
    return MomentSet(endless, once, count, batch_size)
