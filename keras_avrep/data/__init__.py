from keras_avrep.data.loader import (
    BatchFeed,
    ClipSource,
    clip_dataset,
    read_sample,
)
from keras_avrep.data.manifest import (
    Manifest,
    VideoRecord,
    scan_folder,
    split_records,
)
from keras_avrep.data.media import (
    MediaError,
    MediaInfo,
    probe,
    read_frames,
    stream_frames,
    write_video,
)
from keras_avrep.data.prepare import prepare_videos

__all__ = [
    "BatchFeed",
    "ClipSource",
    "Manifest",
    "MediaError",
    "MediaInfo",
    "VideoRecord",
    "clip_dataset",
    "prepare_videos",
    "probe",
    "read_frames",
    "read_sample",
    "scan_folder",
    "split_records",
    "stream_frames",
    "write_video",
]
