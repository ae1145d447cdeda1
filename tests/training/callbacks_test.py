import math
import platform
import re

import keras
import numpy as np
import pytest
from tiny_dclr import build

from keras_avrep.training import (
    CollapseAlarm,
    History,
    NearestNeighbourProbe,
    choose_device_policy,
)
from keras_avrep.training.callbacks import embedding_spread, read_history
from keras_avrep.training.device_policy import cpu_has_bfloat16


def fill_queue(model, keys):
    model.queue.enqueue({name: keras.ops.array(keys) for name in model.queue.names})


def unit(keys):
    keys = np.asarray(keys, "float32")
    return keys / np.linalg.norm(keys, axis=1, keepdims=True)


def test_spread_is_one_for_even_keys_and_none_without_keys():
    model = build()
    assert embedding_spread(model) is None
    keys = unit(np.random.default_rng(0).normal(size=(16, 8)))
    fill_queue(model, keys)
    expected = keys.std(axis=0).mean() * math.sqrt(8)
    assert embedding_spread(model) == pytest.approx(expected, rel=1e-5)
    assert 0.8 < embedding_spread(model) < 1.1


def test_collapse_is_told_once():
    model = build()
    fill_queue(model, unit(np.ones((16, 8)) + 0.01 * np.eye(16, 8)))
    said = []
    alarm = CollapseAlarm(every=1, warn=said.append)
    alarm.set_model(model)
    for step in range(3):
        alarm.on_train_batch_end(step)
    assert len(said) == 1
    assert "collapsed" in said[0]


def test_probe_runs_on_its_steps():
    model, seen = build(), []
    probe = NearestNeighbourProbe(
        lambda representation: {"motion": float(representation.output_shape[-1])},
        every=2,
        show=seen.append,
    )
    probe.set_model(model)
    for step in range(5):
        probe.on_train_batch_end(step)
    assert [r["step"] for r in probe.results] == [2, 4]
    assert len(seen) == 2


def test_a_probe_without_a_file_keeps_what_it_found():
    probe = NearestNeighbourProbe(lambda _: {"motion": 0.1}, every=2, show=str)
    probe.set_model(build())
    for step in range(6):
        if step % 3 == 0:
            probe.on_train_begin()
        probe.on_train_batch_end(step % 3)
    assert [r["step"] for r in probe.results] == [2, 4, 6]


def test_a_resumed_run_goes_on_with_what_the_probe_has_found(tmp_path):
    model, path = build(), tmp_path / "probe.csv"
    for first, last in ((0, 5), (3, 6)):
        probe = NearestNeighbourProbe(
            lambda _, first=first: {"motion": 0.1 + first},
            every=2,
            show=str,
            first_step=first,
            path=path,
        )
        probe.set_model(model)
        probe.on_train_begin()
        for step in range(first, last):
            probe.on_train_batch_end(step)
    # The step 4 of the first part was after the checkpoint.
    assert read_history(path) == [
        {"step": 2, "motion": 0.1},
        {"step": 4, "motion": 3.1},
        {"step": 6, "motion": 3.1},
    ]


def test_a_long_run_says_how_long_it_will_take(tmp_path):
    lines = []
    for total in (2, 10**9):
        history = History(tmp_path / "h.csv", every=1, total_steps=total)
        history.show = lines.append
        history.set_model(build())
        history.on_train_batch_end(0, {"loss": 1.0})
        history.on_train_batch_end(1, {"loss": 0.5})
    assert lines[0] == "step 1/2  loss 1.000"
    assert lines[1].startswith("step 2/2  loss 0.500  ")
    assert "left" not in lines[1]
    # A step takes more than a microsecond.
    assert re.search(r"about \d{2,} min left$", lines[3])


def test_the_device_policy_can_be_overruled():
    chosen = choose_device_policy()
    assert keras.backend.backend() in str(chosen)
    overruled = choose_device_policy(jit_compile=True, precision="float16")
    assert (overruled.jit_compile, overruled.precision) == (True, "float16")


@pytest.mark.parametrize("onednn", ["0", "1"])
def test_a_step_is_compiled_where_that_pays(onednn, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", onednn)
    backend = keras.backend.backend()
    policy = choose_device_policy(precision="float32")
    # On an accelerator every step is.
    always = ("jax",) if policy.device == "cpu" else ("jax", "tensorflow")
    # With oneDNN it is faster without, in float32 too.
    older = backend == "tensorflow" and not cpu_has_bfloat16()
    older = older and (onednn == "0" or platform.machine() not in ("x86_64", "AMD64"))
    assert policy.compiles(1000) == (backend in always or older)
    assert policy.compiles(10) == (backend in always)
    assert choose_device_policy(jit_compile=True).compiles(10)
    bfloat16 = choose_device_policy(precision="mixed_bfloat16")
    assert bfloat16.compiles(1000) == (backend in always)


def test_without_a_queue_the_statistics_of_the_steps_are_watched(tmp_path):
    from tiny_teg import build as build_teg

    model, said = build_teg(), []
    history = History(tmp_path / "h.csv", every=1, show=lambda line: None)
    alarm = CollapseAlarm(every=1, warn=said.append)
    for callback in (history, alarm):
        callback.set_model(model)
    for step, spread in enumerate((0.9, 0.1, 0.1)):
        logs = {"loss": 1.0, "embedding_std": spread, "step_accuracy": 0.5}
        for callback in (history, alarm):
            callback.on_train_batch_end(step, logs)
    assert len(said) == 1
    assert said[0].startswith("step 2: the embeddings have nearly collapsed")
    rows = read_history(tmp_path / "h.csv")
    assert [row["embedding_std"] for row in rows] == [0.9, 0.1, 0.1]
    assert rows[0]["step_accuracy"] == 0.5


def test_what_ends_in_the_middle_of_a_window_is_in_the_history(tmp_path):
    path = tmp_path / "h.csv"
    history = History(path, every=10, total_steps=30, last_step=3, show=lambda _: None)
    history.set_model(build())
    for step in range(3):
        history.on_train_batch_end(step, {"loss": float(step)})
    assert [(row["step"], row["loss"]) for row in read_history(path)] == [(3, 2.0)]
    assert history.measured_steps == 2
