"""What `keras-avrep evaluate` does with a localiser: a stand-in, and CSOL."""

import json

import csol_run
import numpy as np
import pytest
import stand_in_localiser

from keras_avrep.cli.main import main
from keras_avrep.cli.measuring_sound import (
    chosen_moments,
    measure_localiser,
    read_truth,
)
from keras_avrep.cli.run_folder import update_summary
from keras_avrep.report import write_report
from keras_avrep.worlds import OrchestraWorld, render_mixtures, render_world

SMALL = {"size": 32, "num_classes": 5}
CLIP = {"size": 32, "duration": 1.0, "sample_rate": 16000}
OPTIONS = {"threads": 1, "seed": 0}


@pytest.fixture(scope="module")
def model():
    return stand_in_localiser.build(num_classes=5, with_scores=True)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("worlds")
    render_world(OrchestraWorld("solo", **SMALL), root / "solo", {"train": 6})
    composite = OrchestraWorld("composite", **SMALL)
    render_world(composite, root / "composite", {"train": 1, "test": 4})
    render_mixtures(composite, root / "mixtures", {"test": 2})
    return root


def test_scores_and_pictures_come_into_the_report(model, folders, tmp_path):
    said = []
    scores = measure_localiser(
        model,
        tmp_path,
        folders / "composite",
        {**CLIP, "cluster_names": None},
        solo=folders / "solo",
        say=said.append,
        **OPTIONS,
    )
    assert scores["clusters"]["moments"] == 6
    assert scores["mixtures"]["moments"] == 4
    assert "mixtures: 4 moments" in said
    assert any(line.startswith("  model: ciou_at_30") for line in said)
    with np.load(tmp_path / "sounding.npz") as content:
        assert content["frames"].shape == (4, 32, 32, 3)
        assert content["class_maps"].shape == (4, 8, 8, 5)
        assert content["names"].tolist() == scores["classes"]
        assert len(content["truth_boxes"]) == 16
        assert content["truth_sounding"].sum() == 8
    (tmp_path / "history.csv").write_text("step,loss\n1,2.0\n")
    update_summary(tmp_path, {"model": "csol", "csol": {"localisation": scores}})
    page = write_report(tmp_path).read_text()
    assert '<section id="sounding">' in page
    assert "floor: where boxes mostly are" in page
    assert page.count("<figure") >= 4


def test_named_clusters_and_mixtures(model, folders, tmp_path):
    names = OrchestraWorld("solo", **SMALL).classes
    clip = {**CLIP, "cluster_names": names}
    scores = measure_localiser(
        model, None, folders / "mixtures", clip, say=print, **OPTIONS
    )
    assert scores["clusters"] == {"names": names}
    assert scores["mixtures"]["model"]["levels"]["all"]["count"] == 4
    assert list(tmp_path.iterdir()) == []


def all_of_it_sounds(folder):
    """Boxes as they were published: five columns, of what sounds alone."""
    for path in folder.rglob("box/*.npy"):
        rows = np.load(path)
        np.save(path, rows[rows[:, 5] > 0, :5])
    for path in folder.rglob("stems/*.npz"):
        path.unlink()
    return folder


def test_published_mixtures_are_composites_unless_said_otherwise(model, tmp_path):
    world = OrchestraWorld("composite", **SMALL)
    folder = tmp_path / "mixtures"
    all_of_it_sounds(render_mixtures(world, folder, {"pretrain": 1, "test": 3}))
    # A composite of which one box is left, and one of which none is.
    box = folder / "test/box/00000.npy"
    np.save(box, np.load(box)[:1])
    np.save(folder / "test/box/00001.npy", np.zeros((0, 5)))
    assert [r.split for r in read_truth(folder).records].count("pretrain") == 1
    said = []
    clip = {**CLIP, "cluster_names": world.classes}

    def measure(**kind):
        return measure_localiser(
            model, tmp_path, folder, clip, say=said.append, **kind, **OPTIONS
        )

    scores = measure()
    assert (scores["kind"], scores["without_boxes"]) == ("composite", 1)
    found = scores["mixtures"]
    assert (found["moments"], found["threshold"]) == (2, 0.5)
    assert "left out: 1 moments without a box" in said
    with np.load(tmp_path / "sounding.npz") as content:
        assert len(content["moments"]) == 2
    assert measure(kind="duet")["mixtures"]["threshold"] == 0.2
    assert measure(kind="solo", threshold=0.3)["solo"]["threshold"] == 0.3


def test_what_stems_tell_needs_no_kind(model, tmp_path):
    for kind in ("duet", "composite"):
        world = OrchestraWorld(kind, **SMALL)
        folder = render_mixtures(world, tmp_path / kind, {"test": 1})
        clip = {**CLIP, "cluster_names": world.classes}
        scores = measure_localiser(model, None, folder, clip, say=print, **OPTIONS)
        assert scores["kind"] == {"duet": None, "composite": "composite"}[kind]
        threshold = {"duet": 0.2, "composite": 0.5}[kind]
        assert scores["mixtures"]["threshold"] == threshold


def test_worst_moments_are_those_left_after_the_typical():
    overlaps = np.array([0.9, np.nan, 0.1, 0.8, 0.0, 0.7, 0.6])
    rows, kinds = chosen_moments(overlaps, 2)
    assert rows.tolist() == [0, 6, 4, 2]
    assert kinds == ["typical", "typical", "worst", "worst"]
    rows, kinds = chosen_moments(np.array([0.5]), 6)
    assert (rows.tolist(), kinds) == ([0], ["typical"])


def test_folders_without_truth_are_told(model, folders, tmp_path):
    with pytest.raises(ValueError, match="does not say what sounds where"):
        read_truth(tmp_path)
    with pytest.raises(ValueError, match="nowhere is not there"):
        read_truth(tmp_path / "nowhere")
    clip = {**CLIP, "cluster_names": None}
    with pytest.raises(ValueError, match="no test split"):
        measure_localiser(model, None, folders / "solo", clip, say=print, **OPTIONS)
    with pytest.raises(ValueError, match="what the clusters stand for"):
        measure_localiser(
            model, None, folders / "composite", clip, say=print, **OPTIONS
        )


def test_all_of_it_is_json(model, folders):
    clip = {**CLIP, "cluster_names": None}
    options = {**OPTIONS, "solo": folders / "solo", "say": print}
    scores = measure_localiser(model, None, folders / "composite", clip, **options)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_a_run_of_csol_is_evaluated_and_reported(folders, tmp_path, capsys):
    names = OrchestraWorld("solo", **SMALL).classes[:3]
    run = str(csol_run.write_run(tmp_path / "run", names))
    asked = ["evaluate", run, str(folders / "composite")]
    assert main(asked) == 0
    results = json.loads((tmp_path / "run/evaluation.json").read_text())
    found = results["localisation"]["mixtures"]
    assert found["moments"] == 4
    assert found["model"]["entropy_share"] > 0.9
    assert set(found) >= {"model", "shuffled", "correspondence", "floors"}
    picture = tmp_path / "sounding.png"
    assert main(["report", run, "--picture", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "run/report.html").read_text()
    assert '<section id="sounding">' in page and "Held-out moments" in page
    for options, said in (
        (["--control", "shuffled"], "--control is for clips"),
        (["--num-clips", "3"], "--num-clips is for clips"),
        (["--crops", "3"], "--crops is for clips"),
        (["--threshold", "1"], "--threshold is 1.0; give 0 to 1"),
    ):
        assert main([*asked, *options]) == 2
        assert said in capsys.readouterr().err
    assert main([*asked, "--kind", "duet", "--threshold", "0.3"]) == 0
    results = json.loads((tmp_path / "run/evaluation.json").read_text())
    assert results["localisation"]["kind"] == "duet"
    assert results["localisation"]["mixtures"]["threshold"] == 0.3


def test_options_of_localisers_are_for_localisers(folders, capsys):
    for option in (["--kind", "duet"], ["--threshold", "0.3"], ["--solo", "solos"]):
        assert main(["evaluate", "dclr_tiny_scenes", str(folders / "solo"), *option])
        assert f"{option[0]} is for localisers" in capsys.readouterr().err
