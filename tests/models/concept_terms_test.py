"""Which views and concepts the terms of Static and Dynamic Concepts are made of."""

import numpy as np
import pytest
from keras import ops
from tiny_static_dynamic_concepts import build

MODES = ("rgb", "static", "dynamic")
VIDEOS, STATIC, DYNAMIC, SLOTS = 5, 4, 3, 16
# As the note has it: columns of a kind's concepts, and the views that share it.
COLUMNS = {
    "static": slice(0, STATIC),
    "dynamic": slice(STATIC, STATIC + DYNAMIC),
}
MEMBERS = {
    "static": ("rgb1", "rgb2", "static1", "static2"),
    "dynamic": ("rgb1", "rgb2", "dynamic1", "dynamic2"),
}
# Views and the kind of concepts that are not theirs.
WRONG = {"dynamic": "static", "static": "dynamic"}
WEIGHTS = {"static": 1.0, "dynamic": 1.0, "entropy": 1.0}


def draw_views():
    """Logits of the six views of each video, by name."""
    rng = np.random.default_rng(0)
    return {
        f"{mode}{clip}": rng.uniform(-1, 1, (VIDEOS, STATIC + DYNAMIC))
        for mode in MODES
        for clip in (1, 2)
    }


@pytest.fixture(scope="module")
def model():
    return build(loss_weights=WEIGHTS)


def losses_of(model, views, queue=None):
    """The terms of some logits, with a full queue of earlier ones or none.

    The two clips of a video come after each other.
    """
    for name, logits in (queue or {}).items():
        getattr(model.logit_queue, f"queue_{name}").assign(logits)
    model.logit_queue.count.assign(SLOTS if queue else 0)
    found = {}
    for mode in MODES:
        clips = np.stack([views[f"{mode}1"], views[f"{mode}2"]], axis=1)
        logits = clips.reshape(2 * VIDEOS, -1).astype("float32")
        found[mode] = {"logits": ops.convert_to_tensor(logits)}
    losses = model.compute_losses({"found": found})
    return {name: float(ops.convert_to_numpy(x)) for name, x in losses.items()}


def sinkhorn(scores):
    """Codes of the note: concepts share the samples, samples the concepts."""
    codes = np.exp((scores - scores.max()) / 0.05)
    for _ in range(3):
        codes /= codes.sum(axis=0, keepdims=True) * codes.shape[1]
        codes /= codes.sum(axis=1, keepdims=True) * codes.shape[0]
    return codes / codes.sum(axis=1, keepdims=True)


def log_shares(logits):
    exponent = np.exp(logits / 0.1)
    return np.log(exponent / exponent.sum(axis=1, keepdims=True))


def aligned(kind, views, queue):
    """The alignment of a kind, pair by pair."""
    columns, members = COLUMNS[kind], MEMBERS[kind]
    total = 0.0
    for taught in members:
        scores = np.concatenate([views[taught], *([queue[taught]] if queue else [])])
        codes = sinkhorn(scores[:, columns])[:VIDEOS]
        for asked in members:
            if asked != taught:
                shares = log_shares(views[asked][:, columns])
                total -= (codes * shares).sum(axis=1).mean()
    return total / len(members) / (len(members) - 1)


def test_alignments_have_the_pairs_and_concepts_of_the_note(model):
    views, rng = draw_views(), np.random.default_rng(1)
    queue = {
        name: rng.uniform(-1, 1, (SLOTS, STATIC + DYNAMIC)).astype("float32")
        for name in views
    }
    full, empty = losses_of(model, views, queue), losses_of(model, views)
    for kind in MEMBERS:
        assert full[kind] == pytest.approx(aligned(kind, views, queue), rel=1e-4)
        assert empty[kind] == pytest.approx(aligned(kind, views, None), rel=1e-4)
        # Codes without the queue are others.
        assert full[kind] != pytest.approx(empty[kind], rel=1e-3)


def test_an_input_is_to_know_nothing_of_the_other_kinds_concepts(model):
    views = draw_views()
    found = losses_of(model, views)["entropy"]
    expected = 0.0
    for mode, kind in WRONG.items():
        for clip in (1, 2):
            logs = log_shares(views[f"{mode}{clip}"][:, COLUMNS[kind]])
            expected += (np.exp(logs) * logs).sum(axis=1).mean() / 2
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("clip", [1, 2])
@pytest.mark.parametrize(
    ("mode", "of_static", "of_dynamic"),
    [
        ("rgb", {"static"}, {"dynamic"}),
        ("static", {"static"}, {"entropy"}),
        ("dynamic", {"entropy"}, {"dynamic"}),
    ],
)
def test_a_view_has_a_say_in_its_own_terms_alone(
    model, mode, clip, of_static, of_dynamic
):
    views, name = draw_views(), f"{mode}{clip}"
    plain = losses_of(model, views)
    for kind, terms in (("static", of_static), ("dynamic", of_dynamic)):
        changed = {**views, name: views[name].copy()}
        changed[name][:, COLUMNS[kind]] *= -1
        now = losses_of(model, changed)
        assert {t for t in plain if abs(now[t] - plain[t]) > 1e-4} == terms
