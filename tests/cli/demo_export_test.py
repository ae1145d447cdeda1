"""What the demo does where a format cannot be written, or comes out wrong."""

from pathlib import Path

import pytest
import tiny_dclr
from backend_runs import start
from media_files import write_ramp

from keras_avrep import export
from keras_avrep.cli import demo
from keras_avrep.cli.main import main
from keras_avrep.cli.run_folder import read_json
from keras_avrep.data import scan_folder
from keras_avrep.export import all_formats

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


def test_a_file_that_differs_is_told_as_written(tmp_path, monkeypatch):
    for number in range(4):
        write_ramp(tmp_path / f"videos/{number}.mp4", count=6, height=24, width=24)
    splits = (scan_folder(tmp_path / "videos").records,) * 3
    clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
    monkeypatch.setattr(all_formats, "compare", lambda *arrays: 0.25)
    # Two of the formats, one that must agree and one that need not.
    monkeypatch.setattr(export, "FORMATS", ("litert", "litert_int8"))
    said, out = [], tmp_path / "out"
    rows = demo.export_one(tiny_dclr.build(), out, splits, clip, "m", said.append)
    assert read_json(out / "export.json") == rows
    found = {row["format"]: row for row in rows}
    assert list(found) == ["litert", "litert_int8"]
    row = found["litert"]
    assert (out / row["path"]).exists()
    assert row["max_abs_diff"] == 0.25 and row["agrees"] is False
    assert row["note"] == "written, but differs from Keras by 0.25, too much"
    assert "litert: " in " ".join(line for line in said if "too much" in line)
    assert "agrees" not in found["litert_int8"]


def test_a_demo_whose_file_differs_fails_after_its_report(
    tmp_path, capsys, monkeypatch
):
    row = {"format": "litert", "path": "m.tflite", "max_abs_diff": 0.25}
    row |= {"bytes": 1, "agrees": False, "note": "written, but differs"}
    for rows, status in (([{"format": "onnx", "note": "not written"}], 0), ([row], 2)):
        out = tmp_path / str(status)
        monkeypatch.setattr(demo, "demonstrate", lambda *_, r=rows: {"export": r})
        assert main(["demo", "--out", str(out)]) == status
        assert read_json(out / "summary.json")["export"] == rows
        assert (out / "report.html").exists()
    assert "m.tflite: written, but differs" in capsys.readouterr().err
