import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reader_results import reasons, write

from keras_avrep.data import missing_videos, read_got10k, read_otb
from keras_avrep.evaluation import one_pass_evaluation


def write_images(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (20, 12), (90, 30, 10)).save(folder / name)


def sequence(folder, lines, count=None, annotation="groundtruth_rect.txt"):
    """A sequence in OTB's layout."""
    count = len(lines) if count is None else count
    write_images(folder / "img", [f"{i:04d}.jpg" for i in range(1, count + 1)])
    write(folder / annotation, "\r\n".join(lines) + "\r\n")


# --- OTB ----------------------------------------------------------------------


def test_otb_reads_every_delimiter_also_mixed(tmp_path):
    sequence(tmp_path / "Basketball", ["198,214,34,81", "197,214,34,81"])
    sequence(tmp_path / "Bird1", ["450\t91\t31\t37", "450\t90\t31\t37"])
    sequence(tmp_path / "BlurCar1", ["227\t207\t122\t99", "228 207 122 99"])
    sequence(tmp_path / "Board", ["57, 156, 198, 173", " 57.5 156  198 173 "])
    (tmp_path / "tools").mkdir()
    write(tmp_path / "readme.txt", "not a sequence")
    read = read_otb(tmp_path)
    assert [s.name for s in read.sequences] == [
        "Basketball",
        "Bird1",
        "BlurCar1",
        "Board",
    ]
    assert not read.rejects
    board = read.sequences[3]
    assert board.boxes[1].tolist() == [57.5, 156, 198, 173]
    assert (board.width, board.height) == (20, 12)
    assert board.frames[0].endswith("Board/img/0001.jpg")
    assert not board.absent.any()
    truth = read.boxes()
    assert one_pass_evaluation(truth, truth)["success"] == pytest.approx(20 / 21)


def test_otb_has_two_targets_in_one_folder(tmp_path):
    folder = tmp_path / "Jogging"
    sequence(folder, ["1,1,5,5"], annotation="groundtruth_rect.1.txt")
    write(folder / "groundtruth_rect.2.txt", "2,2,5,5\n")
    write(tmp_path / "Human4/groundtruth_rect1.txt", "")
    sequence(tmp_path / "Human4", ["3,3,5,5"], annotation="groundtruth_rect.2.txt")
    read = read_otb(tmp_path)
    boxes = {name: value[0, 0] for name, value in read.boxes().items()}
    assert boxes == {"Human4.2": 3, "Jogging.1": 1, "Jogging.2": 2}
    assert "empty" in reasons(read)["Human4.1"]


def test_otb_takes_the_annotated_part(tmp_path):
    lines = ["1,1,5,5"] * 74
    sequence(tmp_path / "Football1", lines, count=81)
    sequence(tmp_path / "Other", lines[:3], count=4)
    read = read_otb(tmp_path)
    (football,) = read.sequences
    assert len(football.frames) == 74
    assert football.frames[-1].endswith("0074.jpg")
    assert reasons(read) == {"Other": "has 4 images but 3 boxes"}


def test_otb_starts_david_at_image_300(tmp_path):
    folder = tmp_path / "David"
    write(folder / "groundtruth_rect.txt", "1,1,5,5\n" * 471)
    write_images(folder / "img", ["0300.jpg"])
    image = (folder / "img/0300.jpg").read_bytes()
    for number in range(1, 771):
        (folder / f"img/{number:04d}.jpg").write_bytes(image)
    (david,) = read_otb(tmp_path).sequences
    assert david.frames[0].endswith("0300.jpg") and david.frames[-1].endswith(
        "0770.jpg"
    )


def test_otb_lists_bad_lines_and_leaves_out_unusable_sequences(tmp_path):
    sequence(tmp_path / "Good", ["1,1,5,5", "1,1,5", "a,b,c,d", "nan,1,1,1", "2,2,5,5"])
    sequence(tmp_path / "Start", ["x", "1,1,5,5"])
    sequence(tmp_path / "Broken", ["1,1,5,5", "1,1,5,5"])
    write(tmp_path / "Broken/img/0001.jpg", "no image")
    sequence(tmp_path / "Hollow", ["1,1,5,5", "1,1,5,5"])
    write(tmp_path / "Hollow/img/0002.jpg", "")
    (tmp_path / "Bare/img").mkdir(parents=True)
    write(tmp_path / "Blind/groundtruth_rect.txt", "1,1,5,5\n")
    seen = []
    read = read_otb(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (6, 6)
    (good,) = read.sequences
    np.testing.assert_array_equal(np.isnan(good.boxes[:, 0]), [0, 1, 1, 1, 0])
    found = reasons(read)
    for number in (2, 3, 4):
        assert "left, top" in found.pop(f"Good/groundtruth_rect.txt:{number}")
    assert "left, top" in found.pop("Start/groundtruth_rect.txt:1")
    assert "first line" in found.pop("Start")
    assert "0001.jpg cannot be opened" in found.pop("Broken")
    assert "0002.jpg is empty" in found.pop("Hollow")
    assert "no groundtruth_rect.txt" in found.pop("Bare")
    assert found.pop("Blind") == "has 0 images but 1 boxes"
    assert not found


def test_otb_refuses_other_folders(tmp_path):
    with pytest.raises(ValueError, match="no folder with `img`"):
        read_otb(tmp_path)
    with pytest.raises(ValueError, match=r"`folder`.*not a folder"):
        read_otb(tmp_path / "nowhere")


NUMBERS = st.sampled_from(["1", "2.5", "-3", "nan", "x", "", "1e400"])
LINES = st.lists(
    st.tuples(st.lists(NUMBERS, max_size=5), st.sampled_from([",", "\t", " ", ", "])),
    max_size=4,
)


@given(LINES)
def test_no_line_stops_otb(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("fuzz")
    rows = ["5,5,9,9", *(delimiter.join(cells) for cells, delimiter in lines)]
    kept = [row for row in rows if row.strip()]
    sequence(folder / "a", kept)
    (read,) = read_otb(folder).sequences
    assert read.boxes.shape == (len(kept), 4)
    whole = np.isfinite(read.boxes)
    assert (whole.all(axis=1) == whole.any(axis=1)).all()


# --- GOT-10k ------------------------------------------------------------------


def got(folder, lines, count=None):
    count = len(lines) if count is None else count
    write_images(folder, [f"{i:08d}.jpg" for i in range(1, count + 1)])
    write(folder / "groundtruth.txt", "".join(f"{line}\n" for line in lines))


BOX = "347.0000,443.0000,429.0000,272.0000"


def test_got10k_reads_listed_sequences(tmp_path):
    names = ["GOT-10k_Val_000001", "GOT-10k_Val_000002", "GOT-10k_Val_000009"]
    write(tmp_path / "val/list.txt", "\n".join(names) + "\n../train\n")
    got(tmp_path / "val" / names[0], [BOX, BOX, "x,1,2,3"])
    write(tmp_path / "val" / names[0] / "absence.label", "0\n0\n1\n")
    got(tmp_path / "val" / names[1], [BOX, BOX], count=1)
    got(tmp_path / "val/GOT-10k_Val_000003", [BOX])
    read = read_got10k(tmp_path, "val")
    (first,) = read.sequences
    assert (first.name, first.split) == (names[0], "val")
    assert first.boxes[0].tolist() == [347, 443, 429, 272]
    assert first.absent.tolist() == [False, False, True]
    assert first.frames[2].endswith("00000003.jpg")
    found = reasons(read)
    assert set(found) == {
        f"val/{names[0]}/groundtruth.txt:3",
        f"val/{names[1]}",
        f"val/{names[2]}",
        "val/../train",
    }
    assert found[f"val/{names[1]}"] == "has 1 images but 2 boxes"
    assert missing_videos(read) == [f"val/{names[2]}", "val/../train"]


def test_got10k_test_sequences_have_one_box(tmp_path):
    write(tmp_path / "test/list.txt", "GOT-10k_Test_000001\n")
    got(tmp_path / "test/GOT-10k_Test_000001", [BOX], count=3)
    (sequence,) = read_got10k(tmp_path, "test").sequences
    assert np.isnan(sequence.boxes[1:]).all() and sequence.boxes[0, 0] == 347


def test_got10k_passes_over_a_bad_absence_file(tmp_path):
    write(tmp_path / "train/list.txt", "a\n")
    got(tmp_path / "train/a", [BOX, BOX])
    write(tmp_path / "train/a/absence.label", "0\n2\n")
    read = read_got10k(tmp_path)
    assert not read.sequences[0].absent.any()
    assert "0 or 1" in reasons(read)["train/a/absence.label"]


def test_got10k_refuses_other_splits_and_folders(tmp_path):
    with pytest.raises(ValueError, match="`split` is 'dev'"):
        read_got10k(tmp_path, "dev")
    with pytest.raises(ValueError, match=r"list\.txt is missing"):
        read_got10k(tmp_path)
