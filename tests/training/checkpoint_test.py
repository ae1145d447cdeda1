import os
import signal
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from backend_runs import start
from media_files import write_ramp
from tiny_systems import NAMES
from untraced import untraced

from keras_avrep.data import scan_folder
from keras_avrep.training import (
    CheckpointError,
    CheckpointWriter,
    load_checkpoint,
    pretrain,
    save_checkpoint,
)
from keras_avrep.training.callbacks import read_history
from keras_avrep.training.checkpoint import read_step
from keras_avrep.views import RandomClips

PROGRAM = Path(__file__).with_name("resume_program.py")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    for index in range(8):
        write_ramp(root / f"{index}.mp4", count=12, height=24, width=24)
    return root


def tiny_model(seed=0, hidden_dim=8):
    from tiny_dclr import build

    return build(seed, hidden_dim)


def arrays(path):
    with np.load(path) as content:
        return {name: content[name] for name in content.files if name != "head"}


def run_program(videos, out, names=NAMES, backend="torch", **more):
    # Torch traces nothing, so all systems run on it.
    return start(backend, PROGRAM, videos, out, *names, **more)


def kill_in(name, videos, out, names, backend="torch", **more):
    """Run systems until one has made some steps, and kill without warning."""
    process = run_program(videos, out, names, backend, **more)
    lines, inside, last = [], False, out / name / "checkpoints" / "last.npz"
    for line in process.stdout:
        lines.append(line.strip())
        inside = inside or lines[-1] == f"model {name}"
        # That of step 2 is there when that of step 4 is begun, or before.
        if inside and line.startswith(("step 3/", "step 5/")) and last.exists():
            process.kill(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return lines


@pytest.fixture(scope="module")
def whole_and_killed(videos, tmp_path_factory):
    """Runs of all systems without a break, and with one in each of them."""
    whole, killed = (tmp_path_factory.mktemp(name) for name in ("whole", "killed"))
    run_program(videos, whole).finish()
    for position, name in enumerate(NAMES):
        # What was killed before comes to its end first.
        lines = kill_in(
            name, videos, killed, NAMES[max(0, position - 1) : position + 1]
        )
        resumed = [line for line in lines if line.startswith("resumed at step")]
        assert len(resumed) == min(position, 1)
    run_program(videos, killed, NAMES[-1:]).finish()
    return whole, killed


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_run_resumes_to_the_same_bits(whole_and_killed, name):
    assert_same_run(*(folder / name for folder in whole_and_killed))


def assert_same_run(whole, killed):
    """Bit-equal weights after losses that were, step by step."""
    last = Path("checkpoints/last.npz")
    first, second = arrays(whole / last), arrays(killed / last)
    assert first.keys() == second.keys()
    for key, value in first.items():
        np.testing.assert_array_equal(value, second[key], err_msg=key)
    rows = [read_history(folder / "history.csv") for folder in (whole, killed)]
    assert [row["step"] for row in rows[0]] == list(range(1, 7))
    assert [row["step"] for row in rows[1]] == list(range(1, 7))
    assert [row["loss"] for row in rows[0]] == [row["loss"] for row in rows[1]]


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_so_does_one_where_steps_are_traced(videos, tmp_path, backend):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    # JAX compiles once for the three runs.
    folder = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    cache = folder if backend == "jax" else {}
    run_program(videos, whole, ["dclr"], backend, **cache).finish()
    kill_in("dclr", videos, killed, ["dclr"], backend, **cache)
    run_program(videos, killed, ["dclr"], backend, **cache).finish()
    assert_same_run(whole / "dclr", killed / "dclr")


@untraced()
def test_ctrl_c_saves_and_resumes(videos, tmp_path):
    records = scan_folder(videos).records
    arguments = {
        "sampler": RandomClips(2, 2, 1),
        "steps": 6,
        "size": 20,
        "batch_size": 4,
        "log_every": 1,
    }
    lines = []

    def show(line):
        lines.append(line)
        if line.startswith("step 2/"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        pretrain(tiny_model(), records, tmp_path, show=show, **arguments)
    lines.clear()
    model = tiny_model()
    model.compile(keras.optimizers.SGD(0.01, 0.9), jit_compile=False)
    _, kept = load_checkpoint(tmp_path / "checkpoints/last.npz", model)
    result = pretrain(tiny_model(), records, tmp_path, show=lines.append, **arguments)
    assert lines[0].startswith("resumed at step ")
    assert result["steps"] == 6
    assert set(result["losses"]) >= {"loss", "loss_vv", "loss_vd"}
    assert result["clips_per_second"] > 0
    assert 0 <= result["data_wait_fraction"] <= 1
    again = pretrain(tiny_model(), records, tmp_path, show=lines.append, **arguments)
    with pytest.raises(ValueError, match="trained for 6 steps"):
        pretrain(tiny_model(), records, tmp_path, **{**arguments, "steps": 5})
    # All parts count, and looking at a run that is done adds nothing.
    assert again == result
    assert result["seconds"] > kept["seconds"] > 0


def compiled(**kwargs):
    model = tiny_model(**kwargs)
    model.compile(keras.optimizers.Adam(), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def test_a_checkpoint_brings_everything_back(tmp_path):
    model, other = compiled(), compiled(seed=1)
    path = tmp_path / "c.npz"
    save_checkpoint(path, model, 7, {"note": "x"})
    assert load_checkpoint(path, other) == (7, {"note": "x"})
    for a, b in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
        )
    assert [p.name for p in tmp_path.iterdir()] == ["c.npz"]


def test_a_wrong_or_damaged_checkpoint_is_one_sentence(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, compiled(), 1)
    with pytest.raises(CheckpointError, match="another configuration"):
        load_checkpoint(path, compiled(hidden_dim=12))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError, match=r"cannot be read.*Remove it"):
        load_checkpoint(path, compiled())


def test_a_writer_goes_on_while_the_disk_works(tmp_path, monkeypatch):
    path, model = tmp_path / "run" / "c.npz", compiled()
    disk, sync = threading.Event(), os.fsync

    def slow(number):
        disk.wait()
        sync(number)

    save_checkpoint(path, model, 1)
    monkeypatch.setattr(os, "fsync", slow)
    writer = CheckpointWriter(path)
    writer.save(model, 2)
    # What was there before stays until all of the new one is safe.
    assert read_step(path) == 1
    disk.set()
    writer.save(model, 3)
    assert read_step(path) >= 2
    writer.wait()
    assert read_step(path) == 3
    assert [p.name for p in path.parent.iterdir()] == ["c.npz"]


def test_what_killed_writers_left_is_taken_away(tmp_path):
    left, other = tmp_path / ".c.1.part.npz", tmp_path / ".d.1.part.npz"
    left.touch()
    other.touch()
    CheckpointWriter(tmp_path / "c.npz")
    assert not left.exists()
    assert other.exists()


def test_a_checkpoint_that_cannot_be_written_says_so(tmp_path):
    path, model = tmp_path / "c.npz", compiled()
    (path / "not_a_file").mkdir(parents=True)
    writer = CheckpointWriter(path)
    writer.save(model, 1)
    with pytest.raises(OSError):
        writer.wait()
    # Told once, and nothing is left over.
    writer.wait()
    assert [p.name for p in tmp_path.iterdir()] == ["c.npz"]
