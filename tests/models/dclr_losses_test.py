"""The terms of DCLR by hand: which head, key, queue and neighbours each has."""

import numpy as np
import pytest
import tiny_dclr
from gradients import gradients
from keras import ops

from keras_avrep.layers import ActivationDecoupler
from keras_avrep.losses import activation_alignment
from keras_avrep.models import DCLRViews

HEADS = ("vv", "vs", "vd", "sv", "dv")
# As the note has it: query, key and queue of one name, neighbours.
CONTRASTS = {
    "vv": ("vv", "vv", "both"),
    "vs": ("vs", "sv", "static"),
    "sv": ("sv", "vs", "static"),
    "vd": ("vd", "dv", "dynamic"),
    "dv": ("dv", "vd", "dynamic"),
}
BATCH, SLOTS, DIM = 4, 16, 8
TAU, NEIGHBOURS = 0.07, 5


@pytest.fixture(scope="module")
def model():
    return tiny_dclr.build()


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


def drawn(model, filled=SLOTS):
    """Outputs of a step and full queues, no two tensors of them alike."""
    rng = np.random.default_rng(0)
    queues = {name: unit(rng, SLOTS, DIM) for name in model.queue.names}
    for name, keys in queues.items():
        getattr(model.queue, f"queue_{name}").assign(keys)
    model.queue.count.assign(filled)
    model.queue.pointer.assign(0)
    maps = rng.uniform(0.5, 1.5, (3, BATCH, 1, 2, 2, 1)).astype("float32")
    outputs = {
        "embeddings": {head: unit(rng, BATCH, DIM) for head in HEADS},
        "keys": {
            "embeddings": {head: unit(rng, BATCH, DIM) for head in HEADS},
            "mining": {head: unit(rng, BATCH, DIM) for head in ("sv", "dv")},
            "activations": {"static": maps[1], "dynamic": maps[2]},
        },
        "rgb_map": maps[0],
    }
    return outputs, queues


def losses_of(model, outputs):
    found = model.compute_losses(outputs)
    return {name: float(ops.convert_to_numpy(x)) for name, x in found.items()}


def neighbours(outputs, queues, filled=SLOTS):
    """Sets of queue slots by row, and what they were chosen by."""

    def shares(head, bank):
        mining = outputs["keys"]["mining"][head].astype("float64")
        exponent = np.exp(mining @ queues[bank][:filled].T)
        return exponent / exponent.sum(axis=1, keepdims=True)

    by_static, by_dynamic = shares("sv", "bank_static"), shares("dv", "bank_dynamic")
    found = {"static": by_static, "dynamic": by_dynamic, "both": by_static + by_dynamic}
    return {
        name: [set(np.argsort(-row)[:NEIGHBOURS].tolist()) for row in rows]
        for name, rows in found.items()
    }


def nce(query, key, queue, positives):
    """The formula of the note, row by row."""
    losses = []
    for z, z_key, found in zip(query, key, positives, strict=True):
        first = np.exp(z.astype("float64") @ z_key / TAU)
        others = np.exp(queue.astype("float64") @ z / TAU)
        near = first + sum(others[j] for j in found)
        losses.append(-np.log(near / (first + others.sum())))
    return np.mean(losses)


@pytest.mark.parametrize("filled", [SLOTS, 9])
def test_every_contrast_is_that_of_the_note(model, filled):
    outputs, queues = drawn(model, filled)
    found, near = losses_of(model, outputs), neighbours(outputs, queues, filled)
    for term, (query, key, kind) in CONTRASTS.items():
        expected = nce(
            outputs["embeddings"][query],
            outputs["keys"]["embeddings"][key],
            queues[key][:filled],
            near[kind],
        )
        assert found[term] == pytest.approx(expected, rel=1e-4), term
    # Searches that found the same could be exchanged and nobody would know.
    for row in range(BATCH):
        assert len({frozenset(near[kind][row]) for kind in near}) == 3


@pytest.mark.parametrize("name", HEADS)
def test_a_query_a_key_and_a_queue_are_each_used_by_one_term(model, name):
    outputs, _ = drawn(model)
    plain = losses_of(model, outputs)

    def moved():
        now = losses_of(model, outputs)
        return {term for term in plain if abs(now[term] - plain[term]) > 1e-4}

    asked = {query: term for term, (query, _, _) in CONTRASTS.items()}
    answered = {key: term for term, (_, key, _) in CONTRASTS.items()}
    other = unit(np.random.default_rng(1), SLOTS, DIM)
    for embeddings, expected in (
        (outputs["embeddings"], asked),
        (outputs["keys"]["embeddings"], answered),
    ):
        kept = embeddings[name]
        embeddings[name] = other[:BATCH]
        assert moved() == {expected[name]}
        embeddings[name] = kept
    getattr(model.queue, f"queue_{name}").assign(other)
    assert moved() == {answered[name]}


def test_each_search_decides_for_its_own_mode_and_for_rgb(model):
    outputs, _ = drawn(model)
    plain = losses_of(model, outputs)
    mining = outputs["keys"]["mining"]
    for head, terms in (("sv", {"vv", "vs", "sv"}), ("dv", {"vv", "vd", "dv"})):
        kept = mining[head]
        mining[head] = -kept
        now = losses_of(model, outputs)
        assert {t for t in plain if abs(now[t] - plain[t]) > 1e-4} == terms
        mining[head] = kept


def test_keys_are_of_one_clip_and_searches_of_the_other(model):
    views = tiny_dclr.draw_views(np.random.default_rng(1))
    plain = model.key_forward(views)
    for clip, changed in enumerate(({"mining", "activations"}, {"embeddings"})):
        other = {name: view.copy() for name, view in views.items()}
        for view in other.values():
            view[:, clip] *= np.linspace(-2, 2, 4).reshape(-1, 1, 1, 1, 1)
        keys = model.key_forward(other)
        assert {
            part
            for part in keys
            for name in keys[part]
            if np.abs(
                ops.convert_to_numpy(keys[part][name])
                - ops.convert_to_numpy(plain[part][name])
            ).max()
            > 1e-3
        } == changed


@pytest.mark.parametrize("terms", [None, {"vv": 1.0, "vd": 1.0, "dv": 1.0}])
def test_a_search_for_the_same_clip_finds_it(terms):
    """Batch norm is the same for both clips: the mixture of inputs is."""
    model = tiny_dclr.build(loss_weights=terms)
    views = tiny_dclr.draw_views(np.random.default_rng(1))
    keys = model.key_forward({n: x[:, [1, 1]] for n, x in views.items()})
    searched = {"sv", "dv"} if terms is None else {"dv"}
    assert set(keys["mining"]) == searched
    for head in searched:
        found, kept = (
            ops.convert_to_numpy(keys[part][head]) for part in ("mining", "embeddings")
        )
        np.testing.assert_allclose(found, kept, atol=1e-5)


def test_a_slot_is_one_video_in_all_queues_and_banks(model):
    keys = drawn(model)[0]["keys"]["embeddings"]
    tensors = {name: ops.convert_to_tensor(x) for name, x in keys.items()}
    model.enqueue({"embeddings": tensors})
    banks = {"bank_static": "sv", "bank_dynamic": "dv"}
    assert set(model.queue.names) == {*HEADS, *banks}
    for name in model.queue.names:
        kept = ops.convert_to_numpy(model.queue.keys(name))[:BATCH]
        np.testing.assert_array_equal(kept, keys[banks.get(name, name)])


# --- activation maps ----------------------------------------------------------


def test_no_gradient_flows_through_the_map_that_weights_the_pooling():
    rng = np.random.default_rng(0)
    features = rng.uniform(size=(2, 2, 3, 3, 4)).astype("float32")
    activation = rng.uniform(0.5, 1.5, (2, 2, 3, 3, 1)).astype("float32")
    slopes = gradients(
        lambda x, a: ops.sum(ActivationDecoupler()(x, a)), features, activation
    )
    places = 2 * 3 * 3
    expected = np.broadcast_to(activation / places, features.shape)
    np.testing.assert_allclose(slopes[0], expected, rtol=1e-5)
    assert (slopes[1] == 0).all()


@pytest.mark.parametrize("aligned", [True, False])
def test_alignment_trains_the_map_of_the_clip_alone(aligned):
    rng = np.random.default_rng(0)
    rgb, static, dynamic = rng.uniform(0.5, 1.5, (3, 2, 1, 3, 3, 1)).astype("float32")

    def loss(rgb, static, dynamic):
        return activation_alignment(rgb, static if aligned else None, dynamic)

    slopes = gradients(loss, rgb, static, dynamic)
    target = (static + dynamic) / 2 if aligned else dynamic
    np.testing.assert_allclose(slopes[0], 2 * (rgb - target) / rgb.size, rtol=1e-4)
    assert (slopes[1] == 0).all()
    assert (slopes[2] == 0).all()


@pytest.mark.parametrize("aligned", [True, False])
def test_the_model_aligns_with_the_frozen_frame_only_where_it_shares_the_crop(aligned):
    model = tiny_dclr.build()
    model.views = DCLRViews(size=16, align_static=aligned)
    outputs, _ = drawn(model)
    maps = outputs["keys"]["activations"]
    target = maps["dynamic"]
    if aligned:
        target = (maps["static"] + maps["dynamic"]) / 2
    expected = np.square(outputs["rgb_map"] - target).mean()
    assert losses_of(model, outputs)["activation"] == pytest.approx(expected, rel=1e-5)


def test_alignment_has_the_map_of_the_online_encoder():
    model = tiny_dclr.build()
    views = tiny_dclr.draw_views(np.random.default_rng(1))
    views = {name: ops.convert_to_tensor(x) for name, x in views.items()}
    model.make_views = lambda batch: batch
    for term in ("vv", "vs", "sv", "vd", "dv"):
        model.set_loss_weight(term, 0.0)
    _, _, slopes = model.loss_gradients(views)
    assert any(
        g is not None and np.abs(ops.convert_to_numpy(g)).max() > 0 for g in slopes
    )
