import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
import synthetic_run
from PIL import Image

from keras_avrep.report import (
    scores,
    write_overview_picture,
    write_picture,
    write_report,
    write_unit_picture,
)
from keras_avrep.report.run_reader import read_run

VOID = {"meta", "img", "source", "br", "link", "input"}
ALL_SECTIONS = [
    "results",
    "gallery",
    "maps",
    "units",
    "map",
    "classes",
    "data",
    "training",
    "exports",
    "rejects",
    "provenance",
]


class Page(HTMLParser):
    """Checks nesting and collects tags, text and attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.text += data

    @property
    def sections(self):
        return [v for t, n, v in self.attributes if t == "section" and n == "id"]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    run_dir = synthetic_run.write_run(tmp_path_factory.mktemp("report") / "first")
    path = write_report(run_dir)
    return run_dir, path, path.read_text(encoding="utf-8")


def test_every_section_is_there_and_well_formed(full):
    run_dir, path, text = full
    page = Page(text)
    assert path == run_dir / "report.html"
    assert page.sections == ALL_SECTIONS
    for words in ("59.0%", "A map of the videos", "33.2 MB", "12.4 ms", "3.1e-06"):
        assert words in page.text
    assert "nearest neighbour, while it learned" in page.text


def test_the_page_is_complete_in_itself(full):
    _, path, text = full
    page = Page(text)
    assert path.stat().st_size < 2_000_000
    for tag, name, value in page.attributes:
        if name in ("src", "srcset"):
            assert value.startswith("data:image/webp;base64,")
        if name == "href":
            assert tag == "a" and value.startswith("#")
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert not re.search(r"https?://|url\(|@import", text)


def test_user_text_is_escaped(full):
    _, _, text = full
    page = Page(text)
    assert "<b>city</b>" in page.text
    assert "&lt;b&gt;city&lt;/b&gt;" in text
    assert "<script>x</script>.mp4" in page.text
    assert "int8 weights, <i>dynamic</i> range" in page.text


def test_no_machine_path_is_shown(full):
    _, _, text = full
    assert "/srv/" not in text
    assert "somebody" not in text
    assert "short.mp4: only 3 frames" in text


def test_hits_and_misses_differ_without_colour(full):
    _, _, text = full
    assert text.count('class="clip hit"') == text.count('class="mark">✓')
    assert text.count('class="clip miss"') == text.count('class="mark">✗')
    assert text.count("✓") + text.count("✗") - 2 == 2 * 4 * 5
    assert "(no match)" in text


def test_links_reach_their_sections(full):
    _, _, text = full
    page = Page(text)
    links = [v[1:] for t, n, v in page.attributes if t == "a" and n == "href"]
    assert links == page.sections


@pytest.mark.parametrize(
    "name, section",
    [
        ("gallery.npz", "gallery"),
        ("maps.npz", "maps"),
        ("units.npz", "units"),
        ("features.npz", "map"),
    ],
)
def test_a_missing_part_is_left_out(tmp_path, name, section):
    run_dir = synthetic_run.write_run(tmp_path, size=16, queries=2, clips=20)
    for model in ("dclr", "baseline"):
        # The baseline has no units.
        (run_dir / model / name).unlink(missing_ok=model == "baseline")
    text = write_report(run_dir).read_text(encoding="utf-8")
    left_out = {section, "classes"} if section == "map" else {section}
    assert set(ALL_SECTIONS) - set(Page(text).sections) == left_out


def test_without_labels(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20, labelled=False)
    page = Page(write_report(run_dir).read_text(encoding="utf-8"))
    assert "nearest clip comes from the same video" in page.text
    assert "classes" not in page.sections
    assert "no labels" in page.text
    assert write_overview_picture(run_dir, tmp_path / "o.png").is_file()


def test_an_empty_run_and_no_run(tmp_path):
    text = write_report(tmp_path, tmp_path / "new" / "page.html").read_text()
    assert "not written any results yet" in text
    write_overview_picture(tmp_path, tmp_path / "o.png")
    with pytest.raises(FileNotFoundError, match="no run directory"):
        write_report(tmp_path / "absent")


def test_broken_files_are_named_and_do_not_stop_it(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    (run_dir / "dclr" / "maps.npz").write_bytes(b"not a zip file")
    whole = (run_dir / "dclr" / "gallery.npz").read_bytes()
    (run_dir / "dclr" / "gallery.npz").write_bytes(whole[: len(whole) // 2])
    (run_dir / "rejects.jsonl").write_text('{"path": "a.mp4"}\n{"path": "b')
    (run_dir / "baseline" / "history.csv").write_text("step,loss\n1,x\n2\n")
    page = Page(write_report(run_dir).read_text(encoding="utf-8"))
    for name in ("dclr/maps.npz", "dclr/gallery.npz", "rejects.jsonl (some lines)"):
        assert name in page.text
    assert "no reason given" in page.text
    (run_dir / "summary.json").write_text("[1, 2")
    page = Page(write_report(run_dir).read_text(encoding="utf-8"))
    assert "summary.json" in page.text
    assert "training" in page.sections


def test_odd_numbers_in_the_summary(tmp_path):
    summary = {
        "data": {"videos": None, "seconds": float("nan"), "labels": []},
        "train": {"steps": 5, "losses": {"loss": float("inf")}, "seconds": 3},
        "dclr": {
            "retrieval": {"r_at_1": 0.3, "r_at_10": "many", "top": 3},
            "probe": None,
        },
        "export": [{"format": "onnx", "note": "skipped: /opt/x/y.so missing"}, 3],
        "seed": 0,
    }
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    page = Page(write_report(tmp_path).read_text(encoding="utf-8"))
    assert "nearest video is a match: 30.0% with dclr." in page.text
    assert "this run" in page.text
    assert "skipped: y.so missing" in page.text
    assert {"exports", "provenance"} <= set(page.sections)


def test_names_that_are_not_text(tmp_path):
    name = b"caf\xe9\x00.mp4".decode("utf-8", "surrogateescape")
    line = json.dumps({"path": name, "reason": "bad name"})
    (tmp_path / "rejects.jsonl").write_text(line)
    text = write_report(tmp_path).read_text(encoding="utf-8")
    assert "caf\ufffd\ufffd.mp4" in text


def test_overview_picture(full, tmp_path):
    run_dir, _, _ = full
    path = write_overview_picture(run_dir, tmp_path / "docs" / "overview.png")
    with Image.open(path) as image:
        assert image.size == (1400, 800)
        pixels = np.asarray(image.convert("RGB")).astype(int)
    coloured = np.ptp(pixels, axis=-1) > 40
    assert coloured[:, :650].mean() > 0.05
    assert coloured[:, 650:].mean() > 0.05


def test_a_label_with_dollars_is_not_a_formula(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    path = run_dir / "summary.json"
    path.write_text(path.read_text().replace('"scene"', r'"$\\frac$"'))
    write_overview_picture(run_dir, tmp_path / "o.png")


def test_class_table_counts_like_retrieval(full):
    run_dir, _, _ = full
    model = read_run(run_dir).models[0]
    truth, found = scores.nearest_labels(model, "scene")
    unit = []
    for split in ("test", "train"):
        x = model.features[f"{split}_features"]
        x = x - x.mean(axis=0)
        unit.append(x / np.linalg.norm(x, axis=1, keepdims=True))
    nearest = (unit[0] @ unit[1].T).argmax(axis=1)
    np.testing.assert_array_equal(found, model.features["train_label_scene"][nearest])
    np.testing.assert_array_equal(truth, model.features["test_label_scene"])


def test_scores_are_read_by_label_with_their_chance(full):
    run_dir, _, _ = full
    found = {(s.label, s.measure): s for s in scores.read_scores(read_run(run_dir))}
    assert found["scene", "linear"].chance == 0.25
    assert found["scene", "r_at_10"].chance is None
    assert found["motion", "r_at_1"].values == pytest.approx([0.59, 0.42])


def test_arrays_that_do_not_fit_each_other(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    for name, key in (
        ("features", "test_label_scene"),
        ("gallery", "hits"),
        ("maps", "static"),
        ("units", "static_maps"),
    ):
        path = run_dir / "dclr" / f"{name}.npz"
        arrays = dict(np.load(path))
        arrays[key] = arrays[key][:1]
        np.savez(path, **arrays)
    page = Page(write_report(run_dir).read_text(encoding="utf-8"))
    assert page.sections == ALL_SECTIONS
    write_overview_picture(run_dir, tmp_path / "o.png")


def test_units_are_shown_by_kind_with_their_clips(full):
    run_dir, _, text = full
    page = Page(text)
    assert page.text.index("static units") < page.text.index("dynamic units")
    model = read_run(run_dir).models[0]
    for kind, first in (("static", 10), ("dynamic", 10)):
        count, shown = model.units[f"{kind}_clips"].shape[:2]
        assert count * shown == (16 if kind == "static" else 12)
        assert f"unit {first + count - 1}" in page.text
    section = text[text.index('<section id="units">') :]
    section = section[: section.index("</section>")]
    assert section.count("<picture>") == 28
    # Frames keep their colours, which units may stand for.
    assert 'class="heat"' not in section


def test_the_picture_shows_units_where_there_are_any_and_else_scores(full, tmp_path):
    run_dir, _, _ = full
    shown = write_picture(run_dir, tmp_path / "docs" / "units.png")
    with Image.open(shown) as image:
        assert image.width == 1400
        # Four rows of static and three of dynamic units, and the titles above.
        assert image.height == 50 + 4 * 102
    bare = synthetic_run.write_run(tmp_path, 16, 2, 20)
    (bare / "dclr/units.npz").unlink()
    with Image.open(write_picture(bare, tmp_path / "scores.png")) as image:
        assert image.size == (1400, 800)
    with pytest.raises(ValueError, match="no units of a model"):
        write_unit_picture(bare, tmp_path / "none.png")
    for name in ("gallery", "maps"):
        for model in ("dclr", "baseline"):
            (bare / model / f"{name}.npz").unlink()
    summary = json.loads((bare / "summary.json").read_text())
    for model in ("dclr", "baseline"):
        summary[model] = {"localisation": {"kind": "solo"}}
    (bare / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(ValueError, match="nothing to draw"):
        write_picture(bare, tmp_path / "none.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="nothing to draw"):
        write_picture(tmp_path / "empty", tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_a_kind_whose_units_do_not_fit_is_left_out(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    path = run_dir / "dclr" / "units.npz"
    arrays = dict(np.load(path))
    arrays["static_maps"] = arrays["static_maps"][:, :, 0]
    del arrays["dynamic_units"]
    np.savez(path, **arrays)
    text = Page(write_report(run_dir).read_text(encoding="utf-8")).text
    assert "dynamic units" in text
    assert "static units" not in text
    assert "unit 2" in text
    del arrays["dynamic_clips"]
    np.savez(path, **arrays)
    page = Page(write_report(run_dir).read_text(encoding="utf-8"))
    assert "units" not in page.sections


def changed(run_dir, name="summary.json", **parts):
    """A run directory whose file, a JSON object, has further or other entries."""
    path = run_dir / name
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**before, **parts}))
    return Page(write_report(run_dir).read_text(encoding="utf-8")).text


def test_videos_are_counted_by_what_they_were_for(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    assert "What it was trained on" not in changed(run_dir)
    data = {"videos": 1792, "trained_on": 1024, "gallery": 512, "test": 256}
    text = changed(run_dir, data=data)
    assert "1,792 videos: 1,024 to train on, 512 gallery, 256 test" in text
    assert "What it was trained on" in text
    assert "trained on1,024gallery512test256videos in all1,792" in text
    # A gallery that is also trained on is not counted again.
    data = {"videos": 8, "trained_on": 6, "gallery": 6, "test": 2}
    assert "8 videos: 6 to train on, 2 test ·" in changed(run_dir, data=data)


def test_the_baseline_is_said_to_be_what_is_left_of_the_loss(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    assert "Baseline is the plain contrast that DCLR is compared with." in changed(
        run_dir
    )
    changes = {"loss_weights": {"vv": 1.0, "vs": 0.0}}
    text = changed(run_dir, "baseline/run.json", changes=changes)
    assert "DCLR against Baseline (vv\u00a0alone)" in text
    assert "plain contrast: DCLR trained once more by a part of its loss, vv" in text
    assert "without activation, dv, sv, vd, vs." in text
    (run_dir / "baseline/run.json").write_text("[")
    assert "baseline/run.json" in changed(run_dir)


def test_a_curve_ends_in_the_number_of_the_table(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    (run_dir / "dclr/history.csv").write_text(
        "step,loss_sv\n" + "".join(f"{n},5\n" for n in range(40)) + "40,1.9976\n"
    )
    text = changed(run_dir, train={"dclr": {"losses": {"loss_sv": 1.9976}}})
    assert "Bold lines are smoothed" in text
    assert "sv 2.00" in text
    figure = text[text.index("sv loss") :]
    assert "2.00" in figure[: figure.index("vv loss")]
    html = (run_dir / "report.html").read_text()
    assert '<span class="wide">sv 2.00</span>' in html


def test_what_is_usual_stands_beside_a_query(full):
    run_dir, _, text = full
    model = read_run(run_dir).models[0]
    shares = [scores.share_of_hits(model, "scene", k) for k in (1, 5)]
    truth, found = scores.nearest_labels(model, "scene")
    assert shares[0] == (truth == found).mean()
    assert 0.25 < shares[1] < 1
    assert f"<small>usual: {100 * shares[1]:.1f}%</small>" in text
    assert text.count("<small>usual: ") == 2 * 4
    assert "over all test videos" in Page(text).text


def test_nothing_is_usual_where_it_is_unknown_what_matches(tmp_path):
    run_dir = synthetic_run.write_run(tmp_path, 16, 2, 20)
    path = run_dir / "dclr/features.npz"
    arrays = dict(np.load(path))
    for split in ("train", "test"):
        arrays[f"{split}_label_place"] = arrays[f"{split}_label_scene"]
    np.savez(path, **arrays)
    (run_dir / "baseline/features.npz").unlink()
    assert "usual: " not in changed(run_dir)


def test_the_map_says_which_videos_it_shows(full):
    _, _, text = full
    assert "90 held out and 90 of the gallery" in text
    assert "clip_0.mp4 · held out" in text and "clip_0.mp4 · of the gallery" in text


def test_a_single_test_video_is_looked_up_as_retrieval_does(tmp_path):
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(5, 4))
    classes = np.array(list("abcde"))
    for number in range(5):
        model = SimpleNamespace(
            features={
                "train_features": gallery,
                "test_features": gallery[number : number + 1],
                "train_label_class": classes,
                "test_label_class": classes[number : number + 1],
            }
        )
        truth, found = scores.nearest_labels(model, "class")
        assert (truth == found).all()
