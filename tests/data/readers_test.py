import json

import pytest
from reader_results import reasons, summary, write

from keras_avrep.data import (
    missing_videos,
    prepare_videos,
    read_diving48,
    read_hmdb51,
    read_kinetics,
    read_ucf101,
)

# --- UCF-101 -----------------------------------------------------------------

MAKEUP = "ApplyEyeMakeup/v_ApplyEyeMakeup_g0"


def write_ucf_lists(folder, train, test, number=1):
    numbered = "".join(f"{name} 1\r\n" for name in train)
    write(folder / f"trainlist0{number}.txt", numbered)
    write(folder / f"testlist0{number}.txt", "\n".join(test) + "\n")
    write(
        folder / "classInd.txt",
        "1 ApplyEyeMakeup\n2 Archery\n37 HandstandPushups\n",
    )


def test_ucf101_reads_good_missing_broken_and_unlisted(tmp_path, put):
    put(f"{MAKEUP}1_c01.avi", f"{MAKEUP}8_c01.avi", "Archery/v_Archery_g09_c01.avi")
    put("Archery/v_Archery_g99_c01.avi")
    write(tmp_path / "videos/Archery/v_Archery_g10_c01.avi", "no video")
    write_ucf_lists(
        tmp_path / "ucfTrainTestlist",
        [f"{MAKEUP}8_c01.avi", "Archery/v_Archery_g09_c01.avi", "Sleep/v_a.avi", "x"],
        [f"{MAKEUP}1_c01.avi", f"{MAKEUP}1_c02.avi", "Archery/v_Archery_g10_c01.avi"],
    )
    manifest = read_ucf101(tmp_path / "videos", tmp_path / "ucfTrainTestlist")
    assert summary(manifest) == {
        f"{MAKEUP}1_c01.avi": ("ApplyEyeMakeup", "test"),
        f"{MAKEUP}8_c01.avi": ("ApplyEyeMakeup", "train"),
        "Archery/v_Archery_g09_c01.avi": ("Archery", "train"),
    }
    assert manifest.records[0].num_frames == 4
    found = reasons(manifest)
    assert found.pop(f"{MAKEUP}1_c02.avi") == "listed in testlist01.txt but not there"
    assert "opened" in found.pop("Archery/v_Archery_g10_c01.avi")
    assert "Sleep" in found.pop("trainlist01.txt:3")
    assert "CLASS/VIDEO" in found.pop("trainlist01.txt:4")
    assert not found


def test_ucf101_finds_names_spelled_otherwise_on_the_disk(tmp_path, put):
    put("HandstandPushups/v_HandstandPushups_g01_c01.avi")
    listed = "HandstandPushups/v_HandStandPushups_g01_c01.avi"
    write_ucf_lists(tmp_path / "lists", [listed], [MAKEUP])
    manifest = read_ucf101(tmp_path / "videos", tmp_path / "lists")
    assert manifest.classes("class") == ["HandstandPushups"]
    assert manifest.records[0].path.endswith("v_HandstandPushups_g01_c01.avi")


def test_ucf101_reads_prepared_copies(tmp_path, put):
    names = [f"{MAKEUP}1_c01.avi", "Archery/v_Archery_g09_c01.avi"]
    put(*names)
    write_ucf_lists(tmp_path / "lists", names[:1], names[1:])
    manifest = read_ucf101(tmp_path / "videos", tmp_path / "lists")
    assert prepare_videos(manifest, tmp_path / "small", size=32) == []
    prepared = read_ucf101(tmp_path / "small", tmp_path / "lists")
    assert [r.video_id for r in prepared.split("train")] == [f"{MAKEUP}1_c01.mp4"]
    assert not prepared.rejects


def test_ucf101_never_puts_a_video_into_both_splits(tmp_path, put):
    put(f"{MAKEUP}1_c01.avi")
    write_ucf_lists(tmp_path / "lists", [f"{MAKEUP}1_c01.avi"], [f"{MAKEUP}1_c01.avi"])
    manifest = read_ucf101(tmp_path / "videos", tmp_path / "lists")
    assert [r.split for r in manifest.records] == ["train"]
    assert "again in testlist01.txt" in reasons(manifest)[f"{MAKEUP}1_c01.avi"]


def test_splits_share_a_cache(tmp_path, put, monkeypatch):
    first, second = f"{MAKEUP}1_c01.avi", f"{MAKEUP}2_c01.avi"
    put(first, second)
    write_ucf_lists(tmp_path / "lists", [first], ["Archery/gone.avi"], number=1)
    write_ucf_lists(tmp_path / "lists", [second], ["Archery/gone.avi"], number=2)
    cache, counts = tmp_path / "cache.json", []

    def read(split):
        return read_ucf101(
            tmp_path / "videos",
            tmp_path / "lists",
            split,
            cache=cache,
            progress=lambda done, total: counts.append((done, total)),
        )

    expected = read(1), read(2)
    assert counts == [(1, 1), (1, 1)]
    monkeypatch.setattr("keras_avrep.data.manifest.probe", None)
    assert (read(1), read(2)) == expected


@pytest.mark.parametrize("emptied", ["trainlist01.txt", "testlist01.txt"])
def test_ucf101_refuses_missing_and_empty_lists(tmp_path, put, emptied):
    put(f"{MAKEUP}1_c01.avi")
    write_ucf_lists(tmp_path / "lists", [f"{MAKEUP}1_c01.avi"], [MAKEUP])
    write(tmp_path / "lists" / emptied, "\n")
    with pytest.raises(ValueError, match=f"{emptied} is empty"):
        read_ucf101(tmp_path / "videos", tmp_path / "lists")
    (tmp_path / "lists" / emptied).unlink()
    with pytest.raises(ValueError, match=f"{emptied} is missing"):
        read_ucf101(tmp_path / "videos", tmp_path / "lists")
    with pytest.raises(ValueError, match="`split` is 4"):
        read_ucf101(tmp_path / "videos", tmp_path / "lists", split=4)
    with pytest.raises(ValueError, match=r"`videos`.*not a folder"):
        read_ucf101(tmp_path / "nowhere", tmp_path / "lists")


# --- HMDB-51 -----------------------------------------------------------------

ODD = [
    "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi",
    "(Rad)Schlag_die_Bank!_clap_f_cm_np1_le_med_0.avi",
    "A&B_10._Show_clap_u_nm_np1_fr_med_1.avi",
]


def test_hmdb51_reads_odd_names_and_passes_over_the_unused(tmp_path, put):
    put(*(f"clap/{name}" for name in ODD), "clap/unused.avi", "clap/unlisted.avi")
    write(tmp_path / "videos/brush_hair/broken.avi", "")
    lists = tmp_path / "testTrainMulti_7030_splits"
    lines = [f"{ODD[0]} 1 ", f"{ODD[1]} 2 ", f"{ODD[2]} 1", "unused.avi 0", "odd.avi 7"]
    write(lists / "clap_test_split1.txt", "\n".join(lines) + "\n")
    write(lists / "brush_hair_test_split1.txt", "broken.avi 1\ngone.avi 2\n")
    write(lists / "clap_test_split2.txt", f"{ODD[0]} 2\n")
    manifest = read_hmdb51(tmp_path / "videos", lists)
    assert summary(manifest) == {
        f"clap/{ODD[0]}": ("clap", "train"),
        f"clap/{ODD[1]}": ("clap", "test"),
        f"clap/{ODD[2]}": ("clap", "train"),
    }
    found = reasons(manifest)
    assert set(found) == {
        "brush_hair/broken.avi",
        "brush_hair/gone.avi",
        "clap_test_split1.txt:5",
    }
    assert "listed in brush_hair_test_split1.txt" in found["brush_hair/gone.avi"]
    assert "empty" in found["brush_hair/broken.avi"]
    assert missing_videos(manifest) == ["brush_hair/gone.avi"]


def test_hmdb51_refuses_missing_and_empty_split_files(tmp_path, put):
    put("clap/a.avi", "wave/b.avi")
    lists = tmp_path / "splits"
    write(lists / "clap_test_split1.txt", "a.avi 1\n")
    with pytest.raises(ValueError, match=r"wave_test_split1\.txt is missing"):
        read_hmdb51(tmp_path / "videos", lists)
    with pytest.raises(ValueError, match=r"no file CLASS_test_split3\.txt"):
        read_hmdb51(tmp_path / "videos", lists, split=3)
    write(lists / "wave_test_split1.txt", "")
    with pytest.raises(ValueError, match=r"wave_test_split1\.txt is empty"):
        read_hmdb51(tmp_path / "videos", lists)
    with pytest.raises(ValueError, match="`split` is 0"):
        read_hmdb51(tmp_path / "videos", lists, split=0)


# --- Diving-48 ---------------------------------------------------------------


def dives(*pairs):
    keys = ("vid_name", "label")
    entries = [dict(zip(keys, p, strict=True)) for p in pairs]
    return json.dumps([e | {"start_frame": 0, "end_frame": 4} for e in entries])


def test_diving48_reads_both_versions_with_and_without_words(tmp_path, put):
    put("rgb/_8Vy3dlHg2w_00000.mp4", "rgb/-x_00001.mp4", "rgb/unlisted_00000.mp4")
    write(tmp_path / "videos/rgb/broken_00000.mp4", "no video")
    notes = tmp_path / "annotations"
    write(notes / "Diving48_train.json", dives(("_8Vy3dlHg2w_00000", 7)))
    write(notes / "Diving48_test.json", dives(("-x_00001", 12)))
    train = dives(("_8Vy3dlHg2w_00000", 1), ("broken_00000", 0), ("gone_00000", 0))
    write(notes / "Diving48_V2_train.json", train)
    test = [*json.loads(dives(("-x_00001", 0), ("y", 99))), {"label": 0}, 3]
    write(notes / "Diving48_V2_test.json", json.dumps(test))
    first = read_diving48(tmp_path / "videos", notes, version=1)
    assert summary(first) == {
        "rgb/-x_00001.mp4": ("12", "test"),
        "rgb/_8Vy3dlHg2w_00000.mp4": ("07", "train"),
    }
    words = [["Back", "15som", "05Twis", "FREE"], ["Forward", "Dive", "NoTwis", "PIKE"]]
    write(notes / "Diving48_vocab.json", json.dumps(words))
    second = read_diving48(tmp_path / "videos", notes)
    assert summary(second) == {
        "rgb/-x_00001.mp4": ("Back 15som 05Twis FREE", "test"),
        "rgb/_8Vy3dlHg2w_00000.mp4": ("Forward Dive NoTwis PIKE", "train"),
    }
    places = [f"Diving48_V2_test.json[{i}]" for i in (1, 2, 3)]
    assert list(reasons(second)) == [
        *places,
        "rgb/gone_00000.mp4",
        "rgb/broken_00000.mp4",
    ]
    assert "label 99" in reasons(second)[places[0]]
    assert missing_videos(second) == ["rgb/gone_00000.mp4"]


def test_diving48_takes_the_folder_of_the_videos_itself(tmp_path, put):
    put("a.mp4", "b.mp4")
    write(tmp_path / "Diving48_V2_train.json", dives(("a", 1)))
    write(tmp_path / "Diving48_V2_test.json", dives(("b", 1), ("../videos/a", 1)))
    manifest = read_diving48(tmp_path / "videos", tmp_path)
    assert summary(manifest) == {"a.mp4": ("01", "train"), "b.mp4": ("01", "test")}
    assert missing_videos(manifest) == ["rgb/../videos/a.mp4"]


def test_diving48_refuses_missing_empty_and_damaged_annotations(tmp_path, put):
    put("rgb/a.mp4")
    path = tmp_path / "Diving48_V2_train.json"
    with pytest.raises(ValueError, match=r"train\.json is missing"):
        read_diving48(tmp_path / "videos", tmp_path)
    for text, message in [("[]", "no list with"), ("[{", "no JSON"), ("", "is empty")]:
        write(path, text)
        with pytest.raises(ValueError, match=f"train.json.* {message}"):
            read_diving48(tmp_path / "videos", tmp_path)
    with pytest.raises(ValueError, match="`version` is 3"):
        read_diving48(tmp_path / "videos", tmp_path, version=3)


# --- Kinetics ----------------------------------------------------------------

HEADER = "label,youtube_id,time_start,time_end,split,is_cc\n"


def test_kinetics_finds_every_layout_and_tolerates_missing_clips(tmp_path, put):
    put(
        "playing guitar/-aBc_000010_000020.mp4",
        "playing_guitar/under_000000_000010.mp4",
        "train/abseiling/nested_000123_000133.mp4",
        "train/inflat_000001_000011.mp4",
        "flatID.mp4",
        "abseiling/unlisted_000001_000011.mp4",
        "abseiling/other_000001_000011.mp4",
        "abseiling/CASE_000001_000011.mp4",
    )
    write(tmp_path / "videos/abseiling/bad_000005_000015.mp4", "no video")
    rows = [
        "playing guitar,-aBc,10,20,train,0",
        "playing guitar,under,0,10,train,0",
        "abseiling,nested,123.0,133.0,train,1",
        "abseiling,inflat,1,11,train,0",
        '"making, tea",flatID,4,14,train,0',
        "abseiling,flatID,40,50,train,0",
        "abseiling,gone,40,50,train,0",
        "abseiling,bad,5,15,train,0",
        "abseiling,other,1,11,test,0",
        "abseiling,Case,1,11,train,0",
        "abseiling,short",
        "abseiling,,1,11,train,0",
    ]
    write(tmp_path / "train.csv", "\ufeff" + HEADER + "\n".join(rows) + "\n")
    manifest = read_kinetics(tmp_path / "videos", tmp_path / "train.csv", "train")
    assert summary(manifest) == {
        "flatID.mp4": ("making, tea", "train"),
        "playing guitar/-aBc_000010_000020.mp4": ("playing guitar", "train"),
        "playing_guitar/under_000000_000010.mp4": ("playing guitar", "train"),
        "train/abseiling/nested_000123_000133.mp4": ("abseiling", "train"),
        "train/inflat_000001_000011.mp4": ("abseiling", "train"),
    }
    assert missing_videos(manifest) == [
        "abseiling/gone_000040_000050.mp4",
        "abseiling/Case_000001_000011.mp4",
    ]
    found = reasons(manifest)
    assert found["abseiling/gone_000040_000050.mp4"].startswith("listed in train.csv")
    assert "again" in found["flatID.mp4"]
    assert "opened" in found["abseiling/bad_000005_000015.mp4"]
    assert "no youtube_id" in found["train.csv:12"]
    assert "no youtube_id" in found["train.csv:13"]
    assert len(found) == 6


def test_kinetics_reads_a_test_split_without_labels(tmp_path, put):
    put("test/one_000010_000020.mp4")
    text = "youtube_id,time_start,time_end,split\none,10,20,test\ntwo,10,20,test\n"
    write(tmp_path / "test.csv", text)
    manifest = read_kinetics(tmp_path / "videos", tmp_path / "test.csv", "test")
    assert summary(manifest) == {"test/one_000010_000020.mp4": (None, "test")}
    assert manifest.label_names == []
    assert missing_videos(manifest) == ["two_000010_000020.mp4"]


@pytest.mark.parametrize("spelling", ["val", "validate", "validation"])
def test_kinetics_knows_the_spellings_of_val(tmp_path, put, spelling):
    put("validate/abseiling/one_000010_000020.mp4")
    write(tmp_path / "val.csv", HEADER + "abseiling,one,10,20,validate,0\n")
    manifest = read_kinetics(tmp_path / "videos", tmp_path / "val.csv", spelling)
    assert [r.split for r in manifest.records] == ["val"]


def test_kinetics_refuses_missing_empty_and_wrong_annotations(tmp_path, put):
    put("one.mp4")
    path = tmp_path / "train.csv"
    with pytest.raises(ValueError, match=r"train\.csv is missing"):
        read_kinetics(tmp_path / "videos", path, "train")
    write(path, HEADER)
    with pytest.raises(ValueError, match='no row of the split "train"'):
        read_kinetics(tmp_path / "videos", path, "train")
    write(path, "id,label\none,abseiling\n")
    with pytest.raises(ValueError, match="lacks the column youtube_id"):
        read_kinetics(tmp_path / "videos", path, "train")
    with pytest.raises(ValueError, match="`split` is 'dev'"):
        read_kinetics(tmp_path / "videos", path, "dev")
