import itertools

import numpy as np
import pytest
from scipy.signal import welch

from keras_avrep.evaluation import (
    class_aware_floors,
    class_aware_scores,
    localization_floors,
)
from keras_avrep.evaluation.localization import class_masks
from keras_avrep.worlds import OrchestraWorld
from keras_avrep.worlds.instruments import TIMBRES, choose_instruments
from keras_avrep.worlds.mixing import REFERENCE_RMS, STEP
from keras_avrep.worlds.timbres import synthesise

RATE = 16000


def small(kind="solo", **kwargs):
    return OrchestraWorld(kind, **{"size": 64, "fps": 2, **kwargs})


def sounding(plan):
    return [s for s in plan["sources"] if s["sounding"]]


def seen(plan):
    return [s for s in plan["sources"] if s["on_screen"]]


# --- a classifier that is as simple as can be --------------------------------


def band_energies(waveform):
    """Log energies in 32 bands, whatever the loudness."""
    hertz, power = welch(waveform, RATE, nperseg=1024)
    bands = np.digitize(hertz, np.geomspace(40, 8000, 33))
    energy = np.bincount(bands, power, 34)[1:33]
    return np.log(energy / energy.sum() + 1e-5)


def look_features(frame, mask):
    """Mean colour and shape moments."""
    y, x = np.nonzero(mask)
    colors = frame[y, x].mean(axis=0) / 255
    spread = np.cov(np.stack([y, x])) / len(y)
    values = np.linalg.eigvalsh(spread)
    return np.concatenate([colors, np.log(values + 0.02) / 4])


def centroid_accuracy(features, labels):
    """Of the nearest class mean, learned on every other example."""
    features, labels = np.asarray(features), np.asarray(labels)
    classes = np.unique(labels)
    train = np.arange(len(labels)) % 2 == 0
    means = np.stack([features[train & (labels == c)].mean(axis=0) for c in classes])
    test = features[~train]
    nearest = ((test[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    return float((classes[nearest] == labels[~train]).mean())


def timbre_accuracy(instruments, count=24):
    features, labels = [], []
    for number, instrument in enumerate(instruments):
        for take in range(count):
            rng = np.random.default_rng([number, take])
            features.append(
                band_energies(synthesise(instrument.timbre, RATE, RATE, rng))
            )
            labels.append(number)
    return centroid_accuracy(features, labels)


def look_accuracy(world, count=330):
    features, labels = [], []
    for index in range(count):
        plan = world.plan("train", index)
        mask = world.object_masks(plan)[0, 0] > 0.5
        features.append(look_features(world.frames(plan)[0], mask))
        labels.append(plan["labels"]["class"])
    return centroid_accuracy(features, labels)


def test_timbres_are_told_apart_by_their_spectra():
    assert timbre_accuracy(choose_instruments(11)) > 0.9


def test_looks_are_told_apart_by_colour_and_shape():
    world = small()
    assert len(world.classes) == 11
    assert look_accuracy(world) > 0.9


def test_alikes_are_told_apart_by_the_other_sense_only():
    # Two instruments: one pair of look-alikes.
    world = small(num_classes=2, look_alike=1.0)
    assert 0.35 < look_accuracy(world, 200) < 0.65
    looks_alike = choose_instruments(2, look_alike=1.0)
    assert timbre_accuracy(looks_alike, count=10) > 0.9
    sounds_alike = choose_instruments(3, sound_alike=1.0)
    assert sounds_alike[1].timbre == sounds_alike[2].timbre
    assert 0.2 < timbre_accuracy(sounds_alike[1:], count=30) < 0.8
    halfway = choose_instruments(3, sound_alike=0.5)[2].timbre
    assert halfway.low == (TIMBRES["acoustic_guitar"].low + TIMBRES["cello"].low) / 2


# --- what is drawn ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["solo", "duet", "composite", "unconstrained"])
def test_pictures_and_sound_are_bit_identical_for_a_seed(kind):
    first, again, other = (small(kind, seed=s) for s in (3, 3, 4))
    plan = first.plan("train", 5)
    assert plan == again.plan("train", 5)
    np.testing.assert_array_equal(first.frames(plan), again.frames(plan))
    np.testing.assert_array_equal(first.waveform(plan), again.waveform(plan))
    for different in (other.plan("train", 5), first.plan("test", 5)):
        assert (first.frames(plan) != first.frames(different)).any()
        assert (first.waveform(plan) != first.waveform(different)).any()
    assert first.frames(plan).shape == (2, 64, 64, 3)
    assert first.waveform(plan).shape == (16000,)


@pytest.mark.parametrize(
    "kind, num_seen, num_sounding",
    [("solo", 1, 1), ("duet", 2, 2), ("composite", 4, 2)],
)
def test_each_kind_has_its_numbers(kind, num_seen, num_sounding):
    world = small(kind)
    plans = [world.plan("test", i) for i in range(60)]
    for plan in plans:
        assert len(seen(plan)) == len(plan["sources"]) == num_seen
        assert len(sounding(plan)) == num_sounding
        names = [s["class"] for s in plan["sources"]]
        assert len(set(names)) == num_seen
        heard = sorted(s["class"] for s in sounding(plan))
        assert plan["labels"]["class"] == "+".join(heard)
        assert plan["noise"] is None
        assert world.stems(plan).shape == (num_sounding, 16000)
    assert {n for p in plans for n in p["labels"]["class"].split("+")} == set(
        world.classes
    )


def test_unconstrained_has_unseen_sources_and_noise():
    world = small("unconstrained")
    plans = [world.plan("test", i) for i in range(60)]
    unseen = [[s for s in p["sources"] if not s["on_screen"]] for p in plans]
    assert {len(u) for u in unseen} == {0, 1, 2}
    for plan, extra in zip(plans, unseen, strict=True):
        assert len(seen(plan)) == 4
        assert sum(s["sounding"] for s in seen(plan)) == 2
        assert all(s["sounding"] and s["look"] is None for s in extra)
        assert len({s["class"] for s in plan["sources"]}) == 4 + len(extra)
        gains = [s["gain_db"] for s in sounding(plan)]
        assert max(gains) == 0 and min(gains) >= -15
        assert -30 <= plan["noise"]["gain_db"] <= -15
    spread = [g for p in plans for g in (s["gain_db"] for s in sounding(p)) if g < 0]
    assert min(spread) < -12 and max(spread) > -3
    fixed = small("unconstrained", gain_range_db=(10, 10), noise_db=None)
    plan = fixed.plan("test", 0)
    assert {s["gain_db"] for s in sounding(plan)} == {0.0, -10.0}
    assert plan["noise"] is None


def test_the_clean_twin_lacks_only_what_interferes():
    wild, clean = small("unconstrained"), small("unconstrained", clean=True)
    for index in range(8):
        plan = wild.plan("test", index)
        assert plan == clean.plan("test", index)
        np.testing.assert_array_equal(wild.frames(plan), clean.frames(plan))
        kept = [s["on_screen"] for s in sounding(plan)] + [False]
        np.testing.assert_array_equal(wild.stems(plan)[kept], clean.stems(plan))
        truth = clean.annotation(plan)
        assert all(s["on_screen"] for s in truth["sources"])
        assert truth["noise_db"] is None
        assert wild.annotation(plan)["peak_scale"] == truth["peak_scale"]


# --- levels ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["solo", "duet", "composite", "unconstrained"])
def test_recorded_gains_are_the_gains_that_are_mixed(kind):
    world = small(kind)
    for index in range(6):
        plan = world.plan("train", index)
        stems, truth = world.stems(plan), world.annotation(plan)
        gains = [s["gain_db"] for s in truth["sources"] if s["sounding"]]
        gains += [] if truth["noise_db"] is None else [truth["noise_db"]]
        assert len(gains) == len(stems)
        rms = np.sqrt(np.mean(stems.astype(float) ** 2, axis=1))
        expected = REFERENCE_RMS * 10 ** (np.array(gains) / 20) * truth["peak_scale"]
        np.testing.assert_allclose(rms, expected, rtol=2e-4, atol=1e-6)


def test_stems_sum_to_the_mixture_exactly_in_any_order():
    world = small("unconstrained")
    for index in range(6):
        plan = world.plan("train", index)
        stems, mixture = world.stems(plan), world.waveform(plan)
        for order in itertools.permutations(range(min(3, len(stems)))):
            rest = range(len(order), len(stems))
            total = np.zeros_like(mixture)
            for row in (*order, *rest):
                total = total + stems[row]
            np.testing.assert_array_equal(total, mixture)
        whole = mixture / STEP
        np.testing.assert_array_equal(whole, np.rint(whole))
        assert np.abs(mixture).max() < 1


def test_loud_mixtures_are_limited_by_one_scale():
    from keras_avrep.worlds.mixing import at_reference_level, mix_stems

    spikes = np.zeros((2, 100))
    spikes[:, 50] = 1.0
    sounds = [at_reference_level(s) for s in spikes]  # peaks of 1 each
    stems, scale = mix_stems(sounds, [0.0, -20.0])
    assert scale == pytest.approx(0.99 / 1.1)
    assert stems.sum(axis=0)[50] == pytest.approx(0.99, abs=2 * STEP)
    assert stems[0, 50] / stems[1, 50] == pytest.approx(10, rel=1e-2)
    # Stems that cancel out must not be too loud alone either.
    stems, scale = mix_stems([5 * spikes[0], -5 * spikes[1]], [0.0, 0.0])
    assert np.abs(stems).max() <= 0.991
    assert mix_stems(np.zeros((1, 4)), [0.0])[1] == 1.0


def test_csol_scales_each_source_by_half_to_one_and_a_half_of_its_share():
    for kind in ("duet", "composite"):
        factors = [
            10 ** (s["gain_db"] / 20) * 2
            for i in range(200)
            for s in sounding(small(kind).plan("train", i))
        ]
        assert min(factors) > 0.499 and max(factors) < 1.501
        assert np.mean(factors) == pytest.approx(1.0, abs=0.06)


def test_there_is_sound_all_the_time():
    for name, timbre in TIMBRES.items():
        for take in range(4):
            sound = synthesise(timbre, 32000, RATE, np.random.default_rng(take))
            rms = np.sqrt(np.mean(sound.reshape(10, -1) ** 2, axis=1))
            assert rms.min() > 0.15 * rms.max(), name


# --- sight and sound are independent ---------------------------------------------


def test_pictures_do_not_tell_what_sounds():
    world = small("composite")
    for index in range(10):
        plan = world.plan("train", index)
        frames = world.frames(plan)
        silent = [s for s in plan["sources"] if not s["sounding"]]
        swapped = {**plan, "sources": [dict(s) for s in plan["sources"]]}
        for source in swapped["sources"]:
            source["sounding"] = source["class"] in {s["class"] for s in silent}
            source["sound"], source["gain_db"] = {"seed": 1}, 0.0
        np.testing.assert_array_equal(world.frames(swapped), frames)
        assert (world.waveform(swapped) != world.waveform(plan)).any()


def test_what_sounds_depends_on_neither_place_nor_look_nor_company():
    world = small("composite")
    plans = [world.plan("train", i) for i in range(1500)]
    flags = np.array([[s["sounding"] for s in p["sources"]] for p in plans])
    assert np.abs(flags.mean(axis=0) - 0.5).max() < 4 * np.sqrt(0.25 / len(plans))
    rows = [s for p in plans for s in p["sources"]]
    for name in world.classes:
        flags = [s["sounding"] for s in rows if s["class"] == name]
        assert abs(np.mean(flags) - 0.5) < 4 * np.sqrt(0.25 / len(flags))
    looks = np.array(
        [[s["look"]["radius"], s["look"]["angle"], *s["look"]["place"]] for s in rows]
    )
    sound = np.array([s["sounding"] for s in rows], float)
    correlations = [np.corrcoef(column, sound)[0, 1] for column in looks.T]
    assert np.abs(correlations).max() < 4 / np.sqrt(len(rows))


def test_loudness_does_not_depend_on_the_look():
    plans = [small("duet").plan("train", i) for i in range(800)]
    rows = [s for p in plans for s in p["sources"]]
    gains = [s["gain_db"] for s in rows]
    for name in ("radius", "angle"):
        values = [s["look"][name] for s in rows]
        assert abs(np.corrcoef(values, gains)[0, 1]) < 4 / np.sqrt(len(rows))


def test_pulse_shows_what_sounds_and_nothing_else():
    world = small("composite", pulse=0.3, fps=8)
    plan = world.plan("train", 0)
    areas = world.object_masks(plan).sum(axis=(2, 3))
    for source, area in zip(plan["sources"], areas, strict=True):
        if source["sounding"]:
            assert np.ptp(area) > 0.2 * area.mean()
        else:
            assert np.ptp(area) == 0
    still = small("composite", fps=8).frames(plan)
    assert (still == still[:1]).all()


# --- boxes ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["solo", "duet", "composite"])
def test_boxes_are_around_what_is_drawn(kind):
    world = small(kind)
    for index in range(8):
        plan = world.plan("train", index)
        empty = world.frames({**plan, "sources": []}).astype(int)
        boxes = world.boxes(plan)
        assert boxes.shape == (len(plan["sources"]), 2, 4)
        for number, source in enumerate(plan["sources"]):
            alone = world.frames({**plan, "sources": [source]}).astype(int)
            changed = np.abs(alone - empty)[0].max(axis=-1) > 0
            y1, x1, y2, x2 = np.rint(boxes[number, 0] * 64).astype(int)
            outside = changed.copy()
            # Soft edges reach a little further, most so where slanted.
            outside[max(0, y1 - 3) : y2 + 3, max(0, x1 - 3) : x2 + 3] = False
            assert not outside.any()
            mask = world.object_masks(plan)[number, 0] >= 0.5
            for edge in (mask[y1], mask[y2 - 1], mask[:, x1], mask[:, x2 - 1]):
                assert edge.any()
            cell = np.array(source["cell"])
            assert (boxes[number, 0, :2] >= cell[:2]).all()
            assert (boxes[number, 0, 2:] <= cell[2:]).all()


def test_predictors_that_look_at_nothing_are_poor_and_the_truth_is_perfect():
    world = small("solo")
    boxes = [world.boxes(world.plan("test", i))[:, 0] for i in range(80)]
    floors = localization_floors(boxes, grid=64)
    assert floors["whole_image"]["iou_at_50"] < 0.05
    assert floors["average_mask"]["iou_at_50"] < 0.4
    world = small("composite")
    boxes, ids, maps = [], [], []
    for index in range(40):
        plan = world.plan("test", index)
        on = [s["sounding"] for s in plan["sources"]]
        numbers = [world.classes.index(s["class"]) for s in plan["sources"]]
        placed = world.boxes(plan)[:, 0]
        boxes.append(placed[on])
        ids.append(np.array(numbers)[on])
        # A model that sees all but does not hear: what is silent lights up too.
        maps.append(np.moveaxis(class_masks(placed, numbers, 11, 64), 0, -1))
    deaf = class_aware_scores(maps, boxes, ids, grid=64)
    assert deaf["ciou_at_50"] == 1.0 and deaf["nsa"] < 0.99
    whole = class_aware_floors(boxes, ids, 11, grid=64)["centred_square"]
    assert whole["ciou_at_30"] < 0.1


# --- arguments -------------------------------------------------------------------


def test_a_world_is_made_again_from_its_configuration():
    world = small("unconstrained", num_classes=8, gain_range_db=(5, 10), seed=9)
    again = OrchestraWorld(**world.get_config())
    assert again.get_config() == world.get_config()
    assert again.plan("test", 3) == world.plan("test", 3)
    assert len(world.classes) == 8


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"kind": "trio"}, "`kind` is 'trio'"),
        ({"size": 33}, "`size` is 33"),
        ({"num_classes": 12}, "`num_classes` is 12"),
        ({"kind": "composite", "num_classes": 3}, "holds up to 4"),
        ({"kind": "unconstrained", "num_classes": 5}, "holds up to 6"),
        ({"look_alike": 2}, "`look_alike` is 2"),
        ({"clean": True}, "`clean`"),
        ({"pulse": 1}, "`pulse` is 1"),
        ({"seconds": 0}, "must be positive"),
        ({"pictures": "x"}, "both `pictures` and `recordings`"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        OrchestraWorld(**arguments)


def test_an_unknown_split_is_an_error():
    with pytest.raises(ValueError, match="split"):
        small().plan("validation", 0)


@pytest.mark.parametrize("counts", [(2, 0), (-1, 1)])
def test_unseen_sources_are_from_some_to_more(counts):
    with pytest.raises(ValueError, match="`num_off_screen` is"):
        OrchestraWorld("unconstrained", num_off_screen=counts)
