"""Readers of the official layouts of public video datasets."""

from keras_avrep.data.readers.activitynet import (
    read_activitynet,
    read_activitynet_results,
)
from keras_avrep.data.readers.annotated import AnnotatedManifest
from keras_avrep.data.readers.audioset_instruments import read_audioset_instruments
from keras_avrep.data.readers.ava import clip_start, read_ava
from keras_avrep.data.readers.ava_boxes import (
    KeyFrameBoxes,
    read_ava_actions,
    read_ava_boxes,
    read_ava_detections,
)
from keras_avrep.data.readers.box_tracks import BoxTracks, read_box_tracks
from keras_avrep.data.readers.charades import read_charades
from keras_avrep.data.readers.csol_boxes import (
    BoxedFrame,
    BoxMatch,
    SoundingBoxes,
    read_csol_boxes,
)
from keras_avrep.data.readers.diving48 import read_diving48
from keras_avrep.data.readers.frame_labels import read_frame_labels
from keras_avrep.data.readers.got10k import read_got10k
from keras_avrep.data.readers.hmdb51 import read_hmdb51
from keras_avrep.data.readers.kinetics import read_kinetics
from keras_avrep.data.readers.listing import missing_videos
from keras_avrep.data.readers.moment_folders import read_moment_folder
from keras_avrep.data.readers.music_solo import read_music_solo
from keras_avrep.data.readers.orchestra import read_orchestra
from keras_avrep.data.readers.otb import read_otb
from keras_avrep.data.readers.synthetic_mixtures import read_synthetic_mixtures
from keras_avrep.data.readers.tracking_sequences import (
    TrackingSequence,
    TrackingSequences,
)
from keras_avrep.data.readers.ucf101 import read_ucf101
from keras_avrep.data.readers.vggsound import read_vggsound

__all__ = [
    "AnnotatedManifest",
    "BoxMatch",
    "BoxTracks",
    "BoxedFrame",
    "KeyFrameBoxes",
    "SoundingBoxes",
    "TrackingSequence",
    "TrackingSequences",
    "clip_start",
    "missing_videos",
    "read_activitynet",
    "read_activitynet_results",
    "read_audioset_instruments",
    "read_ava",
    "read_ava_actions",
    "read_ava_boxes",
    "read_ava_detections",
    "read_box_tracks",
    "read_charades",
    "read_csol_boxes",
    "read_diving48",
    "read_frame_labels",
    "read_got10k",
    "read_hmdb51",
    "read_kinetics",
    "read_moment_folder",
    "read_music_solo",
    "read_orchestra",
    "read_otb",
    "read_synthetic_mixtures",
    "read_ucf101",
    "read_vggsound",
]
