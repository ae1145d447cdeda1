import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from media_files import write_ramp

from keras_avrep.data import scan_folder
from keras_avrep.training import (
    CheckpointError,
    load_checkpoint,
    pretrain,
    save_checkpoint,
)
from keras_avrep.training.callbacks import read_history
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


def helpers_first():
    given = os.environ.get("PYTHONPATH")
    helpers = PROGRAM.parent.parent / "helpers"
    return os.pathsep.join(filter(None, [str(helpers), given]))


def run_program(videos, out, *extra):
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(videos), str(out), *extra],
        stdout=subprocess.PIPE,
        text=True,
        # Torch traces nothing; `phases_test.py` kills a run on TensorFlow.
        env={**os.environ, "PYTHONPATH": helpers_first(), "KERAS_BACKEND": "torch"},
    )


def test_a_killed_run_resumes_to_the_same_bits(videos, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run_program(videos, whole).wait(timeout=300) == 0
    process = run_program(videos, killed)
    for line in process.stdout:
        if line.startswith("step 5/"):
            process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=300) == -signal.SIGKILL
    resumed = run_program(videos, killed)
    text = resumed.communicate(timeout=300)[0]
    assert resumed.returncode == 0
    assert "resumed at step" in text
    last = Path("checkpoints/last.npz")
    first, second = arrays(whole / last), arrays(killed / last)
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    steps = [row["step"] for row in read_history(killed / "history.csv")]
    assert steps == [row["step"] for row in read_history(whole / "history.csv")]


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
    result = pretrain(tiny_model(), records, tmp_path, show=lines.append, **arguments)
    assert lines[0].startswith("resumed at step ")
    assert result["steps"] == 6
    assert set(result["losses"]) >= {"loss", "loss_vv", "loss_vd"}
    assert result["clips_per_second"] > 0
    assert 0 <= result["data_wait_fraction"] <= 1


def compiled(**kwargs):
    model = tiny_model(**kwargs)
    model.compile(optimizer=keras.optimizers.Adam())
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
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(path, compiled())
