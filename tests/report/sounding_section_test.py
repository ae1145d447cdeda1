import html as html_module
import re

import csol_run
import numpy as np
import pytest
from PIL import Image

from keras_avrep.report import write_sounding_picture
from keras_avrep.report.run_reader import ModelRun, Run
from keras_avrep.report.sounding_section import sounding_section

SCORES = {
    "clusters": {"accuracy": 0.75, "chance": 0.2},
    "solo": {
        "moments": 40,
        "model": {"iou_at_50": 0.625, "auc": 0.41, "class_accuracy": None},
        "floors": {"whole_image": {"iou_at_50": 0.15, "auc": 0.33}},
    },
    "mixtures": {
        "moments": 50,
        "model": {
            "ciou_at_30": 0.325,
            "auc": 0.21,
            "nsa": 0.985,
            "levels": {
                "0.0": {"average_precision": 0.9, "f1": 0.8, "chance": 0.3, "count": 9},
                "-5.0": {"average_precision": None, "count": 0},
                "all": {"average_precision": 0.7, "f1": 0.6, "chance": 0.3, "count": 9},
            },
            "off_screen": {"mass": 0.11, "uniform": 0.27},
        },
        "shuffled": {"ciou_at_30": 0.12, "auc": 0.1, "nsa": 0.9},
        "floors": {"average_mask": {"ciou_at_30": 0.27, "auc": 0.24, "nsa": 1.0}},
    },
}


def arrays():
    rng = np.random.default_rng(0)
    return {
        "frames": rng.integers(0, 255, (2, 32, 32, 3), np.uint8),
        "sounding_maps": rng.uniform(0, 1, (2, 4, 4)).astype(np.float16),
        "names": np.array(["cello", "<b>flute</b>"]),
        "moments": np.array(["a", "b"]),
        "kinds": np.array(["typical", "worst"]),
        "overlaps": np.array([0.8, 0.1]),
        "truth_moment": np.array([0, 0, 1]),
        "truth_boxes": np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], [0, 0, 1, 1]]),
        "truth_names": np.array(["cello", "<b>flute</b>", "cello"]),
        "truth_sounding": np.array([True, False, True]),
        "found_moment": np.array([0]),
        "found_boxes": np.array([[0, 0, 0.5, 0.5]]),
        "found_names": np.array(["cello"]),
        "found_scores": np.array([0.8]),
        "found_regions": np.ones((1, 16, 16), bool),
    }


def page(*models):
    return sounding_section(Run("run", {}, [], list(models), []))


def model(name="csol", scores=SCORES, sounding=None):
    return ModelRun(name, name, {"localisation": scores}, sounding=sounding or {})


def test_every_score_stands_beside_its_floor():
    html = page(model())
    assert html.startswith('<section id="sounding">')
    text = html_module.unescape(re.sub("<[^>]*>", " ", html))
    text = " ".join(text.split())
    for row in (
        "csol 62.5% 41.0%",
        "floor: whole picture 15.0% 33.0%",
        "csol 32.5% 21.0% 98.5%",
        "with another moment's sound 12.0% 10.0% 90.0%",
        "floor: where boxes mostly are 27.0% 24.0% 100.0%",
        "0 dB 9 90.0% – 80.0% 30.0%",
    ):
        assert row in text, row
    assert "11.0%" in html and "27.0%" in html
    # What nobody measured has no column, and no level of its own.
    assert "right class" not in html and "-5 dB" not in html


def test_pictures_are_shown_and_failures_apart():
    html = page(model(sounding=arrays()))
    assert html.count("<figure") == 2 and html.count("<img") == 6
    assert html.index("taken evenly") < html.index("Failures")
    assert "says: nothing" in html
    assert "<b>flute</b>" not in html and "overlap 10.0%" in html


def test_it_says_what_was_scored_as_what_and_what_was_not():
    counts = {"kind": "duet", "without_boxes": 3, "rejected": 0}
    html = page(model(scores={**SCORES, **counts}))
    assert "scored as duet. 3 moments without a box are left out.</p>" in html
    assert "scored as" not in page(model()) and "left out" not in page(model())


@pytest.mark.parametrize("lost", sorted(set(arrays()) - {"kinds"}))
def test_incomplete_arrays_are_left_out(lost):
    broken = arrays()
    del broken[lost]
    if lost == "moments":
        broken["moments"] = np.array(["a"])
    assert "<figure" not in page(model(sounding=broken))


def test_no_section_without_localisers():
    assert page() == ""
    assert page(ModelRun("dclr", "DCLR", {"retrieval": {}})) == ""
    assert page(model(), model("ier")).count("<details") == 2


def test_a_picture_of_moments_and_failures(tmp_path):
    folder = csol_run.write_run(tmp_path, cluster_names=None)
    with pytest.raises(ValueError, match="keras-avrep evaluate"):
        write_sounding_picture(folder, tmp_path / "a.png")
    np.savez(folder / "sounding.npz", **arrays())
    path = write_sounding_picture(folder, tmp_path / "pictures" / "a.png")
    with Image.open(path) as image:
        assert image.size[0] == 1400
        pixels = np.asarray(image.convert("RGB")).astype(int)
    # Both moments are on the one line; nothing is where a third would be.
    coloured = np.ptp(pixels, axis=-1) > 40
    assert coloured[:, :460].mean() > 0.1 and coloured[:, 470:930].mean() > 0.1
    assert not coloured[:, 940:].any()
