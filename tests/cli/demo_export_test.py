"""What the demo does where a format cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from media_files import write_ramp

from keras_avrep.cli.main import main
from keras_avrep.cli.run_folder import read_json

HELPERS = Path(__file__).parents[1] / "helpers"
PROGRAM = """
import sys
from pathlib import Path
import tiny_dclr
from keras_avrep.cli.demo import export_one
from keras_avrep.data import scan_folder
records = scan_folder(sys.argv[1]).records
clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
splits = (records,) * 3
export_one(tiny_dclr.build(), Path(sys.argv[2]), splits, clip, "dclr", print)
"""


def test_on_torch_each_format_that_cannot_be_is_told(tmp_path):
    for number in range(4):
        write_ramp(tmp_path / f"videos/{number}.mp4", count=6, height=24, width=24)
    path = os.pathsep.join(filter(None, [str(HELPERS), os.environ.get("PYTHONPATH")]))
    subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            str(tmp_path / "videos"),
            str(tmp_path / "out"),
        ],
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": path},
        check=True,
    )
    rows = {row["format"]: row for row in read_json(tmp_path / "out/export.json")}
    assert {"saved_model", "litert", "litert_int8"} <= rows.keys()
    for name in ("saved_model", "litert", "litert_int8"):
        assert "KERAS_BACKEND=tensorflow" in rows[name]["note"]


@pytest.mark.parametrize("name", ["csol", "ier"])
def test_what_sounds_is_no_demo(name, tmp_path, capsys):
    assert main(["demo", "--model", name, "--out", str(tmp_path / "out")]) == 2
    assert "notebooks/03" in capsys.readouterr().err
