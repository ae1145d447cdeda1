import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reader_results import reasons, summary, write

from keras_avrep.data import (
    clip_start,
    missing_videos,
    read_ava,
    read_ava_actions,
    read_ava_boxes,
    read_ava_detections,
)
from keras_avrep.evaluation import frame_mean_average_precision

ACTIONS = """
item {
  name: "bend/bow (at the waist)"
  id: 1
}
item {
  name: "stand"
  id: 12
}
"""
ROWS = [
    "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,12,1",
    "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1",
    "-5KQ66BBWC4,0903,0.226,0.032,0.366,0.497,1,0",
    "-5KQ66BBWC4,0901,0.226,0.032,0.366,0.497,1,0",
    "_145Aa_xkuE,1798,0.100,0.200,0.300,0.400,12,7",
]


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "ava_val_v2.2.csv"
    write(path, "\n".join(ROWS) + "\n")
    return path


def test_boxes_are_read_unmerged_with_vertical_first(csv):
    read = read_ava_boxes(csv)
    assert not read.rejects
    assert set(read.frames) == {
        ("-5KQ66BBWC4", 902),
        ("-5KQ66BBWC4", 903),
        ("_145Aa_xkuE", 1798),
    }
    frame = read.frames["-5KQ66BBWC4", 902]
    np.testing.assert_array_equal(frame["boxes"], [[0.151, 0.077, 0.811, 0.283]] * 2)
    assert frame["labels"].tolist() == [12, 80]
    assert frame["people"].tolist() == [1, 1]
    assert len(read_ava_boxes(csv, valid_seconds=None).frames) == 4


def test_excluded_key_frames_are_dropped_from_both(csv, tmp_path):
    excluded = tmp_path / "ava_val_excluded_timestamps_v2.2.csv"
    write(excluded, "-5KQ66BBWC4,0903\nnonsense\n")
    rows = ["-5KQ66BBWC4,0903,0.1,0.1,0.2,0.2,1,0.9"]
    rows += ["-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,12,0.8"]
    rows += ["_145Aa_xkuE,1798,0.100,0.200,0.300,0.400,12,0.7"]
    write(tmp_path / "found.csv", "\n".join(rows))
    truth = read_ava_boxes(csv, excluded=excluded)
    assert [r["path"] for r in truth.rejects] == [f"{excluded.name}:2"]
    assert ("-5KQ66BBWC4", 903) not in truth.frames
    found = read_ava_detections(tmp_path / "found.csv", excluded=excluded).frames
    result = frame_mean_average_precision(found, truth.frames, classes=[1, 12])
    assert result["mean_average_precision"] == 1.0


def test_kinetics_has_fractions_of_seconds_and_frames_without_people(tmp_path):
    path = tmp_path / "kinetics_val_v1.0.csv"
    rows = ["abc,12.345,0.1,0.2,0.3,0.4,12,0", "abc,0013,,,,,,", "abc,14"]
    write(path, "\n".join(rows))
    read = read_ava_boxes(path, valid_seconds=None)
    assert not read.rejects
    assert list(read.frames) == [("abc", 12.345), ("abc", 13), ("abc", 14)]
    assert read.frames["abc", 13]["boxes"].shape == (0, 4)


def test_detections_of_people_have_no_action(tmp_path):
    path = tmp_path / "people.csv"
    write(path, "a,0902,0.1,0.2,0.3,0.4,,0.96\na,902,0.5,0.2,0.9,0.4,,0.91\n")
    (frame,) = read_ava_detections(path).frames.values()
    assert frame["labels"].tolist() == [0, 0]
    assert frame["scores"].tolist() == [0.96, 0.91]


def test_lines_that_make_no_sense_are_listed_and_passed_over(tmp_path):
    path = tmp_path / "a.csv"
    rows = {
        "video": "VIDEO,SECOND",
        "a,late,0,0,1,1,1,1": "'late'",
        "a,902,0,0,1,1": "6 columns",
        "a,902,0,x,1,1,1,1": "no number",
        "a,902,0,0,1,1,bow,1": "no number",
        "a,902,0.5,0,0.5,1,1,1": "no area",
        "a,902,0,0,inf,1,1,1": "no area",
        f"a,902,0,0,1,1,{'9' * 30},1": "no number",
        ",902,0,0,1,1,1,1": "VIDEO,SECOND",
    }
    write(path, "\n".join([*rows, "a,902,0,0,1,1,3,1"]))
    read = read_ava_boxes(path)
    assert read.frames["a", 902]["labels"].tolist() == [3]
    assert [r["path"] for r in read.rejects] == [f"a.csv:{i + 1}" for i in range(9)]
    for reject, part in zip(read.rejects, rows.values(), strict=True):
        assert part in reject["reason"]
    write(path, "a,902,0,0,1,1,3\na,902,0,0,1,1,3,\na,902,0,0,1,1,3,0.5\n")
    assert [r["reason"] for r in read_ava_detections(path).rejects] == [
        "has no score"
    ] * 2
    assert read_ava_boxes(path).frames["a", 902]["people"].tolist() == [-1, -1]


CELLS = st.sampled_from(["a", "", "902", "0.1", "-1", "nan", "1e400", "9" * 25, " 3 "])


@given(st.lists(st.lists(CELLS, min_size=1, max_size=10), min_size=1, max_size=6))
def test_no_line_stops_a_reading(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    write(path, "header?\n" + "\n".join(",".join(line) for line in lines))
    for read in (read_ava_boxes, read_ava_detections):
        result = read(path, valid_seconds=None)
        assert result.rejects[0]["path"] == "a.csv:1"
        for frame in result.frames.values():
            assert np.isfinite(frame["boxes"]).all()


def test_action_lists_in_both_forms(tmp_path):
    path = tmp_path / "actions.pbtxt"
    write(path, ACTIONS)
    assert read_ava_actions(path) == {1: "bend/bow (at the waist)", 12: "stand"}
    write(path, 'label {\n  name: "run"\n  label_id: 10\n  label_type: OTHER\n}\n')
    assert read_ava_actions(path) == {10: "run"}
    write(path, 'item { name: "run" }')
    with pytest.raises(ValueError, match="without name or id"):
        read_ava_actions(path)
    write(path, "nothing")
    with pytest.raises(ValueError, match="no entries"):
        read_ava_actions(path)


def test_ava_joins_boxes_and_videos(tmp_path, put, csv):
    put("trainval/-5KQ66BBWC4.mkv")
    write(tmp_path / "actions.pbtxt", ACTIONS)
    manifest = read_ava(
        tmp_path / "videos", csv, "val", actions=tmp_path / "actions.pbtxt"
    )
    assert summary(manifest) == {"trainval/-5KQ66BBWC4.mkv": (None, "val")}
    frames = manifest.annotation(manifest.records[0])
    assert frames[902]["labels"].tolist() == [12]  # 80 is not in the list
    assert frames[903]["boxes"].shape == (1, 4)
    assert manifest.class_names[12] == "stand"
    assert missing_videos(manifest) == ["_145Aa_xkuE.mp4"]
    assert clip_start(manifest.records[0]) == 0


def test_ava_kinetics_finds_cut_clips_by_the_time_of_a_key_frame(tmp_path, put):
    put("washing/a_b_000010_000020.mp4", "b_000010_000020.mp4", "c.mp4")
    path = tmp_path / "kinetics_train_v1.0.csv"
    rows = ["a_b,0015,0,0,1,1,1,0", "b,0042,0,0,1,1,1,0", "c,3,0,0,1,1,1,0", "x"]
    write(path, "\n".join(rows))
    manifest = read_ava(tmp_path / "videos", path, "train", valid_seconds=None)
    assert manifest.names == {"c.mp4": "c", "washing/a_b_000010_000020.mp4": "a_b"}
    assert clip_start(manifest.records[1]) == 10
    assert missing_videos(manifest) == ["b.mp4"]
    assert "VIDEO,SECOND" in reasons(manifest)[f"{path.name}:4"]


def test_ava_refuses_missing_files(tmp_path, put, csv):
    put("a.mp4")
    with pytest.raises(ValueError, match=r"nowhere\.csv is missing"):
        read_ava(tmp_path / "videos", tmp_path / "nowhere.csv", "train")
    with pytest.raises(ValueError, match="`videos`"):
        read_ava(tmp_path / "nowhere", csv, "train")
