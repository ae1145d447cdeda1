"""`keras-avrep evaluate --boxes`: frames of MUSIC, and who sounds in them."""

import json

import csol_run
import numpy as np
import pytest
import stand_in_localiser
from moment_trees import write_pickle, write_picture, write_wave
from PIL import Image
from reader_results import write

from keras_avrep.cli.main import main
from keras_avrep.cli.measuring_sound import measure_localiser
from keras_avrep.cli.truth_folders import read_boxed, read_truth

CLIP = {"size": 32, "duration": 1.0, "sample_rate": 16000}
CLIP |= {"cluster_names": ["cello", "flute", "violin"]}
OPTIONS = {"threads": 1, "seed": 0, "say": print}
VIDEO, OTHER = "aaaaaaaaaaa", "bbbbbbbbbbb"
LEFT, RIGHT = [0, 0, 0.5, 1], [0.5, 0, 0.5, 1]  # x, y, width, height
CELLO, VIOLIN = 1, 11
RED, BLUE = (255, 0, 0), (0, 0, 255)


def write_second(root, video, second, left, right=(0, 0, 0), rate=30):
    """Four pictures with a colour on either side, and a tone."""
    write_wave(root / f"audio_frames/{video}_0_1000/{second:03d}.wav")
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = left, right
    for number in (0, 7, 14, 21):
        folder = root / f"video_frames/{video}_0_1000/frame_{second:03d}"
        path = folder / f"{second * rate + number:05d}.jpg"
        write_picture(path)
        Image.fromarray(picture).save(path, quality=95, subsampling=0)


def boxes(*pairs):
    return {"bbox": [{"normbox": box, "category_id": k} for box, k in pairs]}


@pytest.fixture
def music(tmp_path):
    """A folder of two seconds, and boxes of two of its eight frames and of others."""
    write_second(tmp_path / "duet", VIDEO, 0, RED, BLUE)
    write_second(tmp_path / "duet", VIDEO, 1, RED)
    frames = {
        f"{VIDEO}_0_1000/frame_000/00007.jpg": boxes((LEFT, CELLO), (RIGHT, VIOLIN)),
        f"{VIDEO}_0_1000/frame_001/00037.jpg": boxes((LEFT, CELLO)),
        f"{VIDEO}_0_1000/frame_001/00051.jpg": boxes(),
        f"{VIDEO}_0_1000/frame_009/00270.jpg": boxes((LEFT, CELLO)),
        f"{OTHER}_0_1000/frame_000/00007.jpg": boxes((LEFT, CELLO)),
    }
    for name in ("duettest", "solotest", "other"):
        write(tmp_path / f"{name}.json", json.dumps(frames))
    return tmp_path


def measure(music, name, **options):
    model = stand_in_localiser.build()
    place = music / f"{name}.json"
    return measure_localiser(
        model, None, music / "duet", CLIP, boxes=place, **options, **OPTIONS
    )


def test_duets_are_scored_class_by_class_whatever_boxes_are_left(music, capsys):
    scores = measure(music, "duettest")
    assert (scores["kind"], scores["moments"], scores["without_boxes"]) == (
        "duet",
        2,
        1,
    )
    assert "solo" not in scores
    found = scores["mixtures"]
    assert (found["moments"], found["threshold"]) == (2, 0.2)
    assert found["model"]["ciou_at_30"] == 1.0
    told = capsys.readouterr().out
    assert f"{OTHER}: listed in duettest.json but not there" in told
    assert f"{VIDEO}: 1 of its boxed frames have no picture near" in told


def test_the_name_of_the_file_says_the_kind_unless_it_is_given(music):
    scores = measure(music, "solotest")
    assert (scores["kind"], scores["solo"]["threshold"]) == ("solo", 0.1)
    assert scores["solo"]["moments"] == 2
    scores = measure(music, "other")
    assert scores["kind"] is None
    assert scores["solo"]["moments"] == scores["mixtures"]["moments"] == 1
    assert measure(music, "solotest", kind="duet")["kind"] == "duet"


def test_each_boxed_frame_is_the_picture_nearest_to_it(music):
    manifest = read_boxed(music / "duet", music / "duettest.json")
    assert [r.pictures[0][-9:] for r in manifest.records] == [
        "00007.jpg",
        "00037.jpg",
        "00051.jpg",
    ]
    assert {r.split for r in manifest.records} == {"test"}
    # Boxes for whole seconds belong to one of its pictures, not to all.
    entry = {"bbox": [{"normbox": LEFT, "category": 2}]}
    write(music / "audioset_box.json", json.dumps({f"{VIDEO}/1": entry}))
    (record,) = read_boxed(music / "duet", music / "audioset_box.json").records
    assert record.box_labels == ("02",) and record.start == 1.0
    counted = [
        r["reason"] for r in manifest.rejects if "of its pictures" in r["reason"]
    ]
    assert counted
    assert all("no box in duettest.json within 0.2 s" in reason for reason in counted)


def test_clusters_are_named_by_solos_in_the_same_layout(music):
    for number, colour in enumerate((RED, BLUE)):
        for copy in "cd":
            write_second(music / "solo", f"{copy}{number}" + "x" * 9, 0, colour)
    labels = {"cello": ["c0xxxxxxxxx", "d0xxxxxxxxx"], "violin": ["c1xxxxxxxxx"]}
    labels["violin"] += ["d1xxxxxxxxx"]
    write(music / "MUSIC_solo_videos.json", json.dumps({"videos": labels}))
    scores = measure(music, "duettest", solo=music / "solo")
    names = scores["clusters"]["names"]
    assert (names[0], names[2]) == ("cello", "violin")
    assert scores["clusters"]["moments"] == 4


def test_it_is_a_command(music, capsys):
    names = ["cello", None, "violin"]
    run = str(csol_run.write_run(music / "run", names))
    asked = ["evaluate", run, str(music / "duet"), "--boxes"]
    assert main([*asked, str(music / "duettest.json")]) == 0
    results = json.loads((music / "run/evaluation.json").read_text())
    assert results["localisation"]["kind"] == "duet"
    # As the set is published: spectrograms, which the model takes as they are.
    for sound in (music / "duet/audio_frames").rglob("*.wav"):
        write_pickle(sound.with_suffix(".pkl"), np.zeros((51, 64), np.float32))
        sound.unlink()
    assert main([*asked, str(music / "duettest.json")]) == 0
    results = json.loads((music / "run/evaluation.json").read_text())
    assert results["localisation"]["moments"] == 2
    assert main(asked[:-1]) == 2
    assert "given by --boxes" in capsys.readouterr().err
    write(
        music / "none.json",
        json.dumps({f"{OTHER}_0_1000/frame_000/00007.jpg": boxes()}),
    )
    assert main([*asked, str(music / "none.json")]) == 2
    assert "has no box of a picture in" in capsys.readouterr().err
    assert (
        main(["evaluate", run, str(music), *asked[3:], str(music / "none.json")]) == 2
    )
    assert "neither audio_frames nor wav_frames" in capsys.readouterr().err


def test_a_manifest_is_as_good_as_the_folder(music, capsys):
    folder, manifest = music / "duet", music / "m.json"
    listed = f"{VIDEO}_0_1000"
    write(music / "test.txt", f"{listed}.flac {listed}.mp4\n")
    scan = ["scan", str(folder), "--layout", "music", "--out", str(manifest)]
    assert main([*scan, "--only", str(music / "test.txt")]) == 0
    assert "1 videos in 2 moments" in capsys.readouterr().out
    place = music / "duettest.json"
    assert read_boxed(manifest, place).records == read_boxed(folder, place).records
    assert not read_truth(manifest).split("test")
    # A manifest of something else is told to be one.
    write(manifest, json.dumps({"root": "", "records": [{}], "rejects": []}))
    with pytest.raises(ValueError, match="is no manifest of moments"):
        read_boxed(manifest, place)
