"""What a demo's summary says of its videos."""

import json

from media_files import write_ramp

from keras_avrep.cli import demo
from keras_avrep.cli.run_folder import describe_data, interrupted_line
from keras_avrep.data import scan_folder


def test_videos_are_counted_by_what_they_are_for(tmp_path):
    lines = []
    for split, count in (("pretrain", 5), ("train", 3), ("test", 2)):
        for number in range(count):
            name = f"{split}/{number}.mp4"
            write_ramp(tmp_path / name, count=4, height=16, width=16)
            lines.append(json.dumps({"video": name, "split": split}))
    (tmp_path / "annotations.jsonl").write_text("\n".join(lines))
    manifest = scan_folder(tmp_path)
    parts = demo.parts_of(demo.divide(manifest, 0))
    data = describe_data(manifest, tmp_path, parts)
    counts = {"videos": 10, "trained_on": 5, "gallery": 3, "test": 2}
    assert data.items() >= counts.items()
    assert not {"trained_on", "gallery", "test"} & set(
        describe_data(manifest, tmp_path)
    )


def test_an_interrupted_run_says_what_there_is(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    # Left by a run that was killed while it wrote.
    (tmp_path / "checkpoints/.last.1.part.npz").touch()
    assert "Nothing has been trained yet" in interrupted_line(tmp_path)
    (tmp_path / "checkpoints/last.npz").touch()
    assert f"Saved in {tmp_path}" in interrupted_line(tmp_path)
