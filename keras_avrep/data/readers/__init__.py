"""Readers of the official layouts of public video datasets."""

from keras_avrep.data.readers.diving48 import read_diving48
from keras_avrep.data.readers.hmdb51 import read_hmdb51
from keras_avrep.data.readers.kinetics import read_kinetics
from keras_avrep.data.readers.listing import missing_videos
from keras_avrep.data.readers.ucf101 import read_ucf101

__all__ = [
    "missing_videos",
    "read_diving48",
    "read_hmdb51",
    "read_kinetics",
    "read_ucf101",
]
