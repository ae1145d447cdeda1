import pytest
from reader_results import reasons, summary, write

from keras_avrep.data import missing_videos, read_vggsound

ROWS = [
    "--0PQM4-hqg,30,waterfall burbling,train",
    '-0BIyqJj9ZU,66,"pigeon, dove cooing",test',
    "glLQrEijrKg,300,playing hammond organ,test",
    "0CQnnJq9xn0,7,rapping,test",
    "gone4567890,7,rapping,test",
    "nonsense",
    "x,y,z,test",
]


@pytest.fixture
def csv(tmp_path):
    write(tmp_path / "vggsound.csv", "\n".join(ROWS) + "\n")
    return tmp_path / "vggsound.csv"


def test_vggsound_is_found_in_every_layout(tmp_path, put, csv):
    put(
        "-0BIyqJj9ZU_000066.mp4",
        "playing hammond organ/glLQrEijrKg_300000_310000.mp4",
        "test/0CQnnJq9xn0.mp4",
        "--0PQM4-hqg_000030.mp4",
    )
    manifest = read_vggsound(tmp_path / "videos", csv, "test")
    assert summary(manifest) == {
        "-0BIyqJj9ZU_000066.mp4": ("pigeon, dove cooing", "test"),
        "playing hammond organ/glLQrEijrKg_300000_310000.mp4": (
            "playing hammond organ",
            "test",
        ),
        "test/0CQnnJq9xn0.mp4": ("rapping", "test"),
    }
    assert missing_videos(manifest) == ["gone4567890_000007.mp4"]
    assert set(reasons(manifest)) == {
        "gone4567890_000007.mp4",
        "vggsound.csv:6",
        "vggsound.csv:7",
    }
    train = read_vggsound(tmp_path / "videos", csv, "train")
    assert list(summary(train)) == ["--0PQM4-hqg_000030.mp4"]


def test_the_short_files_have_names_and_labels(tmp_path, put):
    put("glLQrEijrKg_000300.mp4", "video/0CQnnJq9xn0_000007.mp4", "whole.mp4")
    lines = [
        "glLQrEijrKg_000300.mp4,playing hammond organ",
        '0CQnnJq9xn0_000007.mp4,"rapping, fast"',
        "whole.mp4,rapping",
    ]
    write(tmp_path / "test.csv", "\n".join(lines))
    manifest = read_vggsound(tmp_path / "videos", tmp_path / "test.csv", "test")
    assert {name: label for name, (label, _) in summary(manifest).items()} == {
        "glLQrEijrKg_000300.mp4": "playing hammond organ",
        "video/0CQnnJq9xn0_000007.mp4": "rapping, fast",
        "whole.mp4": "rapping",
    }


def test_a_list_says_which_clips_count(tmp_path, put, csv):
    put("-0BIyqJj9ZU_000066.mp4", "--0PQM4-hqg.mp4", "0CQnnJq9xn0.mp4")
    names = ["-0BIyqJj9ZU", "--0PQM4-hqg", "unknown"]
    lines = [f"{name}.flac {name}.mp4" for name in names]
    write(tmp_path / "trainsolo.txt", "\n".join([*lines, "odd"]))
    manifest = read_vggsound(
        tmp_path / "videos", csv, "stage_one", tmp_path / "trainsolo.txt"
    )
    assert summary(manifest) == {
        "--0PQM4-hqg.mp4": ("waterfall burbling", "stage_one"),
        "-0BIyqJj9ZU_000066.mp4": ("pigeon, dove cooing", "stage_one"),
    }
    assert reasons(manifest)["unknown"].endswith("not in vggsound.csv")


def test_vggsound_refuses_what_is_missing(tmp_path, put, csv):
    put("a.mp4")
    with pytest.raises(ValueError, match='no row of the split "val"'):
        read_vggsound(tmp_path / "videos", csv, "val")
    with pytest.raises(ValueError, match=r"other\.csv is missing"):
        read_vggsound(tmp_path / "videos", tmp_path / "other.csv", "test")
    write(tmp_path / "none.txt", "unknown.flac unknown.mp4")
    with pytest.raises(ValueError, match="that the list names"):
        read_vggsound(tmp_path / "videos", csv, "test", tmp_path / "none.txt")
