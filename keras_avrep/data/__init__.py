from keras_avrep.data.audio import read_waveform
from keras_avrep.data.audio_writer import write_audio
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
)
from keras_avrep.data.prepare import prepare_videos
from keras_avrep.data.readers import (
    missing_videos,
    read_diving48,
    read_hmdb51,
    read_kinetics,
    read_ucf101,
)
from keras_avrep.data.video_writer import write_video

__all__ = [
    "BatchFeed",
    "ClipSource",
    "Manifest",
    "MediaError",
    "MediaInfo",
    "VideoRecord",
    "clip_dataset",
    "missing_videos",
    "prepare_videos",
    "probe",
    "read_diving48",
    "read_frames",
    "read_hmdb51",
    "read_kinetics",
    "read_sample",
    "read_ucf101",
    "read_waveform",
    "scan_folder",
    "split_records",
    "stream_frames",
    "write_audio",
    "write_video",
]
