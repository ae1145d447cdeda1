"""IEr by the formulae of its note, recomputed in numpy from what its layers hold."""

import itertools

import keras
import numpy as np
import pytest
from counted_set import CountedSet
from keras import ops
from packaged_localiser import assert_it_finds_instruments, mixture_scores
from tiny_ier import (
    CLASSES,
    SIZE,
    build,
    build_trainers,
    draw_batch,
    draw_inputs,
    ready,
)

from keras_avrep.data import moment_set, scan_folder
from keras_avrep.export import export_part
from keras_avrep.layers import CrossModalReferrer, SoundingMask
from keras_avrep.models import InterferenceEraser
from keras_avrep.models.ier import (
    ErasingTrainer,
    LabelledMixtures,
    MixingTrainer,
    PrototypeReferrer,
)
from keras_avrep.models.ier.ier_phases import mixtures_of
from keras_avrep.models.solo_trainers import (
    ClassificationTrainer,
    CorrespondenceTrainer,
)
from keras_avrep.training import AdamWithL2, train_phases
from keras_avrep.training.callbacks import read_history
from keras_avrep.views import MixCurriculum, RandomMoment, VolumeMixer

RNG = np.random.default_rng


def numpy_of(tree):
    return keras.tree.map_structure(ops.convert_to_numpy, tree)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def model():
    return ready()


@pytest.fixture
def variant(model):
    """The same model with other arguments; networks are shared, to save time."""

    def make(**kwargs):
        networks = {n: getattr(model, n) for n in ("backbone", "audio_backbone")}
        return ready(**networks, **kwargs)

    return make


def drawn_perception():
    """What `see` and `hear` return."""
    rng = RNG(1)
    seen = {"embedding": rng.normal(size=(4, 3, 3, 8)).astype("float32")}
    heard = {
        "embedding": rng.normal(size=(4, 8)).astype("float32"),
        "features": rng.normal(size=(4, 32)).astype("float32"),
        "middle": rng.normal(size=(4, 2, 4, 16)).astype("float32"),
    }
    return seen, heard


def formulae(model, seen, heard, order):
    """Sections 3.3 to 3.5, with both orders of the off-screen filter."""
    f_v, f_a = seen["embedding"], heard["embedding"]
    kernel, bias = numpy_of([model.identifier.kernel, model.identifier.bias])
    steps = heard["middle"].mean(axis=(1, 2)) @ kernel + bias
    vectors = f_a[:, None] + steps.reshape(-1, CLASSES, 8)
    p_v, p_a = numpy_of(
        [model.dictionary.prototypes.value, model.audio_prototypes.prototypes.value]
    )
    scores = np.einsum("bkc,kc->bk", unit(vectors), unit(p_a))
    visual = np.maximum(unit(f_v) @ unit(p_v).T, 0)
    fits = sigmoid(5 * np.einsum("bhwc,bkc->bhwk", unit(f_v), unit(vectors)))
    maps = visual * fits
    limit = np.maximum(0.2, 0.5 * visual.max(axis=(1, 2), keepdims=True))
    area = (visual > limit).mean(axis=(1, 2))
    if order == "figure":
        heard_seen = softmax(10 * scores) * area
    else:
        weighted = scores * area
        total = np.abs(weighted).sum(axis=1, keepdims=True)
        heard_seen = softmax(10 * weighted / total)
    return {
        "class_maps": maps,
        "visual_maps": visual,
        "audible_scores": scores,
        "visual_log_distribution": np.log(softmax(10 * maps.mean(axis=(1, 2)))),
        "audio_distribution": heard_seen / heard_seen.sum(axis=1, keepdims=True),
    }


# --- outputs --------------------------------------------------------------------


@pytest.mark.parametrize("order", ["figure", "notes"])
def test_filters_and_scores_are_those_of_the_formulae(variant, order):
    seen, heard = drawn_perception()
    model = variant(order=order)
    found = numpy_of(model.refer(seen, heard))
    for name, expected in formulae(model, seen, heard, order).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-4, err_msg=name)


def test_outputs_are_made_of_what_is_seen_and_heard(model):
    inputs = draw_inputs(RNG(0))
    found = model.predict(inputs, verbose=0)
    seen = numpy_of(model.see(inputs["frame"], training=False))
    heard = numpy_of(model.hear(inputs["waveform"], training=False))
    expected = formulae(model, seen, heard, "notes")
    cosines = np.einsum(
        "bhwc,bc->bhw", unit(seen["embedding"]), unit(heard["embedding"])
    )
    expected = {
        "class_maps": softmax(3 * expected["class_maps"]),
        "raw_class_maps": expected["class_maps"],
        "sounding_map": sigmoid(5 * cosines)[..., None],
        "audible_scores": expected["audible_scores"],
        "audio_distribution": expected["audio_distribution"],
    }
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], array, atol=1e-4, err_msg=name)


HEARD = {"audible_scores", "heard_log_distribution"}
AUDIO = {"audio_log_distribution", "audio_distribution"}
VISUAL = {"class_maps", "visual_log_distribution"}


@pytest.mark.parametrize("switch", [{"identifier": False}, {"tap": "features"}])
def test_switches_of_the_steps_change_all_that_is_heard(model, variant, switch):
    perceived = drawn_perception()
    expected, found = (
        numpy_of(m.refer(*perceived)) for m in (model, variant(**switch))
    )
    assert differing(expected, found) == HEARD | AUDIO | VISUAL


def differing(expected, found):
    return {n for n in expected if np.abs(found[n] - expected[n]).max() > 1e-3}


@pytest.mark.parametrize(
    ("switch", "changed"),
    [
        ({"silent_filter": False}, VISUAL),
        ({"off_screen_filter": False}, AUDIO),
        ({"order": "figure"}, AUDIO),
        ({"amount": "any"}, AUDIO | {"seen"}),
        ({"threshold": 0.6}, AUDIO | {"seen"}),
        ({"relative_threshold": 0.9}, AUDIO | {"seen"}),
        ({"visual_logit_scale": 5.0}, VISUAL - {"class_maps"}),
        ({"audio_logit_scale": 5.0}, HEARD - {"audible_scores"} | AUDIO),
    ],
)
def test_a_switch_of_the_filters_changes_what_it_should_and_nothing_else(
    model, switch, changed
):
    seen, heard = drawn_perception()
    vectors = model.expand(heard)
    taken = seen["embedding"], model.av_map(seen["embedding"], vectors), vectors
    banks = model.dictionary, model.audio_prototypes
    other = PrototypeReferrer(CrossModalReferrer(**switch), *banks)
    expected, found = (numpy_of(refer(*taken)) for refer in (model.referrer, other))
    assert differing(expected, found) == changed


def test_all_switches_reach_their_layers(variant):
    switches = {
        "silent_filter": False,
        "off_screen_filter": False,
        "order": "figure",
        "amount": "any",
        "threshold": 0.6,
        "relative_threshold": 0.9,
        "visual_logit_scale": 5.0,
        "audio_logit_scale": 6.0,
    }
    model = variant(rank=2, **switches)
    assert model.identifier.rank == 2
    held = model.referrer.referrer.get_config()
    assert {name: held[name] for name in switches} == switches
    assert {name: model.get_config()[name] for name in switches} == switches


def test_without_an_identifier_all_classes_have_the_vector_of_the_sound(variant):
    _, heard = drawn_perception()
    repeated = np.repeat(heard["embedding"][:, None], CLASSES, axis=1)
    plain = variant(identifier=False)
    np.testing.assert_array_equal(numpy_of(plain.expand(heard)), repeated)
    networks = {"backbone": plain.backbone, "audio_backbone": plain.audio_backbone}
    fresh = build(**networks)  # steps are zero at first
    np.testing.assert_array_equal(numpy_of(fresh.expand(heard)), repeated)


def test_objects_and_sounds_are_clustered_in_the_shared_space(variant):
    model = variant(sounding_mask=SoundingMask(0.5, dilate=False))
    inputs = draw_inputs(RNG(1))
    batch = {**draw_batch(RNG(1)), "frame": inputs["frame"]}
    objects, sounds, _ = model.solo_features([batch])
    seen = numpy_of(model.see(inputs["frame"], training=False))["embedding"]
    heard = numpy_of(model.hear(inputs["waveform"], training=False))["embedding"]
    mask = np.einsum("bhwc,bc->bhw", unit(seen), unit(heard)) > 0
    expected = (seen * mask[..., None]).mean(axis=(1, 2))
    np.testing.assert_allclose(objects, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(sounds, heard, rtol=1e-5, atol=1e-5)


# --- what it learns from --------------------------------------------------------


def labelled(labels, **kwargs):
    variable = keras.Variable(labels, dtype="int32", trainable=False)
    return LabelledMixtures(variable, CLASSES, **kwargs)


def test_mixtures_have_the_classes_of_the_sounds_in_them():
    batch, labels = draw_batch(RNG(2)), np.array([2, 1, 1, 0])
    records = np.array([3, 1, 0, 2])
    chosen = labels[records]
    mixtures = labelled(labels, mixer=VolumeMixer.ier(share=0.8, seed=4))
    found = numpy_of(mixtures(batch["audio"], records))
    mixer = VolumeMixer.ier(share=0.8, seed=4)
    mixed = numpy_of(mixer(batch["audio"], classes=chosen))
    np.testing.assert_array_equal(found["waveform"], mixed["mixture"])
    expected = np.zeros((4, CLASSES))
    for row, (sources, present) in enumerate(
        zip(mixed["sources"], mixed["present"], strict=True)
    ):
        classes = chosen[sources[present]]
        assert len(set(classes)) == len(classes)
        expected[row, classes] = 1
    assert expected.sum() > 4
    np.testing.assert_array_equal(found["classes"], expected)


def test_a_clip_that_is_silent_just_then_is_of_no_class():
    batch, labels = draw_batch(RNG(2)), np.array([2, 1, 1, 0])
    sounds = batch["audio"].copy()
    sounds[1] = 0
    mixtures = labelled(labels, mixer=VolumeMixer.ier(share=0.0, seed=4))
    found = numpy_of(mixtures(sounds, np.arange(4)))
    np.testing.assert_array_equal(found["classes"].sum(axis=1), [1, 0, 1, 1])


def test_the_curriculum_follows_the_count_of_batches():
    batch = draw_batch(RNG(2))
    curriculum = MixCurriculum(10, share=(0.0, 1.0))
    mixtures = labelled(
        [0, 1, 2, 0], mixer=VolumeMixer.ier(seed=0), curriculum=curriculum
    )
    first = numpy_of(mixtures(batch["audio"], batch["record"], batches_seen=0))
    np.testing.assert_array_equal(first["waveform"], batch["audio"])
    np.testing.assert_array_equal(first["classes"], np.eye(3)[[0, 1, 2, 0]])
    last = numpy_of(mixtures(batch["audio"], batch["record"], batches_seen=10))
    assert (last["classes"].sum(axis=1) > 1).all()


def test_equal_volumes_are_mixtures_of_a_range_of_zero(model):
    classifying = ClassificationTrainer(model, adam(), 4)
    mixer = mixtures_of(classifying, range_db=0.0, seed=0).mixer
    assert not numpy_of(mixer(draw_batch(RNG(0))["audio"])["gains_db"]).any()


@pytest.mark.parametrize("form", ["binary", "softmax"])
def test_identification_is_cross_entropy_of_cosines(model, form):
    trainer = MixingTrainer(model, adam(), labelled([0], mixer=None), form)
    scores = RNG(0).uniform(-1, 1, (4, CLASSES)).astype("float32")
    classes = np.eye(CLASSES)[[0, 1, 2, 1]]
    classes[0, 2] = 1
    p = sigmoid(10 * (scores - 0.3))
    losses = {
        "binary": -(classes * np.log(p) + (1 - classes) * np.log(1 - p)).mean(),
        "softmax": -(
            classes / classes.sum(1, keepdims=True) * np.log(softmax(10 * scores))
        ).sum(1).mean(),
    }  # fmt: skip
    found = trainer.compute_losses({"scores": scores, "classes": classes})
    np.testing.assert_allclose(
        numpy_of(found)["identification"], losses[form], rtol=1e-4
    )


def test_mixtures_are_learned_beside_the_correspondence_of_what_is_in_them():
    batch, found = draw_batch(RNG(3)), {}
    # The first pass moves running statistics, so each has a model of its own.
    for weight in (0.0, 0.25):
        mixtures = labelled([0, 1, 2, 0], mixer=VolumeMixer.ier(share=0.8, seed=4))
        trainer = MixingTrainer(ready(), adam(), mixtures, correspondence=weight)
        outputs = trainer.query_forward(trainer.make_views(batch), {})
        found[weight] = numpy_of(trainer.compute_losses(outputs))
    fitting = CorrespondenceTrainer(ready(), adam())
    outputs = fitting.query_forward(fitting.make_views(batch), {})
    expected = numpy_of(fitting.compute_losses(outputs))["correspondence"]
    assert found[0.0].keys() == {"identification"}
    assert trainer.loss_weights == {"identification": 1.0, "correspondence": 0.25}
    assert found[0.25]["identification"] == found[0.0]["identification"]
    np.testing.assert_allclose(found[0.25]["correspondence"], expected, rtol=1e-5)


def test_rates_differ_between_the_steps_and_the_network(model):
    (phase,) = (
        p
        for p in model.training_phases(CountedSet(), None, solo_epochs=3)
        if p.name == "mixtures 3 of 3"
    )
    trainer = phase.trainer
    trainer.optimizer.build(trainer.trainable_variables)
    factors = trainer.optimizer._factors
    for variable, factor in zip(trainer.trainable_variables, factors, strict=True):
        assert factor == (1.0 if variable.path.startswith("identifier/") else 0.1)
    assert set(factors) == {1.0, 0.1}


@pytest.mark.parametrize("direction", ["both", "first", "second"])
def test_distillation_is_a_divergence_of_two_live_distributions(model, direction):
    trainer = ErasingTrainer(model, adam(), direction=direction)
    outputs = trainer.query_forward(trainer.make_views(draw_batch(RNG(3))), {})
    losses = numpy_of(trainer.compute_losses(outputs))
    log_p, log_q = (
        np.maximum(numpy_of(outputs[f"{kind}_log_distribution"]), np.log(1e-8))
        for kind in ("visual", "audio")
    )
    one_way = {
        "first": (np.exp(log_p) * (log_p - log_q)).sum(1).mean(),
        "second": (np.exp(log_q) * (log_q - log_p)).sum(1).mean(),
    }
    expected = one_way.get(direction, sum(one_way.values()))
    np.testing.assert_allclose(losses["distillation"], expected, rtol=1e-3, atol=1e-6)
    entropy = -(np.exp(log_p) * log_p).sum(1).mean()
    np.testing.assert_allclose(losses["entropy"], entropy, rtol=1e-4)
    assert losses.keys() == {"correspondence", "distillation", "entropy"}


def test_a_teacher_has_no_gradient(model):
    alone = {"distillation": 1.0, "correspondence": 0.0, "entropy": 0.0}
    moved = {}
    for detach in (None, "teacher"):
        trainer = ErasingTrainer(
            model, adam(), direction="first", detach=detach, loss_weights=alone
        )
        _, _, gradients = trainer.loss_gradients(draw_batch(RNG(3)))
        paths = [v.path for v in trainer.trainable_variables]
        largest = {
            p: np.abs(numpy_of(g)).max() for p, g in zip(paths, gradients, strict=True)
        }
        moved[detach] = {path for path, size in largest.items() if size > 0}
    image, sound = "image_head/image_head_out/kernel", "identifier/kernel"
    assert {image, sound} <= moved[None]
    # What is seen teaches, and all that is seen of in what is heard is a mask.
    assert image not in moved["teacher"]
    assert sound in moved["teacher"]


@pytest.mark.parametrize("kind", ["mixing", "erasing"])
def test_a_trainer_moves_its_own_part_and_no_prototype(variant, kind):
    trainer = build_trainers(variant, adam)[kind]
    model = trainer.task
    trainer.compile(trainer.optimizer, run_eagerly=True, jit_compile=False)
    before = {id(v): numpy_of(v.value) for v in model.variables}
    trainer.fit(((draw_batch(RNG(i)),) for i in range(2)), steps_per_epoch=2, verbose=0)
    moved = {
        id(v) for v in model.variables if np.any(numpy_of(v.value) != before[id(v)])
    }
    learned = {id(v) for v in trainer.trainable_variables}
    assert learned <= moved
    for part in (model.dictionary, model.audio_prototypes, model.image_classifier):
        assert not moved & {id(v) for v in part.variables}, part.name
    if kind == "mixing":
        # Its running statistics follow the pictures that sounds must fit meanwhile.
        for part in (model.backbone, model.image_head, model.av_map):
            still = {id(v) for v in part.trainable_variables}
            assert still
            assert not moved & still, part.name
    assert numpy_of(trainer.batches_seen) == 2


def test_losses_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    for trainer in build_trainers(ready, adam).values():
        total, losses, _ = trainer.loss_gradients(draw_batch(RNG(0)))
        for loss in (total, *losses.values()):
            assert keras.backend.standardize_dtype(loss.dtype) == "float32"
            assert np.isfinite(float(loss))


# --- phases ---------------------------------------------------------------------


def adam():
    return AdamWithL2(1e-3)


def names_of(phases):
    return [phase.name for phase in phases]


def test_mixtures_end_the_epochs_after_the_first_clustering(model):
    phases = model.training_phases(CountedSet(), None, solo_epochs=4)
    assert names_of(phases) == [
        "correspondence 1 of 4",
        "correspondence 2 of 4",
        "clusters and classes 2 of 4",
        *(
            f"{turn} {epoch} of 4"
            for epoch in (3, 4)
            for turn in ("correspondence", "clusters and classes", "mixtures")
        ),
    ]
    mixing = [p for p in phases if p.name.startswith("mixtures")]
    assert mixing[0].trainer is mixing[1].trainer
    assert mixing[0].trainer.mixtures.curriculum.length == 4
    # No two phases see the same batches.
    spans = sorted((p.first_batch, p.first_batch + p.steps) for p in phases)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_mixing_and_its_curriculum_can_be_left_out(model):
    phases = model.training_phases(CountedSet(), None, solo_epochs=2, mixing_passes=0)
    assert not any(name.startswith("mixtures") for name in names_of(phases))
    phases = model.training_phases(CountedSet(), None, solo_epochs=3, curriculum=False)
    assert phases[-1].trainer.mixtures.curriculum is None
    with pytest.raises(ValueError, match="`first_mixing`"):
        model.training_phases(CountedSet(), None, solo_epochs=2)


def test_stage_two_alone_takes_the_labels_from_the_dictionary(sets):
    solo, mixed = sets
    task = ready()
    (phase,) = task.training_phases(solo, mixed, solo_epochs=0, mixed_epochs=1)
    labels = phase.trainer.replay.labels
    assert (ops.convert_to_numpy(labels) == -1).all()
    phase.before()
    objects, _, records = task.solo_features(solo.each_once())
    assert sorted(records) == [0, 1, 2, 3]
    expected = task.dictionary.predict(objects)[np.argsort(records)]
    np.testing.assert_array_equal(ops.convert_to_numpy(labels), expected)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Tiny videos with sound: of one source, and with interference."""
    from keras_avrep.worlds import OrchestraWorld, render_world

    root = tmp_path_factory.mktemp("orchestra")
    for kind in ("solo", "unconstrained"):
        world = OrchestraWorld(kind, num_classes=6, size=32, seconds=0.5, fps=8)
        render_world(world, root / kind, {"pretrain": 4})
    return [
        moment_set(
            scan_folder(root / kind).records,
            RandomMoment(duration=0.25),
            size=36,
            view_size=SIZE,
            batch_size=4,
        )
        for kind in ("solo", "unconstrained")
    ]


def test_batches_can_replay_those_of_another_set(sets):
    solo, mixed = sets
    batch, replayed = mixed.with_replay(solo)[5], solo.batches[5]
    np.testing.assert_array_equal(batch["audio"], mixed.batches[5]["audio"])
    for name in ("audio", "record"):
        np.testing.assert_array_equal(batch[f"replay_{name}"], replayed[name])
    assert "replay_frame" not in batch


def run(sets, out):
    """Train in all phases; returns what there was after each."""
    kept = {}

    def after_phase(phase):
        kept[phase.name] = numpy_of(
            {
                "visual": model.dictionary.prototypes.value,
                "audio": model.audio_prototypes.prototypes.value,
            }
        )
        if phase.name == "clusters and classes 1 of 1":
            kept["features"] = model.solo_features(solo.each_once())
            kept["labels"] = numpy_of(phase.trainer.labels.value)

    model, (solo, mixed) = build(), sets
    schedule = {"solo_epochs": 1, "first_clustering": 1, "first_mixing": 1}
    passes = {"classification_passes": 1, "mixing_passes": 2, "mixed_epochs": 1}
    phases = model.training_phases(solo, mixed, **schedule, **passes)
    for phase in phases:
        # Tracing the four trainers of each run takes longer than their few steps.
        phase.trainer.run_eagerly = True
    train_phases(
        phases,
        out,
        clips_per_step=4,
        log_every=1,
        after_phase=after_phase,
        show=lambda line: None,
    )
    return kept


def test_all_phases_run_and_prototypes_stay(sets, tmp_path):
    kept = run(sets, tmp_path)
    rows = read_history(tmp_path / "history.csv")
    assert [row["step"] for row in rows] == list(range(1, 6))
    terms = [
        {k.removeprefix("loss_") for k in r if k.startswith("loss_")} for r in rows
    ]
    assert terms[2:4] == [{"identification"}] * 2
    assert terms[4] == {"distillation", "correspondence", "identification", "entropy"}
    assert np.isfinite([row["loss"] for row in rows]).all()
    # Both prototypes are means by label of what labels have moved, and stay.
    objects, sounds, records = kept["features"]
    assert records.tolist() == [0, 1, 2, 3]
    for label in np.unique(kept["labels"]):
        members = kept["labels"] == label
        for kind, vectors in (("visual", objects), ("audio", sounds)):
            found = kept["mixtures 1 of 1"][kind][label]
            np.testing.assert_allclose(found, vectors[members].mean(0), atol=1e-5)
            np.testing.assert_array_equal(found, kept["any videos"][kind][label])


# --- presets, configuration, export ---------------------------------------------


def test_the_preset_at_full_size_has_the_sizes_of_the_note():
    full = InterferenceEraser.from_preset("ier_resnet18", load_weights=False)
    assert full.dictionary.prototypes.shape == (11, 512)
    assert full.audio_prototypes.prototypes.shape == (11, 512)
    assert full.identifier.kernel.shape == (256, 11 * 512)  # 1.44 M
    config = full.get_config()
    assert config["num_classes"] == 11
    assert config["loss_weights"]["correspondence"] == 0.5


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_preset_comes_back(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    changes = {
        "rank": 2,
        "tap": "features",
        "silent_filter": False,
        "order": "figure",
        "amount": "any",
        "threshold": 0.1,
        "visual_logit_scale": 4.0,
        "sharpness": 2.0,
        "loss_weights": {"distillation": 0.5},
    }
    model = ready(**changes)
    model.save_to_preset(str(tmp_path))
    loaded = InterferenceEraser.from_preset(str(tmp_path))
    inputs = draw_inputs(RNG(0))
    expected, found = (numpy_of(m(inputs, training=False)) for m in (model, loaded))
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    configs = [m.get_config() for m in (model, loaded)]
    assert configs[0].keys() == configs[1].keys()
    for name, value in changes.items():
        if name != "loss_weights":
            assert configs[1][name] == value, name
    assert configs[0]["loss_weights"] == configs[1]["loss_weights"]
    assert configs[0]["identifier"] is True


def test_wrong_arguments_are_named():
    for change in ({"loss_weights": {"category": 1.0}}, {"tap": "last"}):
        (name,) = change
        with pytest.raises(ValueError, match=f"`{name}`"):
            build(**change)
    with pytest.raises(ValueError, match="load_weights=False"):
        InterferenceEraser.from_preset("ier_tiny")


@pytest.mark.parametrize("identifier", [True, False])
def test_both_filters_ship(variant, identifier, tmp_path):
    """All that CSOL does not have; the networks before it are the same."""
    model = variant(identifier=identifier)
    seen, heard = drawn_perception()
    inputs = {
        "features": keras.Input((3, 3, 8), name="features"),
        "middle": keras.Input((2, 4, 16), name="middle"),
        "sound": keras.Input((8,), name="sound"),
    }
    listened = {"embedding": inputs["sound"], "middle": inputs["middle"]}
    fits = model.av_map(inputs["features"], inputs["sound"])
    looked = {"embedding": inputs["features"]}
    part = keras.Model(inputs, model.class_outputs(looked, listened, fits))
    arrays = {
        "features": seen["embedding"],
        "middle": heard["middle"],
        "sound": heard["embedding"],
    }
    rows = export_part(part, tmp_path, arrays, name="filters")
    assert [row["format"] for row in rows] == ["saved_model", "litert"]
    for row in rows:
        assert row["max_abs_diff"] <= 1e-4
        assert row["outputs"]["class_maps"] == [3, 3, CLASSES]
        assert row["outputs"]["audible_scores"] == [CLASSES]


def test_the_one_with_weights_finds_instruments_it_has_not_seen(tmp_path):
    mixtures = mixture_scores(
        InterferenceEraser, "ier_tiny_orchestra", "unconstrained", tmp_path
    )
    assert_it_finds_instruments(mixtures, 0.3)
