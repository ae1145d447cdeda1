import json

import pytest
from reader_results import reasons, summary, write

from keras_avrep.data import (
    missing_videos,
    read_activitynet,
    read_activitynet_results,
    read_charades,
    read_frame_labels,
)
from keras_avrep.evaluation import (
    detection_average_precision,
    multi_hot,
    segmentation_scores,
)

# --- Breakfast, 50Salads ------------------------------------------------------

CEREALS = "P03_cam01_P03_cereals"
MILK = "P04_stereo01_P04_milk"


def write_labels(folder, **videos):
    for name, labels in videos.items():
        write(folder / f"groundTruth/{name}.txt", "\n".join(labels) + "\n")


@pytest.fixture
def breakfast(tmp_path):
    folder = tmp_path / "breakfast"
    write(folder / "mapping.txt", "0 SIL\n1 pour_milk\n2 take_bowl\n")
    write(folder / "splits/train.split1.bundle", f"{CEREALS}.txt\n")
    write(folder / "splits/test.split1.bundle", f"{MILK}.txt\n")
    labels = {CEREALS: ["SIL", "take_bowl"], MILK: ["SIL", "SIL", "pour_milk"]}
    write_labels(folder, **labels)
    return folder


def test_breakfast_is_found_in_its_own_folders(tmp_path, put, breakfast):
    put("P03/cam01/P03_cereals.avi", "P04/stereo/P04_milk_ch0.avi")
    manifest = read_frame_labels(tmp_path / "videos", breakfast)
    assert summary(manifest) == {
        "P03/cam01/P03_cereals.avi": (None, "train"),
        "P04/stereo/P04_milk_ch0.avi": (None, "test"),
    }
    assert not manifest.rejects
    (record,) = manifest.split("test")
    assert record.num_frames == 4
    assert manifest.annotation(record) == ["SIL", "SIL", "pour_milk"]
    assert manifest.class_names == {0: "SIL", 1: "pour_milk", 2: "take_bowl"}
    truth = {MILK: manifest.annotations[MILK]}
    assert segmentation_scores(truth, truth)["edit"] == 1.0


def test_salads_are_found_by_the_name_of_their_file(tmp_path, put):
    folder = tmp_path / "50salads"
    put("rgb-01-1.avi", "rgb-02-1.mp4")
    write(folder / "mapping.txt", "0 cut_tomato\r\n1 action_start\r\n")
    write(folder / "splits/train.split3.bundle", "rgb-01-1.txt\r\nrgb-02-1.txt\r\n")
    write(folder / "splits/test.split3.bundle", "rgb-03-1.txt\n")
    write(folder / "groundTruth/rgb-01-1.txt", "cut_tomato\r\naction_start\r\n")
    write_labels(folder, **{"rgb-02-1": ["cut_tomato"], "rgb-03-1": ["cut_tomato"]})
    manifest = read_frame_labels(tmp_path / "videos", folder, split=3)
    assert set(summary(manifest)) == {"rgb-01-1.avi", "rgb-02-1.mp4"}
    assert manifest.annotations["rgb-01-1"] == ["cut_tomato", "action_start"]
    assert missing_videos(manifest) == ["rgb-03-1.avi"]
    assert manifest.annotations["rgb-03-1"] == ["cut_tomato"]


def test_frame_labels_reject_what_is_unusable_and_go_on(tmp_path, put, breakfast):
    put(f"{CEREALS}.avi", "odd.avi", "gap.avi", "none.avi")
    write(tmp_path / "videos/broken.avi", "no video")
    names = ["odd", "gap", "none", "gone", "broken", CEREALS]
    bundle = "".join(f"{name}.txt\n" for name in names)
    write(breakfast / "splits/test.split1.bundle", bundle)
    write(breakfast / "mapping.txt", "0 SIL\ntake_bowl\n2 take_bowl\n")
    write_labels(breakfast, odd=["SIL", "dance"], gap=["SIL", "", "SIL"], none=[])
    write_labels(breakfast, broken=["SIL"])
    manifest = read_frame_labels(tmp_path / "videos", breakfast)
    assert summary(manifest) == {f"{CEREALS}.avi": (None, "train")}
    found = reasons(manifest)
    assert "NUMBER LABEL" in found.pop("mapping.txt:2")
    assert "'dance'" in found.pop("groundTruth/odd.txt:2")
    assert "''" in found.pop("groundTruth/gap.txt:2")
    assert "no labels" in found.pop("groundTruth/none.txt")
    assert "not there" in found.pop("groundTruth/gone.txt")
    assert "opened" in found.pop("broken.avi")
    assert "listed already" in found.pop("test.split1.bundle:6")
    assert not found


def test_frame_labels_refuse_missing_files(tmp_path, put, breakfast):
    put("a.avi")
    with pytest.raises(ValueError, match=r"train\.split2\.bundle is missing"):
        read_frame_labels(tmp_path / "videos", breakfast, split=2)
    (breakfast / "mapping.txt").unlink()
    with pytest.raises(ValueError, match=r"mapping\.txt is missing"):
        read_frame_labels(tmp_path / "videos", breakfast)


# --- ActivityNet --------------------------------------------------------------


def activity(subset, *segments):
    notes = [{"label": label, "segment": span} for label, *span in segments]
    return {"subset": subset, "duration": 9.5, "annotations": notes}


def test_activitynet_reads_all_subsets(tmp_path, put):
    put("v_one.mp4", "val/v_two.mkv", "three.mp4", "unlisted.mp4")
    write(tmp_path / "videos/v_bad.mp4", "no video")
    database = {
        "one": activity("training", ("Surfing", 0.5, 3), ("Surfing", 4.0, 9.5)),
        "two": activity("validation", ("Surfing", 1, 2), ("Ironing", 2, 3)),
        "three": activity("testing"),
        "bad": activity("training", ("Ironing", 0, 1)),
        "gone": activity("validation", ("Ironing", 0, 1)),
        "odd": activity("holdout"),
        "worse": 3,
    }
    path = tmp_path / "activity_net.v1-3.min.json"
    write(path, json.dumps({"version": "VERSION 1.3", "database": database}))
    manifest = read_activitynet(tmp_path / "videos", path)
    assert summary(manifest) == {
        "v_one.mp4": ("Surfing", "train"),
        "val/v_two.mkv": (None, "val"),
        "three.mp4": (None, "test"),
    }
    (record,) = manifest.split("val")
    assert manifest.annotation(record) == [
        {"label": "Surfing", "segment": [1.0, 2.0]},
        {"label": "Ironing", "segment": [2.0, 3.0]},
    ]
    assert missing_videos(manifest) == ["v_gone.mp4"]
    found = reasons(manifest)
    assert set(found) == {
        "v_gone.mp4",
        "v_bad.mp4",
        f"{path.name}[odd]",
        f"{path.name}[worse]",
    }


def test_activitynet_leaves_out_bad_segments_only(tmp_path, put):
    put("v_one.mp4")
    entry = activity("training", ("a", 1, 2), ("a", 3, 3), ("a", "x", 4), ("a", 1))
    entry["annotations"] += [{"segment": [1, 2]}, None, {"label": "b", "segment": None}]
    write(tmp_path / "a.json", json.dumps({"database": {"one": entry}}))
    manifest = read_activitynet(tmp_path / "videos", tmp_path / "a.json")
    assert manifest.annotations == {"one": [{"label": "a", "segment": [1.0, 2.0]}]}
    assert [r["path"] for r in manifest.rejects] == [
        f"a.json[one][{i}]" for i in range(1, 7)
    ]


def test_activitynet_results_are_scored_against_the_annotation(tmp_path, put):
    put("v_one.mp4")
    database = {"one": activity("validation", ("a", 0, 4))}
    write(tmp_path / "a.json", json.dumps({"database": database}))
    rows = [{"label": "a", "segment": [0, 3], "score": 0.5}, {"label": "a"}]
    rows.append({"label": "a", "segment": [0, 3]})
    write(tmp_path / "r.json", json.dumps({"results": {"one": rows}}))
    manifest = read_activitynet(tmp_path / "videos", tmp_path / "a.json")
    predicted, rejects = read_activitynet_results(tmp_path / "r.json")
    assert [r["path"] for r in rejects] == ["r.json[one][1]", "r.json[one][2]"]
    result = detection_average_precision(predicted, manifest.annotations)
    assert result["average"] == pytest.approx(0.6)


def test_activitynet_refuses_other_files(tmp_path, put):
    put("v_one.mp4")
    path = tmp_path / "a.json"
    for text, message in [("{}", "no object"), ('{"a": 1}', "database"), ("[", "JSON")]:
        write(path, text)
        with pytest.raises(ValueError, match=message):
            read_activitynet(tmp_path / "videos", path)
    write(path, '{"a": 1}')
    with pytest.raises(ValueError, match='"results"'):
        read_activitynet_results(path)


# --- Charades -----------------------------------------------------------------

HEADER = "id,subject,scene,script,descriptions,actions,length\n"


def charades_row(key, actions):
    return f'{key},HR43,Kitchen,"A person, cooking.","She\nsits.",{actions},24.83\n'


@pytest.fixture
def charades(tmp_path):
    folder = tmp_path / "Charades"
    rows = [
        charades_row("YSKX3", "c092 11.90 21.20;c147 0.00 12.60;c092 22.00 24.00"),
        charades_row("EMPTY", ""),
        charades_row("BAD01", "c092 5.00 2.00;c999 0.00 1.00;c147 1;c147 1.00 2.00"),
        charades_row("", "c092 0.00 1.00"),
        charades_row("YSKX3", "c147 0.00 1.00"),
    ]
    write(folder / "Charades_v1_train.csv", HEADER + "".join(rows))
    rows = [charades_row("TEST1", "c147 0.00 1.00"), charades_row("GONE1", "")]
    write(folder / "Charades_v1_test.csv", HEADER + "".join(rows))
    return folder


def test_charades_reads_good_bad_and_missing(tmp_path, put, charades):
    put("YSKX3.mp4", "Charades_v1_480/EMPTY.mp4", "BAD01.mp4", "TEST1.mp4")
    words = "c092 Someone is cooking\nc147 Sitting down\nnonsense\n"
    write(charades / "Charades_v1_classes.txt", words)
    manifest = read_charades(tmp_path / "videos", charades)
    assert summary(manifest) == {
        "BAD01.mp4": (None, "train"),
        "Charades_v1_480/EMPTY.mp4": (None, "train"),
        "TEST1.mp4": (None, "test"),
        "YSKX3.mp4": (None, "train"),
    }
    assert manifest.annotations["YSKX3"][1] == {"label": "c147", "segment": [0.0, 12.6]}
    assert len(manifest.annotations["YSKX3"]) == 3
    assert manifest.annotations["EMPTY"] == []
    assert [a["label"] for a in manifest.annotations["BAD01"]] == ["c147"]
    assert missing_videos(manifest) == ["GONE1.mp4"]
    found = [r["reason"] for r in manifest.rejects if r["path"].startswith("Char")]
    assert len(found) == 6  # a class line, three actions, two rows
    for part in (
        "c000",
        "'c092 5.00 2.00'",
        "no known",
        "'c147 1'",
        "no ID",
        "already",
    ):
        assert any(part in reason for reason in found), part
    labels = [[a["label"] for a in manifest.annotation(r)] for r in manifest.records]
    rows = multi_hot(labels, list(manifest.class_names))
    assert rows.tolist() == [[0, 1], [0, 0], [0, 1], [1, 1]]


def test_charades_without_its_list_of_classes(tmp_path, put, charades):
    put("YSKX3.mp4")
    manifest = read_charades(tmp_path / "videos", charades)
    assert len(manifest.class_names) == 157
    assert len(manifest.annotations["YSKX3"]) == 3


def test_charades_refuses_other_files(tmp_path, put, charades):
    put("YSKX3.mp4")
    write(charades / "Charades_v1_test.csv", "id,script\na,b\n")
    with pytest.raises(ValueError, match="lacks the column actions"):
        read_charades(tmp_path / "videos", charades)
