"""CSOL by the formulae of its note, recomputed in numpy from what its layers gave."""

import itertools

import keras
import numpy as np
import pytest
from counted_set import CountedSet
from keras import ops
from packaged_localiser import assert_it_finds_instruments, mixture_scores
from tiny_csol import CLASSES, build, draw_batch, draw_inputs, parts

from keras_avrep.backbones import ImageResNetBackbone
from keras_avrep.export import export_part
from keras_avrep.layers import AVCosineMap, SoundingMask
from keras_avrep.models import CSOL
from keras_avrep.models.csol import MixtureTrainer
from keras_avrep.models.pixel_features import normalise_layer
from keras_avrep.models.solo_phases import cluster_objects
from keras_avrep.models.solo_trainers import (
    ClassificationTrainer,
    CorrespondenceTrainer,
)
from keras_avrep.training import AdamWithL2

RNG = np.random.default_rng


def numpy_of(tree):
    return keras.tree.map_structure(ops.convert_to_numpy, tree)


def ready(seed=0, **kwargs):
    """A model with a dictionary and a scale that is not 1."""
    model = build(seed, **kwargs)
    rows = RNG(seed).normal(size=model.dictionary.prototypes.shape)
    model.dictionary.prototypes.assign(rows.astype("float32"))
    model.scale_shift.scale.assign(0.7)
    model.scale_shift.shift.assign(0.1)
    return model


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def perceived(model, inputs):
    seen = numpy_of(model.see(inputs["frame"], training=False))
    heard = numpy_of(model.hear(inputs["waveform"], training=False))
    return seen, heard


def formula(model, inputs):
    """Correspondence map and muted class maps of section 3.4."""
    seen, heard = perceived(model, inputs)
    cosines = np.einsum(
        "bhwc,bc->bhw", unit(seen["embedding"]), unit(heard["embedding"])
    )
    fits = sigmoid(5 * cosines)[..., None]
    rows = numpy_of(model.dictionary.prototypes.value)
    return fits, (0.7 * (seen["features"] @ rows.T) + 0.1) * fits


def test_maps_are_those_of_the_formulae():
    model, inputs = ready(), draw_inputs(RNG(0))
    found = model.predict(inputs, verbose=0)
    fits, muted = formula(model, inputs)
    np.testing.assert_allclose(found["sounding_map"], fits, atol=1e-5)
    np.testing.assert_allclose(found["class_maps"], softmax(3 * muted), atol=1e-5)


def test_the_image_map_has_the_size_of_the_note():
    full = CSOL.from_preset("csol_resnet18", load_weights=False)
    shapes = {k: v.shape for k, v in full.get_layer("stages").output.items()}
    assert shapes["stage4"][-1] == 512
    assert full.backbone.compute_output_shape((1, 224, 224, 3)) == (1, 14, 14, 512)
    assert full.audio_backbone.compute_output_shape((1, 201, 64, 1)) == (1, 13, 4, 512)
    assert full.dictionary.prototypes.shape == (11, 512)


@pytest.mark.parametrize("gate", ["product", "minimum", "off"])
def test_the_gate_mutes_what_is_silent(gate):
    model, inputs = ready(gate=gate), draw_inputs(RNG(0))
    seen, _ = perceived(model, inputs)
    silent = np.zeros((4, 2, 2, 1), "float32")
    maps = numpy_of(model.muted_maps(seen, silent))
    rows = numpy_of(model.dictionary.prototypes.value)
    plain = 0.7 * (seen["features"] @ rows.T) + 0.1
    expected = {"product": 0 * plain, "minimum": np.minimum(plain, 0), "off": plain}
    np.testing.assert_allclose(maps, expected[gate], atol=1e-5)


def test_objects_are_what_lies_in_the_mask_over_all_cells():
    model = build(sounding_mask=SoundingMask(0.5, dilate=False))
    inputs = draw_inputs(RNG(1))
    batch = {**draw_batch(RNG(1)), "frame": inputs["frame"]}
    objects, sounds, records = model.solo_features([batch])
    seen, heard = perceived(model, inputs)
    cosines = np.einsum(
        "bhwc,bc->bhw", unit(seen["embedding"]), unit(heard["embedding"])
    )
    mask = (sigmoid(5 * cosines) > 0.5)[..., None]
    expected = (seen["features"] * mask).mean(axis=(1, 2))
    np.testing.assert_allclose(objects, expected, atol=1e-5)
    np.testing.assert_allclose(sounds, heard["features"], atol=1e-5)
    assert records.tolist() == [0, 1, 2, 3]


class OneBatch:
    """Four records in one batch."""

    batches, epoch_steps, num_records, batch_size = None, 1, 4, 4

    def each_once(self):
        return [draw_batch(RNG(1))]


def test_known_classes_take_the_place_of_clusters():
    model, solo = build(), OneBatch()
    ids, sounds = cluster_objects(model, solo, labels=[2, 0, 2, 1])
    assert ids.tolist() == [2, 0, 2, 1]
    objects, expected, _ = model.solo_features(solo.each_once())
    np.testing.assert_array_equal(sounds, expected)
    rows = numpy_of(model.dictionary.prototypes.value)
    np.testing.assert_allclose(rows[2], objects[[0, 2]].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(rows[0], objects[1], atol=1e-6)
    phases = model.training_phases(solo, solo_epochs=2, labels=[2, 0, 2, 1])
    clusters = next(p for p in phases if p.name.startswith("clusters"))
    clusters.before()
    assert numpy_of(clusters.trainer.labels.value).tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize(
    ("labels", "message"), [([0, 1], "each of the 4"), ([0, 1, 2, 3], "0 to 2")]
)
def test_known_classes_must_fit(labels, message):
    with pytest.raises(ValueError, match=message):
        build().training_phases(OneBatch(), solo_epochs=2, labels=labels)


# --- phases ---------------------------------------------------------------------


def phases_of(*sets, **schedule):
    return build().training_phases(*sets, **schedule)


def test_correspondence_and_clusters_take_turns_from_the_second_epoch_on():
    phases = phases_of(CountedSet(), solo_epochs=3)
    assert [(phase.name, phase.steps) for phase in phases] == [
        ("correspondence 1 of 3", 2),
        ("correspondence 2 of 3", 2),
        ("clusters and classes 2 of 3", 6),
        ("correspondence 3 of 3", 2),
        ("clusters and classes 3 of 3", 6),
    ]
    # No two phases see the same batches.
    spans = sorted((p.first_batch, p.first_batch + p.steps) for p in phases)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    rarer = phases_of(CountedSet(), solo_epochs=6, clustering_every=3)
    clusters = [p.name for p in rarer if p.name.startswith("clusters")]
    assert [name.split()[3] for name in clusters] == ["2", "5", "6"]


def test_a_warm_up_comes_before_the_mixtures_and_freezes_the_teacher():
    phases = phases_of(
        CountedSet(),
        CountedSet(),
        solo_epochs=2,
        mixed_epochs=3,
        warm_up_epochs=1,
        mixed_rate=0.5,
        learning_rate=1e-3,
    )
    warming, learning = phases[-2:]
    assert [warming.name, learning.name] == ["warm-up on mixtures", "mixtures"]
    assert (warming.first_batch, learning.first_batch) == (0, 2)
    assert (warming.steps, learning.steps) == (2, 6)
    assert warming.before == learning.trainer.freeze_teacher
    assert learning.before is None
    rate = float(ops.convert_to_numpy(learning.trainer.optimizer.learning_rate))
    np.testing.assert_allclose(rate, 5e-4, rtol=1e-6)


def test_stage_two_can_be_had_alone():
    (phase,) = phases_of(CountedSet(), CountedSet(), solo_epochs=0, mixed_epochs=1)
    assert phase.name == "mixtures"
    assert phase.before == phase.trainer.freeze_teacher


def test_a_picture_never_meets_its_own_sound_as_a_negative():
    phases = phases_of(CountedSet(4), CountedSet(3), solo_epochs=2, negatives=8)
    assert phases[0].trainer.negatives == 3
    assert phases[-1].trainer.negatives == 2
    with pytest.raises(ValueError, match="batch"):
        phases_of(CountedSet(1), solo_epochs=2)


# --- what it learns from --------------------------------------------------------


def adam():
    return AdamWithL2(1e-3)


def classification(task, optimizer):
    """With the clusters of four solos."""
    trainer = ClassificationTrainer(task, optimizer, num_records=4)
    trainer.start_anew([0, 2, 1, 1], seed=0)
    return trainer


def losses_of(trainer, batch):
    return numpy_of(trainer.loss_gradients(batch)[1])


def test_correspondence_is_cross_entropy_with_the_neighbours_sound():
    model = build()
    trainer = CorrespondenceTrainer(model, adam())
    batch = draw_batch(RNG(2))
    views = trainer.make_views(batch)
    outputs = numpy_of(trainer.perceive(views))
    seen, heard = outputs["seen"]["embedding"], outputs["heard"]["embedding"]
    cosines = np.einsum("bhwc,nc->bnhw", unit(seen), unit(heard))
    scores = sigmoid(5 * cosines).max(axis=(2, 3))
    own = np.arange(4)
    matched, mismatched = scores[own, own], scores[own, own - 1]
    expected = -(np.log(matched) + np.log(1 - mismatched)).mean() / 2
    found = numpy_of(trainer.compute_losses(outputs))["correspondence"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_more_negatives_are_more_neighbours():
    trainer = CorrespondenceTrainer(build(), adam(), negatives=3)
    outputs = numpy_of(trainer.perceive(trainer.make_views(draw_batch(RNG(2)))))
    seen, heard = outputs["seen"]["embedding"], outputs["heard"]["embedding"]
    cosines = np.einsum("bhwc,nc->bnhw", unit(seen), unit(heard))
    scores = sigmoid(5 * cosines).max(axis=(2, 3))
    others = [[scores[i, i - k] for k in (1, 2, 3)] for i in range(4)]
    np.testing.assert_allclose(outputs["mismatched"], others, atol=1e-5)
    with pytest.raises(ValueError, match="negatives"):
        CorrespondenceTrainer(build(), adam(), negatives=0)


def test_two_videos_of_one_cluster_are_not_mismatched():
    classifying = ClassificationTrainer(build(), adam(), num_records=4)
    fitting = CorrespondenceTrainer(
        classifying.task, adam(), negatives=2, labels=classifying.labels
    )
    batch = draw_batch(RNG(2))

    def counted():
        views = fitting.make_views(batch)
        return numpy_of(fitting.query_forward(views, {})["counted"]).tolist()

    assert counted() == [[1, 1]] * 4
    classifying.start_anew([0, 0, 1, 0], seed=0)
    # The neighbours before each, one and two places away.
    assert counted() == [[0, 1], [0, 0], [1, 1], [1, 0]]


def test_every_quadrant_of_a_mismatched_composite_must_be_quiet():
    model = ready()
    trainer = MixtureTrainer(model, adam(), mismatch_grid=2)
    outputs = trainer.perceive(trainer.make_views(draw_batch(RNG(2))))
    assert outputs["matched"].shape == (4, 1)
    assert outputs["mismatched"].shape == (4, 4)


def test_classification_has_the_labels_of_the_records():
    model = build()
    trainer = ClassificationTrainer(model, adam(), num_records=9)
    trainer.labels.assign([0, 0, 1, 2, 0, 0, 0, 0, 0])
    batch = {**draw_batch(RNG(3)), "record": np.array([3, 2, 8, 0])}
    views = trainer.make_views(batch)
    assert numpy_of(views["label"]).tolist() == [2, 1, 0, 0]
    outputs = numpy_of(trainer.query_forward(views, {}))
    losses = numpy_of(trainer.compute_losses(outputs))
    for kind in ("image", "audio"):
        chosen = softmax(outputs[kind])[np.arange(4), [2, 1, 0, 0]]
        np.testing.assert_allclose(
            losses[f"{kind}_class"], -np.log(chosen).mean(), rtol=1e-5
        )


def test_new_clusters_come_with_fresh_heads_and_a_fresh_optimiser():
    trainer = classification(build(), adam())
    # Tracing takes longer than a step, here as below.
    trainer.run_eagerly = True
    trainer.train_on_batch(draw_batch(RNG(3)))
    assert int(trainer.optimizer.iterations) == 1
    trainer.start_anew([2, 2, 0, 1], seed=5)
    assert int(trainer.optimizer.iterations) == 0
    moments = trainer.optimizer.variables[2:]
    assert not any(np.abs(ops.convert_to_numpy(v)).any() for v in moments)
    assert numpy_of(trainer.labels.value).tolist() == [2, 2, 0, 1]
    heads = [trainer.task.image_classifier, trainer.task.audio_classifier]
    kernels = [numpy_of(head.kernel.value) for head in heads]
    for kernel, head in zip(kernels, heads, strict=True):
        # As small as the note has it: N(0, 0.01), no bias.
        assert 0.007 < kernel.std() < 0.013
        assert not numpy_of(head.bias.value).any()
    assert not np.allclose(*kernels)


def test_heads_with_an_optimiser_of_their_own_step_as_with_a_rate_of_their_own():
    batch, found = draw_batch(RNG(3)), []
    for optimizers in (
        {"optimizer": AdamWithL2(1e-3, rate_factors={"classifier": 10.0})},
        {"optimizer": adam(), "head_optimizer": AdamWithL2(1e-2)},
    ):
        trainer = ClassificationTrainer(build(), num_records=4, **optimizers)
        trainer.run_eagerly = True
        trainer.start_anew([0, 2, 1, 1], seed=0)
        for _ in range(2):
            trainer.train_on_batch(batch)
        found.append(weights(trainer))
    np.testing.assert_allclose(*found, atol=1e-6)


def test_new_clusters_leave_the_networks_optimiser_as_it_is():
    networks, heads = adam(), adam()
    trainer = ClassificationTrainer(build(), networks, 4, head_optimizer=heads)
    trainer.start_anew([0, 2, 1, 1], seed=0)
    trainer.train_on_batch(draw_batch(RNG(3)))
    before = [ops.convert_to_numpy(v) for v in networks.variables]
    trainer.start_anew([2, 2, 0, 1], seed=5)
    for old, variable in zip(before, networks.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), old)
    assert int(networks.iterations) == 1
    assert int(heads.iterations) == 0
    assert [float(o.learning_rate) for o in (networks, heads)] == [
        pytest.approx(1e-3)
    ] * 2
    moments = [v for v in heads.variables if len(v.shape)]
    assert moments
    assert not any(np.abs(ops.convert_to_numpy(v)).any() for v in moments)
    trainer.restart_optimizer()
    assert int(networks.iterations) == 0
    assert float(networks.learning_rate) == pytest.approx(1e-3)


def test_clusters_are_learned_in_float16():
    keras.config.set_dtype_policy("mixed_float16")
    batch = draw_batch(RNG(3))
    for head_optimizer in (None, adam()):
        trainer = ClassificationTrainer(build(), adam(), 4, False, head_optimizer)
        trainer.run_eagerly = True
        for seed in (0, 1):
            trainer.start_anew([0, 2, 1, 1], seed)
            head = trainer.task.image_classifier
            before = weights(head)
            # Of the first loss the scale is too large, whose step is left out.
            for _ in range(6):
                trainer.train_on_batch(batch)
            assert np.isfinite(weights(trainer)).all()
            assert not np.allclose(before, weights(head))


def test_correspondence_and_classes_can_share_the_networks_optimiser():
    phases = phases_of(CountedSet(4), solo_epochs=2, shared_optimizer=True)
    fitting, classifying = phases[0].trainer, phases[-1].trainer
    for trainer in (fitting, classifying):
        # Tracing takes longer than a step.
        trainer.run_eagerly = True
    batch = draw_batch(RNG(3))
    fitting.train_on_batch(batch)
    classifying.start_anew([0, 2, 1, 1] * 2, seed=0)
    classifying.train_on_batch(batch)
    fitting.train_on_batch(batch)
    assert int(fitting.optimizer.iterations) == 3
    assert int(classifying.head_optimizer.iterations) == 1


def test_heads_alone_leave_the_backbones_as_they_are():
    trainer = ClassificationTrainer(build(), adam(), num_records=4, heads_only=True)
    trainer.run_eagerly = True
    trainer.start_anew([0, 2, 1, 1], seed=0)
    backbones = [trainer.task.backbone, trainer.task.audio_backbone]
    before = [weights(b) for b in backbones]
    kernel = numpy_of(trainer.task.image_classifier.kernel.value)
    trainer.train_on_batch(draw_batch(RNG(3)))
    for old, backbone in zip(before, backbones, strict=True):
        np.testing.assert_array_equal(old, weights(backbone))
    assert not np.allclose(kernel, numpy_of(trainer.task.image_classifier.kernel.value))


def weights(layer):
    """All that gradients move, in one row."""
    variables = layer.trainable_variables
    return np.concatenate([ops.convert_to_numpy(v).ravel() for v in variables])


@pytest.mark.parametrize("direction", ["target", "prediction"])
def test_the_category_loss_is_the_divergence_from_the_frozen_teacher(direction):
    model = ready()
    trainer = MixtureTrainer(model, adam(), direction=direction)
    kernel = 0.01 * RNG(5).normal(size=model.audio_classifier.kernel.shape)
    model.audio_classifier.kernel.assign(kernel.astype("float32"))
    trainer.freeze_teacher()
    _, heard = perceived(model, {**draw_inputs(RNG(4))})
    # What the task learns later does not move the teacher.
    model.audio_classifier.kernel.assign(0 * kernel)
    views = trainer.make_views(draw_batch(RNG(4)))
    keys = numpy_of(trainer.key_forward(views))
    target = softmax(heard["features"] @ kernel)
    np.testing.assert_allclose(keys["heard"], target, atol=1e-4)
    outputs = numpy_of(trainer.query_forward(views, keys))
    predicted = np.exp(outputs["log_seen"])
    p, q = (target, predicted) if direction == "target" else (predicted, target)
    expected = (p * np.log(p / q)).sum(axis=1).mean() / CLASSES
    losses = numpy_of(trainer.compute_losses(outputs))
    np.testing.assert_allclose(losses["category"], expected, rtol=1e-3)


def test_the_variant_for_audioset_hears_and_sees_each_class_on_its_own():
    model = ready()
    trainer = MixtureTrainer(model, adam(), category="presence", temperature=0.7)
    kernel = 0.01 * RNG(5).normal(size=model.audio_classifier.kernel.shape)
    model.audio_classifier.kernel.assign(kernel.astype("float32"))
    trainer.freeze_teacher()
    views = trainer.make_views(draw_batch(RNG(4)))
    keys = numpy_of(trainer.key_forward(views))
    _, heard = perceived(model, {**draw_inputs(RNG(4))})
    target = softmax(heard["features"] @ kernel / 0.7)
    np.testing.assert_allclose(keys["heard"], target, atol=1e-4)
    outputs = numpy_of(trainer.query_forward(views, keys))
    shown = (1 / (1 + np.exp(-outputs["class_maps"]))).mean(axis=(1, 2))
    expected = -(target * np.log(shown) + (1 - target) * np.log(1 - shown)).mean()
    losses = numpy_of(trainer.compute_losses(outputs))
    np.testing.assert_allclose(losses["category"], expected, rtol=1e-3)
    with pytest.raises(ValueError, match="sideways"):
        MixtureTrainer(model, adam(), category="sideways")


def test_what_is_seen_has_a_temperature_too():
    model = ready()
    plain = MixtureTrainer(model, adam())
    phases = model.training_phases(CountedSet(), CountedSet(), seen_temperature=2.0)
    warm = phases[-1].trainer
    views = plain.make_views(draw_batch(RNG(4)))
    keys = plain.key_forward(views)
    logits, halved = (
        numpy_of(t.query_forward(views, keys))["log_seen"] for t in (plain, warm)
    )
    # A softmax forgets a constant, and half of it.
    np.testing.assert_allclose(halved, np.log(softmax(logits / 2)), atol=1e-5)


def test_a_warm_up_has_no_gate_and_shares_the_teacher():
    model = ready()
    learning = MixtureTrainer(model, adam())
    warming = MixtureTrainer(model, adam(), gated=False, teacher=learning.teacher)
    views = learning.make_views(draw_batch(RNG(4)))
    keys = learning.key_forward(views)
    gated, plain = (
        numpy_of(t.query_forward(views, keys))["log_seen"] for t in (learning, warming)
    )
    assert np.abs(gated - plain).max() > 1e-3
    assert warming.teacher is learning.teacher


@pytest.mark.parametrize(
    ("trainer_of", "still"),
    [
        (CorrespondenceTrainer, ["classifier", "scale_shift"]),
        (classification, ["head", "av_map", "scale"]),
        (MixtureTrainer, ["classifier"]),
    ],
)
def test_a_trainer_moves_its_own_part_and_nothing_else(trainer_of, still):
    model = ready()
    trainer = trainer_of(model, adam())
    # Tracing takes longer than two small steps.
    trainer.run_eagerly = True
    before = {v.path: numpy_of(v.value) for v in model.trainable_variables}
    trainer.fit(((draw_batch(RNG(i)),) for i in range(2)), steps_per_epoch=2, verbose=0)
    learned = {v.path for v in trainer.trainable_variables}
    for variable in model.trainable_variables:
        moved = np.any(numpy_of(variable.value) != before[variable.path])
        assert moved == (variable.path in learned), variable.path
    assert learned
    for part in still:
        assert not any(part in path for path in learned)


def test_losses_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = ready()
    for trainer in (
        CorrespondenceTrainer(model, adam()),
        classification(model, adam()),
        MixtureTrainer(model, adam()),
    ):
        total, losses, _ = trainer.loss_gradients(draw_batch(RNG(0)))
        for loss in (total, *losses.values()):
            assert keras.backend.standardize_dtype(loss.dtype) == "float32"
            assert np.isfinite(float(loss))


# --- presets, configuration, export ---------------------------------------------


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_preset_comes_back(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = ready(
        gate="minimum",
        sharpness=2.0,
        av_map=AVCosineMap(3.0, use_bias=True),
        sounding_mask=SoundingMask(0.2),
        object_divisor="area",
        unit_rows=True,
        loss_weights={"category": 0.5},
    )
    model.save_to_preset(str(tmp_path))
    loaded = CSOL.from_preset(str(tmp_path))
    inputs = draw_inputs(RNG(0))
    expected, found = (m.predict(inputs, verbose=0) for m in (model, loaded))
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    configs = [m.get_config() for m in (model, loaded)]
    assert configs[0].keys() == configs[1].keys()
    kept = ("gate", "sharpness", "loss_weights", "object_divisor", "unit_rows")
    for name in (*kept, "duration"):
        assert configs[0][name] == configs[1][name]
    assert loaded.av_map.use_bias
    assert loaded.sounding_mask.threshold == 0.2
    # Another machine's precision does not come along with either network.
    other = "float32" if policy != "float32" else "mixed_bfloat16"
    again = CSOL.from_preset(str(tmp_path), dtype=other)
    kinds = {b.compute_dtype for b in (again.backbone, again.audio_backbone)}
    assert kinds == {keras.DTypePolicy(other).compute_dtype}


def test_a_configuration_without_weights_says_so():
    with pytest.raises(ValueError, match="load_weights=False"):
        CSOL.from_preset("csol_resnet18")


def test_the_preset_for_audioset_sees_pixels_that_are_not_normalised():
    arguments = CSOL.presets["csol_resnet18_audioset"]["backbone"]
    backbone = ImageResNetBackbone([1] * 4, 0.0625, **arguments)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
    seen = backbone.get_layer("renormalise")(normalise_layer()(pixels))
    np.testing.assert_allclose(ops.convert_to_numpy(seen), pixels / 255, atol=1e-6)
    again = ImageResNetBackbone.from_config(backbone.get_config())
    assert again.input_offset == backbone.input_offset != [0.0] * 3


def test_the_preset_for_audioset_has_its_terms_one_after_the_other():
    preset = CSOL.presets["csol_resnet18_audioset"]
    small = {k: v for k, v in parts().items() if k.endswith("backbone")}
    name = "csol_resnet18_audioset"
    model = CSOL.from_preset(name, load_weights=False, **small)
    assert model.num_classes == 13 and model.gate.mode == "off"
    assert model.av_map.use_bias and not model.av_map.normalise
    sets = CountedSet(), CountedSet()
    phases = model.training_phases(*sets, solo_epochs=11, **preset["schedule"])
    clusters = [p.name for p in phases if p.name.startswith("clusters")]
    assert clusters == ["clusters and classes 11 of 11"]
    warming, learning = (p.trainer for p in phases[-2:])
    assert phases[-2].name == "warm-up on mixtures"
    assert warming.category == learning.category == "presence"
    weights = [t.loss_weights for t in (warming, learning)]
    assert weights == [
        {"category": 1.0, "correspondence": 0.0},
        {"category": 1.0, "correspondence": 1.0},
    ]


def test_unknown_terms_are_refused():
    with pytest.raises(ValueError, match="loss_weights"):
        build(loss_weights={"categories": 1.0})


def test_the_localiser_ships_with_two_inputs(tmp_path):
    model, inputs = ready(), draw_inputs(RNG(0), 2)
    localiser = model.inference_models()["localiser"]
    batch = {**draw_batch(RNG(0), 2), "frame": inputs["frame"]}
    taken = model.inference_inputs("localiser", batch)
    rows = export_part(localiser, tmp_path, taken, name="csol")
    assert [row["format"] for row in rows] == ["saved_model", "litert"]
    for row in rows:
        assert row["max_abs_diff"] <= 1e-4
        assert row["outputs"] == {
            "class_maps": [2, 2, CLASSES],
            "sounding_map": [2, 2, 1],
        }


def test_the_one_with_weights_finds_instruments_it_has_not_seen(tmp_path):
    name = "csol_tiny_orchestra"
    assert_it_finds_instruments(mixture_scores(CSOL, name, "composite", tmp_path), 0.3)
