"""Export of a demo's model. Arguments: VIDEOS OUT."""

import sys
from pathlib import Path

import tiny_dclr

from keras_avrep.cli.demo import export_one
from keras_avrep.data import scan_folder

records = scan_folder(sys.argv[1]).records
clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
splits = (records,) * 3
export_one(tiny_dclr.build(), Path(sys.argv[2]), splits, clip, "dclr", print)
