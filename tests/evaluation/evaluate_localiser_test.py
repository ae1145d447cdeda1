import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import stand_in_localiser
import tiny_csol
import tiny_ier
from colour_moments import write_moment, write_solos

from keras_avrep.data import read_orchestra, read_synthetic_mixtures
from keras_avrep.evaluation import (
    evaluate_localiser,
    map_entropy,
    predict_moments,
    sounding_over_silent,
    sounding_truth,
)
from keras_avrep.evaluation.moment_maps import _others
from keras_avrep.evaluation.moment_scores import _interference
from keras_avrep.worlds import OrchestraWorld, render_mixtures, render_world

NAMES = ["red", "green", "blue"]
SMALL = {"size": 32, "grid": 32, "batch_size": 4}


@pytest.fixture(scope="module")
def model():
    return stand_in_localiser.build(with_scores=True)


def evaluate(model, records, **kwargs):
    scores, maps = evaluate_localiser(model, records, **SMALL, **kwargs)
    assert json.loads(json.dumps(scores)) == scores
    return scores, maps


def test_solos_are_found_and_clusters_named(model, tmp_path):
    solos = write_solos(tmp_path / "train")
    done = []
    options = {"solo_records": solos, "progress": lambda *pair: done.append(pair)}
    scores, maps = evaluate(model, write_solos(tmp_path / "test"), **options)
    assert done[0] == (1, 18) and done[-1] == (18, 18)
    assert [n for n, _ in done] == sorted(n for n, _ in done)
    assert done.count((18, 18)) == 1
    assert scores["clusters"] == {
        "names": NAMES,
        "moments": 6,
        "accuracy": 1.0,
        "chance": pytest.approx(1 / 3, abs=1e-6),
        "nmi": 1.0,
    }
    assert "mixtures" not in scores
    found = scores["solo"]
    assert found["model"]["iou_at_50"] == 1.0
    assert found["model"]["class_accuracy"] == 1.0
    assert found["model"]["auc"] > found["floors"]["whole_image"]["auc"]
    assert found["floors"]["most_frequent_class"]["class_accuracy"] < 0.34
    assert set(found["floors"]) >= {"whole_image", "centred_square", "average_mask"}
    assert maps.class_maps.shape == (6, 8, 8, 3)


def test_duets_beside_their_floors_and_controls(model, tmp_path):
    records = [
        write_moment(tmp_path, "a", {"top left": "red", "bottom right": "blue"}),
        write_moment(tmp_path, "b", {"top right": "green", "bottom right": "red"}),
    ]
    options = {"cluster_names": NAMES}
    assert evaluate(model, records, **options)[0]["mixtures"]["threshold"] == 0.2
    # Where no class is, three of them have a third each: more than 0.2 of the peak.
    found = evaluate(model, records, threshold=0.5, **options)[0]["mixtures"]
    assert (found["moments"], found["threshold"]) == (2, 0.5)
    assert found["model"]["ciou_at_50"] == 1.0
    assert found["model"]["nsa_visible_silent"] is None
    # Both sounds are alike, so it does not matter whose they are.
    assert found["shuffled"] == found["model"]
    assert 0 < found["model"]["entropy_share_in_boxes"] < 0.1
    assert found["correspondence"]["auc"] < found["model"]["auc"]
    assert found["floors"]["whole_image"]["ciou_at_30"] < 1
    levels = found["model"]["levels"]
    assert levels["0.0"]["average_precision"] == levels["all"]["average_precision"] == 1
    assert 0 < levels["all"]["chance"] < 1


def test_what_is_hardly_heard_is_still_in_order():
    truth = SimpleNamespace(
        levels_known=np.array([True]),
        levels_db=np.array([[0.0, np.nan, np.nan]]),
        visible=np.array([[True, False, False]]),
        classes=["a", "b", "c"],
    )
    maps = SimpleNamespace(
        audible_scores=np.array([[-0.2, -0.9]]), audio_distribution=None
    )
    # The third class has no cluster; the first is there, and heard the most.
    found = _interference(maps, np.ones((1, 2, 2, 3)) / 3, truth, [0, 1])
    assert found["levels"]["all"]["average_precision"] == 1


def without_boxes(record):
    empty = {"boxes": (), "box_labels": (), "box_sounding": ()}
    return replace(record, **empty, levels={})


def test_moments_of_which_nothing_is_known_are_left_out(model, tmp_path):
    solos = write_solos(tmp_path)
    silent = replace(solos[2], box_sounding=(False,), levels={})
    known, _ = evaluate(model, solos[:2])
    scores, maps = evaluate(model, [*solos[:2], without_boxes(solos[3]), silent])
    assert scores.pop("without_boxes") == 2 and known.pop("without_boxes") == 0
    assert scores == known and "mixtures" not in scores
    assert [r.moment_id for r in maps.records] == ["red-0", "red-1"]
    # What is heard and not seen is known by its level alone.
    heard = replace(without_boxes(solos[3]), levels={"green": 0.0})
    scores, _ = evaluate(model, [*solos[:2], heard], cluster_names=NAMES)
    assert scores["mixtures"]["moments"] == 1 and scores["without_boxes"] == 0
    scores, _ = evaluate(model, [*solos[:2], heard], kind="solo")
    assert scores["solo"]["moments"] == 2 and scores["without_boxes"] == 1
    with pytest.raises(ValueError, match="None of the 1 moments has a box"):
        evaluate(model, [silent])


def test_the_kind_of_a_set_decides_how_all_of_it_is_scored(model, tmp_path):
    duet = {"top left": "red", "bottom right": "blue"}
    records = [
        write_moment(tmp_path, "two", duet),
        write_moment(tmp_path, "one", {"top right": "green"}),
    ]
    options = {"cluster_names": NAMES}
    by_itself, _ = evaluate(model, records, **options)
    assert by_itself["kind"] is None
    assert by_itself["solo"]["moments"] == by_itself["mixtures"]["moments"] == 1
    for kind, threshold in (("duet", 0.2), ("composite", 0.5)):
        scores, _ = evaluate(model, records, kind=kind, **options)
        assert scores["kind"] == kind and "solo" not in scores
        found = scores["mixtures"]
        assert (found["moments"], found["threshold"]) == (2, threshold)
    # Above half of the maximum only the squares are left, so it is all right.
    assert found["model"]["ciou_at_50"] == 1.0
    solo, _ = evaluate(model, records, kind="solo", **options)
    assert "mixtures" not in solo
    assert (solo["solo"]["moments"], solo["solo"]["threshold"]) == (2, 0.1)
    assert solo["solo"]["model"]["iou_at_50"] == 1.0
    assert solo["solo"]["floors"]["most_frequent_class"]["class_accuracy"] == 0.5
    scores, _ = evaluate(model, records, kind="solo", threshold=0.4)
    assert scores["solo"]["threshold"] == 0.4
    scores, _ = evaluate(model, records, threshold=0.4, **options)
    parts = scores["solo"], scores["mixtures"]
    assert [part["threshold"] for part in parts] == [0.1, 0.4]
    with pytest.raises(ValueError, match="`kind` must be None or one of"):
        evaluate(model, records, kind="trio")
    with pytest.raises(ValueError, match="what the clusters stand for"):
        evaluate(model, records[1:], kind="duet")


def test_silent_and_unseen_ones_count_against_it(model, tmp_path):
    corners = {"top left": "red", "bottom right": "blue"}
    records = [
        write_moment(tmp_path, "a", corners, silent=["blue"], unseen=["green"]),
        write_moment(tmp_path, "b", corners, silent=["red"], unseen=["green"]),
    ]
    found = evaluate(model, records, cluster_names=NAMES)[0]["mixtures"]
    assert found["threshold"] == 0.5
    # It looks only at colours: a quarter of the picture is wrong for the silent one.
    assert found["model"]["ciou_at_50"] == 1.0
    assert found["model"]["nsa_visible_silent"] < 0.8
    off = found["model"]["off_screen"]
    assert 0 < off["mass"] < off["uniform"]
    assert found["model"]["off_screen_energy"] == pytest.approx(1 / 3, abs=0.02)
    assert found["model"]["levels"]["-5.0"]["count"] == 2


def test_shuffled_sound_is_another_moments(model, tmp_path):
    corners = {"top left": "red", "bottom right": "blue"}
    records = [write_moment(tmp_path, str(i), corners, loud=i != 1) for i in range(3)]
    own, other = (
        predict_moments(model, records, 32, shuffle_sound=seed) for seed in (None, 0)
    )
    assert (own.sounding_maps.max(axis=(1, 2)) > 0.5).tolist() == [True, False, True]
    quiet = other.sounding_maps.max(axis=(1, 2)) < 0.5
    assert quiet.sum() == 1 and not quiet[1]
    np.testing.assert_array_equal(own.class_maps, other.class_maps)
    for count in (2, 3, 10):
        partners = _others(count, 5)
        assert sorted(partners) == list(range(count))
        assert all(a != b for a, b in enumerate(partners))


def test_bad_moments_are_left_out_and_short_sounds_filled(model, tmp_path):
    records = write_solos(tmp_path)[:3]
    (tmp_path / "red-1.png").write_text("no picture")
    np.save(tmp_path / "green-0.npy", np.full(5000, 0.5, np.float32))
    maps = predict_moments(model, records, 32)
    assert [r.moment_id for r in maps.records] == ["red-0", "green-0"]
    assert maps.rejects[0]["path"] == "red-1"
    assert maps.sounding_maps.max(axis=(1, 2)).min() > 0.5
    np.save(tmp_path / "red-0.npy", np.zeros((201, 64), np.float32))
    maps = predict_moments(model, records, 32)
    assert [r.moment_id for r in maps.records] == ["green-0"]
    said = {reject["path"]: reject["reason"] for reject in maps.rejects}
    assert set(said) == {"red-0", "red-1"} and "holds a spectrogram" in said["red-0"]
    with pytest.raises(ValueError, match="None of the 1 moments"):
        predict_moments(model, records[1:2], 32)


def test_clusters_need_a_meaning_for_mixtures_only(model, tmp_path):
    solo = write_moment(tmp_path, "s", {"top left": "red"})
    scores, _ = evaluate(model, [solo])
    assert "class_accuracy" not in scores["solo"]["model"]
    assert "shuffled" not in scores["solo"]
    duet = write_moment(tmp_path, "d", {"top left": "red", "bottom right": "blue"})
    with pytest.raises(ValueError, match="what the clusters stand for"):
        evaluate(model, [duet])
    with pytest.raises(ValueError, match="`cluster_names` has 2"):
        evaluate(model, [duet], cluster_names=["red", "blue"])
    # A cluster may stand for nothing, or for a class that is not in these moments.
    options = {"cluster_names": ["red", None, "lute"], "threshold": 0.5}
    scores, _ = evaluate(model, [duet], **options)
    assert scores["classes"] == ["blue", "lute", "red"]
    # Red is found and blue, which no cluster stands for, is not: half of red's overlap.
    found = scores["mixtures"]["model"]
    assert (found["ciou_at_30"], found["ciou_at_50"]) == (1.0, 0.0)


def test_truth_is_read_off_the_records(tmp_path):
    corners = {"top left": "red", "bottom right": "blue"}
    mixed = write_moment(tmp_path, "a", corners, silent=["blue"], unseen=["green"])
    alone = write_moment(tmp_path, "b", {"top left": "red"})
    truth = sounding_truth([mixed, alone, replace(alone, levels={})])
    assert truth.classes == ["blue", "green", "red"]
    assert truth.solo.tolist() == [False, True, True]
    assert truth.class_ids[0].tolist() == [2] and truth.silent_ids[0].tolist() == [0]
    assert truth.silent_boxes[0].shape == (1, 4) and not len(truth.silent_boxes[1])
    assert truth.silent_box_ids[0].tolist() == [0]
    assert truth.take([1, 0]).silent_box_ids[1].tolist() == [0]
    np.testing.assert_array_equal(truth.levels_db[0], [np.nan, -5, 0])
    assert truth.visible[0].tolist() == [True, False, True]
    assert truth.levels_known.tolist() == [True, True, False]
    assert not truth.all_sound and truth.take([1]).all_sound
    with pytest.raises(ValueError, match=r"lacks \['blue', 'green'\]"):
        sounding_truth([mixed], ["red"])


def test_worlds_are_scored_from_their_files(tmp_path):
    model = stand_in_localiser.build(num_classes=11)
    world = OrchestraWorld("unconstrained", size=32, seed=2)
    render_world(world, tmp_path / "videos", {"test": 2})
    render_mixtures(world, tmp_path / "mixtures", {"test": 2})
    results = [
        evaluate(model, read(tmp_path / name).records, cluster_names=world.classes)[0]
        for read, name in (
            (read_orchestra, "videos"),
            (read_synthetic_mixtures, "mixtures"),
        )
    ]
    for scores in results:
        assert scores["mixtures"]["moments"] == 2
        assert scores["mixtures"]["threshold"] == 0.5
        assert scores["mixtures"]["floors"]["whole_image"]["nsa"] == 1.0
        assert "off_screen_energy" in scores["mixtures"]["model"]


@pytest.mark.parametrize("build,hears", [(tiny_csol.build, 0), (tiny_ier.ready, 1)])
def test_real_localisers_are_scored(tmp_path, build, hears):
    corners = {"top left": "red", "bottom right": "blue"}
    records = [
        write_moment(tmp_path, str(i), corners, silent=["blue"], unseen=["green"])
        for i in range(3)
    ]
    options = {"cluster_names": NAMES, "duration": 0.25}
    scores, maps = evaluate(build(), records, **options)
    found = scores["mixtures"]["model"]
    assert maps.class_maps.shape == (3, 8, 8, 3)
    assert 0 <= found["auc"] <= 1 and 0 <= found["entropy_share"] <= 1
    assert ("levels" in found, "off_screen" in found) == (hears, hears)
    if hears:
        assert found["levels"]["-5.0"]["count"] == 3
        assert found["off_screen"]["uniform"] == pytest.approx(1 / 3, abs=1e-5)


def test_entropy_tells_a_collapse():
    uniform = map_entropy(np.full((2, 3, 3, 4), 0.25), [[], [[0, 0, 1, 1]]])
    assert uniform["entropy"] == pytest.approx(np.log(4))
    assert uniform["entropy_share"] == pytest.approx(1)
    assert uniform["entropy_share_in_boxes"] == pytest.approx(1)
    sure = np.full((1, 2, 2, 2), 0.5)
    sure[0, 0, 0] = [1, 0]
    scores = map_entropy(sure, [[[0, 0, 0.5, 0.5]]])
    assert scores["entropy_share"] == pytest.approx(0.75)
    assert scores["entropy_share_in_boxes"] == 0
    assert np.isnan(map_entropy(sure, [[]])["entropy_share_in_boxes"])
    with pytest.raises(ValueError, match="`class_maps`"):
        map_entropy(np.ones((2, 2, 3)))


# --- what sounds over what is silent ---------------------------------------------

UPPER, LOWER = [0, 0, 0.5, 1], [0.5, 0, 1, 1]


def test_maps_that_hear_are_higher_where_it_sounds():
    maps = np.zeros((2, 4, 4))
    maps[0, 0, 1], maps[1, 3, 2] = 1.0, 1.0
    # The second picture has it the wrong way round.
    assert sounding_over_silent(maps[:1], [[UPPER]], [[LOWER]]) == 1.0
    assert sounding_over_silent(maps, [[UPPER]] * 2, [[LOWER]] * 2) == 0.5
    assert sounding_over_silent(np.ones((1, 4, 4)), [[UPPER]], [[LOWER]]) == 0.5
    # One that sounds beside two that do not: above one of them.
    quarter = [[0, 0, 0.5, 0.25], [0, 0.25, 0.5, 0.5]]
    assert sounding_over_silent(maps[:1], [[LOWER]], [quarter]) == 0.25


def test_each_object_is_scored_by_the_map_of_its_class():
    maps = np.zeros((1, 4, 4, 2))
    maps[0, 0, 0, 1], maps[0, 3, 3, 1] = 0.3, 0.9
    maps[0, 3, 3, 0] = 0.1
    found = sounding_over_silent(maps, [[UPPER]], [[LOWER]], [[1]], [[0]])
    assert found == 1.0
    assert sounding_over_silent(maps, [[UPPER]], [[LOWER]], [[1]], [[1]]) == 0.0


def test_pictures_without_both_have_no_such_score():
    maps = np.ones((1, 4, 4))
    assert np.isnan(sounding_over_silent(maps, [[UPPER]], [[]]))
    with pytest.raises(ValueError, match="as many"):
        sounding_over_silent(maps, [], [])
    with pytest.raises(ValueError, match="class_ids"):
        sounding_over_silent(maps[..., None], [[UPPER]], [[LOWER]])
