"""What the demo does where a format cannot be written."""

from pathlib import Path

import pytest
from backend_runs import start
from media_files import write_ramp

from keras_avrep.cli.main import main
from keras_avrep.cli.run_folder import read_json

PROGRAM = Path(__file__).with_name("demo_export_program.py")


def test_on_torch_each_format_that_cannot_be_is_told(tmp_path):
    for number in range(4):
        write_ramp(tmp_path / f"videos/{number}.mp4", count=6, height=24, width=24)
    start("torch", PROGRAM, tmp_path / "videos", tmp_path / "out").finish()
    rows = {row["format"]: row for row in read_json(tmp_path / "out/export.json")}
    assert {"saved_model", "litert", "litert_int8"} <= rows.keys()
    for name in ("saved_model", "litert", "litert_int8"):
        assert "KERAS_BACKEND=tensorflow" in rows[name]["note"]


@pytest.mark.parametrize("name", ["csol", "ier"])
def test_what_sounds_is_no_demo(name, tmp_path, capsys):
    assert main(["demo", "--model", name, "--out", str(tmp_path / "out")]) == 2
    assert "notebooks/03" in capsys.readouterr().err
