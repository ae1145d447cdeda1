"""Which files the copies of videos are, and which frames go into each."""

from dataclasses import dataclass
from pathlib import Path

from keras_avrep.data.manifest import VideoRecord


@dataclass(frozen=True)
class CopyPlan:
    """The copies of one video.

    Args:
        name: relative name, without a suffix, of the copy or of all its parts.
        bounds: list of the first frame of each part, then `None`: the last part goes
            to the end, wherever that is.
    """

    name: str
    bounds: list[int | None]

    @property
    def files(self) -> list[str]:
        """Relative names of the copies."""
        parts = len(self.bounds) - 1
        if parts == 1:
            return [f"{self.name}.mp4"]
        return [f"{self.name}_{p:04d}.mp4" for p in range(parts)]


def plan_copies(
    records: list[VideoRecord], segment_seconds: float | None = None
) -> list[CopyPlan]:
    """Plan copies such that no file belongs to two videos.

    Args:
        records: the videos.
        segment_seconds: float or `None`. Longer videos become several files of about
            this length. Defaults to `None`.

    Returns:
        A `CopyPlan` for each record; the same whenever the records are.

    Example:
    ```python
    plan_copies(manifest.records, 20.0)[0].files  # ["talk_0000.mp4", "talk_0001.mp4"]
    ```
    """
    names = _different_names(records)
    plans = [
        CopyPlan(name, _bounds(record, segment_seconds))
        for name, record in zip(names, records, strict=True)
    ]
    taken = set(names)
    whole = {plan.files[0] for plan in plans if len(plan.files) == 1}
    for position, plan in enumerate(plans):
        # A whole video may be named like a part of another; the parts give way.
        while len(plan.files) > 1 and whole & {*plan.files}:
            plan = CopyPlan(_free(plan.name + "_", taken), plan.bounds)
        taken.add(plan.name)
        plans[position] = plan
    return plans


def _different_names(records) -> list[str]:
    names = {}
    for record in records:
        name = Path(record.video_id).with_suffix("").as_posix()
        # Two videos may differ in their suffix only.
        name = record.video_id if name in names else name
        names[_free(name, names)] = record
    return list(names)


def _free(name, taken) -> str:
    while name in taken:
        name += "_"
    return name


def _bounds(record, segment_seconds) -> list[int | None]:
    frames, parts = max(record.num_frames, 1), 1
    if segment_seconds:
        # A part without a frame would be no video.
        parts = min(frames, max(1, round(record.duration / segment_seconds)))
    return [round(p * frames / parts) for p in range(parts)] + [None]
